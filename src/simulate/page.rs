//! A page of a run: raster, rates, traces and weights, of what is kept while it runs. What is kept is
//! bounded, however long the run.

use super::SimulationReport;
use super::record::{unit_of_trace, unit_of_weights};
use crate::analysis::{AnalysisConfig, Trains, activity_blocks, analyse};
use crate::report::{Axis, Block, LineChart, Report, Section, Series};
use crate::sim_core::engine::Engine;
use crate::sim_core::network::ValidNetwork;
use crate::sim_core::recording::{PopulationInfo, Recording, Spike, Trace, WeightTrace};

/// Spikes that are kept at the most.
const MOST_SPIKES: usize = 1 << 20;

/// Samples of one trace that are kept at the most; then every second one goes.
const MOST_SAMPLES: usize = 2000;

/// Neurons of a trace that are kept: the first ones.
const MOST_NEURONS: usize = 6;

/// What is kept of a run.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    wanted: bool,
    populations: Vec<PopulationInfo>,
    spikes: Vec<Spike>,
    /// Time (ms) behind which no spikes are kept, as they were too many.
    cut: Option<f64>,
    traces: Vec<KeptTrace>,
    weights: Vec<KeptTrace>,
}

/// Some samples of some columns.
#[derive(Debug, Clone, Default)]
struct KeptTrace {
    name: String,
    variable: String,
    unit: &'static str,
    /// (time in ms, values of the kept columns).
    samples: Vec<(f64, Vec<f64>)>,
    /// Every so many-th sample is kept.
    every: usize,
    seen: usize,
}

impl KeptTrace {
    fn add(&mut self, time: f64, values: impl FnOnce() -> Vec<f64>) {
        if self.seen.is_multiple_of(self.every.max(1)) {
            self.samples.push((time, values()));
        }
        self.seen += 1;
        if self.samples.len() >= MOST_SAMPLES {
            let mut index = 0;
            self.samples.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.every = 2 * self.every.max(1);
        }
    }

    fn series(&self, names: impl Fn(usize) -> String) -> Vec<Series> {
        let columns = self.samples.first().map_or(0, |sample| sample.1.len());
        let points = |column: usize| {
            self.samples
                .iter()
                .filter_map(move |(time, values)| Some((*time, *values.get(column)?)))
        };
        (0..columns).map(|column| Series::new(&names(column), points(column))).collect()
    }
}

impl Kept {
    pub(super) fn new(wanted: bool, engine: &dyn Engine, network: &ValidNetwork) -> Self {
        let recording = engine.recording();
        let kept = |name: &String, variable: &str, unit| KeptTrace {
            name: name.clone(),
            variable: variable.to_string(),
            unit: if unit == "1" { "" } else { unit },
            ..KeptTrace::default()
        };
        let of_trace = |t: &Trace| kept(&t.probe, t.variable, unit_of_trace(network, t));
        let of_weights =
            |t: &WeightTrace| kept(&t.probe, "weight", unit_of_weights(network, t.projection));
        Kept {
            wanted,
            populations: recording.populations.clone(),
            traces: recording.traces.iter().map(of_trace).collect(),
            weights: recording.weights.iter().map(of_weights).collect(),
            ..Kept::default()
        }
    }

    pub(super) fn add(&mut self, recorded: &Recording) {
        if !self.wanted {
            return;
        }
        let room = MOST_SPIKES - self.spikes.len();
        self.spikes.extend(recorded.spikes.iter().take(room));
        if let (None, Some(spike)) = (self.cut, recorded.spikes.get(room)) {
            self.cut = Some(spike.time.milliseconds());
        }
        for (kept, trace) in self.traces.iter_mut().zip(&recorded.traces) {
            let columns = trace.values.len().checked_div(trace.times.len()).unwrap_or(0).max(1);
            for (time, row) in trace.times.iter().zip(trace.values.chunks(columns)) {
                let first = || row.iter().take(MOST_NEURONS).copied().collect();
                kept.add(time.milliseconds(), first);
            }
        }
        for (kept, trace) in self.weights.iter_mut().zip(&recorded.weights) {
            let columns = trace.values.len().checked_div(trace.times.len()).unwrap_or(0).max(1);
            for (time, row) in trace.times.iter().zip(trace.values.chunks(columns)) {
                kept.add(time.milliseconds(), || spread(row));
            }
        }
    }

    /// The spike trains from `begin` on (ms).
    fn trains(&self, begin: f64, end: f64) -> Vec<Trains> {
        let end = self.cut.unwrap_or(end);
        let mut trains: Vec<Trains> = Vec::new();
        for population in &self.populations {
            let mut neurons = vec![Vec::new(); population.size as usize];
            let range = population.first..population.first + population.size;
            for spike in self.spikes.iter().filter(|spike| range.contains(&spike.neuron)) {
                neurons[(spike.neuron - population.first) as usize].push(spike.time.milliseconds());
            }
            let population = population.name.clone();
            if neurons.iter().any(|train: &Vec<f64>| !train.is_empty()) {
                trains.push(Trains { population, neurons, begin, end });
            }
        }
        trains
    }
}

/// Names of what [`spread`] gives.
const SPREAD: [&str; 5] = ["5 %", "25 %", "median", "75 %", "95 %"];

/// Quantiles of weights.
fn spread(weights: &[f64]) -> Vec<f64> {
    let mut sorted = weights.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    match sorted.is_empty() {
        true => Vec::new(),
        false => [0.05, 0.25, 0.5, 0.75, 0.95].map(at).to_vec(),
    }
}

/// The page of a run.
pub fn page(report: &SimulationReport, kept: &Kept) -> Report {
    // A run that goes on keeps what came after its checkpoint.
    let begin = report.resumed_at_ms.unwrap_or(0.0);
    let trains = kept.trains(begin, report.duration_ms);
    let config = AnalysisConfig::default();
    let analyses = analyse(&trains, &config);
    let mut text = kept.cut.map_or_else(String::new, |cut| {
        format!("The first {MOST_SPIKES} spikes are shown: up to {cut} ms.")
    });
    if let Some(time) = report.resumed_at_ms {
        text.push_str(&format!(
            "\n\nThis run went on from {time} ms; what came before is not shown."
        ));
    }
    let mut activity = Section::new("activity", "Activity", &text);
    match trains.is_empty() {
        true => activity.text.push_str("\n\nNo spikes were recorded."),
        false => activity.blocks = activity_blocks(&trains, &analyses, &config),
    }
    let mut sections = vec![activity];
    let traces = kept.traces.iter().filter(|trace| !trace.samples.is_empty());
    let traces: Vec<Block> =
        traces.map(|trace| chart(trace, "", |n| format!("neuron {n}"))).collect();
    if !traces.is_empty() {
        let mut section = Section::new("traces", "Traces", "The first neurons of each probe.");
        section.blocks = traces;
        sections.push(section);
    }
    let weights = kept.weights.iter().filter(|trace| !trace.samples.is_empty());
    let quantile = |n: usize| SPREAD.get(n).copied().unwrap_or_default().to_string();
    let weights: Vec<Block> =
        weights.map(|trace| chart(trace, "Quantiles over all synapses.", quantile)).collect();
    if !weights.is_empty() {
        let mut section = Section::new("weights", "Weights", "");
        section.blocks = weights;
        sections.push(section);
    }
    Report {
        title: report.network.clone(),
        subtitle: format!(
            "{} ms simulated, {} neurons, {} synapses, {} spikes",
            report.duration_ms, report.neurons, report.synapses, report.spikes
        ),
        provenance: vec![
            ("Spikeloom".into(), report.version.into()),
            ("network hash".into(), report.network_hash.clone()),
            ("engine".into(), report.engine.into()),
            ("seed".into(), report.seed.to_string()),
            ("step".into(), format!("{} ms", report.dt_ms)),
            ("spike hash".into(), report.spike_hash.clone()),
        ],
        sections,
    }
}

fn chart(trace: &KeptTrace, description: &str, names: impl Fn(usize) -> String) -> Block {
    LineChart {
        title: trace.name.clone(),
        description: description.into(),
        x: Axis::new("time", "ms"),
        y: Axis::new(&trace.variable.replace('_', " "), trace.unit),
        series: trace.series(names),
        ..LineChart::default()
    }
    .into()
}
