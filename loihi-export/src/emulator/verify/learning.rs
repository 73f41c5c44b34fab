//! Cases of one learning projection with given spikes of both ends.

use crate::{
    emulator::{
        arithmetic::shift_signed,
        learning::{
            LearningProgram, LearningState, Place, StepSignals,
            arithmetic::{Arithmetic, FixedPoint, FloatingPoint},
        },
        overflow::OverflowCounter,
    },
    quantise::{
        coding::first_weight,
        network::{GradedTrace, LearningRule, SignMode, Trace},
    },
};

use super::{
    Checked, Stop, compare_close, compare_numbers, fields::Fields, synapses::stated_signs,
};

/// Arguments besides impulses and time constants.
const ARGUMENTS: [&str; 16] = [
    "weights0",
    "dw",
    "dd",
    "dt",
    "t_epoch",
    "rng_seed",
    "sign_mode",
    "num_weight_bits",
    "weight_exp",
    "num_message_bits",
    "graded_spike_cfg",
    "shape",
    "tag_1",
    "tag_2",
    "name",
    "log_config",
];
const TRACES: [&str; 5] = ["x1", "x2", "y1", "y2", "y3"];
const VARIABLES: [&str; 8] = ["weights", "tag_2", "tag_1", "x1", "x2", "y1", "y2", "y3"];

/// A case as rows of a step each.
struct Case<'a> {
    rule: LearningRule,
    sign_mode: SignMode,
    exponent: i8,
    graded: bool,
    /// First values of weights, second tags and first tags `[target, source]`.
    variables: [Vec<f64>; 3],
    /// Which of them a sparse matrix stores: the others stay 0. None where all are stored.
    stored: Option<[Vec<bool>; 3]>,
    /// Which of them Lava keeps in whole numbers, in floating point too: a sparse matrix that was
    /// given as integers cuts what is written into it.
    whole: [bool; 3],
    places: Vec<Place>,
    sources: usize,
    targets: usize,
    pre: Vec<Vec<i64>>,
    post: Vec<Vec<i64>>,
    third: Option<[Vec<Vec<f64>>; 3]>,
    recorded: Vec<(&'static str, Vec<Vec<f64>>)>,
    output: Vec<Vec<f64>>,
    fields: &'a Fields<'a>,
}

pub(super) fn verify(case: &Fields<'_>, process: &str) -> Checked<u64> {
    if case.text("tag")? == "floating_pt" {
        // Lava computes exp with numpy's own approximation, which differs in the last bit.
        let read = read(case, process, true)?;
        let number = |value: f64| value;
        return run::<FloatingPoint>(&read, number, number, |sum, _| sum, compare_close);
    }
    let read = read(case, process, false)?;
    run::<FixedPoint>(
        &read,
        |value| value as i64,
        |value| value as f64,
        shift_signed,
        compare_numbers,
    )
}

fn read<'a>(case: &'a Fields<'a>, process: &str, float: bool) -> Checked<Case<'a>> {
    let (arguments, inputs) = (case.object("params")?, case.object("inputs")?);
    let known = |name: &str| {
        ARGUMENTS.contains(&name)
            || TRACES.iter().any(|trace| {
                name.strip_prefix(trace).is_some_and(|rest| ["_tau", "_impulse"].contains(&rest))
            })
    };
    if let Some(other) = arguments.names().into_iter().find(|name| !known(name)) {
        return Err(Stop::NotCovered(format!("argument '{other}' of a learning projection")));
    }
    let matrix = arguments.rows("weights0")?;
    let (targets, sources) = (matrix.len(), matrix.first().map_or(0, Vec::len));
    let signs = signs(&arguments)?;
    let bits = optional(&arguments, "num_weight_bits", 8)?;
    let exponent = i8::try_from(optional(&arguments, "weight_exp", 0)?)
        .map_err(|_| arguments.stop("weight_exp", "does not fit a byte"))?;
    let mut weights = Vec::new();
    let mut places = Vec::new();
    for (target, row) in matrix.iter().enumerate() {
        for (source, &weight) in row.iter().enumerate() {
            places.push(Place { target: target as u32, source: source as u32 });
            weights.push(match (float, u8::try_from(bits)) {
                (true, _) => weight,
                // Lava holds weights in 32 bits.
                (false, Ok(bits)) => first_weight(i64::from(weight as i32), signs, bits)
                    .map_err(|error| Stop::NotCovered(error.to_string()))?
                    as f64,
                (false, Err(_)) => return Err(arguments.stop("num_weight_bits", "is no width")),
            });
        }
    }
    let mut variables = [weights, Vec::new(), Vec::new()];
    for (values, name) in variables.iter_mut().skip(1).zip(["tag_2", "tag_1"]) {
        *values = match arguments.has(name) {
            true => arguments.numbers(name)?,
            false => vec![0.0],
        };
        if let [one] = values[..] {
            *values = vec![one; places.len()];
        }
        if values.len() != places.len() {
            let problem = format!("{} values for {} synapses", values.len(), places.len());
            return Err(arguments.stop(name, problem));
        }
    }
    // Lava's sparse matrices store what is not 0 at the start, weights after they were cut to
    // their bits, and nothing else learns.
    let is_sparse = process.starts_with("LearningSparse");
    let not_zero = |values: &Vec<f64>| values.iter().map(|&value| value != 0.0).collect();
    let stored = is_sparse.then(|| variables.each_ref().map(not_zero));
    let rows = case.object("vars")?;
    let whole = ["weights", "tag_2", "tag_1"].map(|name| {
        let stated = name == "weights" || arguments.is_in_integers(name);
        is_sparse && stated && rows.is_in_integers(name)
    });
    let pre = inputs.integer_rows("pre")?;
    let factor = |name: &str| inputs.rows(name);
    let third = match inputs.has("y1") {
        true => Some([factor("y1")?, factor("y2")?, factor("y3")?]),
        false => None,
    };
    let mut rule = rule(&arguments)?;
    rule.third_factor = third.as_ref().map(|_| [None; 3]);
    if let Some(other) = rows.names().into_iter().find(|name| !VARIABLES.contains(name)) {
        return Err(Stop::NotCovered(format!("variable '{other}' of a learning projection")));
    }
    let recorded = VARIABLES.into_iter().filter(|name| rows.has(name));
    let recorded = recorded.map(|name| Ok((name, rows.rows(name)?)));
    let graded = optional(&arguments, "num_message_bits", 0)? > 0;
    Ok(Case {
        rule,
        sign_mode: signs,
        exponent,
        graded,
        variables,
        stored,
        whole,
        places,
        sources,
        targets,
        pre,
        post: inputs.integer_rows("post")?,
        third,
        recorded: recorded.collect::<Checked<_>>()?,
        output: case.object("outputs")?.rows("a_out")?,
        fields: case,
    })
}

fn optional(arguments: &Fields<'_>, field: &str, default: i64) -> Checked<i64> {
    Ok(if arguments.has(field) { arguments.integer(field)? } else { default })
}

fn signs(arguments: &Fields<'_>) -> Checked<SignMode> {
    // Lava's learning connections are MIXED unless something else is said.
    Ok(stated_signs(arguments)?.unwrap_or(SignMode::Mixed))
}

fn rule(arguments: &Fields<'_>) -> Checked<LearningRule> {
    let text = |name: &str| arguments.text(name).ok().map(str::to_owned);
    let number = |name: String| match arguments.has(&name) {
        true => match arguments.numbers(&name)?.as_slice() {
            [one] => Ok(*one),
            _ => Err(arguments.stop(&name, "must be one number")),
        },
        false => Ok(0.0),
    };
    let trace = |name: &str| -> Checked<Trace> {
        let (impulse, tau) = (number(format!("{name}_impulse"))?, number(format!("{name}_tau"))?);
        Ok(Trace { impulse, tau })
    };
    let whole = |name: &str, default: i64| -> Checked<u64> {
        u64::try_from(optional(arguments, name, default)?)
            .map_err(|_| arguments.stop(name, "must not be negative"))
    };
    let graded = match arguments.text("graded_spike_cfg") {
        Ok(name) => name.to_owned(),
        Err(_) => optional(arguments, "graded_spike_cfg", 0)?.to_string(),
    };
    let graded = match graded.rsplit('.').next().unwrap_or_default() {
        "0" | "USE_REGULAR_IMPULSE" => GradedTrace::RegularImpulse,
        "1" | "OVERWRITE" => GradedTrace::Overwrite,
        "2" | "ADD_WITH_SATURATION" => GradedTrace::AddWithSaturation,
        "3" | "ADD_WITHOUT_SATURATION" => GradedTrace::AddWithoutSaturation,
        other => return Err(Stop::NotCovered(format!("graded_spike_cfg {other}"))),
    };
    Ok(LearningRule {
        dw: text("dw"),
        dd: text("dd"),
        dt: text("dt"),
        x1: trace("x1")?,
        x2: trace("x2")?,
        y1: trace("y1")?,
        y2: trace("y2")?,
        y3: trace("y3")?,
        t_epoch: u32::try_from(whole("t_epoch", 1)?).unwrap_or(u32::MAX),
        rng_seed: whole("rng_seed", 0)?,
        graded,
        post: None,
        third_factor: None,
    })
}

type Compare = fn(&str, usize, &[f64], &[f64]) -> Checked<u64>;

fn run<A: Arithmetic>(
    case: &Case<'_>,
    from: impl Fn(f64) -> A::Value,
    to: impl Fn(A::Value) -> f64,
    shift: impl Fn(A::Value, i8) -> A::Value,
    compare: Compare,
) -> Checked<u64> {
    let (sources, targets) = (case.sources, case.targets);
    let program = LearningProgram::new(&case.rule, sources, targets)
        .map_err(|error| Stop::NotCovered(error.to_string()))?;
    let [weights, tags @ ..] =
        case.variables.each_ref().map(|values| values.iter().map(|&v| from(v)).collect::<Vec<_>>());
    let mut state = LearningState::<A>::new(&program, weights, sources, targets);
    for (slot, tags) in state.variables.iter_mut().skip(1).zip(tags) {
        *slot = tags;
    }
    let mut overflows = OverflowCounter::default();
    let mut waiting = vec![0.0; targets];
    let (mut values, steps) = (0, case.pre.len());
    let rows = |name: &str, rows: usize| match rows == steps {
        true => Ok(()),
        false => Err(case.fields.stop(name, format!("{rows} rows for {steps} steps"))),
    };
    rows("inputs/post", case.post.len())?;
    rows("outputs/a_out", case.output.len())?;
    for (name, recorded) in &case.recorded {
        rows(name, recorded.len())?;
    }
    for step in 0..steps {
        values += compare("a_out", step, &waiting, &case.output[step])?;
        let pre = case.fields.small("inputs/pre", &case.pre[step])?;
        let sums = sums(case, &pre, state.variables[0].iter().map(|&weight| to(weight)));
        waiting = sums.into_iter().map(|sum| to(shift(from(sum), case.exponent))).collect();
        let post: Vec<bool> = case.post[step].iter().map(|&spike| spike != 0).collect();
        let third = case.third.as_ref().map(|given| {
            let row = |rows: &Vec<Vec<f64>>| rows.get(step).cloned().unwrap_or_default();
            given.each_ref().map(|rows| row(rows).into_iter().map(&from).collect::<Vec<_>>())
        });
        let signals = StepSignals { sources: &pre, targets: &post, third: third.as_ref() };
        let time = step as u64 + 1;
        state.step(&program, &case.places, case.sign_mode, time, &signals, &mut overflows);
        for (values, stored) in state.variables.iter_mut().zip(case.stored.iter().flatten()) {
            let absent = values.iter_mut().zip(stored).filter(|(_, stored)| !**stored);
            absent.for_each(|(value, _)| *value = A::Value::default());
        }
        let cut = state.variables.iter_mut().zip(case.whole).filter(|(_, whole)| *whole);
        for value in cut.flat_map(|(values, _)| values.iter_mut()) {
            *value = from(to(*value).trunc());
        }
        for (name, recorded) in &case.recorded {
            let ours = variable(&state, name).iter().map(|&value| to(value)).collect::<Vec<_>>();
            values += compare(name, step, &ours, &recorded[step])?;
        }
    }
    Ok(values)
}

/// Sums of the weights of a step's spikes, before they are shifted.
fn sums(case: &Case<'_>, pre: &[i32], weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sums = vec![0.0; case.targets];
    for (place, weight) in case.places.iter().zip(weights) {
        let payload = pre.get(place.source as usize).copied().unwrap_or_default();
        let times =
            if case.graded { f64::from(payload) } else { f64::from(u8::from(payload != 0)) };
        if let Some(sum) = sums.get_mut(place.target as usize) {
            *sum += weight * times;
        }
    }
    sums
}

fn variable<'s, A: Arithmetic>(state: &'s LearningState<A>, name: &str) -> &'s [A::Value] {
    match name {
        "weights" => &state.variables[0],
        "tag_2" => &state.variables[1],
        "tag_1" => &state.variables[2],
        "x1" => &state.x[0],
        "x2" => &state.x[1],
        "y1" => &state.y[0],
        "y2" => &state.y[1],
        _ => &state.y[2],
    }
}
