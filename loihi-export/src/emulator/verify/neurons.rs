//! Cases of one neuron process with given synaptic input.

use sim_core::network::Shape;

use crate::{
    emulator::{
        overflow::OverflowCounter,
        parameters::Parameters,
        process::{self, NeuronState, ProcessKind},
    },
    quantise::network::{IntegerValues, QuantisedPopulation},
};

use super::{Checked, Stop, compare, fields::Fields, widen};

/// Lava's process classes and the registry names of the processes that compute them.
const PROCESSES: &[(&str, &str)] =
    &[("LIF", "lif"), ("LIFReset", "lif"), ("TernaryLIF", "ternary_lif")];

/// Variables that a case may record, besides the spikes.
const VARIABLES: [&str; 2] = ["u", "v"];

pub(super) fn verify(case: &Fields<'_>, process: &str) -> Checked<u64> {
    let Some((_, name)) = PROCESSES.iter().find(|(lava, _)| *lava == process) else {
        let known: Vec<_> = PROCESSES.iter().map(|(lava, _)| *lava).collect();
        let known = known.join(", ");
        return Err(Stop::NotCovered(format!("process '{process}'; computed are {known}")));
    };
    let input = case.object("inputs")?.integer_rows("a_in")?;
    let (variables, outputs) = (case.object("vars")?, case.object("outputs")?);
    if let Some(other) = variables.names().into_iter().find(|name| !VARIABLES.contains(name)) {
        return Err(Stop::NotCovered(format!("variable '{other}'")));
    }
    if let Some(other) = outputs.names().into_iter().find(|name| *name != "s_out") {
        return Err(Stop::NotCovered(format!("output '{other}'")));
    }
    let population = population(case, name)?;
    let recorded = |fields: &Fields<'_>, name: &str| -> Checked<Vec<Vec<f64>>> {
        let rows = fields.rows(name)?;
        if rows.len() == input.len() {
            return Ok(rows);
        }
        Err(case.stop(name, format!("{} rows for {} steps of input", rows.len(), input.len())))
    };
    let spikes = recorded(&outputs, "s_out")?;
    let states: Vec<_> = VARIABLES
        .iter()
        .filter(|name| variables.has(name))
        .map(|name| Ok((*name, recorded(&variables, name)?)))
        .collect::<Checked<_>>()?;
    let ours = run(case, &population, &input)?;
    let mut values = 0;
    for (step, ours) in ours.iter().enumerate() {
        for (name, theirs) in &states {
            let ours = if *name == "u" { &ours.current } else { &ours.membrane };
            values += compare(name, step, ours, &theirs[step])?;
        }
        values += compare("s_out", step, &ours.spikes, &spikes[step])?;
    }
    Ok(values)
}

/// The population that a case describes; parameters that the process does not have stop it.
fn population(case: &Fields<'_>, process: &str) -> Checked<QuantisedPopulation> {
    let parameters = case.object("params")?;
    let neurons = parameters.integers("shape")?.iter().fold(1_i64, |n, &m| n.saturating_mul(m));
    let input = case.object("inputs")?.integer_rows("a_in")?;
    let width = input.first().map_or(0, Vec::len);
    if usize::try_from(neurons) != Ok(width) {
        return Err(case.stop("params/shape", format!("{neurons} neurons for {width} inputs")));
    }
    let mut values = indexmap::IndexMap::new();
    for name in parameters.names().into_iter().filter(|name| *name != "shape") {
        let mut given = parameters.integers(name)?;
        let value = match (given.pop(), given.is_empty()) {
            (Some(value), true) => IntegerValues::One(value),
            (last, _) => {
                given.extend(last);
                IntegerValues::PerNeuron(given)
            }
        };
        values.insert(name.to_owned(), value);
    }
    Ok(QuantisedPopulation {
        name: "recorded".to_owned(),
        shape: Shape::List(width as u32),
        process: process.to_owned(),
        parameters: values,
    })
}

struct Row {
    current: Vec<i64>,
    membrane: Vec<i64>,
    spikes: Vec<i64>,
}

fn run(
    case: &Fields<'_>,
    population: &QuantisedPopulation,
    input: &[Vec<i64>],
) -> Checked<Vec<Row>> {
    let info = process::find(population)?;
    let neurons = population.shape.size() as usize;
    let parameters = Parameters::check(population, info, neurons)?;
    let ProcessKind::Computed(build) = info.kind else {
        return Err(Stop::NotCovered(format!("process '{}'", info.name)));
    };
    let process = build(&parameters, neurons)?;
    let (mut state, mut overflows) = (NeuronState::zero(neurons), OverflowCounter::default());
    let mut rows = Vec::with_capacity(input.len());
    for (time, row) in (1_u64..).zip(input) {
        let row = case.small("inputs/a_in", row)?;
        if row.len() != neurons {
            return Err(case.stop("inputs/a_in", format!("a row has {} values", row.len())));
        }
        let mut spikes = Vec::new();
        process.step(time, &row, &mut state, &mut spikes, &mut overflows);
        let mut emitted = vec![0; neurons];
        for spike in spikes {
            emitted[spike.neuron as usize] = i64::from(spike.payload);
        }
        let (current, membrane) = (widen(&state.current), widen(&state.membrane));
        rows.push(Row { current, membrane, spikes: emitted });
    }
    Ok(rows)
}
