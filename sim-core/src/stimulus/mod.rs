//! Stimuli: what drives a network from outside, one file each.
//!
//! A stimulus is one file with a type (its keys in files), its [`StimulusEntry`], a [`Stimulate`] and
//! a line in [`STIMULI`]. It becomes one of four things that engines know ([`ValidStimulus`]): spikes of
//! a `spike_source` population (listed or following a [`Train`]), a current ([`CurrentShape`]), or
//! Poisson input straight into a receptor ([`Drive`]).
//!
//! Random stimuli are functions of the engine's seed, the stimulus's name, the neuron and the step or
//! the number of the spike: not of threads, and not of other stimuli.

mod alternating_current;
mod constant_current;
mod drive;
mod drive_times;
mod gamma_train;
mod modulation;
mod noise_current;
mod poisson;
mod poisson_drive;
mod regular_train;
mod spike_file;
mod spike_list;
mod step_current;
mod train;

pub use alternating_current::AlternatingCurrent;
pub use constant_current::ConstantCurrent;
pub(crate) use drive::SharedCounts;
pub use drive::{Drive, PoissonTable};
pub(crate) use drive_times::{FirstTimes, GROUP, Places, WORDS};
pub use gamma_train::GammaTrain;
pub use modulation::{Modulation, Piecewise, Sine};
pub use noise_current::NoiseCurrent;
pub use poisson::Poisson;
pub use poisson_drive::PoissonDrive;
pub use regular_train::RegularTrain;
pub use spike_file::SpikeFile;
pub use spike_list::SpikeList;
pub use step_current::StepCurrent;
pub use train::{Running, Train};

use crate::network::{Context, ValidPopulation, ValidStimulus};
use crate::tagged::tagged_registry;
use crate::units::{Milliseconds, Quantity, Values};

/// A stimulus in the registry.
#[derive(Debug, Clone, Copy)]
pub struct StimulusEntry {
    /// Name in files.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Its keys in files, besides `kind`.
    pub keys: &'static [&'static str],
}

tagged_registry! {
    /// What drives a population from outside.
    pub enum Stimulus: Stimulate, tagged "kind", like "a table with the keys of a stimulus";
    /// All stimuli, in the order in which lists show them.
    pub static STIMULI: [StimulusEntry];
    /// Spikes of a `spike_source` population at given times.
    SpikeList = spike_list::SpikeList,
    /// Spikes of a `spike_source` population from a file.
    SpikeFile = spike_file::SpikeFile,
    /// Random spikes of a `spike_source` population, at most one a step.
    Poisson = poisson::Poisson,
    /// Spikes at gamma-distributed intervals of a `spike_source` population.
    GammaTrain = gamma_train::GammaTrain,
    /// Spikes at equal intervals of a `spike_source` population.
    RegularTrain = regular_train::RegularTrain,
    /// Poisson input into a receptor, one independent train a neuron.
    PoissonDrive = poisson_drive::PoissonDrive,
    /// A constant current.
    ConstantCurrent = constant_current::ConstantCurrent,
    /// A sinusoidal current.
    AlternatingCurrent = alternating_current::AlternatingCurrent,
    /// A current that jumps at given times.
    StepCurrent = step_current::StepCurrent,
    /// A current that is drawn anew at an interval.
    NoiseCurrent = noise_current::NoiseCurrent,
}

/// What a stimulus does.
pub trait Stimulate: std::fmt::Debug {
    /// The name of the driven population.
    fn population(&self) -> &str;

    /// The stimulus in plain numbers, or what is wrong with it.
    fn lower(&self, target: &mut Target<'_, '_>) -> Option<ValidStimulus>;
}

/// A current whose value changes from step to step.
pub trait CurrentShape: std::fmt::Debug + Send + Sync {
    /// The current into a neuron during the step after `step` [the model's base unit].
    fn after(&self, seed: u64, neuron: u32, step: u64) -> f64;

    /// The next step after `step` behind which the current changes; `None`: never again.
    fn next_change(&self, step: u64) -> Option<u64>;
}

impl Stimulus {
    /// A current into `population` from the beginning to the end.
    pub fn constant_current(
        population: impl Into<String>,
        amplitude: impl Into<Values>,
        start: impl Into<Quantity>,
    ) -> Self {
        Stimulus::ConstantCurrent(ConstantCurrent {
            population: population.into(),
            amplitude: amplitude.into(),
            start: start.into(),
            stop: None,
        })
    }

    /// The name of the driven population.
    pub fn population(&self) -> &str {
        self.behaviour().population()
    }
}

/// The population that a stimulus drives, and the checks that validation offers.
pub struct Target<'t, 'n> {
    /// The checks.
    pub(crate) context: &'t mut Context<'n>,
    /// Path of the stimulus.
    pub(crate) path: String,
    /// Index of the population.
    pub(crate) index: usize,
    /// The population.
    pub(crate) population: &'t ValidPopulation,
}

/// The model whose spikes come from stimuli.
const SOURCE_MODEL: &str = "spike_source";

impl Target<'_, '_> {
    fn key(&self, key: &str) -> String {
        format!("{}/{key}", self.path)
    }

    fn wrong(&mut self, code: &'static str, key: &str, message: String, help: &str) {
        let path = self.key(key);
        self.context.problems().error(code, path, message, help);
    }

    /// Whether the population is one of spike sources; a problem where it is not.
    fn is_source(&mut self) -> bool {
        let model = self.population.model.spec().name;
        if model != SOURCE_MODEL {
            self.wrong(
                "wrong-stimulus",
                "population",
                format!("spikes cannot be given to neurons of the model `{model}`"),
                "give them to a population of `spike_source` and project from there, or use \
                 `poisson_drive`",
            );
        }
        model == SOURCE_MODEL
    }

    /// The dimension of the model's current; a problem where it takes none.
    fn takes_current(&mut self) -> Option<crate::units::Dimension> {
        let spec = self.population.model.spec();
        if spec.current.is_none() {
            let message = format!("`{}` takes no current", spec.name);
            let help = "drive a population of another model";
            self.wrong("wrong-stimulus", "population", message, help);
        }
        spec.current
    }

    /// One number a neuron, in the base unit.
    fn each(
        &mut self,
        key: &str,
        values: &Values,
        dimension: crate::units::Dimension,
    ) -> Option<crate::neuron::Column> {
        let path = self.key(key);
        let size = u64::from(self.population.size());
        self.context.drawn(&path, values, dimension, size)
    }

    /// One finite number in the base unit.
    fn number(
        &mut self,
        key: &str,
        quantity: Quantity,
        dimension: crate::units::Dimension,
    ) -> Option<f64> {
        let path = self.key(key);
        let column = self.context.column(&path, &quantity.into(), dimension)?;
        Some(column.get(0))
    }

    /// A time in whole steps.
    fn steps(&mut self, key: &str, time: Quantity) -> Option<u64> {
        let milliseconds = self.number(key, time, crate::units::Dimension::Time)?;
        let path = self.key(key);
        self.context.steps(&path, milliseconds)
    }

    /// Times in milliseconds, ascending, and as many of something else.
    fn ascending(&mut self, key: &str, times: &Values) -> Option<Vec<f64>> {
        let path = self.key(key);
        let column = self.context.column(&path, times, crate::units::Dimension::Time)?;
        let times = column.numbers().to_vec();
        if times.windows(2).any(|pair| pair[0] >= pair[1]) {
            let message = "the times do not ascend".to_string();
            self.wrong("out-of-range", key, message, "give them in order, none twice");
            return None;
        }
        Some(times)
    }

    /// The steps (start, stop] of a stimulus.
    fn span(&mut self, start: Quantity, stop: Option<Quantity>) -> Option<(u64, u64)> {
        let start_step = self.steps("start", start)?;
        let stop_step = match stop {
            Some(stop) => self.steps("stop", stop)?,
            None => u64::MAX,
        };
        if stop_step <= start_step {
            self.wrong(
                "out-of-range",
                "stop",
                format!("it stops after step {stop_step} but starts after step {start_step}"),
                "give a stop that is later than the start, or none",
            );
            return None;
        }
        Some((start_step, stop_step))
    }
}

/// The beginning, where a file gives no start.
fn from_the_beginning() -> Quantity {
    Milliseconds(0.0).into()
}
