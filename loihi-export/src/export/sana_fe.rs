//! A mapped network for SANA-FE 2.2 (YAML): the one open format that says which neuron lies on
//! which core.
//!
//! Load it with `sanafe.load_net(path, arch)` and an architecture whose mesh is the chip's, such as
//! SANA-FE's own `loihi.yaml`. Neurons are SANA-FE's `leaky_integrate_fire` in units of the
//! threshold mantissa: `threshold = vth`, `leak_decay = 1 - dv / 4096`, `bias`, hard reset to 0;
//! `weight = stored weight * 2^weight_exponent`. SANA-FE computes in floating point and has no
//! current that decays, so it predicts energy and latency, not Lava's bits. Input populations
//! are mapped to `input` units of the first cores; give them spikes before running.

use std::fmt::Write as _;

use crate::mapping::Mapping;
use crate::quantise::network::{Connection, IntegerValues, QuantisedNetwork, QuantisedPopulation};

/// Neurons of inputs that one core's input units take.
const INPUTS_PER_CORE: usize = 1024;

/// Why a network has no SANA-FE form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SanaFeError {
    /// A process that SANA-FE does not have.
    #[error(
        "population '{population}': process '{process}' is not written for SANA-FE; written are \
         input and lif"
    )]
    Process {
        /// Population.
        population: String,
        /// Its process.
        process: String,
    },
    /// A current that decays over several steps.
    #[error(
        "population '{population}' has a current decay du of {du}; SANA-FE's neuron has none, use \
         4095 (the current lives one step)"
    )]
    Current {
        /// Population.
        population: String,
        /// Its current decay.
        du: i64,
    },
    /// Delays.
    #[error("projection '{projection}' has delays; SANA-FE's Loihi model has none")]
    Delay {
        /// Projection.
        projection: String,
    },
    /// More inputs than the cores' input units take.
    #[error("{neurons} input neurons; the mapping's {cores} cores take {limit}")]
    Inputs {
        /// Input neurons.
        neurons: usize,
        /// Cores of the mapping.
        cores: usize,
        /// What they take.
        limit: usize,
    },
}

/// Writes a mapped network.
///
/// # Errors
/// [`SanaFeError`] for what SANA-FE cannot hold.
pub fn sana_fe(
    network: &QuantisedNetwork,
    mapping: &Mapping,
    mesh_rows: u32,
) -> Result<String, SanaFeError> {
    let mut yaml = String::from("# A mapped network for SANA-FE 2.2, written by spikeloom ");
    let _ = writeln!(yaml, "{}", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(yaml, "network:\n  name: {}\n  groups:", quoted(&network.name));
    let names: Vec<String> =
        network.populations.iter().enumerate().map(|(i, p)| group_name(i, &p.name)).collect();
    for (population, name) in network.populations.iter().zip(&names) {
        write_group(&mut yaml, population, name)?;
    }
    yaml.push_str("  edges:\n");
    for projection in &network.projections {
        if projection.delay.longest() > 0 {
            return Err(SanaFeError::Delay { projection: projection.name.clone() });
        }
        let (source, target) = (&names[projection.source], &names[projection.target]);
        let sources = network.populations[projection.source].shape.size();
        for_each_synapse(&projection.connection, sources as u32, |from, to, weight| {
            let _ = writeln!(yaml, "    - {source}.{from} -> {target}.{to}: {{weight: {weight}}}");
        });
    }
    yaml.push_str("mappings:\n");
    write_inputs(&mut yaml, network, mapping, mesh_rows, &names)?;
    for slice in &mapping.slices {
        let core = core(mapping, slice.core as usize, mesh_rows);
        let Some(name) = names.get(slice.population) else { continue };
        for run in &slice.runs {
            let neurons = range(run.first, run.length);
            let _ = writeln!(yaml, "  - {name}.{neurons}: {{core: {core}}}");
        }
    }
    Ok(yaml)
}

/// Names in edges end at dots and blanks.
fn group_name(index: usize, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("p{index}_{}", name.chars().map(plain).collect::<String>())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn range(first: u32, length: u32) -> String {
    match length {
        1 => first.to_string(),
        _ => format!("{first}..{}", first + length.saturating_sub(1)),
    }
}

/// `tile.core`; SANA-FE counts tiles column by column.
fn core(mapping: &Mapping, core: usize, mesh_rows: u32) -> String {
    mapping.cores.get(core).map_or_else(String::new, |position| {
        let router = position.router;
        format!("{}.{}", router.x * mesh_rows + router.y, position.core)
    })
}

fn value(population: &QuantisedPopulation, name: &str, neuron: usize) -> i64 {
    match population.parameters.get(name) {
        Some(IntegerValues::One(value)) => *value,
        Some(IntegerValues::PerNeuron(values)) => values.get(neuron).copied().unwrap_or_default(),
        None => 0,
    }
}

fn write_group(
    yaml: &mut String,
    population: &QuantisedPopulation,
    name: &str,
) -> Result<(), SanaFeError> {
    let size = population.shape.size() as usize;
    let last = size.saturating_sub(1);
    match population.process.as_str() {
        "input" => {
            let _ = writeln!(yaml, "    - name: {name}\n      attributes: {{log_spikes: true}}");
            let _ = writeln!(yaml, "      neurons:\n        - 0..{last}: {{}}");
        }
        "lif" => {
            let du = value(population, "du", 0);
            if du != 4095 {
                return Err(SanaFeError::Current { population: population.name.clone(), du });
            }
            let leak = 1.0 - value(population, "dv", 0) as f64 / 4096.0;
            let threshold = value(population, "vth", 0);
            let _ = writeln!(
                yaml,
                "    - name: {name}\n      attributes: {{threshold: {threshold}, leak_decay: \
                 {leak}, reset: 0, reset_mode: hard, force_update: true, log_spikes: true}}"
            );
            yaml.push_str("      neurons:\n");
            write_biases(yaml, population, size);
        }
        other => {
            let (population, process) = (population.name.clone(), other.to_owned());
            return Err(SanaFeError::Process { population, process });
        }
    }
    Ok(())
}

/// One line for neighbours of equal bias.
fn write_biases(yaml: &mut String, population: &QuantisedPopulation, size: usize) {
    // 64 units of the potential are one of the threshold mantissa's.
    let bias = |neuron: usize| {
        let (mantissa, exponent) =
            (value(population, "bias_mant", neuron), value(population, "bias_exp", neuron));
        mantissa as f64 * 2.0_f64.powi(exponent as i32) / 64.0
    };
    let mut first = 0;
    while first < size {
        let mut end = first + 1;
        while end < size && bias(end).to_bits() == bias(first).to_bits() {
            end += 1;
        }
        let neurons = range(first as u32, (end - first) as u32);
        let _ = match bias(first) {
            0.0 => writeln!(yaml, "        - {neurons}: {{}}"),
            bias => writeln!(yaml, "        - {neurons}: {{bias: {bias}}}"),
        };
        first = end;
    }
}

fn write_inputs(
    yaml: &mut String,
    network: &QuantisedNetwork,
    mapping: &Mapping,
    mesh_rows: u32,
    names: &[String],
) -> Result<(), SanaFeError> {
    let mut placed = 0;
    let limit = mapping.cores.len().saturating_mul(INPUTS_PER_CORE);
    for (population, name) in network.populations.iter().zip(names) {
        if population.process != "input" {
            continue;
        }
        let size = population.shape.size() as usize;
        if placed + size > limit {
            let (neurons, cores) = (placed + size, mapping.cores.len());
            return Err(SanaFeError::Inputs { neurons, cores, limit });
        }
        for neuron in 0..size {
            let core = core(mapping, placed / INPUTS_PER_CORE, mesh_rows);
            let unit = placed % INPUTS_PER_CORE;
            let _ = writeln!(
                yaml,
                "  - {name}.{neuron}: {{core: {core}, soma: \"loihi_inputs[{unit}]\"}}"
            );
            placed += 1;
        }
    }
    Ok(())
}

/// Source, target and effective weight of every synapse that is not 0.
fn for_each_synapse(connection: &Connection, sources: u32, mut visit: impl FnMut(u32, u32, f64)) {
    let scale = |exponent: &i8| 2.0_f64.powi(i32::from(*exponent));
    match connection {
        Connection::Dense { weights, weight_exponent, .. } => {
            let scale = scale(weight_exponent);
            let columns = sources.max(1) as usize;
            for (place, &weight) in weights.iter().enumerate().filter(|(_, w)| **w != 0) {
                let (target, source) = (place / columns, place % columns);
                visit(source as u32, target as u32, f64::from(weight) * scale);
            }
        }
        Connection::Sparse { targets, sources, weights, weight_exponent, .. } => {
            let scale = scale(weight_exponent);
            for ((&target, &source), &weight) in targets.iter().zip(sources).zip(weights) {
                visit(source, target, f64::from(weight) * scale);
            }
        }
        Connection::Convolution { geometry, weights } => {
            for source in 0..sources {
                geometry.for_each_target(source, |synapse| {
                    let weight = weights.get(synapse.weight as usize).copied().unwrap_or(0);
                    if weight != 0 {
                        visit(source, synapse.target, f64::from(weight));
                    }
                });
            }
        }
    }
}
