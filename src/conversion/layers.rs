//! How far each layer's activations are from those of the trained network.

use crate::error::Error;
use crate::memory;
use crate::sim_core::engine::{EngineConfig, find_engine};
use crate::snn_convert::ann::{Keep, NodeId, map_batch};
use crate::snn_convert::convert::Convertible;
use crate::snn_convert::fidelity::{FidelityConfig, Presenter};
use crate::snn_convert::linear::ChannelScale;
use crate::snn_convert::lower::{Conversion, SpikeValue, Timing};
use rayon::prelude::*;
use serde::Serialize;

/// The error of one layer, over some images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerError {
    /// Its population.
    pub population: String,
    /// Neurons.
    pub neurons: usize,
    /// Mean size of the trained network's activations.
    pub mean_activation: f64,
    /// Mean distance from them.
    pub mean_absolute_error: f64,
    /// The one over the other, in per cent.
    pub relative_error_percent: f64,
    /// Spikes a neuron and image.
    pub spikes_per_neuron: f64,
}

/// Sums over neurons of one image: activation, error, spikes.
type Sums = [f64; 3];

/// Compares the layers on samples `values` of the spiking part, at `steps` steps.
///
/// Hidden layers are compared by what their spikes stand for; the read-out where it is its
/// potential.
///
/// # Errors
/// [`Error`] where a sample does not fit.
pub(super) fn layer_errors(
    convertible: &Convertible,
    conversion: &Conversion,
    values: &[f32],
    steps: Option<u32>,
) -> Result<Vec<LayerError>, Error> {
    let Some(steps) = steps.filter(|_| !values.is_empty() && conversion.sample_size > 0) else {
        return Ok(Vec::new());
    };
    let nodes: Vec<NodeId> = convertible.structure.units.iter().map(|unit| unit.node).collect();
    let graph = &convertible.decluttered.graph;
    let expected = map_batch(graph, values, Keep::Nodes(&nodes), |_, activations| {
        let of = |&node: &NodeId| activations.of(node).map(<[f32]>::to_vec).unwrap_or_default();
        nodes.iter().map(of).collect::<Vec<_>>()
    })?;
    let config = FidelityConfig { steps: vec![steps], seed: 1, compile: memory::available() };
    let presenter = Presenter::new(conversion, config)?;
    let continuous = matches!(conversion.timing, Timing::Once { continuous: true, .. });
    let Some(entry) = find_engine(if continuous { "event" } else { "clock" }) else {
        return Ok(Vec::new());
    };
    let samples: Vec<&[f32]> = values.chunks_exact(conversion.sample_size).collect();
    let sums: Result<Vec<Vec<Sums>>, Error> = samples
        .par_iter()
        .zip(&expected)
        .enumerate()
        .map_init(
            || (entry.start)(presenter.compiled().clone(), EngineConfig::default()),
            |engine, (index, (sample, expected))| {
                let engine = engine.as_mut().map_err(|error| error.clone())?;
                let run = presenter.show_one(engine.as_mut(), index, sample)?;
                let mut activations =
                    spiking_activations(&presenter, conversion, engine.as_ref(), steps);
                if let Some((last, _)) = activations.last_mut()
                    && conversion.readout.gives_scores()
                {
                    *last = Some(scores(conversion, &run.scores, steps));
                }
                Ok(compare(&activations, expected))
            },
        )
        .collect();
    Ok(mean_errors(conversion, &sums?))
}

fn scores(conversion: &Conversion, scores: &[f64], steps: u32) -> Vec<f64> {
    match conversion.timing {
        Timing::AnyStep => scores.iter().map(|score| score / f64::from(steps)).collect(),
        Timing::Once { .. } => scores.to_vec(),
    }
}

/// Activations that spikes stand for, a layer, and the number of spikes; none for the read-out.
fn spiking_activations(
    presenter: &Presenter<'_>,
    conversion: &Conversion,
    engine: &dyn crate::sim_core::engine::Engine,
    steps: u32,
) -> Vec<(Option<Vec<f64>>, f64)> {
    let network = presenter.compiled().network();
    let grid = network.grid();
    let inputs = usize::from(conversion.input.code.spikes());
    let mut sums: Vec<Vec<f64>> =
        conversion.layers.iter().map(|layer| vec![0.0; layer.shape.size() as usize]).collect();
    let mut spikes = vec![0.0; conversion.layers.len()];
    let recording = engine.recording();
    for (place, spike) in recording.spikes.iter().enumerate() {
        let population = network.population_of(spike.neuron);
        let Some(layer) = population.and_then(|population| population.checked_sub(inputs)) else {
            continue;
        };
        let opening = u64::from(conversion.layers[layer].onset);
        let own = grid.step_at(spike.time).saturating_sub(opening);
        let payload = recording.payloads.get(place).copied().unwrap_or(1);
        let number = conversion.spike_value.spikes_of(payload) as f64;
        let payload = f64::from(payload);
        let value = match conversion.spike_value {
            SpikeValue::Count if own > u64::from(steps) => continue,
            SpikeValue::Count => payload / f64::from(steps),
            SpikeValue::Payload { .. } => payload,
            SpikeValue::Earliness { window } => {
                let end = grid.time_of(opening + u64::from(window));
                let whole = end.0 - grid.time_of(opening).0;
                (end.0 - spike.time.0) as f64 / whole as f64
            }
        };
        let local = spike.neuron - network.populations()[layer + inputs].first;
        sums[layer][local as usize] += value;
        spikes[layer] += number;
    }
    let last = conversion.layers.len().saturating_sub(1);
    let decode = |(index, sums): (usize, Vec<f64>)| {
        let scale: &ChannelScale = &conversion.layers[index].output;
        let value = |(neuron, sum): (usize, f64)| sum * scale.at(neuron);
        let values = || sums.into_iter().enumerate().map(value).collect();
        (index < last).then(values)
    };
    sums.into_iter().enumerate().map(decode).zip(spikes).collect()
}

fn compare(activations: &[(Option<Vec<f64>>, f64)], expected: &[Vec<f32>]) -> Vec<Sums> {
    let pairs = activations.iter().zip(expected);
    pairs
        .map(|((ours, spikes), theirs)| match ours {
            Some(ours) if ours.len() == theirs.len() => {
                let mut sums = [0.0, 0.0, *spikes];
                for (&ours, &theirs) in ours.iter().zip(theirs) {
                    sums[0] += f64::from(theirs).abs();
                    sums[1] += (ours - f64::from(theirs)).abs();
                }
                sums
            }
            _ => [0.0, f64::NAN, *spikes],
        })
        .collect()
}

fn mean_errors(conversion: &Conversion, images: &[Vec<Sums>]) -> Vec<LayerError> {
    let errors = conversion.layers.iter().enumerate().map(|(index, layer)| {
        let total = |which: usize| images.iter().map(|sums| sums[index][which]).sum::<f64>();
        let neurons = layer.shape.size() as usize;
        let count = (neurons * images.len()).max(1) as f64;
        LayerError {
            population: layer.population.clone(),
            neurons,
            mean_activation: total(0) / count,
            mean_absolute_error: total(1) / count,
            relative_error_percent: 100.0 * total(1) / total(0).max(f64::MIN_POSITIVE),
            spikes_per_neuron: total(2) / count,
        }
    });
    // A read-out that counts spikes has no error to show.
    errors.filter(|error| error.mean_absolute_error.is_finite()).collect()
}
