//! Whether a graph's times can be meant in the unit of the step.

use crate::array::Array;
use crate::nir::dialect::Convention;
use crate::nir::run::Flat;
use crate::nir::{CubaLi, CubaLif, Delay, Li, Lif, Primitive};

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

/// Difference in steps from which on a delay counts as rounded: more than that of 32-bit seconds.
const ROUNDED: f64 = 1e-3;

/// What to say of each `Delay` whose delays are no whole steps: they are rounded, or nothing is left.
pub(super) fn rounded_delays(flat: &Flat, convention: &Convention) -> Vec<String> {
    let Convention { dt, tau_scale, .. } = *convention;
    let mut notes = Vec::new();
    for (name, primitive) in &flat.nodes {
        let Primitive::Delay(Delay { delay }) = primitive else { continue };
        let away = |delay: f64| {
            let steps = delay * tau_scale / dt;
            (steps - steps.round()).abs()
        };
        let delays = delay.values.to_f64().unwrap_or_default();
        let is_lost = |delay: f64| delay > 0.0 && (delay * tau_scale / dt).round() == 0.0;
        let rounded = delays.into_iter().filter(|&delay| away(delay) > ROUNDED || is_lost(delay));
        let rounded: Vec<f64> = rounded.collect();
        if let Some(worst) = rounded.iter().copied().max_by(|a, b| away(*a).total_cmp(&away(*b))) {
            notes.push(format!(
                "`{name}`: {} of its delays are no whole steps of {dt:e} and are rounded: {worst:e} to {} \
                 steps",
                rounded.len(),
                (worst * tau_scale / dt).round()
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nir::dialect::find_dialect;

    #[test]
    fn delays_that_are_no_whole_steps_are_named_with_what_becomes_of_them() {
        let delay = Delay { delay: Array::vector(vec![2e-4, 1.4e-4, 0.0]) };
        let nodes = vec![("d".into(), Primitive::Delay(delay))];
        let flat = Flat { nodes, edges: Vec::new() };
        let convention = (find_dialect("nir").unwrap().convention)();
        let notes = rounded_delays(&flat, &convention);
        let note =
            "`d`: 1 of its delays are no whole steps of 1e-4 and are rounded: 1.4e-4 to 1 steps";
        assert_eq!(notes, [note]);
        let notes = rounded_delays(&flat, &Convention { dt: 1.0, ..convention });
        assert!(
            notes[0].contains("2 of its delays") && notes[0].contains("to 0 steps"),
            "{notes:?}"
        );
        let notes = rounded_delays(&flat, &Convention { dt: 1e-3, ..convention });
        assert!(
            notes[0].contains("2 of its delays") && notes[0].contains("to 0 steps"),
            "{notes:?}"
        );
        assert_eq!(rounded_delays(&flat, &Convention { dt: 2e-5, ..convention }), [] as [&str; 0]);
    }

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
