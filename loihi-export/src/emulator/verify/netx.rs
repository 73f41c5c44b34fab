//! Recorded runs of netx files: the spikes of every layer.

use std::{collections::BTreeMap, path::Path};

use sim_core::network::Shape;

use crate::{
    chip::ChipSpec,
    emulator::{Emulator, SpikeTrain},
    export::netx::{NetxError, NetxOptions, read_netx_network},
};

use super::{
    CaseOutcome, CaseReport, Checked, Compared, SIZE_LIMIT, Stop, VerifyError, compare,
    npz::{self, Array},
    synapses::to_picture,
};

/// The longest interval of resets that is looked for.
const LONGEST_RESET: u32 = 64;
/// Option of the command line that says how a resonator's decays are cut.
const CUTS: &str = "--resonator-decays";
/// Spikes that a recording must have before an option with which it comes back counts as found.
const EVIDENCE: u64 = 20;

/// Compares a netx file with a recorded run of it, layer by layer.
///
/// The recording is an npz archive of the input `x` `[step, …]`, the spikes `layerK_s`
/// `[step, …]` of every layer, and `s`, those of the last one; pictures are `[width, height,
/// channels]`. What a file leaves open is stated by `options`, or by the recording's own
/// `reset_interval`. A recording does not say whether netx was run with regular resets, nor how the
/// machine that made it cut a resonator's decays: where the spikes differ and neither is stated, all
/// intervals of 2 to 64 steps and all cuts are tried. The case counts as equal, with what was found
/// in [`CaseReport::searched`], if exactly one interval, or some cuts, give every recorded spike and
/// these are enough to tell; else the report says what would fit.
///
/// # Errors
/// [`VerifyError`] for bytes that are no recording and damaged files. Files that netx does not
/// run, and differences, are part of the report.
pub fn verify_netx_case(
    net: &Path,
    recording: &[u8],
    options: &NetxOptions,
) -> Result<CaseReport, VerifyError> {
    let name = net.to_string_lossy().into_owned();
    let unreadable = |message: String| VerifyError::Unreadable { name: name.clone(), message };
    if recording.len() > SIZE_LIMIT {
        let problem = format!("{} bytes; at most {SIZE_LIMIT} are read", recording.len());
        return Err(unreadable(problem));
    }
    let arrays = npz::read(recording).map_err(unreadable)?;
    let case = Case { name: &name, net, arrays: &arrays };
    let mut options = options.clone();
    if let Some(interval) = arrays.get("reset_interval").and_then(|array| array.values.first()) {
        options.reset_interval = Some(*interval as u32).filter(|&interval| interval > 0);
    }
    let mut process = "netx file".to_owned();
    let result = case.run(&options);
    if let Some(interval) = options.reset_interval {
        process = format!("netx file run with reset_interval {interval}");
    }
    let (mut result, mut searched) = (result, None);
    if matches!(result, Err(Stop::Differs(_))) {
        let (found, tried) = case.fitting(&options);
        let spikes = case.recorded_spikes();
        let named: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        // Ways to cut a resonator's decays are few, and any of them may be the other machine's.
        let is_clear = found.len() == 1 || named.iter().all(|name| name.starts_with(CUTS));
        match found.first() {
            Some((_, values)) if spikes >= EVIDENCE && is_clear => {
                searched = Some(format!(
                    "found by trying {tried} options that the recording does not state: only with \
                     {} do its {spikes} spikes come back",
                    named.join(" or ")
                ));
                result = Ok((*values).into());
            }
            None => {}
            _ => process = format!("{process} (would be equal with {})", named.join(" or ")),
        }
    }
    let mut overflows = Vec::new();
    let outcome = match result {
        Ok(Compared { values: 0, .. }) => {
            CaseOutcome::NotCovered { reason: "it records no value".to_owned() }
        }
        Ok(compared) => {
            overflows = compared.overflows;
            CaseOutcome::Equal { values: compared.values }
        }
        Err(Stop::Differs(difference)) => CaseOutcome::Differs { difference },
        Err(Stop::NotCovered(reason)) => CaseOutcome::NotCovered { reason },
        Err(Stop::Failed(error)) => return Err(error),
    };
    Ok(CaseReport { name, process, searched, overflows, outcome })
}

struct Case<'a> {
    name: &'a str,
    net: &'a Path,
    arrays: &'a BTreeMap<String, Array>,
}

impl Case<'_> {
    fn stop(&self, field: &str, problem: impl Into<String>) -> Stop {
        let (name, field) = (self.name.to_owned(), field.to_owned());
        Stop::Failed(VerifyError::Field { name, field, problem: problem.into() })
    }

    /// Options that make every spike equal, as the command line writes them, with the number of
    /// values compared; and how many were tried. Options that build the same network count once.
    fn fitting(&self, options: &NetxOptions) -> (Vec<(String, u64)>, usize) {
        let cuts = [[true, true], [true, false], [false, true], [false, false]];
        let kept = |keeps: bool| if keeps { "keep" } else { "less" };
        let cuts = cuts.into_iter().filter(|_| options.resonator_keeps.is_none()).map(|keeps| {
            let assumption = format!("{CUTS} {},{}", kept(keeps[0]), kept(keeps[1]));
            (NetxOptions { resonator_keeps: Some(keeps), ..options.clone() }, assumption)
        });
        let resets = (2..=LONGEST_RESET).filter(|_| options.reset_interval.is_none());
        let resets = resets.map(|interval| {
            let with_reset = NetxOptions { reset_interval: Some(interval), ..options.clone() };
            (with_reset, format!("--reset-interval {interval}"))
        });
        let (mut found, mut networks, mut tried) = (Vec::new(), Vec::new(), 0);
        for (options, assumption) in cuts.chain(resets) {
            tried += 1;
            let network = read_netx_network(self.net, &options).map(|read| read.network).ok();
            if networks.contains(&network) {
                continue;
            }
            if let Ok(compared) = self.run(&options) {
                found.push((assumption, compared.values));
            }
            networks.push(network);
        }
        (found, tried)
    }

    /// Spikes of all layers in the recording.
    fn recorded_spikes(&self) -> u64 {
        let layers = self.arrays.iter().filter(|(name, _)| name.ends_with("_s"));
        layers.flat_map(|(_, array)| &array.values).filter(|value| **value != 0.0).count() as u64
    }

    /// Rows `[step][neuron]` of an array, pictures as `[channel, height, width]`.
    fn rows(&self, field: &str) -> Checked<Vec<Vec<f64>>> {
        let array = self.arrays.get(field).ok_or_else(|| self.stop(field, "is missing"))?;
        let [steps, extents @ ..] = array.shape.as_slice() else {
            return Err(self.stop(field, "must be [step, …]"));
        };
        if *steps == 0 || array.values.is_empty() {
            return Err(self.stop(field, "is empty"));
        }
        let rows = array.values.chunks_exact((array.values.len() / steps).max(1));
        Ok(match extents {
            [width, height, channels] => {
                let [width, height, channels] = [*width, *height, *channels].map(|n| n as u32);
                rows.map(|row| to_picture(row, width, height, channels)).collect()
            }
            _ => rows.map(<[f64]>::to_vec).collect(),
        })
    }

    fn run(&self, options: &NetxOptions) -> Checked<Compared> {
        let mut options = options.clone();
        if let Some([_, width, height, channels]) =
            self.arrays.get("x").map(|array| array.shape.as_slice())
        {
            let extents = [*channels, *height, *width].map(|n| n as u32);
            options.input_shape = options.input_shape.or(Some(extents));
        }
        let read = read_netx_network(self.net, &options).map_err(|error| match error {
            NetxError::Layer { .. } => Stop::NotCovered(error.to_string()),
            other => Stop::Failed(VerifyError::Unreadable {
                name: self.name.to_owned(),
                message: other.to_string(),
            }),
        })?;
        let known = |name: &str| {
            let layer = name.strip_prefix("layer").and_then(|name| name.strip_suffix("_s"));
            let layer = layer.and_then(|number| number.parse::<usize>().ok());
            ["x", "s", "reset_interval"].contains(&name)
                || layer.is_some_and(|layer| layer < read.layers.len())
        };
        if let Some(other) = self.arrays.keys().find(|name| !known(name)) {
            let layers = read.layers.len();
            return Err(Stop::NotCovered(format!(
                "array '{other}' of a file with {layers} layers"
            )));
        }
        let mut emulator = Emulator::new(&read.network, &ChipSpec::built_in("loihi2")?)?;
        let input = self.input(&read.network.populations[emulator.inputs()[0]].shape)?;
        let ours = emulator.run(input.steps(), &[input])?;
        let mut recorded = vec![(String::from("s"), read.layers.last().copied())];
        let layers = read.layers.iter().enumerate();
        recorded.extend(layers.map(|(k, &index)| (format!("layer{k}_s"), Some(index))));
        let mut theirs = Vec::new();
        for (name, population) in recorded {
            let rows = self.rows(&name)?;
            let steps = ours.spikes[0].steps();
            if rows.len() != steps {
                return Err(self.stop(&name, format!("{} rows for {steps} steps", rows.len())));
            }
            theirs.push((name, population.unwrap_or_default(), rows));
        }
        let mut values = 0;
        for step in 0..ours.spikes[0].steps() {
            for (name, population, rows) in theirs.iter().rev() {
                let size = read.network.populations[*population].shape.size() as usize;
                let mut emitted = vec![0; size];
                for spike in ours.spikes[*population].at(step) {
                    emitted[spike.neuron as usize] = i64::from(spike.payload);
                }
                values += compare(name, step, &emitted, &rows[step])?;
            }
        }
        Ok(Compared { values, overflows: emulator.overflows().overflows })
    }

    fn input(&self, shape: &Shape) -> Checked<SpikeTrain> {
        let mut rows = Vec::new();
        for row in self.rows("x")? {
            if row.len() as u64 != shape.size() {
                let problem = format!("{} values a step for an input of {shape}", row.len());
                return Err(self.stop("x", problem));
            }
            let whole = |&value: &f64| {
                let small = value as i32;
                let problem = || self.stop("x", format!("{value} does not fit 32 bits"));
                if f64::from(small) == value { Ok(small) } else { Err(problem()) }
            };
            rows.push(row.iter().map(whole).collect::<Checked<Vec<i32>>>()?);
        }
        Ok(SpikeTrain::from_rows(rows.iter().map(Vec::as_slice)))
    }
}
