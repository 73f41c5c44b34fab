//! From a description to a [`ValidNetwork`]: every name resolved, every unit converted, every rule
//! checked. All problems are collected; the first one stops nothing.
//!
//! **Promise:** whatever is built from a `ValidNetwork` never panics for a reason that the
//! description could have shown.

mod drawn;
mod plasticity;
mod population;
mod probe;
mod projection;
mod stimulus;

pub use plasticity::ValidPlasticity;
pub use probe::{ValidProbe, ValidWeightProbe};

use super::positions::ValidPositions;
use super::{Network, NetworkHash, Shape};
use crate::connectivity::{Connectivity, Ends};
use crate::diagnostics::{Findings, Problem, Problems, Severity, known_names};
use crate::distribution::{Law, unit_help};
use crate::neuron::{Column, LoweredNeurons, NeuronModel};
use crate::random::named_seed;
use crate::stimulus::{CurrentShape, Drive, Train};
use crate::time::{Grid, Time};
use crate::units::{Dimension, Values};
use indexmap::IndexMap;
use std::sync::Arc;

/// A value of a name, with its index.
pub type Validated<T> = IndexMap<String, T>;

/// A network whose every part is checked, in plain numbers of the base units.
#[derive(Debug, Clone)]
pub struct ValidNetwork {
    name: String,
    seed: u64,
    hash: NetworkHash,
    grid: Grid,
    populations: Validated<ValidPopulation>,
    projections: Validated<ValidProjection>,
    stimuli: Validated<ValidStimulus>,
    probes: Validated<ValidProbe>,
    weight_probes: Validated<ValidWeightProbe>,
    warnings: Vec<Problem>,
}

/// A checked population; its neurons have the global indices `first .. first + size`.
#[derive(Clone)]
pub struct ValidPopulation {
    /// Global index of the first neuron.
    pub first: u32,
    /// Arrangement.
    pub shape: Shape,
    /// Where the neurons lie.
    pub positions: Option<Arc<ValidPositions>>,
    /// The model.
    pub model: &'static dyn NeuronModel,
    /// Parameters and rules in plain numbers.
    pub neurons: LoweredNeurons,
}

impl ValidPopulation {
    /// Number of neurons.
    pub fn size(&self) -> u32 {
        self.neurons.size as u32
    }

    /// The population's global indices.
    pub fn range(&self) -> std::ops::Range<u32> {
        self.first..self.first + self.size()
    }
}

impl std::fmt::Debug for ValidPopulation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.model.spec().name;
        write!(f, "ValidPopulation({name}, {} neurons from {})", self.shape, self.first)
    }
}

/// A checked projection.
#[derive(Debug, Clone)]
pub struct ValidProjection {
    /// Index of the source population.
    pub source: usize,
    /// Index of the target population.
    pub target: usize,
    /// Index of the receptor in the target's model.
    pub receptor: usize,
    /// The rule.
    pub connectivity: Connectivity,
    /// What the rule connects.
    pub ends: Ends,
    /// Seed of its draws: the network's, and its own name.
    pub seed: u64,
    /// Weights in the receptor's base unit.
    pub weights: ValidWeights,
    /// Delays in steps.
    pub delays: ValidDelays,
    /// Synapse rules, at most one of each kind.
    pub rules: Vec<ValidPlasticity>,
}

/// Weights of a projection.
#[derive(Debug, Clone)]
pub enum ValidWeights {
    /// One for all or one each, in the rule's order.
    Listed(Column),
    /// Drawn for each synapse.
    Drawn(Arc<dyn Law>),
}

impl ValidWeights {
    /// The weights that are listed; `None` where they are drawn.
    pub fn listed(&self) -> Option<&Column> {
        match self {
            ValidWeights::Listed(column) => Some(column),
            ValidWeights::Drawn(_) => None,
        }
    }
}

/// Delays of a projection.
#[derive(Debug, Clone)]
pub enum ValidDelays {
    /// In steps: one for all, or one each in the rule's order.
    Listed(Vec<u32>),
    /// Drawn for each synapse (ms), then rounded to steps.
    Drawn(Arc<dyn Law>),
}

impl ValidDelays {
    /// The one delay of all synapses in steps; `None` where they differ.
    pub fn one(&self) -> Option<u32> {
        match self {
            ValidDelays::Listed(delays) if delays.len() == 1 => delays.first().copied(),
            _ => None,
        }
    }
}

/// A checked stimulus.
#[derive(Debug, Clone)]
pub enum ValidStimulus {
    /// Spikes sorted by (time, neuron), neurons local to the population.
    SpikeList {
        /// Index of the population.
        population: usize,
        /// (time, neuron).
        spikes: Vec<(Time, u32)>,
    },
    /// Probability of a spike in a step.
    Poisson {
        /// Index of the population.
        population: usize,
        /// Probability, one for all or one a neuron.
        probability: Column,
    },
    /// A current in (start, stop], both on the grid.
    ConstantCurrent {
        /// Index of the population.
        population: usize,
        /// Amplitude in the model's base unit.
        amplitude: Column,
        /// First step in which it does not yet act.
        start_step: u64,
        /// Last step in which it acts.
        stop_step: u64,
    },
    /// Spikes of a source population that follow a rule of their own.
    Train {
        /// Index of the population.
        population: usize,
        /// The rule.
        train: Arc<dyn Train>,
    },
    /// A current in (start, stop] that changes.
    VaryingCurrent {
        /// Index of the population.
        population: usize,
        /// Its value over time, in the model's base unit.
        shape: Arc<dyn CurrentShape>,
        /// First step in which it does not yet act.
        start_step: u64,
        /// Last step in which it acts.
        stop_step: u64,
    },
    /// Poisson input into a receptor.
    Drive {
        /// Index of the population.
        population: usize,
        /// The law.
        drive: Arc<Drive>,
    },
}

impl ValidNetwork {
    /// Seeds of the stimuli under the seed of an engine: a stimulus draws by its name.
    pub fn stimulus_seeds(&self, seed: u64) -> Vec<u64> {
        self.stimuli.keys().map(|name| named_seed(seed, &format!("stimuli/{name}"))).collect()
    }

    /// Name of the network.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seed of every random draw.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The digest of its description.
    pub fn hash(&self) -> NetworkHash {
        self.hash
    }

    /// The time grid.
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// Populations in the description's order.
    pub fn populations(&self) -> &Validated<ValidPopulation> {
        &self.populations
    }

    /// Projections in the description's order.
    pub fn projections(&self) -> &Validated<ValidProjection> {
        &self.projections
    }

    /// Stimuli in the description's order.
    pub fn stimuli(&self) -> &Validated<ValidStimulus> {
        &self.stimuli
    }

    /// Probes of populations in the description's order.
    pub fn probes(&self) -> &Validated<ValidProbe> {
        &self.probes
    }

    /// Probes of weights in the description's order.
    pub fn weight_probes(&self) -> &Validated<ValidWeightProbe> {
        &self.weight_probes
    }

    /// Number of neurons, sources included.
    pub fn neuron_count(&self) -> u32 {
        self.populations.values().map(ValidPopulation::size).sum()
    }

    /// What is probably not meant, though it can run.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The population that a global neuron index lies in.
    pub fn population_of(&self, neuron: u32) -> Option<usize> {
        self.populations.values().position(|population| population.range().contains(&neuron))
    }
}

/// Code of the problem that `dt` is no time step.
const WRONG_STEP: &str = "wrong-step";

/// What the checks of the parts share.
#[derive(Debug)]
pub struct Context<'a> {
    network: &'a Network,
    grid: Grid,
    problems: Problems,
}

impl Context<'_> {
    /// The problems so far.
    pub(crate) fn problems(&mut self) -> &mut Problems {
        &mut self.problems
    }

    /// A span of time in steps; a problem where it is no time or not on the grid.
    pub(crate) fn steps(&mut self, path: &str, milliseconds: f64) -> Option<u64> {
        if self.problems.0.iter().any(|problem| problem.code == WRONG_STEP) {
            // Without a step nothing can be off the grid; one problem is enough.
            return Some(1);
        }
        let steps = self.grid.steps_in_milliseconds(milliseconds);
        if steps.is_none() {
            self.problems.error(
                "off-grid",
                path,
                format!("{milliseconds} ms is not a whole number of steps"),
                format!(
                    "times must be finite, not negative and multiples of dt = {} ms: choose \
                     another time or a dt that divides it",
                    self.grid.dt()
                ),
            );
        }
        steps
    }

    /// Checks the dimension of values and that each is finite; gives them in the base unit.
    ///
    /// A distribution is no such value: [`drawn`](Self::drawn) takes one.
    pub(crate) fn column(
        &mut self,
        path: &str,
        values: &Values,
        dimension: Dimension,
    ) -> Option<Column> {
        if values.dimension() != dimension {
            let (found, unit) = (values.dimension().name(), dimension.base_unit());
            let is_list = matches!(values, Values::Each { .. });
            let what = if is_list { "each of these" } else { "this" };
            let message = format!("{what} is {found}, expected {}", dimension.name());
            let help = match is_list && dimension != Dimension::Number {
                true => format!(
                    "give them a unit, for example {{ values = [1.0, 2.0], unit = \"{unit}\" }} or \
                     [\"1 {unit}\", \"2 {unit}\"]"
                ),
                false => unit_help(dimension),
            };
            self.problems.error("wrong-unit", path, message, help);
            return None;
        }
        let Some(numbers) = values.in_base() else {
            self.problems.error(
                "wrong-type",
                path,
                "a distribution stands here",
                "this is one value, or one each: write a number with its unit",
            );
            return None;
        };
        if let Some(index) = numbers.iter().position(|number| !number.is_finite()) {
            self.problems.error(
                "not-finite",
                path,
                format!("value {index} is {}", numbers[index]),
                "all numbers must be finite: look for a division by zero or a failed training",
            );
            return None;
        }
        Some(match values {
            Values::Each { .. } => Column::Each(numbers),
            _ => Column::One(numbers[0]),
        })
    }

    /// The law that values are drawn from; `None` where they are given or the law is wrong.
    fn law(&mut self, path: &str, values: &Values, dimension: Dimension) -> Option<Arc<dyn Law>> {
        let Values::Drawn(distribution) = values else {
            return None;
        };
        distribution.lower(dimension, &mut Findings::new(&mut self.problems, path))
    }

    /// The index of a population by name; a problem at `path` where there is none.
    fn population(
        &mut self,
        populations: &Validated<ValidPopulation>,
        path: String,
        name: &str,
    ) -> Option<usize> {
        let index = populations.get_index_of(name);
        // A population that is described but broken has its own problem already.
        if index.is_none() && !self.network.populations.contains_key(name) {
            let known: Vec<&str> = self.network.populations.keys().map(String::as_str).collect();
            self.problems.error(
                "unknown-population",
                path,
                format!("there is no population `{name}`"),
                known_names(name, &known),
            );
        }
        index
    }

    /// Checks how many values are given where `Each` is used.
    pub(crate) fn count(
        &mut self,
        path: &str,
        column: &Column,
        expected: u64,
        of_what: &str,
    ) -> bool {
        let Column::Each(values) = column else {
            return true;
        };
        let fits = values.len() as u64 == expected;
        if !fits {
            self.problems.error(
                "wrong-count",
                path,
                format!("{} values for {expected} {of_what}", values.len()),
                format!("give one value for all or exactly {expected}"),
            );
        }
        fits
    }
}

/// See [`Network::validate`].
pub(super) fn validate(network: &Network) -> Result<ValidNetwork, Problems> {
    let mut problems = Problems::default();
    let grid = grid(network, &mut problems);
    let mut context = Context { network, grid, problems };
    let populations = population::validate(&mut context);
    let projections = projection::validate(&mut context, &populations);
    let stimuli = stimulus::validate(&mut context, &populations);
    let (probes, weight_probes) = probe::validate(&mut context, &populations, &projections);
    warn_of_silent_populations(&mut context, &populations);
    let problems = context.problems;
    // A part is missing from its map only where a problem says why.
    if problems.has_errors() {
        return Err(problems);
    }
    let keep = |problem: &Problem| problem.severity == Severity::Warning;
    Ok(ValidNetwork {
        name: network.name.clone(),
        seed: network.seed,
        hash: network.hash(),
        grid,
        populations,
        projections,
        stimuli,
        probes,
        weight_probes,
        warnings: problems.0.into_iter().filter(keep).collect(),
    })
}

/// The grid that `dt` gives; a problem and 1 ms where it gives none.
fn grid(network: &Network, problems: &mut Problems) -> Grid {
    let dt = network.dt;
    let time = (dt.unit.dimension == Dimension::Time)
        .then(|| Time::from_milliseconds(dt.in_base()))
        .flatten();
    if let Some(grid) = time.and_then(Grid::new) {
        return grid;
    }
    problems.error(
        WRONG_STEP,
        "dt",
        format!("`{dt}` is not a time step"),
        "give a time of at least 1e-12 ms, for example \"0.1 ms\"",
    );
    Grid::MILLISECOND
}

/// Warns of populations that nothing reaches.
fn warn_of_silent_populations(context: &mut Context<'_>, populations: &Validated<ValidPopulation>) {
    let network = context.network;
    for name in populations.keys() {
        // What is described but broken has its own problem and counts as reaching.
        let reached = network.projections.values().any(|projection| projection.target == *name)
            || network.stimuli.values().any(|stimulus| stimulus.population() == name);
        if !reached {
            context.problems.warning(
                "not-driven",
                format!("populations/{name}"),
                "no projection and no stimulus reaches this population",
                "it stays silent unless its parameters make it spike; add a stimulus or remove it",
            );
        }
    }
}
