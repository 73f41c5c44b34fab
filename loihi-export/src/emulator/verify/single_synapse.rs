//! Cases of one synapse process in the form of neuron cases: `params`, `inputs`, `outputs`.
//!
//! Dense, Sparse, DelayDense and DelaySparse in fixed and floating point, Conv in fixed point. In
//! floating point numpy chooses the order of its sums, so they are compared up to a relative 1e-12.

use sim_core::network::{Convolution, convolution::output_extent};

use crate::{
    chip::{ChipSpec, Truncation},
    emulator::{
        connection::{Ends, ProjectionTable},
        overflow::OverflowCounter,
        spikes::SpikeTrain,
    },
    quantise::{
        coding::{sign_mode, stored_weight},
        network::{Connection, DelaySteps, QuantisedProjection},
    },
};

use super::{
    Checked, Compared, Stop, compare, compare_close,
    fields::Fields,
    synapses::{flipped, listed, small_delays, stated_signs, to_picture},
    widen,
};

/// The processes of this form.
pub(super) const PROCESSES: [&str; 5] = ["Dense", "Sparse", "DelayDense", "DelaySparse", "Conv"];

const ARGUMENTS: [&str; 16] = [
    "weights",
    "delays",
    "max_delay",
    "weight_exp",
    "num_weight_bits",
    "sign_mode",
    "num_message_bits",
    "weight",
    "input_shape",
    "stride",
    "padding",
    "dilation",
    "groups",
    "shape",
    "name",
    "log_config",
];

pub(super) fn verify(case: &Fields<'_>, process: &str) -> Checked<Compared> {
    let (arguments, inputs) = (case.object("params")?, case.object("inputs")?);
    let outputs = case.object("outputs")?;
    for (fields, known) in [
        (&arguments, &ARGUMENTS[..]),
        (&inputs, &["s_in"]),
        (&outputs, &["a_out"]),
        (&case.object("vars").unwrap_or_else(|_| inputs.empty()), &[]),
    ] {
        if let Some(other) = fields.names().into_iter().find(|name| !known.contains(name)) {
            return Err(Stop::NotCovered(format!("'{other}' of a {process} case")));
        }
    }
    let theirs = outputs.rows("a_out")?;
    let float = case.text("tag")? == "floating_pt";
    match (process, float) {
        ("Conv", false) => convolution(&arguments, &inputs, &theirs),
        ("Conv", true) => Err(Stop::NotCovered("Conv with tag floating_pt".to_owned())),
        (_, true) => Ok(floating(&arguments, &inputs, &theirs)?.into()),
        (_, false) => weighted(&arguments, &inputs, &theirs, process),
    }
}

fn small(arguments: &Fields<'_>, name: &str, default: i64) -> Checked<i64> {
    Ok(if arguments.has(name) { arguments.integer(name)? } else { default })
}

fn byte<T: TryFrom<i64>>(arguments: &Fields<'_>, name: &str, default: i64) -> Checked<T> {
    let found = small(arguments, name, default)?;
    T::try_from(found).map_err(|_| arguments.stop(name, format!("{found} does not fit a byte")))
}

fn weighted(
    arguments: &Fields<'_>,
    inputs: &Fields<'_>,
    theirs: &[Vec<f64>],
    process: &str,
) -> Checked<Compared> {
    let rows = arguments.integer_rows("weights")?;
    let (targets, sources) = (rows.len(), rows.first().map_or(0, Vec::len));
    let written = rows.concat();
    let signs = stated_signs(arguments)?.unwrap_or_else(|| sign_mode(written.iter().copied()));
    let weight_bits = byte(arguments, "num_weight_bits", 8)?;
    let stored = |&weight: &i64| {
        let kept = stored_weight(weight, signs, weight_bits, Truncation::Floor);
        kept.map(|w| w as i32).map_err(|error| Stop::NotCovered(error.to_string()))
    };
    let weights = written.iter().map(stored).collect::<Checked<Vec<_>>>()?;
    let delays = if arguments.has("delays") { arguments.integers("delays")? } else { vec![0] };
    let delays = small_delays(arguments, &delays)?;
    let exponent = byte(arguments, "weight_exp", 0)?;
    // Lava adds in other widths where synapses are listed and where they may have delays.
    let (connection, delay) = match process {
        "Sparse" | "DelaySparse" => {
            listed(&written, &weights, &delays, sources, (signs, weight_bits, exponent))
        }
        _ => {
            let delay = match delays[..] {
                [0] if process == "DelayDense" => DelaySteps::PerSynapse(vec![0; weights.len()]),
                [one] => DelaySteps::One(one),
                _ => DelaySteps::PerSynapse(delays),
            };
            let (sign_mode, weight_exponent) = (signs, exponent);
            (Connection::Dense { weights, sign_mode, weight_bits, weight_exponent }, delay)
        }
    };
    let projection = QuantisedProjection {
        name: process.to_owned(),
        source: 0,
        target: 1,
        connection,
        delay,
        message_bits: byte(arguments, "num_message_bits", 0)?,
        port: 0,
        learning: None,
    };
    let rows = inputs.integer_rows("s_in")?;
    run(&projection, (sources, targets), inputs, &rows, theirs, |row| row)
}

/// Runs a projection alone; `order` brings what it puts out into the recording's order.
fn run(
    projection: &QuantisedProjection,
    (sources, targets): (usize, usize),
    inputs: &Fields<'_>,
    rows: &[Vec<i64>],
    theirs: &[Vec<f64>],
    order: impl Fn(Vec<i64>) -> Vec<i64>,
) -> Checked<Compared> {
    let chip = ChipSpec::built_in("loihi2")?;
    let ends =
        Ends { sources: sources as u32, targets: targets as u32, source: "s_in", target: "a_out" };
    let table = ProjectionTable::new(projection, ends, &chip)
        .map_err(|problem| Stop::NotCovered(format!("{}: {problem}", projection.name)))?;
    if rows.len() != theirs.len() || rows.iter().any(|row| row.len() != sources) {
        let problem = format!("must have {} rows of {sources} values", theirs.len());
        return Err(inputs.stop("s_in", problem));
    }
    let rows = rows.iter().map(|row| inputs.small("s_in", row)).collect::<Checked<Vec<_>>>()?;
    let input = SpikeTrain::from_rows(rows.iter().map(Vec::as_slice));
    let (mut state, mut overflows) = (table.state(), OverflowCounter::default());
    let mut values = 0;
    for (step, theirs) in theirs.iter().enumerate() {
        let time = step as u64 + 1;
        let mut ours = vec![0; targets];
        table.deliver(&mut state, time, &mut ours);
        values += compare("a_out", step, &order(widen(&ours)), theirs)?;
        table.accumulate(&mut state, time, input.at(step), &mut overflows);
    }
    let kind = match projection.connection {
        Connection::Convolution { .. } => "Conv",
        Connection::Sparse { .. } => "Sparse",
        Connection::Dense { .. } => "Dense",
    };
    let overflows = overflows.entries(&projection.name, kind, &[]).collect();
    Ok(Compared { values, overflows })
}

fn floating(arguments: &Fields<'_>, inputs: &Fields<'_>, theirs: &[Vec<f64>]) -> Checked<u64> {
    let (rows, given) = (arguments.rows("weights")?, inputs.rows("s_in")?);
    let delays = if arguments.has("delays") { arguments.integers("delays")? } else { vec![0] };
    let graded = small(arguments, "num_message_bits", 0)? > 0;
    let columns = rows.first().map_or(0, Vec::len);
    let mut arriving = vec![vec![0.0; rows.len()]; theirs.len() + 1];
    let mut values = 0;
    for (step, theirs) in theirs.iter().enumerate() {
        values += compare_close("a_out", step, &arriving[step], theirs)?;
        let sent = given.get(step).map(Vec::as_slice).unwrap_or_default();
        for (target, row) in rows.iter().enumerate() {
            for (source, (weight, sent)) in row.iter().zip(sent).enumerate() {
                let times = if graded { *sent } else { f64::from(u8::from(*sent != 0.0)) };
                let place = target * columns + source;
                let delay = delays.get(place).or(delays.first()).copied().unwrap_or(0).max(0);
                if let Some(slot) = arriving.get_mut(step + 1 + delay as usize) {
                    slot[target] += weight * times;
                }
            }
        }
    }
    Ok(values)
}

fn pair(arguments: &Fields<'_>, name: &str, default: u32) -> Checked<[u32; 2]> {
    let found = if arguments.has(name) { arguments.integers(name)? } else { vec![default.into()] };
    let small: Vec<u32> = found.iter().filter_map(|&n| u32::try_from(n).ok()).collect();
    match (small.as_slice(), small.len() == found.len()) {
        ([both], true) => Ok([*both, *both]),
        ([x, y], true) => Ok([*x, *y]),
        _ => Err(arguments.stop(name, "must be one or two extents")),
    }
}

/// Lava's `Conv`: tensors `(x, y, channel)`, weights `(out, x, y, in / groups)`.
fn convolution(
    arguments: &Fields<'_>,
    inputs: &Fields<'_>,
    theirs: &[Vec<f64>],
) -> Checked<Compared> {
    let shape = arguments.integers("input_shape")?;
    let ([width, height, channels], [outs, kernel_x, kernel_y, _]) =
        match (shape.as_slice(), arguments.shape("weight")?.as_slice()) {
            (&[x, y, c], &[o, kx, ky, i]) => ([x, y, c].map(|n| n as u32), [o, kx, ky, i]),
            _ => return Err(arguments.stop("weight", "must be [out, x, y, in] on an [x, y, c]")),
        };
    let [stride, padding, dilation] =
        [("stride", 1), ("padding", 0), ("dilation", 1)].map(|(n, d)| pair(arguments, n, d));
    let ([stride_x, stride_y], [pad_x, pad_y], [dilation_x, dilation_y]) =
        (stride?, padding?, dilation?);
    let axis = |source, kernel: usize, stride, pad: u32, dilation| {
        output_extent(source, kernel as u32, stride, 2 * u64::from(pad), dilation) as u32
    };
    let [rows, columns] = [
        axis(height, kernel_y, stride_y, pad_y, dilation_y),
        axis(width, kernel_x, stride_x, pad_x, dilation_x),
    ];
    let geometry = Convolution {
        source: [channels, height, width],
        target: [outs as u32, rows, columns],
        kernel: [kernel_y as u32, kernel_x as u32],
        stride: [stride_y, stride_x],
        padding: [pad_y, pad_x, pad_y, pad_x],
        dilation: [dilation_y, dilation_x],
        groups: small(arguments, "groups", 1)?.clamp(0, i64::from(u32::MAX)) as u32,
    };
    geometry.check().map_err(|error| arguments.stop("weight", error.to_string()))?;
    let written = arguments.small("weight", &arguments.integers("weight")?)?;
    let projection = QuantisedProjection {
        name: "Conv".to_owned(),
        source: 0,
        target: 1,
        connection: Connection::Convolution { weights: flipped(&geometry, &written), geometry },
        delay: DelaySteps::One(0),
        message_bits: byte(arguments, "num_message_bits", 0)?,
        port: 0,
        learning: None,
    };
    let rows_in = inputs.integer_rows("s_in")?;
    let rows_in: Vec<_> =
        rows_in.iter().map(|row| to_picture(row, width, height, channels)).collect();
    let plane = rows as usize * columns as usize;
    let order = |ours: Vec<i64>| {
        let places = (0..columns as usize).flat_map(|x| {
            (0..rows as usize)
                .flat_map(move |y| (0..outs).map(move |c| c * plane + y * columns as usize + x))
        });
        places.filter_map(|place| ours.get(place).copied()).collect()
    };
    let sizes = ((width * height * channels) as usize, plane * outs);
    run(&projection, sizes, inputs, &rows_in, theirs, order)
}
