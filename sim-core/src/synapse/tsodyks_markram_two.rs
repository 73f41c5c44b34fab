//! Short-term plasticity with two states of the transmitter.
//!
//! # Equations
//! x is the recovered fraction, u the fraction that the next spike uses (x = 1, u = U at rest). A
//! spike finds, after h without one:
//! - x ← 1 + (x − x u − 1) exp(−h/τ_rec), u ← U + u (1 − U) exp(−h/τ_fac)
//!
//! and the weight acts times u x. The first spike finds x = 1 and u = U, or what is given.
//!
//! # Source
//! Tsodyks and Markram 1997, PNAS 94:719; Maass and Markram 2002, Neural Netw. 15:155, equation 2.

use super::rule::{Made, RuleContext, RuleKind, RuleParameter, RuleSpec, ShortTerm, SynapseRule};
use super::tsodyks_markram::{
    INITIAL_RECOVERED, INITIAL_USE, TAU_FACILITATION, TAU_RECOVERY, USE, check_fractions, remaining,
};
use crate::neuron::bytes_of;
use crate::neuron::{Over, Range, StateVisitor};
use crate::time::Time;

/// See the module.
#[derive(Debug)]
pub struct Rule;

static SPEC: RuleSpec = RuleSpec {
    name: "tsodyks_markram_two",
    summary: "short-term depression and facilitation with a recovered and a used state",
    kind: RuleKind::ShortTerm,
    parameters: &[
        USE,
        TAU_RECOVERY,
        TAU_FACILITATION,
        INITIAL_RECOVERED,
        RuleParameter {
            default: None,
            meaning: "fraction that the first spike uses, 0 to 1",
            ..INITIAL_USE
        },
    ],
    modulated: false,
    weights: Range::Any,
    pairings: &[],
    reference: "Tsodyks and Markram 1997, PNAS 94:719",
};

#[derive(Debug, Clone, Copy)]
struct Transmitter {
    /// x and u at the last spike.
    state: [f64; 2],
    last: Time,
}

struct Release {
    usage: f64,
    tau_recovery: f64,
    tau_facilitation: f64,
    /// x and u that the first spike finds.
    begin: [f64; 2],
    segments: Vec<Transmitter>,
}

impl Release {
    /// The first spike finds the same, whenever it comes.
    fn untouched(begin: [f64; 2]) -> Transmitter {
        Transmitter { state: begin, last: Time::NEVER }
    }
}

impl ShortTerm for Release {
    fn release(&mut self, segment: usize, time: Time) -> f64 {
        let transmitter = &mut self.segments[segment];
        let [mut x, mut u] = transmitter.state;
        if transmitter.last < Time::NEVER {
            let h = (time - transmitter.last).milliseconds();
            x = 1.0 + (x - x * u - 1.0) * remaining(h, self.tau_recovery);
            u = self.usage + u * (1.0 - self.usage) * remaining(h, self.tau_facilitation);
        }
        *transmitter = Transmitter { state: [x, u], last: time };
        x * u
    }

    fn state(&self, segment: usize) -> Vec<(&'static str, f64)> {
        let [x, u] = self.segments[segment].state;
        vec![("x", x), ("u", u)]
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.over(Over::Segments);
        for variable in 0..2 {
            visitor.reals(&mut self.segments.iter_mut().map(|s| &mut s.state[variable]));
        }
        visitor.times(&mut self.segments.iter_mut().map(|s| &mut s.last));
    }

    fn reset(&mut self) {
        self.segments.fill(Self::untouched(self.begin));
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.segments)
    }
}

impl SynapseRule for Rule {
    fn spec(&self) -> &'static RuleSpec {
        &SPEC
    }

    fn as_given(&self, parameter: &str) -> Option<&'static str> {
        (parameter == INITIAL_USE.name).then_some(USE.name)
    }

    fn check(&self, parameters: &[f64]) -> Vec<(&'static str, String)> {
        let fractions = [(0, USE.name), (3, INITIAL_RECOVERED.name), (4, INITIAL_USE.name)];
        check_fractions(parameters, &fractions)
    }

    fn make(&self, context: RuleContext<'_>) -> Made {
        let given = context.parameters;
        let begin = [given[3], given[4]];
        Made::ShortTerm(Box::new(Release {
            usage: given[0],
            tau_recovery: given[1],
            tau_facilitation: given[2],
            begin,
            segments: vec![Release::untouched(begin); context.segments],
        }))
    }
}
