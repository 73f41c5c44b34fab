//! Values of a population that are drawn when the network is validated.

use super::Context;
use crate::neuron::Column;
use crate::random::{Purpose, Stream, named_seed};
use crate::units::{Dimension, Values};

/// Values that are drawn for a population, at most: what a network takes is foretold from its description, and is
/// refused where it does not fit, but these are a part of the description.
const MOST_DRAWN: u64 = 1 << 27;

impl Context<'_> {
    /// Values of `size` neurons: one for all, one each, or drawn here; the draws depend on the
    /// network's seed and the path alone.
    pub(crate) fn drawn(
        &mut self,
        path: &str,
        values: &Values,
        dimension: Dimension,
        size: u64,
    ) -> Option<Column> {
        let Values::Drawn(distribution) = values else {
            let column = self.column(path, values, dimension)?;
            return self.count(path, &column, size, "neurons").then_some(column);
        };
        if distribution.entry().of_distance {
            self.problems.error(
                "wrong-type",
                path,
                "a function of distance stands here",
                "only synapses have a distance: use a distribution such as `normal`",
            );
            return None;
        }
        let law = self.law(path, values, dimension)?;
        if size > MOST_DRAWN {
            self.problems.error(
                "too-many-neurons",
                path,
                format!("{size} neurons have a drawn value each"),
                format!("at most {MOST_DRAWN} values are drawn for a population: give one for all"),
            );
            return None;
        }
        let seed = named_seed(self.network.seed, path);
        let number = |neuron: u64| {
            law.draw(&mut Stream::new(seed, Purpose::Parameter, neuron as u32, 0), 0.0)
        };
        Some(Column::Each((0..size).map(number).collect()))
    }
}
