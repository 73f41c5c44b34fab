//! Random stimuli: spike lists on the grid, Poisson sources, constant currents.

use super::{Family, Plan};
use sim_core::network::{ConstantCurrent, Poisson, SpikeList, Stimulus};
use sim_core::units::{Hertz, Picoamperes, Quantity, Values, find_unit};
use std::collections::BTreeSet;

impl Plan {
    pub(super) fn stimulate(&mut self) {
        for planned in self.populations.clone() {
            let (name, size) = (planned.name.clone(), planned.size());
            match planned.model {
                "spike_source" => self.drive_source(&name, size),
                "max_pool" => {}
                model => {
                    for part in 0..self.dice.whole(0, 2) {
                        let stimulus = self.current(model, &name, size);
                        self.network.add_stimulus(format!("{name} current {part}"), stimulus);
                    }
                }
            }
        }
    }

    /// A spike list, Poisson spikes, or both. Poisson spikes depend on the step, so networks that
    /// are run with several steps have none.
    fn drive_source(&mut self, name: &str, size: u32) {
        let poisson = self.family != Family::Exponential && self.dice.chance(0.5);
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

    fn spike_list(&mut self, name: &str, size: u32) -> Stimulus {
        // A neuron spikes in every fifth step; where steps are far shorter than a membrane's time
        // constant, in every fortieth.
        let rarity = if self.family == Family::Exponential { 40 } else { 5 };
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
            "lif_exponential" => Picoamperes(self.dice.number(-50.0, 300.0)).into(),
            _ if self.dice.chance(0.5) => {
                let value = self.value(-0.3, 0.7);
                Values::One(Quantity::number(value))
            }
            _ => Values::numbers((0..size).map(|_| self.value(-0.3, 0.7)).collect()),
        };
        let start = self.dice.whole(0, self.size.steps / 2);
        let stop = self.dice.chance(0.5).then(|| {
            let steps = start + self.dice.whole(1, self.size.steps);
            self.steps(steps).into()
        });
        Stimulus::ConstantCurrent(ConstantCurrent {
            population: name.to_string(),
            amplitude,
            start: self.steps(start).into(),
            stop,
        })
    }
}
