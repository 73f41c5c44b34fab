//! Random populations: models, parameters, rules, shapes.

use super::{CODED_MODELS, Family, Plan, Planned, SOLVED_MODELS};
use sim_core::network::{Neuron, Population, RefractoryInput, Reset, Shape, SpikeCondition};
use sim_core::units::{
    Milliseconds, Millivolts, Nanosiemens, Picoamperes, Picofarads, Quantity, Values, find_unit,
};

/// Ports of neurons that have many.
pub(super) const PORTS: u32 = 40;

impl Plan {
    /// One or two populations of spike sources.
    pub(super) fn add_sources(&mut self) {
        for _ in 0..self.dice.whole(1, 2) {
            let picture = self.shape();
            self.add("spike_source", picture, Neuron::spike_source());
        }
    }

    /// The populations of neurons, each of a model of the family.
    pub(super) fn add_neurons(&mut self) {
        for _ in 0..self.size.populations.max(1) {
            let picture = self.shape();
            let model = self.model();
            self.add_neuron(model, picture);
        }
    }

    /// Adds a population of `model` with random parameters; gives its index.
    pub(super) fn add_neuron(&mut self, model: &'static str, picture: [u32; 3]) -> usize {
        let size = picture.iter().product();
        let neuron = match model {
            "integrate_and_fire" => self.integrate_and_fire(size),
            "lif_delta" | "lif_exponential" | "lif_alpha" | "lif_adaptive_threshold" => {
                self.leaky(model, size)
            }
            "lif_multisynapse" => self.many_ports(size),
            model if SOLVED_MODELS.contains(&model) => self.solved(model, size),
            model if CODED_MODELS.contains(&model) => self.coded(model, size),
            "izhikevich" => self.izhikevich(size),
            other => Neuron::new(other),
        };
        self.add(model, picture, neuron)
    }

    fn add(&mut self, model: &'static str, picture: [u32; 3], neuron: Neuron) -> usize {
        let index = self.populations.len();
        let name = format!("population {index}");
        let shape = match picture {
            [size, 1, 1] => Shape::List(size),
            picture => Shape::Picture(picture),
        };
        self.network.add_population(&name, Population::shaped(shape, neuron));
        self.populations.push(Planned { name, model, picture });
        index
    }

    /// A model of the family, sources apart.
    pub(super) fn model(&mut self) -> &'static str {
        match self.family {
            Family::Stepwise => self.dice.pick(&[
                "integrate_and_fire",
                "integrate_and_fire",
                "integrate_and_fire",
                "integrator",
                "max_pool",
            ]),
            Family::Delta => "lif_delta",
            Family::Mixed => self.dice.pick(&[
                "integrate_and_fire",
                "integrate_and_fire",
                "max_pool",
                "lif_delta",
                "lif_delta",
            ]),
            Family::Exponential => "lif_exponential",
            Family::Alpha => self.dice.pick(&["lif_alpha", "lif_alpha", "leaky_integrator"]),
            Family::Clocked => self.dice.pick(&[
                "lif_multisynapse",
                "lif_adaptive_threshold",
                "lif_alpha",
                "leaky_integrator",
            ]),
            Family::Solved => self.dice.pick(&SOLVED_MODELS),
            Family::Coded => match self.dice.chance(0.3) {
                true => self.dice.pick(&["integrate_and_fire", "integrator"]),
                false => self.dice.pick(&CODED_MODELS),
            },
            Family::Quadratic => self.dice.pick(&["izhikevich", "izhikevich", "lif_delta"]),
        }
    }

    fn shape(&mut self) -> [u32; 3] {
        if self.dice.chance(0.4) {
            let channels = self.dice.whole(1, 2);
            [channels, self.dice.whole(1, 4), self.dice.whole(2, 4)]
        } else {
            [self.dice.whole(1, self.size.neurons.max(1)), 1, 1]
        }
    }

    fn spike_condition(&mut self) -> SpikeCondition {
        self.dice.pick(&[SpikeCondition::AtOrAbove, SpikeCondition::Above])
    }

    fn integrate_and_fire(&mut self, size: u32) -> Neuron {
        let reset = match self.dice.whole(0, 3) {
            0 | 1 => Reset::Subtract,
            2 => Reset::To(Quantity::number(0.0).into()),
            _ => Reset::To(Quantity::number(self.dice.quarters(-1.0, 0.5)).into()),
        };
        let spike = self.spike_condition();
        let threshold = self.per_neuron(size, "1", 0.5, 2.0);
        let initial = self.per_neuron(size, "1", -0.5, 0.5);
        Neuron::new("integrate_and_fire")
            .parameter("threshold", threshold)
            .initial("membrane_potential", initial)
            .rules(spike, reset)
    }

    /// A leaky neuron; every fourth population has a threshold and so on for each neuron.
    fn leaky(&mut self, model: &'static str, size: u32) -> Neuron {
        let spike = self.spike_condition();
        let reset = Reset::To(Millivolts(self.dice.number(-75.0, -65.0)).into());
        let tau = self.per_neuron(size, "ms", 5.0, 20.0);
        let threshold = self.per_neuron(size, "mV", -58.0, -54.0);
        let initial = self.per_neuron(size, "mV", -72.0, -62.0);
        let steps = (self.dice.number(0.0, 3.0) / self.dt).round() as u32;
        let mut neuron = Neuron::new(model)
            .parameter("tau_membrane", tau)
            .parameter("capacitance", Picofarads(self.dice.number(100.0, 300.0)))
            .parameter("resting_potential", Millivolts(-70.0))
            .parameter("threshold", threshold)
            .parameter("refractory_period", self.steps(steps))
            .initial("membrane_potential", initial)
            .rules(spike, reset);
        neuron.refractory_input = Some(RefractoryInput::Lost);
        if model == "lif_adaptive_threshold" {
            neuron = neuron
                .parameter("threshold_jump", Millivolts(self.dice.number(0.0, 8.0)))
                .parameter("tau_threshold", Milliseconds(self.dice.number(5.0, 80.0)));
        }
        if model != "lif_delta" {
            neuron.refractory_input = Some(RefractoryInput::Integrated);
            let excitatory = self.dice.number(1.0, 6.0);
            // Every third network has equal time constants: the singular case.
            let inhibitory = match self.dice.whole(0, 2) {
                0 => excitatory,
                _ => self.dice.number(1.0, 12.0),
            };
            neuron = neuron
                .parameter("tau_excitatory", Milliseconds(excitatory))
                .parameter("tau_inhibitory", Milliseconds(inhibitory));
            if self.dice.chance(0.2) {
                neuron = neuron.parameter("tau_membrane", Milliseconds(excitatory));
            }
        }
        neuron
    }

    /// A leaky neuron with ports of its own time constants.
    fn many_ports(&mut self, size: u32) -> Neuron {
        let mut neuron = self.leaky("lif_delta", size);
        neuron.model = "lif_multisynapse".to_string();
        neuron.refractory_input = Some(RefractoryInput::Integrated);
        for port in 1..=PORTS {
            if self.dice.chance(0.7) {
                let tau = self.per_neuron(size, "ms", 0.5, 15.0);
                neuron = neuron.parameter(&format!("tau_synapse_{port}"), tau);
            }
        }
        neuron
    }

    /// A neuron of differential equations, near its defaults.
    fn solved(&mut self, model: &'static str, size: u32) -> Neuron {
        let mut neuron = Neuron::new(model)
            .parameter("tau_excitatory", Milliseconds(self.dice.number(0.5, 6.0)))
            .parameter("tau_inhibitory", Milliseconds(self.dice.number(0.5, 12.0)));
        neuron.refractory_input = Some(RefractoryInput::Integrated);
        let steps = self.dice.whole(0, 30);
        neuron = neuron.parameter("refractory_period", self.steps(steps));
        let initial = self.per_neuron(size, "mV", -72.0, -62.0);
        neuron = neuron.initial("membrane_potential", initial);
        if model == "hodgkin_huxley" {
            return neuron;
        }
        let spike = self.spike_condition();
        let reset = Reset::To(Millivolts(self.dice.number(-72.0, -60.0)).into());
        neuron = neuron.rules(spike, reset);
        let capacitance = self.per_neuron(size, "pF", 100.0, 300.0);
        neuron = neuron.parameter("capacitance", capacitance);
        if model.starts_with("adex") {
            let pull = Nanosiemens(self.dice.number(-1.0, 6.0));
            neuron = neuron
                .parameter("adaptation_conductance", pull)
                .parameter("adaptation_jump", Picoamperes(self.dice.number(0.0, 100.0)));
        }
        neuron
    }

    /// A neuron of a converted network that keeps to windows or sends numbers.
    fn coded(&mut self, model: &'static str, size: u32) -> Neuron {
        let neuron = Neuron::new(model);
        let plain = |value: u32| Quantity::number(f64::from(value));
        match model {
            "burst_integrate_and_fire" => {
                let threshold = self.per_neuron(size, "1", 0.5, 2.0);
                let tolerance = self.per_neuron(size, "1", 0.0, 0.5);
                neuron
                    .parameter("threshold", threshold)
                    .parameter("tolerance", tolerance)
                    .parameter("burst", plain(self.dice.whole(1, 4)))
                    .parameter("correction", plain(self.dice.whole(0, 3)))
                    .rules(SpikeCondition::AtOrAbove, Reset::Subtract)
            }
            "phase" => {
                let opening = self.dice.whole(1, 20);
                neuron
                    .parameter("opening", self.steps(opening))
                    .parameter("phases", plain(self.dice.whole(1, 8)))
                    .parameter("negative_gain", Quantity::number(self.dice.number(0.0, 1.0)))
            }
            "max_pool_graded" => neuron
                .parameter("places", plain(self.dice.whole(1, 4)))
                .parameter("bits", plain(self.dice.whole(2, 8)))
                .parameter("rule", plain(self.dice.whole(0, 1))),
            "first_spike" | "first_spike_slots" => {
                let (opening, window) = (self.dice.whole(1, 40), self.dice.whole(5, 40));
                neuron
                    .parameter("opening", self.steps(opening))
                    .parameter("window", self.steps(window))
            }
            _ => neuron,
        }
    }

    fn izhikevich(&mut self, size: u32) -> Neuron {
        let spike = self.spike_condition();
        let reset = Reset::To(Millivolts(self.dice.number(-68.0, -50.0)).into());
        let jump = self.per_neuron(size, "1", 0.5, 9.0);
        let initial = self.per_neuron(size, "mV", -75.0, -55.0);
        Neuron::new("izhikevich")
            .parameter("recovery_rate", Quantity::number(self.dice.number(0.01, 0.15)))
            .parameter("recovery_sensitivity", Quantity::number(self.dice.number(0.1, 0.27)))
            .parameter("recovery_jump", jump)
            .parameter("consistent_steps", Quantity::number(f64::from(self.dice.whole(0, 1))))
            .initial("membrane_potential", initial)
            .rules(spike, reset)
    }

    /// One value for all, or one each.
    fn per_neuron(&mut self, size: u32, unit: &str, low: f64, high: f64) -> Values {
        let unit = find_unit(unit).unwrap();
        if self.dice.chance(0.7) {
            let value = self.value(low, high);
            return Values::One(Quantity { value, unit });
        }
        let values = (0..size).map(|_| self.value(low, high)).collect();
        Values::Each { values, unit }
    }

    /// A number of the network's kind: a quarter's multiple or four decimals.
    pub(super) fn value(&mut self, low: f64, high: f64) -> f64 {
        if self.tidy && self.family == Family::Stepwise {
            self.dice.quarters(low, high)
        } else {
            self.dice.number(low, high)
        }
    }
}
