//! Random projections of every rule.

use super::{CODED_MODELS, Plan, Planned, SOLVED_MODELS};
use sim_core::distribution::{Bounds, Lognormal, Normal, Uniform};
use sim_core::network::convolution::output_extent;
use sim_core::network::{
    AllToAll, Connectivity, Convolution, Csr, Dense, FixedInDegree, FixedOutDegree,
    FixedProbability, FixedTotal, List, OneToOne, Projection,
};
use sim_core::units::{Quantity, Unit, Values, find_unit};

/// The longest delay in steps.
const LONGEST_DELAY: u32 = 7;

impl Plan {
    /// Gives every population an input, then adds the extra projections and a convolution.
    pub(super) fn connect(&mut self) {
        let sources = self.populations.iter().filter(|p| p.model == "spike_source");
        let first_neuron = sources.count();
        for target in first_neuron..self.populations.len() {
            let source = self.dice.whole(0, target as u32 - 1) as usize;
            self.connect_pair(source, target);
        }
        for _ in 0..self.size.projections {
            let last = self.populations.len() as u32 - 1;
            let source = self.dice.whole(0, last) as usize;
            let target = self.dice.whole(first_neuron as u32, last) as usize;
            self.connect_pair(source, target);
        }
        if self.dice.chance(0.6) {
            self.connect_convolution();
        }
    }

    fn connect_pair(&mut self, source: usize, target: usize) {
        let (from, to) = (self.populations[source].size(), self.populations[target].size());
        let unit = weight_unit(&self.populations[target]);
        let autapses = source != target || self.dice.chance(0.5);
        let pairs = from * to;
        let one = self.delay();
        let (connectivity, weight, delay) = match self.dice.whole(0, 8) {
            0 if from == to => {
                let weight = self.weights(target, from, 0.5);
                (Connectivity::OneToOne(OneToOne), weight, one)
            }
            0 | 1 => {
                let weight = self.weights(target, pairs, 1.0);
                (Connectivity::AllToAll(AllToAll { autapses }), weight, one)
            }
            2 => {
                let weight = self.weights(target, pairs, 0.0);
                (Connectivity::Dense(Dense), weight, one)
            }
            3 => {
                let probability = self.dice.number(0.05, 0.9);
                let weight = self.weights(target, pairs, 1.0);
                let rule =
                    Connectivity::FixedProbability(FixedProbability { probability, autapses });
                (rule, weight, one)
            }
            4 => {
                let weight = self.drawn_weights(target);
                let delay = self.drawn_delays();
                (self.drawn_rule(from, to, autapses), weight, delay)
            }
            5 => {
                let count = self.dice.whole(1, pairs.min(40));
                let mut row_starts: Vec<u64> =
                    (1..from).map(|_| u64::from(self.dice.whole(0, count))).collect();
                row_starts.extend([0, u64::from(count)]);
                row_starts.sort_unstable();
                let targets = (0..count).map(|_| self.dice.whole(0, to - 1)).collect();
                let weight = self.weights(target, count, 0.3);
                let delay = self.delays(count);
                (Csr { row_starts, targets }.into(), weight, delay)
            }
            _ => {
                let count = self.dice.whole(1, pairs.min(40));
                let sources = (0..count).map(|_| self.dice.whole(0, from - 1)).collect();
                let targets = (0..count).map(|_| self.dice.whole(0, to - 1)).collect();
                let weight = self.weights(target, count, 0.3);
                let delay = self.delays(count);
                (Connectivity::List(List { sources, targets }), weight, delay)
            }
        };
        debug_assert!(weight.dimension() == unit.dimension);
        self.add_projection(source, target, connectivity, weight, delay);
    }

    /// A rule that draws its pairs.
    fn drawn_rule(&mut self, from: u32, to: u32, autapses: bool) -> Connectivity {
        let multapses = self.dice.chance(0.6);
        // So many partners there are for each neuron, with or without multapses.
        let most = |size: u32| if autapses { size } else { size - 1 };
        match self.dice.whole(0, 3) {
            0 => {
                let in_degree = self.dice.whole(0, most(from));
                FixedInDegree { in_degree, autapses, multapses: multapses && most(from) > 0 }.into()
            }
            1 => {
                let out_degree = self.dice.whole(0, most(to));
                FixedOutDegree { out_degree, autapses, multapses: multapses && most(to) > 0 }.into()
            }
            2 => {
                let synapses = u64::from(self.dice.whole(0, from * most(to)));
                FixedTotal { synapses, autapses, multapses: multapses && most(to) > 0 }.into()
            }
            _ => {
                let probability = self.dice.number(0.05, 0.9);
                FixedProbability { probability, autapses }.into()
            }
        }
    }

    /// One weight for all, or drawn ones.
    fn drawn_weights(&mut self, target: usize) -> Values {
        let unit = weight_unit(&self.populations[target]);
        let model = self.populations[target].model;
        // Conductances are not drawn from what may be negative.
        if model == "max_pool" || conducts(model) || self.dice.chance(0.3) {
            return self.weights(target, 1, 1.0);
        }
        let mut quantity = || Quantity { value: self.weight(model), unit };
        let (first, second) = (quantity(), quantity());
        let std = Quantity { value: second.value.abs(), unit };
        let bounds = match self.dice.whole(0, 2) {
            0 => Bounds::NONE,
            1 => Bounds::clip_low(first),
            _ => Bounds::redraw_low(first),
        };
        match self.dice.whole(0, 2) {
            0 => Normal { mean: first, std, bounds }.into(),
            1 => Lognormal { median: first, sigma: 0.3, bounds: Bounds::NONE }.into(),
            _ if first.value <= second.value => Uniform { low: first, high: second }.into(),
            _ => Uniform { low: second, high: first }.into(),
        }
    }

    /// One delay for all, or drawn ones, some of which fall below a step.
    fn drawn_delays(&mut self) -> Values {
        if self.dice.chance(0.4) {
            return self.delay();
        }
        let (low, high) = (self.steps(0).into(), self.steps(LONGEST_DELAY).into());
        Uniform { low, high }.into()
    }

    /// A convolution from a population into a new one that has the extents of its output.
    fn connect_convolution(&mut self) {
        let source = self.dice.whole(0, self.populations.len() as u32 - 1) as usize;
        let picture = self.populations[source].picture;
        let groups = self.dice.pick(&[1, picture[0]]);
        let kernel = [self.dice.whole(1, 3), self.dice.whole(1, 3)];
        let stride = [self.dice.whole(1, 2), self.dice.whole(1, 2)];
        let dilation = [self.dice.whole(1, 2), 1];
        let padding = [(); 4].map(|()| self.dice.whole(0, 2));
        let extent = |axis: usize| {
            let both = u64::from(padding[axis] + padding[axis + 2]);
            let along = picture[axis + 1];
            output_extent(along, kernel[axis], stride[axis], both, dilation[axis]) as u32
        };
        let out = groups * self.dice.whole(1, 2);
        let goal = [out, extent(0), extent(1)];
        if goal.contains(&0) || goal.iter().product::<u32>() > 120 {
            return;
        }
        let model = self.model();
        let target = self.add_neuron(model, goal);
        let geometry = Convolution {
            source: picture,
            target: goal,
            kernel,
            stride,
            padding,
            dilation,
            groups,
        };
        let count = geometry.weight_count() as u32;
        let weight = self.weights(target, count, 0.0);
        let delay = self.delay();
        let rule = Connectivity::Convolution(geometry);
        self.add_projection(source, target, rule, weight, delay);
    }

    fn add_projection(
        &mut self,
        source: usize,
        target: usize,
        rule: Connectivity,
        weight: Values,
        delay: Values,
    ) {
        let (from, to) = (&self.populations[source], &self.populations[target]);
        let mut projection =
            Projection::new(&from.name, &to.name, rule).weight(weight).delay(delay);
        if to.model == "max_pool_graded" {
            let receptors = super::spec(to.model).receptors;
            let receptor = self.dice.whole(0, receptors.len() as u32 - 1);
            projection = projection.receptor(receptors[receptor as usize].name);
        } else if to.model == "lif_multisynapse" {
            let port = self.dice.whole(1, super::population::PORTS);
            projection = projection.receptor(format!("port_{port}"));
        } else if has_two_receptors(to.model) && self.dice.chance(0.3) {
            projection = projection.receptor("inhibitory");
        }
        let name = format!("projection {}", self.network.projections.len());
        self.network.add_projection(name, projection);
    }

    /// One weight for all with probability `one`, else `count` weights.
    fn weights(&mut self, target: usize, count: u32, one: f64) -> Values {
        let unit = weight_unit(&self.populations[target]);
        let model = self.populations[target].model;
        if self.dice.chance(one) {
            let value = self.weight(model);
            return Values::One(Quantity { value, unit });
        }
        let values = (0..count).map(|_| self.weight(model)).collect();
        Values::Each { values, unit }
    }

    fn weight(&mut self, model: &str) -> f64 {
        match model {
            "max_pool" => 1.0,
            "lif_delta" | "leaky_integrator" | "izhikevich" => self.dice.number(-3.0, 8.0),
            "lif_exponential" | "lif_alpha" | "lif_multisynapse" | "lif_adaptive_threshold" => {
                self.dice.number(-150.0, 400.0)
            }
            "hodgkin_huxley" => self.dice.number(-100.0, 400.0),
            "exponential_integrate_and_fire" | "quadratic_integrate_and_fire" => {
                self.dice.number(-60.0, 200.0)
            }
            // Conductances, which no weight makes negative.
            model if SOLVED_MODELS.contains(&model) => self.dice.number(0.5, 8.0),
            _ => self.value(-0.6, 0.9),
        }
    }

    fn delay(&mut self) -> Values {
        let steps = self.delay_steps();
        self.steps(steps).into()
    }

    fn delays(&mut self, count: u32) -> Values {
        if self.dice.chance(0.3) {
            return self.delay();
        }
        let values = (0..count)
            .map(|_| {
                let steps = self.delay_steps();
                self.time(steps)
            })
            .collect();
        let unit = find_unit("ms").unwrap();
        Values::Each { values, unit }
    }

    fn delay_steps(&mut self) -> u32 {
        self.dice.whole(1, LONGEST_DELAY)
    }
}

/// Whether a model's weights are conductances.
pub(super) fn conducts(model: &str) -> bool {
    model.starts_with("lif_conductance") || model.starts_with("adex")
}

/// Whether a model's second receptor is an inhibitory one.
fn has_two_receptors(model: &str) -> bool {
    matches!(model, "lif_exponential" | "lif_alpha" | "lif_adaptive_threshold")
        || SOLVED_MODELS.contains(&model)
}

fn weight_unit(target: &Planned) -> Unit {
    let symbol = match target.model {
        "lif_delta" | "leaky_integrator" | "izhikevich" => "mV",
        model if conducts(model) => "nS",
        "integrate_and_fire" | "integrator" | "max_pool" => "1",
        model if CODED_MODELS.contains(&model) => "1",
        _ => "pA",
    };
    find_unit(symbol).unwrap()
}
