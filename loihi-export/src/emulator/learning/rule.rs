//! Sum-of-products learning rules as text, read as Lava reads them.
//!
//! ```text
//! rule    = product (± product)*
//! product = factor (* factor)*
//! factor  = x0 | y0 | u<k>                the first one of a product is its condition
//!         | x1 | x2 | y1 | y2 | y3        traces
//!         | w | d | t                     weight, second tag (delay), first tag
//!         | (variable ± c) | sgn(w ± c)   a variable and a constant; signs of w, d, t only
//!         | n | 2^e | n*2^e | (±n)        literals: all of a product merge into one scale
//! ```
//! The scale of a product is `mantissa * 2^exponent` with -8 <= mantissa < 8 and
//! -7 <= exponent <= 8; even mantissas above 7 are halved. `u<k>` holds every 2^k epochs, and a
//! projection has one k. Reference: lava-nc 0.10.0 `SymbolicEquation`, `ProductSeries`.

use std::iter::Peekable;
use std::str::Chars;

/// When a product counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The source spiked in the epoch; traces are read at its last spike.
    X0,
    /// The target spiked in the epoch; traces are read at its last spike.
    Y0,
    /// Every 2^k epochs; traces are read at the epoch's end.
    U,
}

/// A variable of a synapse or its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// Whether the source spiked in the epoch.
    X0,
    /// Whether the target spiked in the epoch.
    Y0,
    /// A trace of the source: 0 is x1, 1 is x2.
    X(usize),
    /// A trace of the target: 0 is y1 to 2, y3.
    Y(usize),
    /// The weight.
    W,
    /// The second tag, Loihi's delay.
    D,
    /// The first tag.
    T,
}

impl Variable {
    /// Bits of its magnitude where it meets a product.
    pub(super) fn width(self) -> u32 {
        match self {
            Self::X0 | Self::Y0 => 1,
            Self::X(_) | Self::Y(_) => 7,
            Self::W | Self::D | Self::T => 9,
        }
    }
}

/// A variable of a product, with a constant and possibly its sign only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor {
    /// The variable.
    pub variable: Variable,
    /// What is added to it.
    pub constant: f64,
    /// Whether only the sign of the sum counts.
    pub sign: bool,
}

/// `mantissa * 2^exponent * condition * factors`.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// When it counts.
    pub condition: Condition,
    /// -8 to 7.
    pub mantissa: i64,
    /// -7 to 8.
    pub exponent: i64,
    /// Variables in the order of the text.
    pub factors: Vec<Factor>,
}

/// A rule as products.
#[derive(Debug, Clone, PartialEq)]
pub struct SumOfProducts {
    /// Products in the order of the text.
    pub products: Vec<Product>,
    /// The k of `u<k>`, where one occurs.
    pub decimation: Option<u32>,
}

/// Why a text is no learning rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A character that starts no symbol.
    #[error(
        "'{rest}' is no symbol of a learning rule; known are x0, y0, u0 to u9, x1, x2, y1, y2, \
         y3, w, d, t, sgn(…), (… ± c), whole numbers and n*2^e"
    )]
    Symbol {
        /// The text from there on.
        rest: String,
    },
    /// A bracket holds something else than a variable, a number, or both.
    #[error("'({inside})' must be a number, a variable, or a variable ± a number")]
    Bracket {
        /// What it holds.
        inside: String,
    },
    /// A sign of something that has none.
    #[error("sgn({inside}) must be of w, d or t, plus or minus a number")]
    Sign {
        /// What it holds.
        inside: String,
    },
    /// A product has no condition.
    #[error("product {product} has no condition; multiply it by x0, y0 or u<k>")]
    NoCondition {
        /// Counted from 1.
        product: usize,
    },
    /// `u<k>` stands behind another condition, or with another k.
    #[error("product {product}: u<k> must be the first condition and have one k in all rules")]
    Decimation {
        /// Counted from 1.
        product: usize,
    },
    /// The scale does not fit.
    #[error(
        "product {product} is scaled by {mantissa} * 2^{exponent}; the mantissa must be -8 to 7 \
         (even ones are halved) and the exponent -7 to 8"
    )]
    Scale {
        /// Counted from 1.
        product: usize,
        /// Mantissa after halving.
        mantissa: i64,
        /// Exponent after halving.
        exponent: i64,
    },
}

#[derive(Debug, Clone)]
enum Symbol {
    Plus,
    Minus,
    Times,
    Condition(Variable),
    Decimated(u32),
    Variable(Variable),
    Literal { mantissa: i64, exponent: i64 },
    Bracket { inside: String, sign: bool },
}

impl SumOfProducts {
    /// Reads a rule.
    ///
    /// # Errors
    /// [`RuleError`] for the first part that Lava would not read, or would read as something else
    /// than it says.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let symbols = symbols(&compact)?;
        let mut products: Vec<Vec<Symbol>> = vec![Vec::new()];
        for symbol in symbols {
            let starts = matches!(symbol, Symbol::Plus | Symbol::Minus);
            match products.last_mut() {
                Some(last) if !starts || last.is_empty() => last.push(symbol),
                _ => products.push(vec![symbol]),
            }
        }
        let mut rule = Self { products: Vec::new(), decimation: None };
        for (index, symbols) in products.into_iter().enumerate() {
            let product = rule.product(index + 1, symbols)?;
            rule.products.push(product);
        }
        Ok(rule)
    }

    fn product(&mut self, number: usize, symbols: Vec<Symbol>) -> Result<Product, RuleError> {
        let (mut condition, mut factors) = (None, Vec::new());
        let (mut mantissa, mut exponent) = (1_i64, 0_i64);
        let mut scale = |by: i64, shift: i64| {
            mantissa = mantissa.saturating_mul(by);
            exponent = exponent.saturating_add(shift);
        };
        for symbol in symbols {
            match symbol {
                Symbol::Plus | Symbol::Times => {}
                Symbol::Minus => scale(-1, 0),
                Symbol::Literal { mantissa, exponent } => scale(mantissa, exponent),
                Symbol::Condition(variable) if condition.is_none() => {
                    condition = Some(match variable {
                        Variable::X0 => Condition::X0,
                        _ => Condition::Y0,
                    });
                }
                Symbol::Decimated(k) => {
                    let before = self.decimation.replace(k);
                    let other = condition.is_some_and(|found| found != Condition::U);
                    if other || before.is_some_and(|before| before != k) {
                        return Err(RuleError::Decimation { product: number });
                    }
                    condition = Some(Condition::U);
                }
                Symbol::Condition(variable) | Symbol::Variable(variable) => {
                    factors.push(Factor { variable, constant: 0.0, sign: false });
                }
                Symbol::Bracket { inside, sign } => match bracket(&inside, sign)? {
                    Content::Scale(by, shift) => scale(by, shift),
                    Content::Factor(factor, negative) => {
                        scale(if negative { -1 } else { 1 }, 0);
                        factors.push(factor);
                    }
                },
            }
        }
        while mantissa.unsigned_abs() > 7 && mantissa % 2 == 0 && exponent < 8 {
            (mantissa, exponent) = (mantissa / 2, exponent + 1);
        }
        let condition = condition.ok_or(RuleError::NoCondition { product: number })?;
        if !(-8..8).contains(&mantissa) || !(-7..9).contains(&exponent) {
            return Err(RuleError::Scale { product: number, mantissa, exponent });
        }
        Ok(Product { condition, mantissa, exponent, factors })
    }
}

/// What a bracket stands for.
enum Content {
    Scale(i64, i64),
    /// A factor, and whether its variable was negative.
    Factor(Factor, bool),
}

/// `(n)`, `(v)`, `(±v ± n)`, `(±n ± v)`.
fn bracket(inside: &str, sign: bool) -> Result<Content, RuleError> {
    let wrong = || match sign {
        true => RuleError::Sign { inside: inside.to_owned() },
        false => RuleError::Bracket { inside: inside.to_owned() },
    };
    let (mut variable, mut constant, mut scale) = (None, None, None);
    let (mut minus, mut negative) = (false, false);
    let mut expected = true;
    for symbol in symbols(inside)? {
        match symbol {
            Symbol::Plus | Symbol::Minus => {
                minus = matches!(symbol, Symbol::Minus);
                expected = true;
                continue;
            }
            Symbol::Variable(found) | Symbol::Condition(found)
                if variable.is_none() && expected =>
            {
                (variable, negative) = (Some(found), minus);
            }
            Symbol::Literal { mantissa, exponent } if constant.is_none() && expected => {
                let signed = if minus { -mantissa } else { mantissa };
                scale = Some((signed, exponent));
                constant = Some(signed as f64 * 2.0_f64.powi(exponent.clamp(-99, 99) as i32));
            }
            _ => return Err(wrong()),
        }
        (minus, expected) = (false, false);
    }
    let synaptic = matches!(variable, Some(Variable::W | Variable::D | Variable::T));
    match (variable, constant, scale) {
        _ if expected => Err(wrong()),
        (None, Some(_), Some((mantissa, exponent))) if !sign => {
            Ok(Content::Scale(mantissa, exponent))
        }
        // Lava drops the sign of `(-w)` and the whole of `(x0)`: neither is taken for what it says.
        (Some(_), None, _) if negative => Err(wrong()),
        (Some(Variable::X0 | Variable::Y0), None, _) => Err(wrong()),
        (Some(variable), constant, _) if !sign || (synaptic && !negative) => {
            let constant = constant.unwrap_or(0.0) * if negative { -1.0 } else { 1.0 };
            Ok(Content::Factor(Factor { variable, constant, sign }, negative))
        }
        _ => Err(wrong()),
    }
}

fn symbols(text: &str) -> Result<Vec<Symbol>, RuleError> {
    let (mut rest, mut found) = (text, Vec::new());
    while !rest.is_empty() {
        let (symbol, behind) =
            symbol(rest).ok_or_else(|| RuleError::Symbol { rest: rest.to_owned() })?;
        found.push(symbol);
        rest = behind;
    }
    if found.is_empty() {
        return Err(RuleError::Symbol { rest: String::new() });
    }
    Ok(found)
}

/// Symbols without a value of their own.
const WORDS: [(&str, Symbol); 13] = [
    ("+", Symbol::Plus),
    ("-", Symbol::Minus),
    ("*", Symbol::Times),
    ("x0", Symbol::Condition(Variable::X0)),
    ("y0", Symbol::Condition(Variable::Y0)),
    ("x1", Symbol::Variable(Variable::X(0))),
    ("x2", Symbol::Variable(Variable::X(1))),
    ("y1", Symbol::Variable(Variable::Y(0))),
    ("y2", Symbol::Variable(Variable::Y(1))),
    ("y3", Symbol::Variable(Variable::Y(2))),
    ("w", Symbol::Variable(Variable::W)),
    ("d", Symbol::Variable(Variable::D)),
    ("t", Symbol::Variable(Variable::T)),
];

fn symbol(text: &str) -> Option<(Symbol, &str)> {
    for (word, symbol) in WORDS {
        if let Some(rest) = text.strip_prefix(word) {
            return Some((symbol, rest));
        }
    }
    if let Some(rest) = text.strip_prefix('u') {
        let digit = rest.chars().next()?.to_digit(10)?;
        // `u10` is u1 followed by a 0 for Lava, which makes the product 0.
        let rest = rest.get(1..)?;
        return (!rest.starts_with(|c: char| c.is_ascii_digit()))
            .then_some((Symbol::Decimated(digit), rest));
    }
    for (opening, sign) in [("(", false), ("sgn(", true)] {
        if let Some(rest) = text.strip_prefix(opening) {
            let end = rest.find(')')?;
            let inside = rest.get(..end)?.to_owned();
            return Some((Symbol::Bracket { inside, sign }, rest.get(end + 1..)?));
        }
    }
    literal(text)
}

/// `n*2^e`, `2^e` or `n`.
fn literal(text: &str) -> Option<(Symbol, &str)> {
    let (number, rest) = whole(text)?;
    let power = rest.strip_prefix("*2^").map(|behind| (number, behind));
    let power = power.or_else(|| match rest.strip_prefix('^') {
        Some(behind) if number == 2 => Some((1, behind)),
        _ => None,
    });
    match power {
        Some((mantissa, behind)) => {
            let (negative, digits) = match behind.strip_prefix(['-', '+']) {
                Some(digits) => (behind.starts_with('-'), digits),
                None => (false, behind),
            };
            let (size, rest) = whole(digits)?;
            let exponent = if negative { -size } else { size };
            Some((Symbol::Literal { mantissa, exponent }, rest))
        }
        None => Some((Symbol::Literal { mantissa: number, exponent: 0 }, rest)),
    }
}

fn whole(text: &str) -> Option<(i64, &str)> {
    let mut characters: Peekable<Chars<'_>> = text.chars().peekable();
    let mut length = 0;
    while characters.next_if(char::is_ascii_digit).is_some() {
        length += 1;
    }
    let number = text.get(..length)?.parse().ok()?;
    Some((number, text.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_a_product_merge_into_one_scale() {
        let rule = SumOfProducts::parse("2^-3*y0*x1*(w + 3) - 3 * 2^-5 * x0 * y1").unwrap();
        let [first, second] = rule.products.as_slice() else { panic!("{rule:?}") };
        assert_eq!((first.mantissa, first.exponent, first.condition), (1, -3, Condition::Y0));
        let weight = Factor { variable: Variable::W, constant: 3.0, sign: false };
        assert_eq!(first.factors.last(), Some(&weight));
        assert_eq!((second.mantissa, second.exponent, second.condition), (-3, -5, Condition::X0));
        let rule =
            SumOfProducts::parse("(1) * (-2) * x0 * y1 +(3) * 2 ^ -1 * 4 * y0 * x1").unwrap();
        assert_eq!((rule.products[0].mantissa, rule.products[0].exponent), (-2, 0));
        assert_eq!((rule.products[1].mantissa, rule.products[1].exponent), (6, 0));
    }

    #[test]
    fn decimation_and_signs_are_read() {
        let rule = SumOfProducts::parse("u3 * sgn(t - 1) * y0 - u3*(4 - x1)").unwrap();
        assert_eq!(rule.decimation, Some(3));
        let sign = Factor { variable: Variable::T, constant: -1.0, sign: true };
        assert_eq!(rule.products[0].factors[0], sign);
        assert_eq!(rule.products[0].factors[1].variable, Variable::Y0);
        let negated = Factor { variable: Variable::X(0), constant: -4.0, sign: false };
        assert_eq!((rule.products[1].mantissa, rule.products[1].factors[0]), (1, negated));
    }

    #[test]
    fn what_lava_would_misread_is_refused() {
        let cases = [
            ("", "is no symbol"),
            ("x1*y1", "no condition"),
            ("u1*x1 + u2*y1", "one k"),
            ("x0*u1", "first condition"),
            ("9*x0", "scaled by 9"),
            ("2^12*x0", "2^12"),
            ("x0*(-w)", "must be a number"),
            ("y0*(x0)", "must be a number"),
            ("x0*(w*3)", "must be a number"),
            ("x0*sgn(x1)", "of w, d or t"),
            ("u10*x1", "u10*x1"),
            ("x0*z", "'z'"),
            ("x0*(w+", "'(w+'"),
        ];
        for (text, expected) in cases {
            let message = SumOfProducts::parse(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
