//! Cases of one synapse process with given spikes: Dense, Sparse, their delayed forms, Conv.

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
        network::{Connection, DelaySteps, QuantisedProjection, SignMode},
    },
};

use super::{Checked, Stop, compare, fields::Fields, widen};

/// The process of a part of a case; convolution cases do not name theirs.
pub(super) fn process_of(part: &Fields<'_>) -> String {
    match part.text("process") {
        Ok(process) => process.to_owned(),
        Err(_) if part.has("kernel") && part.has("stride") => "Conv".to_owned(),
        Err(_) => "unnamed".to_owned(),
    }
}

pub(super) fn verify(case: &Fields<'_>) -> Checked<u64> {
    let chip = ChipSpec::built_in("loihi2")?;
    let mut values = 0;
    for part in case.list("cases")? {
        let process = process_of(&part);
        let (projection, sources, input) = match process.as_str() {
            "Dense" | "Sparse" | "DelayDense" | "DelaySparse" => weighted(case, &part, &process)?,
            "Conv" => convolution(&part)?,
            other => {
                return Err(Stop::NotCovered(format!(
                    "process '{other}'; computed are Dense, Sparse, DelayDense, DelaySparse, Conv"
                )));
            }
        };
        let theirs = part.rows("a_out")?;
        let targets = theirs.first().map_or(0, Vec::len) as u32;
        let ends = Ends { sources, targets, source: "s_in", target: "a_out" };
        let table = ProjectionTable::new(&projection, ends, &chip)
            .map_err(|problem| Stop::NotCovered(format!("{process}: {problem}")))?;
        if theirs.len() != input.steps() {
            let rows = theirs.len();
            return Err(part.stop("a_out", format!("{rows} rows for {} steps", input.steps())));
        }
        let variable = format!("a_out of {}", projection.name);
        values += run(&table, &variable, targets as usize, &input, &theirs, &part)?;
    }
    Ok(values)
}

fn run(
    table: &ProjectionTable,
    variable: &str,
    targets: usize,
    input: &SpikeTrain,
    theirs: &[Vec<f64>],
    part: &Fields<'_>,
) -> Checked<u64> {
    let (mut state, mut overflows) = (table.state(), OverflowCounter::default());
    let (mut values, mut time) = (0, 0);
    for (step, theirs) in theirs.iter().enumerate() {
        time += 1;
        let mut ours = vec![0; targets];
        table.deliver(&mut state, time, &mut ours);
        let ours = from_picture(part, widen(&ours))?;
        values += compare(variable, step, &ours, theirs)?;
        table.accumulate(&mut state, time, input.at(step), &mut overflows);
    }
    Ok(values)
}

/// A projection, the number of its sources, and its input.
type Part = (QuantisedProjection, u32, SpikeTrain);

fn weighted(case: &Fields<'_>, part: &Fields<'_>, process: &str) -> Checked<Part> {
    let delayed = process.starts_with("Delay");
    let sparse = process.ends_with("Sparse");
    let rows = if delayed {
        case.integer_rows(if sparse { "weights_sparse" } else { "weights_dense" })?
    } else {
        case.object("weights")?.integer_rows(part.text("sign_mode")?)?
    };
    let flat: Vec<i64> = rows.concat();
    let signs = stated_signs(part)?.unwrap_or_else(|| sign_mode(flat.iter().copied()));
    let bits = optional(part, "num_weight_bits", 8)?;
    let exponent = optional(part, "weight_exp", 0)?;
    let message_bits = part.integer("num_message_bits")?;
    let (Ok(weight_bits), Ok(weight_exponent), Ok(message_bits)) =
        (u8::try_from(bits), i8::try_from(exponent), u8::try_from(message_bits))
    else {
        return Err(part.stop("num_weight_bits", "widths do not fit a byte"));
    };
    let stored = |&weight: &i64| {
        let kept = stored_weight(weight, signs, weight_bits, Truncation::Floor);
        kept.map(|w| w as i32).map_err(|error| Stop::NotCovered(error.to_string()))
    };
    let stored = flat.iter().map(stored).collect::<Checked<Vec<_>>>()?;
    let sources = rows.first().map_or(0, Vec::len);
    let delays = if delayed { case.integers("delays")? } else { vec![0] };
    let delays = small_delays(case, &delays)?;
    let (connection, delay) = if sparse {
        listed(&flat, &stored, &delays, sources, (signs, weight_bits, weight_exponent))
    } else {
        let delay = match delays[..] {
            [0] if delayed => DelaySteps::PerSynapse(vec![0; stored.len()]),
            _ => delay_steps(delays),
        };
        let connection =
            Connection::Dense { weights: stored, sign_mode: signs, weight_bits, weight_exponent };
        (connection, delay)
    };
    let name = format!(
        "{process} {signs:?}, {weight_bits} weight bits, weight_exp {weight_exponent}, \
         {message_bits} message bits"
    );
    let input = case.integer_rows(if message_bits > 0 { "s_in_graded" } else { "s_in_binary" })?;
    let input = train(case, &input)?;
    let projection = QuantisedProjection {
        name,
        source: 0,
        target: 1,
        connection,
        delay,
        message_bits,
        port: 0,
        learning: None,
    };
    Ok((projection, sources as u32, input))
}

/// The signs that a case states, by the name or the number of Lava's `SignMode`.
pub(super) fn stated_signs(part: &Fields<'_>) -> Checked<Option<SignMode>> {
    const NAME: &str = "sign_mode";
    if !part.has(NAME) {
        return Ok(None);
    }
    let stated = match part.text(NAME) {
        Ok(name) => name.rsplit('.').next().unwrap_or_default().to_owned(),
        Err(_) => part.numbers(NAME)?.first().map_or(String::new(), f64::to_string),
    };
    match stated.as_str() {
        "MIXED" | "1" => Ok(Some(SignMode::Mixed)),
        "EXCITATORY" | "2" => Ok(Some(SignMode::Excitatory)),
        "INHIBITORY" | "3" => Ok(Some(SignMode::Inhibitory)),
        "None" | "NaN" => Ok(None),
        other => Err(Stop::NotCovered(format!(
            "sign mode '{other}'; computed are MIXED, EXCITATORY, INHIBITORY"
        ))),
    }
}

fn optional(part: &Fields<'_>, field: &str, default: i64) -> Checked<i64> {
    Ok(if part.has(field) { part.integer(field)? } else { default })
}

/// Delays as steps.
pub(super) fn small_delays(case: &Fields<'_>, delays: &[i64]) -> Checked<Vec<u8>> {
    let small = |&delay: &i64| {
        u8::try_from(delay).map_err(|_| case.stop("delays", format!("{delay} is no delay")))
    };
    delays.iter().map(small).collect()
}

fn delay_steps(delays: Vec<u8>) -> DelaySteps {
    match delays.as_slice() {
        [one] => DelaySteps::One(*one),
        _ => DelaySteps::PerSynapse(delays),
    }
}

/// The synapses of a matrix whose written weight is not 0.
pub(super) fn listed(
    written: &[i64],
    stored: &[i32],
    delays: &[u8],
    columns: usize,
    (sign_mode, weight_bits, weight_exponent): (SignMode, u8, i8),
) -> (Connection, DelaySteps) {
    let (mut targets, mut sources, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    let mut kept = Vec::new();
    for (place, (&written, &stored)) in written.iter().zip(stored).enumerate() {
        if written != 0 {
            targets.push((place / columns.max(1)) as u32);
            sources.push((place % columns.max(1)) as u32);
            weights.push(stored);
            kept.extend(delays.get(place));
        }
    }
    let delay =
        if delays.len() > 1 { DelaySteps::PerSynapse(kept) } else { delay_steps(delays.to_vec()) };
    let connection =
        Connection::Sparse { targets, sources, weights, sign_mode, weight_bits, weight_exponent };
    (connection, delay)
}

fn train(case: &Fields<'_>, rows: &[Vec<i64>]) -> Checked<SpikeTrain> {
    let rows = rows.iter().map(|row| case.small("s_in", row)).collect::<Checked<Vec<_>>>()?;
    Ok(SpikeTrain::from_rows(rows.iter().map(Vec::as_slice)))
}

fn extents<const N: usize>(part: &Fields<'_>, field: &str) -> Checked<[u32; N]> {
    let found = part.integers(field)?;
    let small: Vec<u32> = found.iter().filter_map(|&n| u32::try_from(n).ok()).collect();
    match <[u32; N]>::try_from(small) {
        Ok(extents) if found.len() == N => Ok(extents),
        _ => Err(part.stop(field, format!("must be {N} extents"))),
    }
}

/// Lava's convolution: tensors `(x, y, channel)`, weights `(out, x, y, in / groups)`, flipped
/// kernels. Ours: `(channel, y, x)`, `[out, in / groups, y, x]`, cross-correlation.
fn convolution(part: &Fields<'_>) -> Checked<Part> {
    let [width, height, channels] = extents(part, "input_shape")?;
    let [kernel_x, kernel_y] = extents(part, "kernel")?;
    let [stride_x, stride_y] = extents(part, "stride")?;
    let [pad_x, pad_y] = extents(part, "padding")?;
    let [dilation_x, dilation_y] = extents(part, "dilation")?;
    let [groups] = extents(part, "groups")?;
    let [outs] = extents(part, "out_channels")?;
    let axis = |source, kernel, stride, pad: u32, dilation| {
        output_extent(source, kernel, stride, 2 * u64::from(pad), dilation) as u32
    };
    let geometry = Convolution {
        source: [channels, height, width],
        target: [
            outs,
            axis(height, kernel_y, stride_y, pad_y, dilation_y),
            axis(width, kernel_x, stride_x, pad_x, dilation_x),
        ],
        kernel: [kernel_y, kernel_x],
        stride: [stride_y, stride_x],
        padding: [pad_y, pad_x, pad_y, pad_x],
        dilation: [dilation_y, dilation_x],
        groups,
    };
    geometry.check().map_err(|error| part.stop("kernel", error.to_string()))?;
    let written = part.integers("weight")?;
    if written.len() as u64 != geometry.weight_count() {
        return Err(part.stop("weight", format!("{} weights do not fill it", written.len())));
    }
    let written = part.small("weight", &written)?;
    let weights = flipped(&geometry, &written);
    let message_bits = u8::try_from(part.integer("num_message_bits")?)
        .map_err(|_| part.stop("num_message_bits", "does not fit a byte"))?;
    let name = format!(
        "Conv kernel {kernel_x}×{kernel_y}, stride {stride_x}×{stride_y}, padding \
         {pad_x}×{pad_y}, dilation {dilation_x}×{dilation_y}, {groups} groups, {message_bits} \
         message bits"
    );
    let sources = (0..3).map(|side| geometry.source[side]).fold(1, u32::saturating_mul);
    let rows = part.integer_rows("s_in")?;
    let rows = rows.iter().map(|row| to_picture(row, width, height, channels)).collect::<Vec<_>>();
    let input = train(part, &rows)?;
    let projection = QuantisedProjection {
        name,
        source: 0,
        target: 1,
        connection: Connection::Convolution { geometry, weights },
        delay: DelaySteps::One(0),
        message_bits,
        port: 0,
        learning: None,
    };
    Ok((projection, sources, input))
}

/// Kernels `(out, x, y, in / groups)` of a convolution as `[out, in / groups, y, x]` of the
/// correlation that gives the same.
pub(super) fn flipped(geometry: &Convolution, written: &[i32]) -> Vec<i32> {
    let [_, ins, rows, columns] = geometry.weight_shape().map(|n| n as usize);
    let mut weights = vec![0; written.len()];
    for (place, &weight) in written.iter().enumerate() {
        let (i, rest) = (place % ins.max(1), place / ins.max(1));
        let (y, rest) = (rows - 1 - rest % rows.max(1), rest / rows.max(1));
        let (x, out) = (columns - 1 - rest % columns.max(1), rest / columns.max(1));
        if let Some(slot) = weights.get_mut(((out * ins + i) * rows + y) * columns + x) {
            *slot = weight;
        }
    }
    weights
}

/// `(x, y, channel)` to `(channel, y, x)`.
pub(super) fn to_picture<T: Copy + Default>(
    row: &[T],
    width: u32,
    height: u32,
    channels: u32,
) -> Vec<T> {
    let [width, height, channels] = [width, height, channels].map(|n| n as usize);
    let mut picture = vec![T::default(); row.len()];
    for (place, &value) in row.iter().enumerate() {
        let (channel, rest) = (place % channels.max(1), place / channels.max(1));
        let (y, x) = (rest % height.max(1), rest / height.max(1));
        if let Some(pixel) = picture.get_mut((channel * height + y) * width + x) {
            *pixel = value;
        }
    }
    picture
}

/// Our output in the order that the case recorded; lists stay as they are.
fn from_picture(part: &Fields<'_>, ours: Vec<i64>) -> Checked<Vec<i64>> {
    if process_of(part) != "Conv" {
        return Ok(ours);
    }
    let [width, height, _] = output_shape(part)?;
    let plane = (width * height).max(1);
    let channels = ours.len() / plane;
    let place = |x: usize, y: usize, channel: usize| channel * plane + y * width + x;
    let pixels = (0..width).flat_map(|x| (0..height).map(move |y| (x, y)));
    Ok(pixels
        .flat_map(|(x, y)| (0..channels).map(move |channel| (x, y, channel)))
        .filter_map(|(x, y, channel)| ours.get(place(x, y, channel)).copied())
        .collect())
}

fn output_shape(part: &Fields<'_>) -> Checked<[usize; 3]> {
    let [width, height, _]: [u32; 3] = extents(part, "input_shape")?;
    let [kernel, stride, pad, dilation]: [[u32; 2]; 4] = [
        extents(part, "kernel")?,
        extents(part, "stride")?,
        extents(part, "padding")?,
        extents(part, "dilation")?,
    ];
    let axis = |source, a: usize| {
        output_extent(source, kernel[a], stride[a], 2 * u64::from(pad[a]), dilation[a]) as usize
    };
    let [outs] = extents(part, "out_channels")?;
    Ok([axis(width, 0), axis(height, 1), outs as usize])
}
