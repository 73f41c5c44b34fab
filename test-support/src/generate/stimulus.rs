//! Random stimuli: spikes on the grid, Poisson sources and input, currents of every shape.

use super::connect::conducts;
use super::{Family, Plan, spec};
use sim_core::network::{
    AlternatingCurrent, ConstantCurrent, Modulation, NoiseCurrent, Poisson, PoissonDrive,
    RegularTrain, SpikeList, StepCurrent, Stimulus,
};
use sim_core::stimulus::Sine;
use sim_core::units::{
    Dimension, Hertz, Millivolts, Nanosiemens, Picoamperes, Quantity, Values, find_unit,
};
use std::collections::BTreeSet;

impl Plan {
    pub(super) fn stimulate(&mut self) {
        for planned in self.populations.clone() {
            let (name, size) = (planned.name.clone(), planned.size());
            match planned.model {
                "spike_source" => self.drive_source(&name, size),
                model if spec(model).current.is_none() => {}
                model => {
                    for part in 0..self.dice.whole(0, 2) {
                        let stimulus = self.current(model, &name, size);
                        self.network.add_stimulus(format!("{name} current {part}"), stimulus);
                    }
                    // The references of exponential networks know constant currents and lists.
                    if !self.family.is_exact() && self.dice.chance(0.3) {
                        let drive = self.poisson_drive(model, &name);
                        self.network.add_stimulus(format!("{name} drive"), drive);
                    }
                }
            }
        }
    }

    /// A spike list, Poisson spikes, or both. Poisson spikes depend on the step, so networks that
    /// are run with several steps have none.
    fn drive_source(&mut self, name: &str, size: u32) {
        if self.dice.chance(0.2) {
            let regular = self.regular_train(name);
            self.network.add_stimulus(format!("{name} regular"), regular);
        }
        let poisson = !self.family.is_exact() && self.dice.chance(0.5);
        if !poisson || self.dice.chance(0.3) {
            let list = self.spike_list(name, size);
            self.network.add_stimulus(format!("{name} list"), list);
        }
        if poisson {
            let per_step = self.dice.number(0.05, 0.4);
            let population = name.to_string();
            let rate = Hertz((per_step * 1000.0 / self.dt).round()).into();
            self.network.add_stimulus(
                format!("{name} poisson"),
                Stimulus::Poisson(Poisson { population, rate, modulation: None }),
            );
        }
    }

    /// Spikes at equal intervals on the grid.
    fn regular_train(&mut self, name: &str) -> Stimulus {
        let (interval, start) = (self.dice.whole(2, 15), self.dice.whole(0, 10));
        Stimulus::RegularTrain(RegularTrain {
            population: name.to_string(),
            interval: self.steps(interval).into(),
            phase: None,
            start: self.steps(start).into(),
            stop: None,
        })
    }

    /// Poisson input whose rate changes or not.
    fn poisson_drive(&mut self, model: &str, name: &str) -> Stimulus {
        let per_step = self.dice.number(0.02, 1.5);
        let rate = Hertz((per_step * 1000.0 / self.dt).round());
        let weight: Values = match model {
            "lif_delta" | "leaky_integrator" | "izhikevich" => {
                Millivolts(self.dice.number(-1.0, 2.0)).into()
            }
            model if is_plain(model) => self.value(-0.2, 0.4).into(),
            model if conducts(model) => Nanosiemens(self.dice.number(0.1, 1.0)).into(),
            _ => Picoamperes(self.dice.number(-20.0, 60.0)).into(),
        };
        let modulation = self.dice.chance(0.5).then(|| {
            let frequency = Hertz((self.dice.number(5.0, 50.0) / self.dt).round()).into();
            let depth = self.dice.number(0.0, 2.0);
            Modulation::Sine(Sine { depth, frequency, phase: 0.0 })
        });
        let delay = self.dice.whole(1, 4);
        let start = self.dice.whole(0, self.size.steps / 2);
        Stimulus::PoissonDrive(PoissonDrive {
            delay: Some(self.steps(delay).into()),
            modulation,
            start: self.steps(start).into(),
            ..PoissonDrive::new(name, rate, weight)
        })
    }

    fn spike_list(&mut self, name: &str, size: u32) -> Stimulus {
        // A neuron spikes in every fifth step; where steps are far shorter than a membrane's time
        // constant, in every fortieth.
        let rarity = if self.family.is_slow() { 40 } else { 5 };
        let count = (self.size.steps * size / rarity).max(1);
        let drawn: BTreeSet<(u32, u32)> = (0..count)
            .map(|_| (self.dice.whole(1, self.size.steps), self.dice.whole(0, size - 1)))
            .collect();
        let values = drawn.iter().map(|&(step, _)| self.time(step));
        let unit = find_unit("ms").unwrap();
        Stimulus::SpikeList(SpikeList {
            population: name.to_string(),
            neurons: drawn.iter().map(|&(_, neuron)| neuron).collect(),
            times: Values::Each { values: values.collect(), unit },
        })
    }

    fn current(&mut self, model: &str, name: &str, size: u32) -> Stimulus {
        let amplitude = match model {
            // Two of them stay below rheobase: 20 ms / 100 pF · 55 pA = 11 mV at the most, the
            // threshold is 12 mV above rest at the least.
            "lif_delta" => Picoamperes(self.dice.number(-60.0, 27.0)).into(),
            model if is_plain(model) => self.plain_current(size),
            "izhikevich" => Picoamperes(self.dice.number(-3.0, 15.0)).into(),
            "exponential_integrate_and_fire" | "quadratic_integrate_and_fire" => {
                Picoamperes(self.dice.number(-50.0, 200.0)).into()
            }
            _ if self.family == Family::Solved => {
                Picoamperes(self.dice.number(-50.0, 700.0)).into()
            }
            _ => Picoamperes(self.dice.number(-50.0, 300.0)).into(),
        };
        let start = self.dice.whole(0, self.size.steps / 2);
        let stop = self.dice.chance(0.5).then(|| {
            let steps = start + self.dice.whole(1, self.size.steps);
            self.steps(steps).into()
        });
        if !self.family.is_exact() && self.dice.chance(0.3) {
            return self.varying_current(name, amplitude, (self.steps(start).into(), stop));
        }
        Stimulus::ConstantCurrent(ConstantCurrent {
            population: name.to_string(),
            amplitude,
            start: self.steps(start).into(),
            stop,
        })
    }

    /// A current without a unit, one for all or one each.
    fn plain_current(&mut self, size: u32) -> Values {
        if self.dice.chance(0.5) {
            let value = self.value(-0.3, 0.7);
            return Values::One(Quantity::number(value));
        }
        Values::numbers((0..size).map(|_| self.value(-0.3, 0.7)).collect())
    }

    /// A current that is a wave, jumps or is drawn anew, of about this amplitude.
    fn varying_current(
        &mut self,
        name: &str,
        amplitude: Values,
        (start, stop): (Quantity, Option<Quantity>),
    ) -> Stimulus {
        let population = name.to_string();
        match self.dice.whole(0, 2) {
            0 => Stimulus::AlternatingCurrent(AlternatingCurrent {
                population,
                amplitude,
                frequency: Hertz((self.dice.number(5.0, 50.0) / self.dt).round()).into(),
                phase: self.dice.number(0.0, 3.0),
                offset: None,
                start,
                stop,
            }),
            1 => {
                let first = self.dice.whole(0, self.size.steps / 2);
                let second = first + self.dice.whole(1, self.size.steps / 2);
                let times = vec![self.time(first), self.time(second)];
                let quantity = match amplitude {
                    Values::One(quantity) => quantity,
                    _ => Quantity::number(self.value(-0.3, 0.7)),
                };
                let values = vec![quantity.value, -0.5 * quantity.value];
                Stimulus::StepCurrent(StepCurrent {
                    population,
                    times: Values::Each { values: times, unit: find_unit("ms").unwrap() },
                    amplitudes: Values::Each { values, unit: quantity.unit },
                })
            }
            _ => {
                // A tenth of the amplitude: noise keeps leaky neurons below rheobase.
                let std = match amplitude {
                    Values::One(q) => Quantity { value: 0.1 * q.value.abs(), unit: q.unit },
                    _ => Quantity::number(0.1),
                };
                let interval = self.dice.whole(1, 5);
                Stimulus::NoiseCurrent(NoiseCurrent {
                    population,
                    mean: amplitude,
                    std: std.into(),
                    interval: Some(self.steps(interval).into()),
                    start,
                    stop,
                })
            }
        }
    }
}

/// Whether a model's input has no unit.
fn is_plain(model: &str) -> bool {
    spec(model).receptors.iter().all(|receptor| receptor.weight == Dimension::Number)
}
