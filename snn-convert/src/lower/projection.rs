//! How branches become projections: sums in units of thresholds, and the windows of maxima.

use super::{Graded, UnitScale};
use crate::linear::{ChannelScale, LinearMap};
use crate::structure::{Unit, UnitKind};
use sim_core::network::{Connectivity, Dense, List, OneToOne, Projection};
use sim_core::neuron::max_pool_graded::RECEPTORS;
use sim_core::units::{Milliseconds, Values};

/// The windows of a maximum: each cell writes into a place of its own, see `max_pool_graded`.
pub(super) fn pool_projections(
    map: &LinearMap,
    graded: Graded,
    source: &str,
    target: &str,
    delay: u32,
) -> Vec<Projection> {
    let LinearMap::Convolution { geometry, .. } = map else { return Vec::new() };
    let cells = geometry.kernel[0] * geometry.kernel[1];
    let (places, bits) = (graded.places(), graded.bits());
    let weight = |place: u32| f64::from(place * bits).exp2();
    let channels = geometry.source[0] as usize;
    let make = |connectivity: Connectivity, weights: Vec<f64>, receptor: u32| {
        Projection::new(source, target, connectivity)
            .weight(Values::numbers(weights))
            .delay(Milliseconds(f64::from(delay)))
            .receptor(RECEPTORS[receptor as usize])
    };
    if cells <= places {
        let window: Vec<f64> = (0..cells).map(weight).collect();
        return vec![make(Connectivity::Convolution(*geometry), window.repeat(channels), 0)];
    }
    let parts = cells.div_ceil(places).min(RECEPTORS.len() as u32);
    (0..parts)
        .map(|receptor| {
            let (mut sources, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
            for neuron in 0..map.sources() as u32 {
                geometry.for_each_target(neuron, |synapse| {
                    let cell = synapse.weight % cells;
                    if cell / places == receptor {
                        sources.push(neuron);
                        targets.push(synapse.target);
                        weights.push(weight(cell % places));
                    }
                });
            }
            make(Connectivity::List(List { sources, targets }), weights, receptor)
        })
        .collect()
}

/// One branch as a projection in units of thresholds that takes `target.1` steps.
pub(crate) fn project(
    unit: &Unit,
    map: &LinearMap,
    scale: &UnitScale,
    source: (&str, &ChannelScale),
    target: (&str, u32),
) -> Projection {
    let ((name, output), (target, delay)) = (source, target);
    let delay = Milliseconds(f64::from(delay));
    let scaled = match unit.kind {
        // A maximum compares counts of one channel: all have the same scale.
        UnitKind::MaxPool => map.clone(),
        _ => scale.weights(map, output),
    };
    let (connectivity, weights) = match scaled {
        LinearMap::Convolution { geometry, weights } => {
            (Connectivity::Convolution(geometry), weights)
        }
        LinearMap::Dense { weights, .. } => (Connectivity::Dense(Dense), weights),
        LinearMap::Identity { size } => (Connectivity::OneToOne(OneToOne), vec![1.0; size]),
        LinearMap::Sparse { rows, .. } => list(&rows),
    };
    Projection::new(name, target, connectivity).weight(Values::numbers(weights)).delay(delay)
}

/// Rows as a list, or as one-to-one where every source reaches just its own target.
pub(crate) fn list(rows: &[Vec<(u32, f64)>]) -> (Connectivity, Vec<f64>) {
    let own =
        |(source, row): (usize, &Vec<(u32, f64)>)| row.len() == 1 && row[0].0 as usize == source;
    let weights = rows.iter().flatten().map(|&(_, weight)| weight).collect();
    if rows.iter().enumerate().all(own) {
        return (Connectivity::OneToOne(OneToOne), weights);
    }
    let sources = rows.iter().enumerate().flat_map(|(s, row)| row.iter().map(move |_| s as u32));
    let targets = rows.iter().flatten().map(|&(target, _)| target).collect();
    (Connectivity::List(List { sources: sources.collect(), targets }), weights)
}
