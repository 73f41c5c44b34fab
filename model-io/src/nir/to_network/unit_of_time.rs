//! Whether a graph's time constants can be meant in the unit of the step.

use crate::array::Array;
use crate::nir::dialect::Convention;
use crate::nir::run::Flat;
use crate::nir::{CubaLi, CubaLif, Li, Lif, Primitive};

/// Steps from which on a time constant is hardly one: nothing decays while a sample is shown.
const SLOW: f64 = 1e4;

/// What to say where every time constant of a graph lasts [`SLOW`] steps or longer, as where an exporter
/// wrote steps or milliseconds and the step is stated in seconds.
pub(super) fn doubtful_unit(flat: &Flat, convention: &Convention) -> Option<String> {
    let mut least: Option<(f64, &str)> = None;
    for (name, primitive) in &flat.nodes {
        let arrays: Vec<&Array> = match primitive {
            Primitive::Li(Li { tau, .. }) | Primitive::Lif(Lif { tau, .. }) => vec![tau],
            Primitive::CubaLi(CubaLi { tau_syn, tau_mem, .. })
            | Primitive::CubaLif(CubaLif { tau_syn, tau_mem, .. }) => vec![tau_syn, tau_mem],
            _ => continue,
        };
        let taus = arrays.into_iter().filter_map(|array| array.values.to_f64()).flatten();
        for tau in taus {
            if least.is_none_or(|(least, _)| tau < least) {
                least = Some((tau, name));
            }
        }
    }
    let (tau, name) = least?;
    let Convention { dt, tau_scale, .. } = *convention;
    let steps = tau * tau_scale / dt;
    (steps >= SLOW).then(|| {
        format!(
            "no time constant is shorter than {tau} (`{name}`), {steps:e} steps of {dt:e}: state the \
             length of a step in the file's own unit (1 where its time constants are steps)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nir::dialect::find_dialect;

    #[test]
    fn time_constants_in_steps_are_doubted_where_a_step_is_in_seconds() {
        let layer = |tau: f64| {
            let one = |value: f64| Array::vector(vec![value]);
            Primitive::Li(Li { tau: one(tau), r: one(1.0), v_leak: one(0.0) })
        };
        let flat = |taus: &[f64]| Flat {
            nodes: taus.iter().map(|&tau| (format!("of {tau}"), layer(tau))).collect(),
            edges: Vec::new(),
        };
        let convention = (find_dialect("nir").unwrap().convention)();
        let text = doubtful_unit(&flat(&[30.0, 20.0]), &convention).unwrap();
        assert!(text.contains("shorter than 20 (`of 20`), 2e5 steps of 1e-4"), "{text}");
        assert_eq!(doubtful_unit(&flat(&[20.0, 0.002]), &convention), None);
        assert_eq!(doubtful_unit(&flat(&[20.0]), &Convention { dt: 1.0, ..convention }), None);
        assert_eq!(doubtful_unit(&flat(&[]), &convention), None);
    }
}
