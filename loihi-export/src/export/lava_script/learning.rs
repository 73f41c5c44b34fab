//! Synapses that learn, as Lava's `LearningDense` and `LearningSparse`.

use std::fmt::Write as _;

use indexmap::IndexMap;
use model_io::array::Array;

use crate::export::sliced::SlicedNetwork;
use crate::quantise::network::{
    Connection, GradedTrace, LearningRule, QuantisedPopulation, QuantisedProjection,
};

use super::{LavaScriptError, arguments, port, printable};

/// Writes synapses with their rule, and what they hear of.
pub(super) fn write_learning(
    script: &mut String,
    arrays: &mut IndexMap<String, Array>,
    (index, projection, rule): (usize, &QuantisedProjection, &LearningRule),
    keys: &[String],
    sliced: &SlicedNetwork,
) -> Result<(), LavaScriptError> {
    let name = format!("c{index}");
    let size = |piece: usize| sliced.network.populations[piece].shape.size() as usize;
    let (rows, columns) = (size(projection.target), size(projection.source));
    let narrow = |weights: &[i32]| weights.iter().map(|&weight| weight as i16).collect::<Vec<_>>();
    let (class, matrix, rest) = match &projection.connection {
        Connection::Dense { weights, sign_mode, weight_bits, weight_exponent } => {
            let values = narrow(weights).into();
            arrays.insert(format!("{name}_weights"), Array { shape: vec![rows, columns], values });
            let matrix = format!("ARRAYS[\"{name}_weights\"].astype(int)");
            (
                "LearningDense",
                matrix,
                arguments(projection, (*sign_mode, *weight_bits, *weight_exponent)),
            )
        }
        Connection::Sparse {
            targets,
            sources,
            weights,
            sign_mode,
            weight_bits,
            weight_exponent,
        } => {
            let what = not_in_sparse(weights, rule);
            if let Some(what) = what {
                let projection = projection.name.clone();
                return Err(LavaScriptError::Sparse { projection, what });
            }
            let small = |values: &[u32]| values.iter().map(|&n| n as i32).collect::<Vec<_>>();
            arrays.insert(format!("{name}_targets"), Array::vector(small(targets)));
            arrays.insert(format!("{name}_sources"), Array::vector(small(sources)));
            arrays.insert(format!("{name}_weights"), Array::vector(narrow(weights)));
            let matrix = format!("matrix(\"{name}\", ({rows}, {columns}))");
            (
                "LearningSparse",
                matrix,
                arguments(projection, (*sign_mode, *weight_bits, *weight_exponent)),
            )
        }
        // The emulator refuses kernels that learn, so that no cut network has one.
        Connection::Convolution { .. } => return Ok(()),
    };
    let graded = match rule.graded {
        GradedTrace::RegularImpulse => "USE_REGULAR_IMPULSE",
        GradedTrace::Overwrite => "OVERWRITE",
        GradedTrace::AddWithSaturation => "ADD_WITH_SATURATION",
        GradedTrace::AddWithoutSaturation => "ADD_WITHOUT_SATURATION",
    };
    let (source, target) = (&keys[projection.source], &keys[projection.target]);
    let mut hears = String::new();
    let others = [("y1", 0), ("y2", 1), ("y3", 2)]
        .map(|(factor, place)| (factor, rule.third_factor.and_then(|factors| factors[place])));
    for (what, population) in [("post", rule.post)].into_iter().chain(others) {
        if let Some(key) = population.and_then(|population| keys.get(population)) {
            let _ = write!(hears, ", {what}=\"{key}\"");
        }
    }
    let (class_of_rule, own) = rule_of(rule);
    let _ = writeln!(
        script,
        "    learn(\"{name}\", \"{source}\", \"{target}\", {class}(weights={matrix}, {rest}, \
         graded_spike_cfg=GradedSpikeCfg.{graded}, learning_rule={class_of_rule}({own})){}{hears})",
        port(projection, sliced)
    );
    Ok(())
}

/// What of a rule Lava's sparse matrices do not learn: they hold no zeros, so that tags stay 0, and stop
/// where a rule reads what they hold.
fn not_in_sparse(weights: &[i32], rule: &LearningRule) -> Option<&'static str> {
    let reads = |text: &Option<String>| text.as_ref().is_some_and(|t| t.contains(['w', 'd', 't']));
    match rule {
        _ if weights.contains(&0) => Some("lists a synapse of weight 0"),
        LearningRule { dd, dt, .. } if dd.is_some() || dt.is_some() => {
            Some("its rule changes tags")
        }
        LearningRule { dw, .. } if reads(dw) => Some("its rule reads a weight or a tag"),
        _ => None,
    }
}

/// Lava's class of a rule, and what its constructor takes.
fn rule_of(rule: &LearningRule) -> (&'static str, String) {
    let mut own = String::new();
    for (name, text) in [("dw", &rule.dw), ("dd", &rule.dd), ("dt", &rule.dt)] {
        if let Some(text) = text {
            let _ = write!(own, "{name}=\"{}\", ", printable(text));
        }
    }
    let mut traces = vec![("x1", rule.x1), ("x2", rule.x2)];
    // With a third factor the neurons have the traces of the targets.
    if rule.third_factor.is_none() {
        traces.extend([("y1", rule.y1), ("y2", rule.y2), ("y3", rule.y3)]);
    }
    for (name, trace) in traces {
        let _ = write!(own, "{name}_impulse={:?}, {name}_tau={:?}, ", trace.impulse, trace.tau);
    }
    let _ = write!(own, "t_epoch={}, rng_seed={}", rule.t_epoch, rule.rng_seed);
    let class = match rule.third_factor {
        Some(_) => "Loihi3FLearningRule",
        None => "Loihi2FLearningRule",
    };
    (class, own)
}

/// The table that puts the weights of slices together again: whole shapes, and the pieces of each.
pub(super) fn learned(
    sliced: &SlicedNetwork,
    originals: &[QuantisedPopulation],
    keys: &[String],
) -> String {
    let mut wholes: IndexMap<usize, (String, String)> = IndexMap::new();
    for (index, (projection, whole)) in
        sliced.network.projections.iter().zip(&sliced.projections).enumerate()
    {
        if projection.learning.is_none() {
            continue;
        }
        let size = |piece: usize| originals[sliced.pieces[piece].population].shape.size();
        let shape = format!("({}, {})", size(projection.target), size(projection.source));
        let (_, parts) = wholes.entry(*whole).or_insert_with(|| {
            let piece = |piece: usize| &sliced.network.populations[piece].name;
            let ends = format!(": {} to {}", piece(projection.source), piece(projection.target));
            let name = projection.name.strip_suffix(&ends).unwrap_or(&projection.name);
            (format!("\"{}\": ({shape}", printable(name)), String::new())
        });
        let (rows, columns) = (&keys[projection.target], &keys[projection.source]);
        let _ = write!(parts, "(\"c{index}\", \"{rows}\", \"{columns}\"), ");
    }
    let lines = wholes.values().map(|(head, parts)| format!("    {head}, [{parts}]),\n"));
    lines.collect()
}
