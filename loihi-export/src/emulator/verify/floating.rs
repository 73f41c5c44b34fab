//! Recorded runs of Lava's neuron processes in floating point.

use super::{
    Checked, Stop, compare_numbers, fields::Fields, float_coders, float_lif, float_rotation,
};

/// A population in floating point.
pub(super) trait FloatProcess {
    /// One step with the input `[port][neuron]`; what every neuron emits.
    fn step(&mut self, time: u64, input: &[Vec<f64>]) -> Vec<f64>;

    /// A variable by Lava's name.
    fn variable(&self, name: &str) -> Option<&[f64]>;
}

/// Makes a population of as many neurons as given.
type Build = fn(&Fields<'_>, &Fields<'_>, usize) -> Checked<Box<dyn FloatProcess>>;

/// A process class that Lava has in floating point.
struct Known {
    lava: &'static [&'static str],
    ports: &'static [&'static str],
    variables: &'static [&'static str],
    arguments: &'static [&'static str],
    build: Build,
}

const ONE_PORT: &[&str] = &["a_in"];

static KNOWN: &[Known] = &[
    Known {
        lava: &["LIF", "LIFReset", "LIFRefractory", "LearningLIF", "TernaryLIF"],
        ports: ONE_PORT,
        variables: &["u", "v", "refractory_period_end"],
        arguments: float_lif::ARGUMENTS,
        build: float_lif::neurons,
    },
    Known {
        lava: &["RF"],
        ports: &["a_real_in", "a_imag_in"],
        variables: &["real", "imag"],
        arguments: float_rotation::ARGUMENTS,
        build: float_rotation::resonators,
    },
    Known {
        lava: &["RF_IZ"],
        ports: &["a_real_in", "a_imag_in"],
        variables: &["real", "imag"],
        arguments: float_rotation::ARGUMENTS,
        build: float_rotation::resetting,
    },
    Known {
        lava: &["ATRLIF"],
        ports: ONE_PORT,
        variables: &["i", "v", "theta", "r"],
        arguments: float_rotation::ADAPTIVE_ARGUMENTS,
        build: float_rotation::adaptive,
    },
    Known {
        lava: &["Sigma"],
        ports: ONE_PORT,
        variables: &["sigma"],
        arguments: &["shape"],
        build: float_coders::sigma,
    },
    Known {
        lava: &["Delta"],
        ports: ONE_PORT,
        variables: &["act", "residue", "error"],
        arguments: float_coders::ARGUMENTS,
        build: float_coders::delta,
    },
    Known {
        lava: &["SigmaDelta"],
        ports: ONE_PORT,
        variables: &["sigma", "act", "residue", "error"],
        arguments: float_coders::ARGUMENTS,
        build: float_coders::sigma_delta,
    },
];

pub(super) fn verify(case: &Fields<'_>, process: &str) -> Checked<u64> {
    let Some(known) = KNOWN.iter().find(|known| known.lava.contains(&process)) else {
        let names: Vec<_> = KNOWN.iter().flat_map(|known| known.lava).copied().collect();
        let names = names.join(", ");
        let reason = format!("process '{process}' with tag floating_pt; computed are {names}");
        return Err(Stop::NotCovered(reason));
    };
    let (arguments, inputs) = (case.object("params")?, case.object("inputs")?);
    let (variables, outputs) = (case.object("vars")?, case.object("outputs")?);
    let allowed = [
        (&arguments, known.arguments),
        (&inputs, known.ports),
        (&variables, known.variables),
        (&outputs, &["s_out"]),
    ];
    for (fields, allowed) in allowed {
        let known = |name: &&str| allowed.contains(name) || ["name", "log_config"].contains(name);
        if let Some(other) = fields.names().into_iter().find(|name| !known(name)) {
            return Err(Stop::NotCovered(format!("'{other}' with tag floating_pt")));
        }
    }
    let ports = known.ports.iter().map(|port| inputs.rows(port));
    let ports = ports.collect::<Result<Vec<_>, _>>()?;
    let steps = ports.first().map_or(0, Vec::len);
    let width = ports.first().and_then(|rows| rows.first()).map_or(0, Vec::len);
    let neurons = arguments.integers("shape")?.iter().fold(1_i64, |n, &m| n.saturating_mul(m));
    let even =
        ports.iter().all(|rows| rows.len() == steps && rows.iter().all(|r| r.len() == width));
    if usize::try_from(neurons) != Ok(width) || !even {
        return Err(case.stop("params/shape", format!("{neurons} neurons for {width} inputs")));
    }
    let mut population = (known.build)(case, &arguments, width)?;
    let names = known.variables.iter().filter(|name| variables.has(name));
    let recorded = names.map(|name| Ok((*name, variables.rows(name)?)));
    let recorded = recorded.collect::<Checked<Vec<_>>>()?;
    let spikes = outputs.rows("s_out")?;
    let rows = recorded.iter().map(|(_, rows)| rows.len()).chain([spikes.len()]);
    if rows.into_iter().any(|rows| rows != steps) {
        return Err(case.stop("vars", format!("not {steps} rows, as the input has")));
    }
    let mut values = 0;
    for step in 0..steps {
        let row: Vec<_> = ports.iter().map(|rows| rows[step].clone()).collect();
        let emitted = population.step(step as u64 + 1, &row);
        for (name, rows) in &recorded {
            let ours = population.variable(name).unwrap_or_default();
            values += compare_numbers(name, step, ours, &rows[step])?;
        }
        values += compare_numbers("s_out", step, &emitted, &spikes[step])?;
    }
    Ok(values)
}

/// One number of the arguments, or a default.
pub(super) fn number(arguments: &Fields<'_>, name: &str, default: Option<f64>) -> Checked<f64> {
    match default {
        Some(default) if !arguments.has(name) => Ok(default),
        _ => match arguments.numbers(name)?.as_slice() {
            [number] => Ok(*number),
            _ => Err(arguments.stop(name, "must be one number")),
        },
    }
}

/// One number a neuron, or the same for all: an argument, or its default.
pub(super) fn each(
    arguments: &Fields<'_>,
    name: &str,
    default: f64,
    width: usize,
) -> Checked<Vec<f64>> {
    let found = if arguments.has(name) { arguments.numbers(name)? } else { vec![default] };
    spread(arguments, name, found, width)
}

/// Numbers, one a neuron; a single one holds for all.
pub(super) fn spread(
    arguments: &Fields<'_>,
    name: &str,
    found: Vec<f64>,
    width: usize,
) -> Checked<Vec<f64>> {
    match found.as_slice() {
        [one] => Ok(vec![*one; width]),
        _ if found.len() == width => Ok(found),
        _ => Err(arguments.stop(name, format!("{} values for {width} neurons", found.len()))),
    }
}
