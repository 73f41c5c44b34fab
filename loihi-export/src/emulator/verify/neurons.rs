//! Cases of one neuron process with given synaptic input.

use sim_core::network::Shape;

use crate::{
    emulator::{
        overflow::OverflowCounter,
        parameters::Parameters,
        process::{self, NeuronState, ProcessInfo, ProcessKind},
    },
    quantise::network::QuantisedPopulation,
};

use super::{
    Checked, Compared, Stop, compare,
    fields::Fields,
    parameters::{LavaProcess, PROCESSES, parameters},
    widen,
};

pub(super) fn verify(case: &Fields<'_>, process: &str) -> Checked<Compared> {
    let Some(lava) = PROCESSES.iter().find(|known| known.lava == process) else {
        let known: Vec<_> = PROCESSES.iter().map(|known| known.lava).collect();
        let known = known.join(", ");
        return Err(Stop::NotCovered(format!("process '{process}'; computed are {known}")));
    };
    let arguments = case.object("params")?;
    let neurons = arguments.integers("shape")?.iter().fold(1_i64, |n, &m| n.saturating_mul(m));
    let population = QuantisedPopulation {
        name: "recorded".to_owned(),
        shape: Shape::List(u32::try_from(neurons).unwrap_or(u32::MAX)),
        process: lava.process.to_owned(),
        parameters: parameters(lava, &arguments)?,
    };
    let info = process::find(&population)?;
    let (inputs, variables, outputs) =
        (case.object("inputs")?, case.object("vars")?, case.object("outputs")?);
    let input = ports(case, &inputs, info, neurons)?;
    only(&inputs, "input", info.ports)?;
    only(&variables, "variable", info.variables)?;
    // A second output is kept as a variable.
    only(&outputs, "output", &[&["s_out"], info.variables].concat())?;
    let recorded = |fields: &Fields<'_>, name: &str| -> Checked<Vec<Vec<f64>>> {
        let rows = fields.rows(name)?;
        if rows.len() == input.len() {
            return Ok(rows);
        }
        Err(case.stop(name, format!("{} rows for {} steps of input", rows.len(), input.len())))
    };
    let spikes = recorded(&outputs, "s_out")?;
    let states: Vec<_> = (0..)
        .zip(info.variables)
        .flat_map(|(index, name)| [(index, *name, &variables), (index, *name, &outputs)])
        .filter(|(_, name, fields)| fields.has(name))
        .map(|(index, name, fields)| Ok((index, name, recorded(fields, name)?)))
        .collect::<Checked<_>>()?;
    let first = initial_values(lava, info, &arguments, neurons)?;
    let (ours, overflows) = run(&population, info, &first, &input)?;
    let mut values = 0;
    for (step, (state, emitted)) in ours.iter().enumerate() {
        for (index, name, theirs) in &states {
            let ours = state.variable(*index).unwrap_or_default();
            values += compare(name, step, &widen(ours), &theirs[step])?;
        }
        values += compare("s_out", step, emitted, &spikes[step])?;
    }
    let overflows = overflows.entries(process, info.name, info.variables).collect();
    Ok(Compared { values, overflows })
}

fn only(fields: &Fields<'_>, kind: &str, known: &[&str]) -> Checked<()> {
    match fields.names().into_iter().find(|name| !known.contains(name)) {
        Some(other) => Err(Stop::NotCovered(format!("{kind} '{other}'"))),
        None => Ok(()),
    }
}

/// The input of each step `[port][neuron]`.
fn ports(
    case: &Fields<'_>,
    inputs: &Fields<'_>,
    info: &ProcessInfo,
    neurons: i64,
) -> Checked<Vec<Vec<i32>>> {
    let mut steps: Vec<Vec<i32>> = Vec::new();
    for (port, name) in info.ports.iter().enumerate() {
        let rows = inputs.integer_rows(name)?;
        if port == 0 {
            steps.resize(rows.len(), Vec::new());
        }
        if rows.len() != steps.len() {
            let problem = format!("{} rows for {} steps of input", rows.len(), steps.len());
            return Err(inputs.stop(name, problem));
        }
        for (step, row) in steps.iter_mut().zip(rows) {
            if i64::try_from(row.len()) != Ok(neurons) {
                let problem = format!("{neurons} neurons for {} inputs", row.len());
                return Err(case.stop("params/shape", problem));
            }
            step.extend(inputs.small(name, &row)?);
        }
    }
    Ok(steps)
}

/// First values of variables, by their position among the process's, that the case states.
fn initial_values(
    lava: &LavaProcess,
    info: &ProcessInfo,
    arguments: &Fields<'_>,
    neurons: i64,
) -> Checked<Vec<(usize, Vec<i32>)>> {
    let mut found = Vec::new();
    for name in lava.initial.iter().filter(|name| arguments.has(name)) {
        let Some(index) = info.variables.iter().position(|variable| variable == name) else {
            continue;
        };
        // Lava's arrays of integers cut what is no whole number.
        let numbers = arguments.numbers(name)?.into_iter().map(f64::trunc).collect();
        let mut numbers = arguments.small(name, &arguments.whole(name, numbers)?)?;
        if let [one] = numbers[..] {
            numbers = vec![one; usize::try_from(neurons).unwrap_or_default()];
        }
        if i64::try_from(numbers.len()) != Ok(neurons) {
            let problem = format!("{} values for {neurons} neurons", numbers.len());
            return Err(arguments.stop(name, problem));
        }
        found.push((index, numbers));
    }
    Ok(found)
}

/// State and payloads after each step.
type Steps = Vec<(NeuronState, Vec<i64>)>;

/// What every step leaves, and what wrapped or was clipped.
fn run(
    population: &QuantisedPopulation,
    info: &'static ProcessInfo,
    first: &[(usize, Vec<i32>)],
    input: &[Vec<i32>],
) -> Checked<(Steps, OverflowCounter)> {
    let neurons = population.shape.size() as usize;
    let parameters = Parameters::check(population, info, neurons)?;
    let ProcessKind::Computed(build) = info.kind else {
        return Err(Stop::NotCovered(format!("process '{}'", info.name)));
    };
    let process = build(&parameters, neurons)?;
    let (mut state, mut overflows) = (process.initial_state(neurons), OverflowCounter::default());
    for (index, values) in first {
        if let Some(variable) = state.variable_mut(*index) {
            variable.clone_from_slice(values);
        }
    }
    let mut rows = Vec::with_capacity(input.len());
    for (time, row) in (1_u64..).zip(input) {
        let mut spikes = Vec::new();
        process.step(time, row, &mut state, &mut spikes, &mut overflows);
        let mut emitted = vec![0; neurons];
        for spike in spikes {
            emitted[spike.neuron as usize] = i64::from(spike.payload);
        }
        rows.push((state.clone(), emitted));
    }
    Ok((rows, overflows))
}
