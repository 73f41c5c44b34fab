//! Energy, latency and throughput of an inference, modelled from counted operations.
//!
//! Nothing here is measured: an estimate carries its profile, the profile's source and error band,
//! and the terms for which the profile has no figure, which are unknown and never zero.
//!
//! # Example
//! ```
//! use loihi_export::chip::ChipSpec;
//! use loihi_export::energy::{Operations, Workload, estimate};
//!
//! // A million synaptic events on TrueNorth in one step of a millisecond.
//! let chip = ChipSpec::built_in("truenorth")?;
//! let total = Operations { dense_events: 1e6, ..Operations::default() };
//! let workload = Workload { steps: 1.0, chips: 1, total, ..Workload::default() };
//! let estimate = estimate(&chip.name, "affine_0v8", &chip.profiles["affine_0v8"], &workload);
//! assert!((estimate.synapse_j.unwrap() - 2.297e-6).abs() < 1e-9);
//! assert_eq!(estimate.basis, "modelled");
//! # Ok::<(), loihi_export::chip::ChipError>(())
//! ```

mod operations;

use serde::Serialize;

pub use operations::{Activity, Operations, Workload, workload};

use crate::chip::profile::{Profile, percent_band};

/// What an inference costs; `None` is unknown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Name of the chip.
    pub chip: String,
    /// Name of the profile.
    pub profile: String,
    /// What kind of figures the profile has.
    pub profile_basis: String,
    /// Citation of the profile.
    pub source: String,
    /// Always `modelled`, never measured.
    pub basis: &'static str,
    /// Power without activity while cores compute, and the clock (J).
    pub static_j: Option<f64>,
    /// Neurons (J).
    pub neuron_j: Option<f64>,
    /// Synapses (J).
    pub synapse_j: Option<f64>,
    /// Packets and their hops (J).
    pub hop_j: Option<f64>,
    /// Power without activity while cores wait for the end of a step (J).
    pub barrier_j: Option<f64>,
    /// Resetting the state before an inference (J).
    pub reset_j: Option<f64>,
    /// The known terms together (J).
    pub total_j: f64,
    /// Where a measured energy lies by the profile's error band (J).
    pub total_band_j: Option<[f64; 2]>,
    /// The band itself, relative to the total.
    pub error_band: Option<[f64; 2]>,
    /// How the band is known.
    pub error_band_source: Option<String>,
    /// Terms of which the profile says nothing; they are not in the total.
    pub unknown: Vec<&'static str>,
    /// Length of a step (s).
    pub step_s: Option<f64>,
    /// Of which the barrier (s).
    pub barrier_s: Option<f64>,
    /// Time of an inference (s).
    pub latency_s: Option<f64>,
    /// Where a measured latency lies by the profile's error band (s).
    pub latency_band_s: Option<[f64; 2]>,
    /// Inferences a second, one after the other.
    pub throughput_per_s: Option<f64>,
    /// The known energy over the time (W).
    pub power_w: Option<f64>,
    /// What was counted.
    pub operations: Operations,
}

/// Estimates an inference with one profile of a chip.
pub fn estimate(chip: &str, name: &str, profile: &Profile, workload: &Workload) -> Estimate {
    let total = &workload.total;
    let real_time = profile.value("timestep_s");
    let barrier = profile.barrier(workload.routers, workload.chips);
    let busy = busy_s(profile, workload);
    let step_s = real_time.or_else(|| busy.map(|busy| busy + barrier.unwrap_or(0.0)));
    let idle_w = idle_power(profile, workload);
    let barrier_s = if real_time.is_some() { None } else { barrier };
    let during = |seconds: Option<f64>| Some(idle_w? * seconds? * workload.steps);
    let clock = profile
        .value("clock_w_per_hz")
        .zip(profile.value("clocks_per_synaptic_event"))
        .map(|(joules, clocks)| joules * clocks * total.synaptic_events());
    let static_j = sum(&[during(real_time.or(busy)), clock]);
    let terms = [
        ("static", static_j),
        ("neuron", neuron_j(profile, total)),
        ("synapse", synapse_j(profile, total)),
        ("hop", hop_j(profile, total)),
        ("barrier", during(barrier_s)),
    ];
    let reset_j = profile.value("reset_j_per_chip").map(|joules| joules * workload.chips as f64);
    let total_j = terms.iter().filter_map(|term| term.1).sum::<f64>() + reset_j.unwrap_or(0.0);
    let latency_s = step_s.map(|step| step * workload.steps);
    let band = |value: f64, [low, high]: [f64; 2]| [value * (1.0 + low), value * (1.0 + high)];
    let error_band = profile.error_band.as_ref().map(|band| band.value);
    let latency_band = profile.latency_error_band.as_ref().map(|band| band.value);
    let positive = |value: &f64| *value > 0.0;
    Estimate {
        chip: chip.to_owned(),
        profile: name.to_owned(),
        profile_basis: profile.basis.clone(),
        source: format!("{}: {}", profile.evidence, profile.source),
        basis: "modelled",
        static_j,
        neuron_j: terms[1].1,
        synapse_j: terms[2].1,
        hop_j: terms[3].1,
        barrier_j: terms[4].1,
        reset_j,
        total_j,
        total_band_j: error_band.map(|range| band(total_j, range)),
        error_band,
        error_band_source: profile
            .error_band
            .as_ref()
            .map(|band| format!("{}: {}", band.evidence, band.source)),
        unknown: terms.iter().filter(|term| term.1.is_none()).map(|term| term.0).collect(),
        step_s,
        barrier_s,
        latency_s,
        latency_band_s: latency_s.zip(latency_band).map(|(value, range)| band(value, range)),
        throughput_per_s: latency_s.filter(positive).map(|seconds| 1.0 / seconds),
        power_w: latency_s.filter(positive).map(|seconds| total_j / seconds),
        operations: *total,
    }
}

/// The known parts together; unknown where none is known.
fn sum(parts: &[Option<f64>]) -> Option<f64> {
    parts.iter().flatten().copied().reduce(|a, b| a + b)
}

/// Power without activity (W).
fn idle_power(profile: &Profile, workload: &Workload) -> Option<f64> {
    let chips = profile.value("static_w_per_chip").map(|watts| watts * workload.chips as f64);
    let cores = profile.value("active_w_per_core").map(|watts| watts * workload.cores as f64);
    sum(&[profile.value("static_w"), chips, cores])
}

fn neuron_j(profile: &Profile, total: &Operations) -> Option<f64> {
    let silent = total.neuron_steps - total.spikes;
    let each = |name: &str, count: f64| profile.value(name).map(|joules| joules * count);
    sum(&[
        each("neuron_inactive_j", silent),
        each("neuron_active_j", total.spikes),
        each("neuron_access_j", total.neuron_steps),
        each("neuron_update_j", total.neuron_updates),
        each("neuron_step_j", total.neuron_steps),
        each("spike_out_j", total.spikes),
    ])
}

fn synapse_j(profile: &Profile, total: &Operations) -> Option<f64> {
    let any = ["synaptic_event_j"];
    let kinds = [
        ("synaptic_event_dense_j", total.dense_events),
        ("synaptic_event_sparse_j", total.sparse_events),
        ("synaptic_event_convolution_j", total.convolution_events),
    ];
    let mut joules: Option<f64> = None;
    for (name, count) in kinds {
        match profile.first(&[name, any[0]]) {
            Some(each) => joules = Some(joules.unwrap_or(0.0) + each * count),
            // events of a kind without a figure leave the whole term unknown
            None if count > 0.0 => return None,
            None => {}
        }
    }
    let learning = profile.value("learning_update_j").map(|each| each * total.learning_updates);
    sum(&[joules, learning.filter(|_| joules.is_some())])
}

fn hop_j(profile: &Profile, total: &Operations) -> Option<f64> {
    let each = |name: &str, count: f64| profile.value(name).map(|joules| joules * count);
    sum(&[
        each("message_out_j", total.packets_out),
        each("spike_in_tile_j", total.packets_in_tile),
        each("packet_j", total.packets_out + total.hops_ew + total.hops_ns),
        each("hop_ew_j", total.hops_ew),
        each("hop_ns_j", total.hops_ns),
    ])
}

/// Time of a step without its barrier (s): the busiest core, and the longest way where a profile
/// says that one thing follows the other.
fn busy_s(profile: &Profile, workload: &Workload) -> Option<f64> {
    let neuron = profile.first(&["neuron_inactive_s", "neuron_access_s"])?;
    let value = |name: &str| profile.value(name).unwrap_or(0.0);
    let synapse = |kind: &str| profile.first(&[kind, "synaptic_event_s"]);
    let (dense, sparse, convolution) = (
        synapse("synaptic_event_dense_s")?,
        synapse("synaptic_event_sparse_s")?,
        synapse("synaptic_event_convolution_s")?,
    );
    let active = profile.value("neuron_active_s").map_or(0.0, |active| active - neuron);
    let computing = |core: &Operations| {
        core.neuron_steps * neuron
            + core.neuron_updates * value("neuron_update_s")
            + core.spikes * (active + value("spike_out_s"))
            + core.packets_out * value("message_out_s")
    };
    let receiving = |core: &Operations| {
        core.dense_events * dense
            + core.sparse_events * sparse
            + core.convolution_events * convolution
            + core.learning_updates * value("learning_update_s")
            + core.packets_in * value("message_in_s")
    };
    if workload.by_core.is_empty() {
        return None;
    }
    let cores = workload.by_core.iter();
    if profile.overlap.as_ref().is_some_and(|overlap| overlap.value) {
        return Some(cores.map(|core| computing(core).max(receiving(core))).fold(0.0, f64::max));
    }
    let slowest = cores.map(|core| computing(core) + receiving(core)).fold(0.0, f64::max);
    let [along, across] = workload.longest_way.map(|hops| hops as f64);
    Some(slowest + along * value("hop_ew_s") + across * value("hop_ns_s"))
}

impl Estimate {
    /// Where a measured latency is expected by the profile.
    pub fn latency_band_in_words(&self) -> String {
        match self.latency_band_s {
            Some([low, high]) => format!("{} to {}", quantity(low, "s"), quantity(high, "s")),
            None => "no error band stated".to_owned(),
        }
    }
}

impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "energy and time of an inference: modelled, not measured")?;
        writeln!(
            f,
            "profile {} of {} ({}; {})",
            self.profile, self.chip, self.profile_basis, self.source
        )?;
        for (name, joules) in [
            ("static", self.static_j),
            ("neuron", self.neuron_j),
            ("synapse", self.synapse_j),
            ("hop", self.hop_j),
            ("barrier", self.barrier_j),
            ("reset", self.reset_j),
        ] {
            match joules {
                Some(joules) => writeln!(f, "  {name:<10} {:>12}", quantity(joules, "J"))?,
                None => writeln!(f, "  {name:<10} {:>12}", "unknown")?,
            }
        }
        let missing = if self.unknown.is_empty() { "" } else { ", without the unknown terms" };
        write!(f, "  {:<10} {:>12}{missing}", "total", quantity(self.total_j, "J"))?;
        match self.error_band {
            Some(band) => writeln!(f, "; a measurement is expected within {}", percent_band(band))?,
            None => writeln!(f, "; the profile states no error band")?,
        }
        let shown = |value: Option<f64>, unit: &str| {
            value.map_or("unknown".to_owned(), |value| quantity(value, unit))
        };
        writeln!(
            f,
            "  step {}, latency {} ({}), {} inferences/s, power {}",
            shown(self.step_s, "s"),
            shown(self.latency_s, "s"),
            self.latency_band_in_words(),
            self.throughput_per_s.map_or("unknown".to_owned(), |rate| format!("{rate:.1}")),
            shown(self.power_w, "W")
        )
    }
}

/// A number with an SI prefix, to four digits: `1.330 mJ`.
pub fn quantity(value: f64, unit: &str) -> String {
    const PREFIXES: [(f64, &str); 7] = [
        (1.0, ""),
        (1e-3, "m"),
        (1e-6, "µ"),
        (1e-9, "n"),
        (1e-12, "p"),
        (1e-15, "f"),
        (1e-18, "a"),
    ];
    if value == 0.0 || !value.is_finite() {
        return format!("{value} {unit}");
    }
    let found = PREFIXES.iter().find(|(factor, _)| value.abs() >= *factor);
    let (factor, prefix) = found.copied().unwrap_or((1.0, ""));
    let scaled = value / factor;
    let decimals = match scaled.abs() {
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        _ => 3,
    };
    format!("{scaled:.decimals$} {prefix}{unit}")
}
