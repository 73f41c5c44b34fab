//! What operations of a chip cost in energy and time, as named sets of figures of one basis.
//!
//! Figures of different bases (simulation before silicon, a fit to boards, one operating point)
//! must never be mixed, so each set is a profile of its own with its source and error band.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::sourced::{Evidence, Figure, Sourced};

/// A set of figures with one basis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name for people.
    pub title: String,
    /// What kind of figures these are: `pre-silicon simulation`, `fit to silicon`, …
    pub basis: String,
    /// Citation of the set.
    pub source: String,
    /// How the source knows it.
    pub evidence: Evidence,
    /// Where a measured energy lies around the modelled one, relative: `[-0.25, 0.25]`.
    pub error_band: Option<Sourced<[f64; 2]>>,
    /// The same for latency.
    pub latency_error_band: Option<Sourced<[f64; 2]>>,
    /// The figures by the names in [`TERMS`].
    #[serde(default)]
    pub terms: IndexMap<String, Sourced<f64>>,
    /// Whether a core computes neurons and sends while it takes packets in, so that a step is as
    /// long as the longer of the two and ways over the mesh do not count; else one follows the
    /// other.
    pub overlap: Option<Sourced<bool>>,
    /// Time of the barrier at a step's end by routers in use: points `[routers, s]`.
    pub barrier_s_by_routers: Option<Sourced<Vec<[f64; 2]>>>,
    /// The same by chips, for more than one: points `[chips, s]`.
    pub barrier_s_by_chips: Option<Sourced<Vec<[f64; 2]>>>,
}

/// What a figure of a profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Name in the description.
    pub name: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// One sentence.
    pub meaning: &'static str,
}

const fn term(name: &'static str, unit: &'static str, meaning: &'static str) -> Term {
    Term { name, unit, meaning }
}

/// All figures that a profile may have.
pub static TERMS: &[Term] = &[
    term("static_w", "W", "power of the whole system without activity"),
    term("static_w_per_chip", "W", "power of a chip without activity"),
    term("active_w_per_core", "W", "power of a core in use, added to the chip's"),
    term("clock_w_per_hz", "W/Hz", "power for each hertz of the clock"),
    term("clocks_per_synaptic_event", "", "clock cycles that a synaptic event takes"),
    term("reset_j_per_chip", "J", "resetting a chip's state before an inference"),
    term("synaptic_event_j", "J", "a spike through a synapse"),
    term("synaptic_event_dense_j", "J", "a spike through a synapse of a dense list"),
    term("synaptic_event_sparse_j", "J", "a spike through a synapse of a list with indices"),
    term("synaptic_event_convolution_j", "J", "a spike through a synapse of a shared kernel"),
    term("learning_update_j", "J", "an update of a plastic synapse"),
    term("neuron_inactive_j", "J", "a step of a neuron that does not spike"),
    term("neuron_active_j", "J", "a step of a neuron that spikes, instead of an inactive one"),
    term("neuron_access_j", "J", "a step of a neuron, in any case"),
    term("neuron_update_j", "J", "added where the neuron's state changes"),
    term("neuron_step_j", "J", "a step of a neuron, all in"),
    term("spike_out_j", "J", "added where a neuron spikes"),
    term("message_out_j", "J", "a packet that leaves a core"),
    term("packet_j", "J", "a packet through one router"),
    term("spike_in_tile_j", "J", "a packet to a core at the same router"),
    term("hop_ew_j", "J", "a hop along a row"),
    term("hop_ns_j", "J", "a hop along a column"),
    term("timestep_s", "s", "length of a step in real-time operation"),
    term("synaptic_event_s", "s", "a spike through a synapse"),
    term("synaptic_event_dense_s", "s", "a spike through a synapse of a dense list"),
    term("synaptic_event_sparse_s", "s", "a spike through a synapse of a list with indices"),
    term("synaptic_event_convolution_s", "s", "a spike through a synapse of a shared kernel"),
    term("learning_update_s", "s", "an update of a plastic synapse"),
    term("neuron_inactive_s", "s", "a step of a neuron that does not spike"),
    term("neuron_active_s", "s", "a step of a neuron that spikes"),
    term("neuron_access_s", "s", "a step of a neuron, in any case"),
    term("neuron_update_s", "s", "added where the neuron's state changes"),
    term("spike_out_s", "s", "added where a neuron spikes"),
    term("message_out_s", "s", "a packet that leaves a core"),
    term("message_in_s", "s", "a packet that enters a core"),
    term("spike_in_tile_s", "s", "a packet to a core at the same router"),
    term("hop_ew_s", "s", "a hop along a row"),
    term("hop_ns_s", "s", "a hop along a column"),
];

impl Profile {
    /// A figure; `None` where it is unknown.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.terms.get(name).map(|figure| figure.value)
    }

    /// The first of these figures that is known.
    pub fn first(&self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| self.value(name))
    }

    /// Time of the barrier at a step's end (s), between the points in proportion and outside them
    /// as at the nearest; `None` where it is unknown.
    pub fn barrier(&self, routers: u64, chips: u64) -> Option<f64> {
        match (&self.barrier_s_by_chips, &self.barrier_s_by_routers) {
            (Some(points), _) if chips > 1 => between(&points.value, chips as f64),
            (_, Some(points)) => between(&points.value, routers as f64),
            _ => None,
        }
    }

    /// The lines of the data sheet; `name` is the profile's.
    pub(super) fn figures(&self, name: &str) -> Vec<Figure> {
        let mut lines = Vec::new();
        for (field, band) in
            [("error_band", &self.error_band), ("latency_error_band", &self.latency_error_band)]
        {
            let field = format!("profiles.{name}.{field}");
            let show = |band: &[f64; 2]| percent_band(*band);
            lines.push(Figure::new(field, "", band.as_ref(), show));
        }
        if let Some(overlap) = &self.overlap {
            let field = format!("profiles.{name}.overlap");
            lines.push(Figure::new(field, "", Some(overlap), bool::to_string));
        }
        for (term, figure) in &self.terms {
            let unit = TERMS.iter().find(|known| known.name == term).map_or("", |t| t.unit);
            let field = format!("profiles.{name}.terms.{term}");
            lines.push(Figure::new(field, unit, Some(figure), |value| format!("{value:e}")));
        }
        for (field, points) in [
            ("barrier_s_by_routers", &self.barrier_s_by_routers),
            ("barrier_s_by_chips", &self.barrier_s_by_chips),
        ] {
            let Some(points) = points else { continue };
            let show = |points: &Vec<[f64; 2]>| {
                let each: Vec<_> = points.iter().map(|[n, s]| format!("{n}: {s:e}")).collect();
                each.join(", ")
            };
            let field = format!("profiles.{name}.{field}");
            lines.push(Figure::new(field, "s", Some(points), show));
        }
        lines
    }
}

/// A band as text: `-25 % to +25 %`.
pub fn percent_band([low, high]: [f64; 2]) -> String {
    format!("{:+.0} % to {:+.0} %", 100.0 * low, 100.0 * high)
}

/// Linear between ascending points.
fn between(points: &[[f64; 2]], x: f64) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    if x <= first[0] {
        return Some(first[1]);
    }
    for pair in points.windows(2) {
        let ([x0, y0], [x1, y1]) = (pair[0], pair[1]);
        if x <= x1 {
            return Some(y0 + (y1 - y0) * (x - x0) / (x1 - x0));
        }
    }
    Some(last[1])
}
