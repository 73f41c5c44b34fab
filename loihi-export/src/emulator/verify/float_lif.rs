//! Recorded runs of Lava's integrate-and-fire processes in floating point.
//!
//! ```text
//! u = u * (1 - du) + a
//! v = v * (1 - dv) + u + bias_mant              (bias_exp has no effect)
//! ```
//! Spike and reset rule: v > vth, then v = 0. LIFReset clears u and v before the update of steps t
//! with `t % reset_interval == reset_offset % reset_interval`. LIFRefractory holds v in the steps
//! up to `refractory_period_end`, which a spike in step t sets to `t + refractory_period`; u goes
//! on. The order of the additions is Lava's, so the numbers are equal to the last bit.
//!
//! Reference: lava-nc 0.10.0 `PyLifModelFloat`, `PyLifResetModelFloat`,
//! `PyLifRefractoryModelFloat`.

use super::{Checked, Stop, compare_numbers, fields::Fields};

const PROCESSES: [&str; 3] = ["LIF", "LIFReset", "LIFRefractory"];
const ARGUMENTS: [&str; 9] = [
    "shape",
    "du",
    "dv",
    "vth",
    "bias_mant",
    "bias_exp",
    "reset_interval",
    "reset_offset",
    "refractory_period",
];
const VARIABLES: [&str; 3] = ["u", "v", "refractory_period_end"];

struct Neurons {
    du: f64,
    dv: f64,
    threshold: f64,
    bias: Vec<f64>,
    /// Interval and offset of regular resets.
    reset: Option<(u64, u64)>,
    refractory: Option<f64>,
    u: Vec<f64>,
    v: Vec<f64>,
    end: Vec<f64>,
}

pub(super) fn verify(case: &Fields<'_>, process: &str) -> Checked<u64> {
    if !PROCESSES.contains(&process) {
        let known = PROCESSES.join(", ");
        let reason = format!("process '{process}' with tag floating_pt; computed are {known}");
        return Err(Stop::NotCovered(reason));
    }
    let (arguments, variables, outputs) =
        (case.object("params")?, case.object("vars")?, case.object("outputs")?);
    let known = [(&arguments, &ARGUMENTS[..]), (&variables, &VARIABLES), (&outputs, &["s_out"])];
    for (fields, known) in known {
        if let Some(other) = fields.names().into_iter().find(|name| !known.contains(name)) {
            return Err(Stop::NotCovered(format!("'{other}' with tag floating_pt")));
        }
    }
    let input = case.object("inputs")?.rows("a_in")?;
    let mut neurons = neurons(case, &arguments, input.first().map_or(0, Vec::len))?;
    let names = VARIABLES.iter().filter(|name| variables.has(name));
    let recorded = names.map(|name| Ok((*name, variables.rows(name)?)));
    let recorded = recorded.collect::<Checked<Vec<_>>>()?;
    let spikes = outputs.rows("s_out")?;
    let rows = recorded.iter().map(|(_, rows)| rows.len()).chain([spikes.len()]);
    if rows.into_iter().any(|rows| rows != input.len()) {
        return Err(case.stop("vars", format!("not {} rows, as the input has", input.len())));
    }
    let mut values = 0;
    for (step, row) in input.iter().enumerate() {
        if row.len() != neurons.u.len() {
            return Err(case.stop("inputs/a_in", format!("a row has {} values", row.len())));
        }
        let emitted = neurons.step(step as u64 + 1, row);
        for (name, rows) in &recorded {
            let ours = match *name {
                "u" => &neurons.u,
                "v" => &neurons.v,
                _ => &neurons.end,
            };
            values += compare_numbers(name, step, ours, &rows[step])?;
        }
        values += compare_numbers("s_out", step, &emitted, &spikes[step])?;
    }
    Ok(values)
}

fn neurons(case: &Fields<'_>, arguments: &Fields<'_>, width: usize) -> Checked<Neurons> {
    let one = |name: &str| match arguments.numbers(name)?.as_slice() {
        [number] => Ok(*number),
        _ => Err(arguments.stop(name, "must be one number")),
    };
    let mut bias =
        if arguments.has("bias_mant") { arguments.numbers("bias_mant")? } else { vec![0.0] };
    if let [one] = bias.as_slice() {
        bias = vec![*one; width];
    }
    let neurons = arguments.integers("shape")?.iter().fold(1_i64, |n, &m| n.saturating_mul(m));
    if usize::try_from(neurons) != Ok(width) || bias.len() != width {
        return Err(case.stop("params/shape", format!("{neurons} neurons for {width} inputs")));
    }
    let steps = |name: &str| {
        let found = arguments.integer(name)?;
        u64::try_from(found).map_err(|_| arguments.stop(name, "must not be negative"))
    };
    let reset = match arguments.has("reset_interval") {
        true => Some((steps("reset_interval")?.max(1), steps("reset_offset")?)),
        false => None,
    };
    let refractory = match arguments.has("refractory_period") {
        true => Some(one("refractory_period")?),
        false => None,
    };
    let zero = vec![0.0; width];
    Ok(Neurons {
        du: one("du")?,
        dv: one("dv")?,
        threshold: one("vth")?,
        bias,
        reset,
        refractory,
        u: zero.clone(),
        v: zero.clone(),
        end: zero,
    })
}

impl Neurons {
    fn step(&mut self, time: u64, input: &[f64]) -> Vec<f64> {
        if self.reset.is_some_and(|(interval, offset)| time % interval == offset % interval) {
            self.u.fill(0.0);
            self.v.fill(0.0);
        }
        let mut emitted = vec![0.0; input.len()];
        let states = self.u.iter_mut().zip(self.v.iter_mut()).zip(self.end.iter_mut());
        let drives = input.iter().zip(&self.bias);
        for (spike, (((u, v), end), (&a, &bias))) in emitted.iter_mut().zip(states.zip(drives)) {
            *u = *u * (1.0 - self.du) + a;
            match self.refractory {
                None => *v = *v * (1.0 - self.dv) + *u + bias,
                Some(_) if *end < time as f64 => *v = *v * (1.0 - self.dv) + (*u + bias),
                Some(_) => {}
            }
            if *v > self.threshold {
                (*spike, *v) = (1.0, 0.0);
                *end = self.refractory.map_or(0.0, |period| time as f64 + period);
            }
        }
        emitted
    }
}
