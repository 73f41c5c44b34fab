//! Whether a description's figures fit together.
//!
//! Each rule is one line of `RULES`; all findings are returned, not the first.

use super::{ChipSpec, Sourced, TERMS};

/// A contradiction in a description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct SpecFinding {
    /// Field that the finding is about.
    pub field: String,
    /// What is wrong and what would fit.
    pub message: String,
}

type Rule = fn(&ChipSpec, &mut Vec<SpecFinding>);

const RULES: &[Rule] = &[
    names,
    sources,
    nothing_is_zero,
    cores_fill_the_mesh,
    budgets_are_below_maxima,
    synapse_memory_is_words,
    weights_fit,
    neuron_fields_fit_the_state,
    profiles_are_sensible,
];

/// All contradictions of a description; empty means that it is consistent.
pub fn check(spec: &ChipSpec) -> Vec<SpecFinding> {
    let mut findings = Vec::new();
    for rule in RULES {
        rule(spec, &mut findings);
    }
    findings
}

fn report(findings: &mut Vec<SpecFinding>, field: &str, message: String) {
    findings.push(SpecFinding { field: field.to_owned(), message });
}

fn value<T: Copy>(field: &Option<Sourced<T>>) -> Option<T> {
    field.as_ref().map(|figure| figure.value)
}

fn names(spec: &ChipSpec, findings: &mut Vec<SpecFinding>) {
    for (field, text) in
        [("name", &spec.name), ("title", &spec.title), ("revision", &spec.revision)]
    {
        if text.trim().is_empty() {
            report(findings, field, "is empty".to_owned());
        }
    }
}

fn sources(spec: &ChipSpec, findings: &mut Vec<SpecFinding>) {
    for figure in spec.figures() {
        if figure.source.is_some_and(|source| source.trim().is_empty()) {
            report(findings, &figure.name, "has no source; cite one".to_owned());
        }
    }
}

fn nothing_is_zero(spec: &ChipSpec, findings: &mut Vec<SpecFinding>) {
    for figure in spec.figures() {
        if figure.value.as_deref() == Some("0") {
            let message = "is 0; leave an unknown figure out".to_owned();
            report(findings, &figure.name, message);
        }
    }
    let mesh = value(&spec.mesh);
    if mesh.is_some_and(|mesh| mesh.cores() == 0) {
        report(findings, "mesh", "has no core".to_owned());
    }
    let block = value(&spec.synapse_block);
    if block.is_some_and(|block| block.max_synapses == 0 || block.round_to_bits == 0) {
        report(findings, "synapse_block", "holds no synapse".to_owned());
    }
}

fn cores_fill_the_mesh(spec: &ChipSpec, findings: &mut Vec<SpecFinding>) {
    if let (Some(mesh), Some(cores)) = (value(&spec.mesh), value(&spec.cores_per_chip_max))
        && mesh.cores() != cores
    {
        let message = format!(
            "{}×{} routers with {} cores each are {} cores, but cores_per_chip_max is {cores} \
             (to plan with fewer, state cores_per_chip_budget)",
            mesh.columns,
            mesh.rows,
            mesh.cores_per_router,
            mesh.cores()
        );
        report(findings, "mesh", message);
    }
    let per_core = value(&spec.neurons_per_core_max).map(u64::from);
    let cores = value(&spec.cores_per_chip_max).map(u64::from);
    if let (Some(cores), Some(per_core), Some(chip)) =
        (cores, per_core, value(&spec.neurons_per_chip_max))
        && cores * per_core < chip
    {
        let message = format!("is {chip}, but {cores} cores hold {per_core} neurons each");
        report(findings, "neurons_per_chip_max", message);
    }
}

fn budgets_are_below_maxima(spec: &ChipSpec, findings: &mut Vec<SpecFinding>) {
    let pairs = [
        ("cores_per_chip_budget", &spec.cores_per_chip_budget, &spec.cores_per_chip_max),
        ("neurons_per_core_budget", &spec.neurons_per_core_budget, &spec.neurons_per_core_max),
        ("delay_steps_guaranteed", &spec.delay_steps_guaranteed, &spec.delay_steps_max),
    ];
    for (field, budget, maximum) in pairs {
        if let (Some(budget), Some(maximum)) = (value(budget), value(maximum))
            && budget > maximum
        {
            report(findings, field, format!("is {budget}, above the maximum {maximum}"));
        }
    }
}

fn synapse_memory_is_words(spec: &ChipSpec, findings: &mut Vec<SpecFinding>) {
    let words = value(&spec.synapse_words_per_core).map(u64::from);
    let bits = value(&spec.synapse_word_bits).map(u64::from);
    if let (Some(memory), Some(words), Some(bits)) =
        (value(&spec.synapse_memory_bits_per_core), words, bits)
        && words * bits != memory
    {
        let message = format!("is {memory}, but {words} words have {bits} bits each");
        report(findings, "synapse_memory_bits_per_core", message);
    }
}

fn weights_fit(spec: &ChipSpec, findings: &mut Vec<SpecFinding>) {
    let (Some(maximum), Some(formats)) = (value(&spec.weight_bits_max), &spec.weight_formats)
    else {
        return;
    };
    if let Some(format) = formats.value.iter().find(|&&bits| bits == 0 || bits > maximum) {
        let message = format!("lists {format} bits; weights have 1 to {maximum}");
        report(findings, "weight_formats", message);
    }
}

/// Thresholds are shifted left by 6 bits and biases by their exponent; both must fit the state.
fn neuron_fields_fit_the_state(spec: &ChipSpec, findings: &mut Vec<SpecFinding>) {
    let fields = &spec.neuron_fields;
    let Some(state) = value(&fields.state_bits).map(u32::from) else {
        return;
    };
    if let Some(threshold) = value(&fields.threshold_bits).map(u32::from)
        && threshold + 6 >= state
    {
        let message =
            format!("{threshold} bits shifted by 6 do not fit a signed {state}-bit state");
        report(findings, "neuron_fields.threshold_bits", message);
    }
    let exponent = value(&fields.bias_exponent_bits).map(|bits| (1_u32 << bits.min(16)) - 1);
    if let (Some(mantissa), Some(exponent)) =
        (value(&fields.bias_mantissa_bits).map(u32::from), exponent)
        && mantissa + exponent > state
    {
        let message =
            format!("{mantissa} bits shifted by up to {exponent} do not fit a {state}-bit state");
        report(findings, "neuron_fields.bias_mantissa_bits", message);
    }
}

/// Terms are known and positive, bands enclose zero, points of barriers ascend.
fn profiles_are_sensible(spec: &ChipSpec, findings: &mut Vec<SpecFinding>) {
    for (name, profile) in &spec.profiles {
        for (term, figure) in &profile.terms {
            let field = format!("profiles.{name}.terms.{term}");
            if !TERMS.iter().any(|known| known.name == term) {
                let known: Vec<_> = TERMS.iter().map(|known| known.name).collect();
                report(findings, &field, format!("is no known term; known: {}", known.join(", ")));
            } else if !(figure.value.is_finite() && figure.value > 0.0) {
                let message = format!("is {}; leave an unknown figure out", figure.value);
                report(findings, &field, message);
            }
        }
        for (field, band) in [
            ("error_band", &profile.error_band),
            ("latency_error_band", &profile.latency_error_band),
        ] {
            let wrong = band.as_ref().filter(|band| {
                let [low, high] = band.value;
                !(-1.0..=0.0).contains(&low) || !(0.0..).contains(&high)
            });
            if let Some(band) = wrong {
                let message = format!("{:?} does not enclose 0 and end above -1", band.value);
                report(findings, &format!("profiles.{name}.{field}"), message);
            }
        }
        for (field, points) in [
            ("barrier_s_by_routers", &profile.barrier_s_by_routers),
            ("barrier_s_by_chips", &profile.barrier_s_by_chips),
        ] {
            let Some(points) = points else { continue };
            let ascend = points.value.is_sorted_by(|a, b| a[0] < b[0]);
            let finite = points.value.iter().flatten().all(|v| v.is_finite() && *v > 0.0);
            if !ascend || !finite || points.value.is_empty() {
                let message = "needs points that ascend, above 0".to_owned();
                report(findings, &format!("profiles.{name}.{field}"), message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ChipCatalogue, ChipError, Truncation, registry::BUILT_IN};
    use super::*;

    #[test]
    fn every_shipped_chip_is_consistent_and_named_as_registered() {
        for entry in BUILT_IN {
            let spec = ChipSpec::from_toml(entry.text).unwrap();
            assert_eq!(spec.name, entry.name);
            assert_eq!(check(&spec), []);
            let known = spec.figures().iter().filter(|figure| figure.value.is_some()).count();
            assert!(known >= 2, "{}: {known} figures", spec.name);
        }
    }

    #[test]
    fn unknown_figures_print_as_unknown_and_never_as_zero() {
        let spec = ChipSpec::built_in("loihi2").unwrap();
        let figures = spec.figures();
        let out = figures.iter().find(|f| f.name == "out_axons_per_core").unwrap();
        assert_eq!(out.to_string(), "out_axons_per_core: unknown");
        assert!(figures.iter().all(|figure| figure.shown() != "0"));
    }

    #[test]
    fn contradictions_are_all_reported_with_their_field() {
        let text = BUILT_IN[0].text.replace("columns = 8", "columns = 9").replace(
            "[cores_per_chip_budget]\nvalue = 120",
            "[cores_per_chip_budget]\nvalue = 500",
        );
        let Err(ChipError::Inconsistent { findings, .. }) = ChipSpec::from_toml(&text) else {
            panic!("the contradictions were not found");
        };
        let fields: Vec<_> = findings.iter().map(|finding| finding.field.as_str()).collect();
        assert_eq!(fields, ["mesh", "cores_per_chip_budget"]);
        assert!(findings[0].message.contains("144 cores"), "{}", findings[0]);
    }

    #[test]
    fn a_zero_or_an_empty_source_is_refused() {
        let zero = BUILT_IN[0].text.replace("value = 16000", "value = 0");
        assert!(ChipSpec::from_toml(&zero).unwrap_err().to_string().contains("leave an unknown"));
        let start = BUILT_IN[1].text.find("source = \"").unwrap() + "source = \"".len();
        let end = start + BUILT_IN[1].text[start..].find('"').unwrap();
        let silent = format!("{}{}", &BUILT_IN[1].text[..start], &BUILT_IN[1].text[end..]);
        assert!(ChipSpec::from_toml(&silent).unwrap_err().to_string().contains("cite one"));
    }

    #[test]
    fn unreadable_text_and_unknown_names_are_explained() {
        let typo = BUILT_IN[0].text.replace("[mesh]", "[mash]");
        let message = ChipSpec::from_toml(&typo).unwrap_err().to_string();
        assert!(message.contains("mash") && message.contains("line"), "{message}");
        let message = ChipSpec::built_in("loihi3").unwrap_err().to_string();
        assert!(message.contains("loihi2, loihi1"), "{message}");
    }

    #[test]
    fn a_user_can_override_a_chip() {
        let mut catalogue = ChipCatalogue::built_in().unwrap();
        let mut mine = catalogue.get("loihi2").unwrap().clone();
        mine.arithmetic.mixed_sign_truncation.value = Truncation::TowardZero;
        let old = catalogue.add(mine.clone()).unwrap();
        assert_eq!(old.arithmetic.mixed_sign_truncation.value, Truncation::Floor);
        assert_eq!(catalogue.get("loihi2").unwrap(), &mine);
        assert_eq!(catalogue.iter().count(), BUILT_IN.len());
    }

    #[test]
    fn truncation_follows_its_definition() {
        let cases = [(-3, -4, -2), (3, 2, 2), (-4, -4, -4), (-1, -2, 0), (0, 0, 0)];
        for (value, floor, toward_zero) in cases {
            assert_eq!(Truncation::Floor.clear_low_bits(value, 1), floor);
            assert_eq!(Truncation::TowardZero.clear_low_bits(value, 1), toward_zero);
        }
    }
}
