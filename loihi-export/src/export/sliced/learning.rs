//! Cutting projections that learn.

use crate::quantise::network::{Connection, LearningRule, QuantisedNetwork, QuantisedProjection};

use super::{Piece, SliceError};

/// A network and where its neurons go.
pub(super) struct Cutter<'a> {
    pub(super) network: &'a QuantisedNetwork,
    pub(super) pieces: &'a [Piece],
    pub(super) owners: &'a [Vec<(usize, u32)>],
}

impl Cutter<'_> {
    /// The pieces of a population.
    fn of(&self, population: usize) -> impl Iterator<Item = (usize, &Piece)> {
        self.pieces.iter().enumerate().filter(move |(_, piece)| piece.population == population)
    }

    /// The piece of a population with just these neurons.
    fn beside(&self, population: usize, neurons: &[u32]) -> Option<usize> {
        self.of(population).find(|(_, piece)| piece.neurons == neurons).map(|(index, _)| index)
    }
}

/// Cuts a projection that learns; a dense one keeps its weights of 0, which learn, too.
pub(super) fn cut_learning(
    cutter: &Cutter<'_>,
    projection: &QuantisedProjection,
    rule: &LearningRule,
    cut: &mut QuantisedNetwork,
) -> Result<(), SliceError> {
    let network = cutter.network;
    for (to, target) in cutter.of(projection.target) {
        let beside = |population: usize| {
            cutter.beside(population, &target.neurons).ok_or_else(|| SliceError::Factor {
                projection: projection.name.clone(),
                population: network
                    .populations
                    .get(population)
                    .map_or_else(|| population.to_string(), |found| found.name.clone()),
            })
        };
        let mut own = rule.clone();
        own.post = rule.post.map(beside).transpose()?;
        if let Some(factors) = &mut own.third_factor {
            for factor in factors.iter_mut() {
                *factor = factor.map(beside).transpose()?;
            }
        }
        for (from, source) in cutter.of(projection.source) {
            let Some(connection) = cut_weights(cutter, projection, (from, source), (to, target))
            else {
                continue;
            };
            let name = |piece: usize| cut.populations[piece].name.clone();
            let name = format!("{}: {} to {}", projection.name, name(from), name(to));
            let learning = Some(own.clone());
            let delay = projection.delay.clone();
            let QuantisedProjection { message_bits, port, .. } = *projection;
            cut.projections.push(QuantisedProjection {
                name,
                source: from,
                target: to,
                connection,
                delay,
                message_bits,
                port,
                learning,
            });
        }
    }
    Ok(())
}

/// The weights between two pieces; `None` where no synapse lies between them.
fn cut_weights(
    cutter: &Cutter<'_>,
    projection: &QuantisedProjection,
    (from, source): (usize, &Piece),
    (to, target): (usize, &Piece),
) -> Option<Connection> {
    match &projection.connection {
        Connection::Dense { weights, sign_mode, weight_bits, weight_exponent } => {
            let columns = cutter.network.populations[projection.source].shape.size() as usize;
            let rows = target.neurons.iter();
            let weights = rows.flat_map(|&row| {
                let first = row as usize * columns;
                let at = move |&column: &u32| weights.get(first + column as usize).copied();
                source.neurons.iter().map(move |column| at(column).unwrap_or_default())
            });
            Some(Connection::Dense {
                weights: weights.collect(),
                sign_mode: *sign_mode,
                weight_bits: *weight_bits,
                weight_exponent: *weight_exponent,
            })
        }
        Connection::Sparse {
            targets,
            sources,
            weights,
            sign_mode,
            weight_bits,
            weight_exponent,
        } => {
            let local = |population: usize, piece: usize, neuron: u32| {
                let owner = cutter.owners.get(population)?.get(neuron as usize)?;
                (owner.0 == piece).then_some(owner.1)
            };
            let (mut rows, mut columns, mut kept) = (Vec::new(), Vec::new(), Vec::new());
            for ((&row, &column), &weight) in targets.iter().zip(sources).zip(weights) {
                let own =
                    local(projection.target, to, row).zip(local(projection.source, from, column));
                if let Some((row, column)) = own {
                    rows.push(row);
                    columns.push(column);
                    kept.push(weight);
                }
            }
            (!kept.is_empty()).then_some(Connection::Sparse {
                targets: rows,
                sources: columns,
                weights: kept,
                sign_mode: *sign_mode,
                weight_bits: *weight_bits,
                weight_exponent: *weight_exponent,
            })
        }
        // The emulator refuses kernels that learn, with the reason.
        convolution @ Connection::Convolution { .. } => Some(convolution.clone()),
    }
}
