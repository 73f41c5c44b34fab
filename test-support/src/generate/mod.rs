//! Random networks: valid by construction, the same for the same seed.
//!
//! Numbers are drawn to four decimals, so that they survive any text format; half of the stepwise
//! networks draw multiples of a quarter instead, so that potentials meet their thresholds exactly.

mod connect;
mod dice;
mod population;
mod stimulus;
mod strategy;

pub use dice::Dice;
pub use strategy::{any_family, any_network};

use sim_core::engine::{ENGINES, EngineEntry};
use sim_core::network::{Network, Probe};
use sim_core::neuron::{ModelSpec, find_model};
use sim_core::units::Milliseconds;

/// Which models a random network is made of (spike sources are always among them).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `integrate_and_fire`, `integrator`, `max_pool`: both engines are exact.
    Stepwise,
    /// `lif_delta` with input on the grid: both engines find the same spikes.
    Delta,
    /// The models of both families above, connected with each other.
    Mixed,
    /// `lif_exponential`: the clock engine converges to the event engine.
    Exponential,
    /// `lif_alpha` and `leaky_integrator`: the same.
    Alpha,
    /// Models that only the clock engine runs and integrates exactly: several ports, a moving threshold.
    Clocked,
    /// Models of differential equations, which only the clock engine runs.
    Solved,
    /// The other models of converted networks: bursts, phases, graded maxima, one spike a neuron.
    Coded,
    /// `izhikevich` and `lif_delta`, on the clock engine.
    Quadratic,
}

/// All families.
pub const FAMILIES: [Family; 9] = [
    Family::Stepwise,
    Family::Delta,
    Family::Mixed,
    Family::Exponential,
    Family::Alpha,
    Family::Clocked,
    Family::Solved,
    Family::Coded,
    Family::Quadratic,
];

/// Models of differential equations in random networks.
pub const SOLVED_MODELS: [&str; 7] = [
    "lif_conductance_exponential",
    "lif_conductance_alpha",
    "adex_exponential",
    "adex_alpha",
    "exponential_integrate_and_fire",
    "quadratic_integrate_and_fire",
    "hodgkin_huxley",
];

/// Models of converted networks besides those of [`Family::Stepwise`].
pub const CODED_MODELS: [&str; 6] = [
    "burst_integrate_and_fire",
    "phase",
    "max_pool_graded",
    "first_spike_slots",
    "first_spike",
    "first_arrival",
];

/// How large a random network becomes.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Populations besides the sources, at least one.
    pub populations: u32,
    /// The most neurons of a population, at least one.
    pub neurons: u32,
    /// Projections besides the one that each population has at least.
    pub projections: u32,
    /// Length in steps of the time in which stimuli act.
    pub steps: u32,
}

impl Size {
    /// Small enough for a reference simulator, large enough for every rule to occur.
    pub const SMALL: Size = Size { populations: 3, neurons: 9, projections: 3, steps: 60 };
}

/// A random network of a family; its spikes and first state variables are probed.
pub fn network(family: Family, seed: u64, size: Size) -> Network {
    let mut dice = Dice::new(seed);
    let dt = match family {
        Family::Exponential | Family::Alpha | Family::Clocked | Family::Solved => 0.1,
        Family::Stepwise | Family::Coded | Family::Quadratic => dice.pick(&[1.0, 0.5, 0.1]),
        Family::Delta | Family::Mixed => dice.pick(&[1.0, 0.25, 0.1]),
    };
    let mut network = Network::new(format!("{family:?} {seed}"), Milliseconds(dt));
    network.seed = seed;
    let mut plan = Plan { dice, family, size, dt, tidy: false, populations: Vec::new(), network };
    plan.tidy = plan.dice.chance(0.5);
    plan.add_sources();
    plan.add_neurons();
    plan.connect();
    plan.stimulate();
    plan.probe();
    plan.network
}

/// A network in the making.
struct Plan {
    dice: Dice,
    family: Family,
    size: Size,
    dt: f64,
    /// Draw multiples of a quarter.
    tidy: bool,
    populations: Vec<Planned>,
    network: Network,
}

/// What later parts need to know of a population.
#[derive(Debug, Clone)]
struct Planned {
    name: String,
    model: &'static str,
    /// `[channels, height, width]`.
    picture: [u32; 3],
}

/// What is known of a model that random networks are made of.
fn spec(model: &str) -> &'static ModelSpec {
    find_model(model).unwrap().spec()
}

impl Family {
    /// The engines that run it.
    pub fn engines(self) -> Vec<&'static EngineEntry> {
        let clocked = matches!(self, Family::Clocked | Family::Solved | Family::Quadratic);
        ENGINES.iter().filter(|engine| !clocked || engine.name == "clock").collect()
    }

    /// Whether its networks are run with several steps or against closed forms: then they have no
    /// input that depends on the step.
    fn is_exact(self) -> bool {
        matches!(self, Family::Exponential | Family::Alpha)
    }

    /// Whether steps are far shorter than the time constants of its membranes.
    fn is_slow(self) -> bool {
        self.is_exact() || matches!(self, Family::Clocked | Family::Solved)
    }
}

impl Planned {
    fn size(&self) -> u32 {
        self.picture.iter().product()
    }
}

impl Plan {
    /// The end of a step (ms) in the fewest digits.
    fn time(&self, step: u32) -> f64 {
        (f64::from(step) * self.dt * 1e4).round() / 1e4
    }

    /// A time of a whole number of steps.
    fn steps(&self, steps: u32) -> Milliseconds {
        Milliseconds(self.time(steps))
    }

    fn probe(&mut self) {
        for planned in &self.populations {
            let name = &planned.name;
            self.network.add_probe(format!("{name} spikes"), Probe::spikes(name));
            let Some(variable) = spec(planned.model).variables.first() else {
                continue;
            };
            self.network.add_probe(format!("{name} state"), Probe::variable(name, variable.name));
        }
    }
}
