//! A whole network: rates and irregularity of its populations over equal lengths.
//!
//! Two networks of other seeds differ, so the mean over some networks is compared where they are small:
//! at a tenth of its size the rate of layer 5's 485 excitatory neurons scatters by 3 to 4 % from seed to seed
//! (sixty seeds of ours: 6.60 Hz, standard deviation 0.18 Hz; nine of NEST: 6.68 Hz and 0.29 Hz).

use super::compare::{Comparison, Variable};
use super::fields::{Fields, RecordingError};
use crate::bench::{BenchConfig, BenchReport, find_workload};
use crate::error::Error;
use crate::progress::Silent;
use crate::sim_core::time::Time;

/// The workload that NEST recorded.
const WORKLOAD: &str = "pd14";

/// Rates (relative, and Hz) and coefficients of variation may differ by so much.
const RATE_RELATIVE: f64 = 0.05;
const RATE_HZ: f64 = 0.1;
const CV: f64 = 0.05;

/// Networks whose scales add up to less than this are run together.
const TOGETHER: f64 = 0.4;

/// Most networks that are run together.
const MOST_NETWORKS: f64 = 8.0;

/// Runs and compares.
pub(super) fn compare(case: &Fields<'_>) -> Result<Comparison, RecordingError> {
    let name = case.text("workload")?;
    if name != WORKLOAD {
        let message = format!("the workload `{name}` has no counterpart here");
        return Err(RecordingError::NotCovered(message));
    }
    let (scale, seed) = (case.or("scale", 1.0)?, case.or("seed", 1.0)?);
    let milliseconds = case.or("sim_ms", 1000.0)?;
    let warm_up = case.or("warmup_ms", 0.0)?;
    let ours = crate::bench::WARM_UP_MS;
    if warm_up != ours {
        return Err(RecordingError::NotCovered(format!(
            "`warmup_ms` = {warm_up}: our workload leaves out the first {ours} ms"
        )));
    }
    case.pass("bin_ms");
    let populations = case.inner("populations")?;
    let synapses = case.optional("n_synapses")?;
    case.all_read()?;
    let Some(simulate) = Time::from_milliseconds(milliseconds).filter(|time| *time > Time::ZERO)
    else {
        return Err(RecordingError::NotCovered(format!("`sim_ms` = {milliseconds} is no length")));
    };
    let networks = (TOGETHER / scale).round().clamp(1.0, MOST_NETWORKS) as u64;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let reports = (0..networks).map(|other| {
        let seed = seed as u64 + other;
        run(&BenchConfig { scale, threads, simulate: Some(simulate), seed, model: None })
    });
    let reports = reports.collect::<Result<Vec<BenchReport>, RecordingError>>()?;
    let mut comparison = Comparison::default();
    if let Some(recorded) = synapses {
        let variable = Variable { name: "synapses", unit: "", tolerance: 0.0 };
        let found: Vec<f64> = reports.iter().map(|report| report.n_synapses as f64).collect();
        comparison.values(&variable, &found, &vec![recorded; found.len()], |_| 0.0);
    }
    for name in populations.names() {
        compare_population(&mut comparison, &populations.inner(name)?, name, &reports)?;
    }
    comparison.note(match networks {
        1 => "one network".to_string(),
        several => format!("mean of {several} networks, from the recorded seed on"),
    });
    comparison.finished()
}

fn compare_population(
    comparison: &mut Comparison,
    recorded: &Fields<'_>,
    name: &str,
    reports: &[BenchReport],
) -> Result<(), RecordingError> {
    if !reports.iter().all(|report| report.rates_hz.contains_key(name)) {
        let message = format!("the population `{name}` has no counterpart here");
        return Err(RecordingError::NotCovered(message));
    }
    let count = reports.len().max(1) as f64;
    let rate: f64 =
        reports.iter().filter_map(|report| report.rates_hz.get(name)).sum::<f64>() / count;
    let theirs = recorded.number("mean_rate_hz")?;
    let tolerance = RATE_HZ.max(RATE_RELATIVE * theirs);
    let variable = Variable { name: &format!("rate of {name}"), unit: "Hz", tolerance };
    comparison.values(&variable, &[rate], &[theirs], |_| 0.0);
    if let Some(theirs) = recorded.optional("cv_isi_mean")? {
        let cvs =
            reports.iter().filter_map(|report| report.interval_cv.get(name).copied().flatten());
        let cv = cvs.sum::<f64>() / count;
        let variable = Variable { name: &format!("CV of {name}"), unit: "", tolerance: CV };
        comparison.values(&variable, &[cv], &[theirs], |_| 0.0);
    }
    Ok(())
}

/// What does not fit into memory is not covered here.
fn run(config: &BenchConfig) -> Result<BenchReport, RecordingError> {
    let workload = find_workload(WORKLOAD).map_err(refused)?;
    (workload.run)(config, &Silent).map_err(refused)
}

fn refused(error: Error) -> RecordingError {
    match error {
        Error::Compile(error) => RecordingError::NotCovered(error.to_string()),
        other => RecordingError::NotCovered(format!("the workload was refused: {other}")),
    }
}
