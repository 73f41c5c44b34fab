//! Short-term plasticity with three states of the transmitter.
//!
//! # Equations
//! Transmitter is recovered (x), active (y) or inactive (z = 1 − x − y); u is the fraction that a
//! spike uses. Between spikes, solved exactly:
//! - dx/dt = z/τ_rec, dy/dt = −y/τ_psc, dz/dt = y/τ_psc − z/τ_rec, du/dt = −u/τ_fac
//!
//! At a spike: u ← u + U (1 − u), then u x moves from x to y; the weight acts times u x. All begins at
//! 0 ms with x = 1, y = u = 0, or as given.
//!
//! # Source
//! Tsodyks, Uziel and Markram 2000, J. Neurosci. 20:RC50, equations 3 and 4.

use super::rule::{
    Made, RuleContext, RuleKind, RuleParameter, RuleSpec, ShortTerm, SynapseRule, Unit,
};
use crate::neuron::bytes_of;
use crate::neuron::{Over, Range, StateVisitor};
use crate::time::Time;
use crate::units::Dimension;

/// See the module.
#[derive(Debug)]
pub struct Rule;

pub(super) const USE: RuleParameter = RuleParameter {
    name: "use",
    symbol: "U",
    unit: Unit::Of(Dimension::Number),
    default: Some(0.5),
    range: Range::NonNegative,
    meaning: "fraction of the recovered transmitter that a first spike uses, 0 to 1",
};

pub(super) const TAU_RECOVERY: RuleParameter = RuleParameter {
    name: "tau_recovery",
    symbol: "τ_rec",
    unit: Unit::Of(Dimension::Time),
    default: Some(800.0),
    range: Range::Positive,
    meaning: "time constant of depression",
};

pub(super) const TAU_FACILITATION: RuleParameter = RuleParameter {
    name: "tau_facilitation",
    symbol: "τ_fac",
    unit: Unit::Of(Dimension::Time),
    default: Some(0.0),
    range: Range::NonNegative,
    meaning: "time constant of facilitation; 0 for none",
};

const fn fraction(
    name: &'static str,
    symbol: &'static str,
    default: f64,
    meaning: &'static str,
) -> RuleParameter {
    let unit = Unit::Of(Dimension::Number);
    RuleParameter { name, symbol, unit, default: Some(default), range: Range::NonNegative, meaning }
}

pub(super) const INITIAL_RECOVERED: RuleParameter =
    fraction("initial_recovered", "x(0)", 1.0, "recovered fraction in the beginning, 0 to 1");

const INITIAL_ACTIVE: RuleParameter =
    fraction("initial_active", "y(0)", 0.0, "active fraction in the beginning, 0 to 1 - x(0)");

pub(super) const INITIAL_USE: RuleParameter =
    fraction("initial_use", "u(0)", 0.0, "u in the beginning, 0 to 1");

/// Which of these parameters are above 1.
pub(super) fn check_fractions(
    parameters: &[f64],
    fractions: &[(usize, &'static str)],
) -> Vec<(&'static str, String)> {
    let wrong = fractions.iter().filter(|(index, _)| parameters[*index] > 1.0);
    wrong.map(|&(index, name)| (name, format!("{} is above 1", parameters[index]))).collect()
}

/// exp(−elapsed/τ), and nothing is left where τ is 0.
pub(super) fn remaining(elapsed: f64, tau: f64) -> f64 {
    if tau > 0.0 { (-elapsed / tau).exp() } else { 0.0 }
}

static SPEC: RuleSpec = RuleSpec {
    name: "tsodyks_markram",
    summary: "short-term depression and facilitation with recovered, active and inactive states",
    kind: RuleKind::ShortTerm,
    parameters: &[
        USE,
        TAU_RECOVERY,
        TAU_FACILITATION,
        RuleParameter {
            name: "tau_synapse",
            symbol: "τ_psc",
            unit: Unit::Of(Dimension::Time),
            default: Some(3.0),
            range: Range::Positive,
            meaning: "decay of the active state; that of the target's synaptic current",
        },
        INITIAL_RECOVERED,
        INITIAL_ACTIVE,
        INITIAL_USE,
    ],
    modulated: false,
    weights: Range::Any,
    pairings: &[],
    reference: "Tsodyks, Uziel and Markram 2000, J. Neurosci. 20:RC50",
};

#[derive(Debug, Clone, Copy)]
struct Transmitter {
    /// x, y, u just after the last spike.
    state: [f64; 3],
    last: Time,
}

struct Release {
    usage: f64,
    tau_recovery: f64,
    tau_facilitation: f64,
    tau_synapse: f64,
    /// State at the beginning.
    begin: Transmitter,
    segments: Vec<Transmitter>,
}

/// Time constants closer than this (relative) count as equal: the quotient of differences would
/// lose more digits than the limit does.
const NEARLY_EQUAL: f64 = 1e-6;

impl ShortTerm for Release {
    fn release(&mut self, segment: usize, time: Time) -> f64 {
        let Transmitter { state: [x, y, u], last } = self.segments[segment];
        let h = (time - last).milliseconds();
        let active = remaining(h, self.tau_synapse);
        let recovering = remaining(h, self.tau_recovery);
        let (rec, psc) = (self.tau_recovery, self.tau_synapse);
        let from_active = if (rec / psc - 1.0).abs() < NEARLY_EQUAL {
            1.0 - active * (1.0 + h / psc)
        } else {
            ((recovering - 1.0) * rec - (active - 1.0) * psc) / (psc - rec)
        };
        let inactive = 1.0 - x - y;
        let x = x + from_active * y + (1.0 - recovering) * inactive;
        let y = y * active;
        let u = u * remaining(h, self.tau_facilitation);
        let u = u + self.usage * (1.0 - u);
        let released = u * x;
        self.segments[segment] = Transmitter { state: [x - released, y + released, u], last: time };
        released
    }

    fn state(&self, segment: usize) -> Vec<(&'static str, f64)> {
        let [x, y, u] = self.segments[segment].state;
        vec![("x", x), ("y", y), ("u", u)]
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.over(Over::Segments);
        for variable in 0..3 {
            visitor.reals(&mut self.segments.iter_mut().map(|s| &mut s.state[variable]));
        }
        visitor.times(&mut self.segments.iter_mut().map(|s| &mut s.last));
    }

    fn reset(&mut self) {
        self.segments.fill(self.begin);
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.segments)
    }
}

impl SynapseRule for Rule {
    fn spec(&self) -> &'static RuleSpec {
        &SPEC
    }

    fn check(&self, parameters: &[f64]) -> Vec<(&'static str, String)> {
        let fractions = [
            (0, USE.name),
            (4, INITIAL_RECOVERED.name),
            (5, INITIAL_ACTIVE.name),
            (6, INITIAL_USE.name),
        ];
        let mut problems = check_fractions(parameters, &fractions);
        let sum = parameters[4] + parameters[5];
        if problems.is_empty() && sum > 1.0 {
            let message = format!("with {} it makes {sum}, more than 1", INITIAL_RECOVERED.name);
            problems.push((INITIAL_ACTIVE.name, message));
        }
        problems
    }

    fn make(&self, context: RuleContext<'_>) -> Made {
        let given = context.parameters;
        let begin = Transmitter { state: [given[4], given[5], given[6]], last: Time::ZERO };
        Made::ShortTerm(Box::new(Release {
            usage: given[0],
            tau_recovery: given[1],
            tau_facilitation: given[2],
            tau_synapse: given[3],
            begin,
            segments: vec![begin; context.segments],
        }))
    }
}
