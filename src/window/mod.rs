//! What a synapse rule does, shown by running it.
//!
//! A **long-term** rule: for each difference between a post- and a presynaptic spike, a pair of neurons
//! of its own spikes several times on the event-driven engine; shown is the change of the weight by a
//! pair. A **short-term** rule: what each spike of a train releases. A rule of **homeostasis**: the
//! factor of all weights against the rate, or against their sum, that it acts on.
//!
//! Weights are in units of the largest one; a parameter that is a weight is given in them too.

mod pairs;

use crate::error::Error;
use crate::lists::named;
use crate::report::{Axis, LineChart, ReferenceLine, Series};
use crate::sim_core::synapse::{
    Made, Pairing, RuleContext, RuleKind, SynapseRule, Unit, find_rule, rule_names,
};
use crate::sim_core::time::Time;
use crate::sim_core::units::{Dimension, Quantity};
use serde::Serialize;

/// What is shown of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowConfig {
    /// Parameters in place of the rule's own: name and value.
    pub parameters: Vec<(String, String)>,
    /// Which spikes form pairs.
    pub pairing: Pairing,
    /// Pairs of spikes, or spikes of a train.
    pub repeats: u32,
    /// Rates of the repeats (Hz), one line each; the kind's own where none is given.
    pub rates_hz: Vec<f64>,
    /// Largest difference between the spikes (ms).
    pub span_ms: f64,
    /// Weight at the beginning, in units of the largest.
    pub weight: f64,
    /// The whole delay (ms).
    pub delay_ms: f64,
    /// Its dendritic part (ms); all of it where none is given.
    pub dendritic_ms: Option<f64>,
}

impl Default for WindowConfig {
    fn default() -> Self {
        WindowConfig {
            parameters: Vec::new(),
            pairing: Pairing::AllToAll,
            repeats: 10,
            rates_hz: Vec::new(),
            span_ms: 80.0,
            weight: 0.5,
            delay_ms: 0.1,
            dendritic_ms: None,
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WindowLine {
    /// What is held along it.
    pub name: String,
    /// The points.
    pub points: Vec<(f64, f64)>,
}

/// A rule as it was seen at work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Window {
    /// The rule.
    pub rule: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Source of its equations.
    pub reference: &'static str,
    /// How it was made to work.
    pub protocol: String,
    /// Parameters in base units; weights in units of the largest.
    pub parameters: Vec<(&'static str, f64)>,
    /// Meaning and unit of the horizontal axis.
    pub x: (String, &'static str),
    /// Meaning and unit of the vertical axis.
    pub y: (String, &'static str),
    /// The lines.
    pub lines: Vec<WindowLine>,
}

/// Runs a rule.
///
/// # Errors
/// [`Error::Unknown`] with the rules or parameters that there are, [`Error::Usage`] for values that are
/// out of range, [`Error::Invalid`] where the pair is no valid network.
pub fn window(rule: &str, config: &WindowConfig) -> Result<Window, Error> {
    let found = named("synapse rule", rule, find_rule(rule), rule_names())?;
    let spec = found.spec();
    check(config)?;
    let parameters = parameters(found, config)?;
    let names = spec.parameters.iter().map(|parameter| parameter.name);
    let mut shown = Window {
        rule: spec.name,
        summary: spec.summary,
        reference: spec.reference,
        protocol: String::new(),
        parameters: names.zip(parameters.iter().copied()).collect(),
        x: (String::new(), ""),
        y: (String::new(), ""),
        lines: Vec::new(),
    };
    match spec.kind {
        RuleKind::LongTerm => pairs::show(spec, &parameters, config, &mut shown)?,
        _ => alone(found, &parameters, config, &mut shown),
    }
    Ok(shown)
}

fn check(config: &WindowConfig) -> Result<(), Error> {
    let positive = |name: &str, value: f64, most: f64| match value > 0.0 && value <= most {
        true => Ok(()),
        false => Err(Error::Usage(format!("--{name} {value}: give a number from 0 to {most}"))),
    };
    positive("span-ms", config.span_ms, 1000.0)?;
    positive("delay-ms", config.delay_ms, 100.0)?;
    positive("weight", config.weight, 1.0)?;
    positive("repeats", f64::from(config.repeats), 1000.0)?;
    config.rates_hz.iter().try_for_each(|rate| positive("rates", *rate, 500.0))
}

/// The rule's numbers in base units: those given, or its own. A bound of weights that has no default
/// is 1, the unit of weights here.
fn parameters(rule: &dyn SynapseRule, config: &WindowConfig) -> Result<Vec<f64>, Error> {
    let spec = rule.spec();
    let known: Vec<&'static str> = spec.parameters.iter().map(|parameter| parameter.name).collect();
    for (name, _) in &config.parameters {
        let found = known.iter().find(|known| *known == name);
        named("parameter of the rule", name, found, known.iter().copied())?;
    }
    let mut numbers = Vec::with_capacity(known.len());
    for parameter in spec.parameters {
        let given = config.parameters.iter().find(|(name, _)| name == parameter.name);
        let value = match given {
            Some((name, text)) => parse(name, text, parameter.unit)?,
            None => pairs::own_default(spec, parameter.name)
                .or_else(|| rule.number_not_given(parameter, &numbers))
                .unwrap_or(1.0),
        };
        if !parameter.range.contains(value) {
            return Err(Error::Usage(format!(
                "`{}` is {value}; allowed is {}",
                parameter.name,
                parameter.range.describe()
            )));
        }
        numbers.push(value);
    }
    match rule.check(&numbers).into_iter().next() {
        Some((name, message)) => Err(Error::Usage(format!("`{name}`: {message}"))),
        None => Ok(numbers),
    }
}

fn parse(name: &str, text: &str, unit: Unit) -> Result<f64, Error> {
    let wrong = |reason: String| Error::Usage(format!("`{name}` = `{text}`: {reason}"));
    let quantity: Quantity = text.parse().map_err(|error| wrong(format!("{error}")))?;
    let expected = match unit {
        Unit::Of(dimension) => dimension,
        Unit::Weight => Dimension::Number,
    };
    match quantity.unit.dimension == expected {
        true => Ok(quantity.in_base()),
        false => Err(wrong(match unit {
            Unit::Weight => "weights are plain numbers here, in units of the largest".to_string(),
            Unit::Of(dimension) => format!("give a value in {}", dimension.base_unit()),
        })),
    }
}

/// A rule that needs no pair of neurons.
fn alone(rule: &dyn SynapseRule, parameters: &[f64], config: &WindowConfig, window: &mut Window) {
    let context = RuleContext {
        parameters,
        pairing: Pairing::AllToAll,
        segments: 1,
        synapses: 1,
        targets: 1,
        longest_dendritic_delay: Time::ZERO,
    };
    match rule.make(context) {
        Made::ShortTerm(mut release) => {
            let usual = [5.0, 20.0, 50.0];
            let rates = if config.rates_hz.is_empty() { &usual[..] } else { &config.rates_hz };
            for rate in rates {
                release.reset();
                let train = (0..config.repeats).map(|spike| {
                    let time = 1.0 + 1000.0 * f64::from(spike) / rate;
                    let time = Time::from_milliseconds(time).unwrap_or(Time::NEVER);
                    (f64::from(spike + 1), release.release(0, time))
                });
                let points = train.collect();
                window.lines.push(WindowLine { name: format!("{rate} Hz"), points });
            }
            window.protocol =
                "each line: a train of spikes at this rate on a rested synapse".into();
            window.x = ("spike".into(), "");
            window.y = ("released part of the weight".into(), "");
        }
        Made::Homeostasis(rule) => {
            let by_rate = rule.factor(1.0, 1.0) != rule.factor(1.0, 2.0);
            let point = |step: u32| {
                let x = f64::from(step) / 20.0;
                let (x, y) = if by_rate {
                    (20.0 * x, rule.factor(1.0, 20.0 * x))
                } else {
                    (x, rule.factor(x, 0.0))
                };
                (x, y)
            };
            let points = (1..=40).map(point).collect();
            window.lines.push(WindowLine { name: "factor".into(), points });
            window.protocol = format!("all weights of a neuron, every {} ms", rule.interval());
            window.x = match by_rate {
                true => ("rate of the neuron".into(), "Hz"),
                false => ("sum of its weights".into(), ""),
            };
            window.y = ("factor of its weights".into(), "");
        }
        Made::LongTerm(_) => {}
    }
}

impl Window {
    /// The lines as a chart.
    pub fn chart(&self) -> LineChart {
        let series = self.lines.iter().map(|line| Series::new(&line.name, line.points.clone()));
        let reference = if self.y.0.starts_with("factor") { 1.0 } else { 0.0 };
        LineChart {
            title: format!("{}: {}", self.rule, self.summary),
            description: format!("{}. {}", self.protocol, self.reference),
            x: Axis::new(&self.x.0, self.x.1),
            y: Axis::new(&self.y.0, self.y.1),
            series: series.collect(),
            reference_lines: vec![ReferenceLine { label: String::new(), value: reference }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim_core::synapse::RULES;

    fn at(window: &Window, line: usize, x: f64) -> f64 {
        let points = &window.lines[line].points;
        points.iter().find(|point| (point.0 - x).abs() < 1e-6).unwrap().1
    }

    #[test]
    fn the_additive_window_is_two_exponentials() {
        let config = WindowConfig { rates_hz: vec![1.0], repeats: 3, ..WindowConfig::default() };
        let shown = window("stdp_additive", &config).unwrap();
        for (dt, change) in &shown.lines[0].points {
            // 1 % of the largest weight is 2 % of the initial one. The whole delay of 0.1 ms is
            // dendritic: at the synapse the postsynaptic spike is that much later.
            let at_synapse = dt + 0.1;
            let expected = match at_synapse > 1e-9 {
                true => 2.0 * (-at_synapse / 20.0).exp(),
                false => -2.0 * (at_synapse / 20.0).exp(),
            };
            assert!((change - expected).abs() < 1e-6, "{dt}: {change} {expected}");
        }
    }

    #[test]
    fn delays_shift_the_window() {
        let run = |dendritic: f64| {
            let config = WindowConfig {
                delay_ms: 6.0,
                dendritic_ms: Some(dendritic),
                rates_hz: vec![1.0],
                ..WindowConfig::default()
            };
            window("stdp_additive", &config).unwrap()
        };
        let (dendritic, axonal) = (run(6.0), run(0.5));
        // At the synapse: −4 + 6 = 2 ms, or −4 + 0.5 − 5.5 = −9 ms.
        assert!(at(&dendritic, 0, -4.0) > 1.7 && at(&axonal, 0, -4.0) < -1.2);
    }

    #[test]
    fn every_rule_can_be_looked_at() {
        for rule in RULES {
            let name = rule.spec().name;
            let shown = window(name, &WindowConfig::default()).unwrap();
            let values = shown.lines.iter().flat_map(|line| &line.points);
            let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), (_, y)| {
                assert!(y.is_finite(), "{name}");
                (low.min(*y), high.max(*y))
            });
            assert!(high - low > 1e-4, "{name} shows nothing: {low} to {high}");
            assert!(shown.chart().to_svg().unwrap().starts_with("<svg"), "{name}");
        }
    }

    #[test]
    fn wrong_names_and_values_are_told() {
        let error = |name: &str, parameter: (&str, &str)| {
            let parameters = vec![(parameter.0.to_string(), parameter.1.to_string())];
            let config = WindowConfig { parameters, ..WindowConfig::default() };
            window(name, &config).unwrap_err().to_string()
        };
        assert!(error("stdp_aditive", ("tau_plus", "3 ms")).contains("did you mean"));
        assert!(error("stdp_additive", ("tau", "3 ms")).contains("tau_plus"));
        assert!(error("stdp_additive", ("tau_plus", "3 mV")).contains("give a value in ms"));
        assert!(error("stdp_additive", ("tau_plus", "-3 ms")).contains("above zero"));
        assert!(error("stdp_additive", ("largest_weight", "3 mV")).contains("plain numbers"));
    }
}
