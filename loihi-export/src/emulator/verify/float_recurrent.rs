//! Recurrent networks of one LIF population in floating point: their spikes.
//!
//! Sums of floating-point weights depend on their order, which Lava leaves to numpy; so spikes are
//! compared and potentials are not.

use super::{Checked, compare_numbers, recurrent::Recording};

pub(super) fn verify(recording: &Recording<'_>) -> Checked<u64> {
    let ([neurons, inputs], [steps, width]) = (recording.matrix("win")?, recording.matrix("x")?);
    let one = |field: &str| -> Checked<f64> {
        match recording.array(field)?.values[..] {
            [one] => Ok(one),
            _ => Err(recording.stop(field, "must be one number")),
        }
    };
    let (du, dv, threshold) = (one("du")?, one("dv")?, one("vth")?);
    let (win, wrec) = (&recording.array("win")?.values, &recording.array("wrec")?.values);
    let (input, bias) = (&recording.array("x")?.values, &recording.array("bias_mant")?.values);
    let delays = recording.array("delays").map(|array| array.values.clone()).unwrap_or_default();
    if width != inputs || wrec.len() != neurons * neurons {
        return Err(recording.stop("wrec", format!("must be {neurons} × {neurons}")));
    }
    let spikes = recording.rows("s", steps)?.ok_or_else(|| recording.stop("s", "is missing"))?;
    let longest = delays.iter().fold(0.0_f64, |a, &b| a.max(b)).clamp(0.0, 255.0) as usize;
    let mut arriving = vec![vec![0.0; neurons]; steps + longest + 2];
    let (mut u, mut v) = (vec![0.0; neurons], vec![0.0; neurons]);
    let mut values = 0;
    for step in 0..steps {
        let mut emitted = vec![0.0; neurons];
        for neuron in 0..neurons {
            u[neuron] = u[neuron] * (1.0 - du) + arriving[step][neuron];
            let bias = bias.get(neuron).or(bias.first()).copied().unwrap_or_default();
            v[neuron] = v[neuron] * (1.0 - dv) + u[neuron] + bias;
            if v[neuron] > threshold {
                (emitted[neuron], v[neuron]) = (1.0, 0.0);
            }
        }
        values += compare_numbers("s", step, &emitted, spikes[step])?;
        for target in 0..neurons {
            for source in (0..inputs).filter(|source| input[step * width + source] != 0.0) {
                arriving[step + 1][target] += win[target * inputs + source];
            }
            for source in (0..neurons).filter(|source| emitted[*source] != 0.0) {
                let place = target * neurons + source;
                let delay = delays.get(place).or(delays.first()).copied().unwrap_or(0.0);
                let delay = (delay.max(0.0) as usize).min(longest);
                arriving[step + 1 + delay][target] += wrec[place];
            }
        }
    }
    Ok(values)
}
