//! Spikes by neuron and time, in one band a layer.

use std::fmt::Write;

use minijinja::context;
use plotters::prelude::*;
use serde::{Deserialize, Serialize};

use super::Render;
use crate::report::axis::{Axis, AxisScale, Span};
use crate::report::html::{Page, ready};
use crate::report::number::{count, format_number, null_is_nan};
use crate::report::svg::{self, Frame};
use crate::report::{ReportError, text};

/// More spikes than this are thinned by whole neurons; the chart says so.
pub(crate) const MOST_SPIKES: usize = 5_000;
/// Least share of the height that a layer gets, so that small layers stay readable.
const LEAST_BAND: f64 = 0.13;
/// More layers than this are not drawn; the chart says so.
const MOST_LAYERS: usize = 16;

/// Spikes of one run, coloured by layer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Raster {
    /// Title.
    pub title: String,
    /// What there is to see; may be empty.
    #[serde(default)]
    pub description: String,
    /// Time axis (linear).
    pub time: Axis,
    /// Length of one time step, which sets the width of a mark; `None` for continuous time.
    #[serde(default)]
    pub time_step: Option<f64>,
    /// The layers, top to bottom. Layer number `i` has colour number `i`.
    pub layers: Vec<RasterLayer>,
}

/// One layer of a raster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RasterLayer {
    /// Name.
    pub name: String,
    /// Number of neurons, silent ones included.
    pub neurons: u64,
    /// The spikes in any order.
    pub spikes: Vec<Spike>,
}

/// One spike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Spike {
    /// Number of the neuron within its layer, from 0.
    pub neuron: u64,
    /// When.
    #[serde(deserialize_with = "null_is_nan")]
    pub time: f64,
}

/// The spikes that are drawn, and what was left out in words.
struct Thinned {
    layers: Vec<Vec<Spike>>,
    remarks: Vec<String>,
}

impl Raster {
    fn axis(&self) -> Axis {
        Axis { scale: AxisScale::Linear, ..self.time.clone() }
    }

    /// Length of a time step, 0 in continuous time.
    fn step(&self) -> f64 {
        self.time_step.filter(|step| step.is_finite() && *step > 0.0).unwrap_or(0.0)
    }

    fn drawn_layers(&self) -> &[RasterLayer] {
        &self.layers[..self.layers.len().min(MOST_LAYERS)]
    }

    fn time_span(&self) -> Span {
        let times = self.layers.iter().flat_map(|layer| &layer.spikes).map(|spike| spike.time);
        let half = self.step() / 2.0;
        let times: Vec<f64> = times.collect();
        let padded = times.iter().flat_map(|time| [time - half, time + half]);
        self.axis().fit(padded, 0.0, 10)
    }

    /// Keeps every k-th neuron of layers that exceed their fair share of [`MOST_SPIKES`].
    fn thin(&self, span: &Span) -> Thinned {
        let axis = self.axis();
        let mut layers: Vec<Vec<Spike>> = Vec::new();
        let mut unplaceable = 0;
        for layer in self.drawn_layers() {
            let fits = |spike: &&Spike| {
                spike.neuron < layer.neurons
                    && axis.position(spike.time).is_some_and(|time| span.holds(time))
            };
            let kept: Vec<Spike> = layer.spikes.iter().filter(fits).copied().collect();
            unplaceable += layer.spikes.len() - kept.len();
            layers.push(kept);
        }
        let mut remarks = Vec::new();
        let mut by_size: Vec<usize> = (0..layers.len()).collect();
        by_size.sort_by_key(|index| layers[*index].len());
        let mut left = MOST_SPIKES;
        for (rank, index) in by_size.iter().copied().enumerate() {
            let share = left / (layers.len() - rank);
            let before = layers[index].len();
            if before > share {
                let every = thin_layer(&mut layers[index], share);
                let name = self.layers.get(index).map_or("", |layer| layer.name.as_str());
                remarks.push(format!(
                    "{name}: drawn is one in {} neurons ({} of {} spikes).",
                    count(every),
                    count(layers[index].len()),
                    count(before)
                ));
            }
            left -= layers[index].len();
        }
        if unplaceable > 0 {
            remarks.push(format!(
                "Not drawn: {} spikes outside the time range or of neurons that do not exist.",
                count(unplaceable)
            ));
        }
        if self.layers.len() > MOST_LAYERS {
            let all = self.layers.len();
            remarks.push(format!("Showing the first {MOST_LAYERS} of {} layers.", count(all)));
        }
        Thinned { layers, remarks }
    }

    /// Height of each layer's band; they add up to 1.
    fn bands(&self) -> Vec<f64> {
        let layers = self.drawn_layers();
        let total: f64 = layers.iter().map(|layer| layer.neurons as f64).sum();
        let least = LEAST_BAND.min(1.0 / layers.len().max(1) as f64);
        let raised = layers.iter().map(|layer| (layer.neurons as f64 / total.max(1.0)).max(least));
        let raised: Vec<f64> = raised.collect();
        let sum: f64 = raised.iter().sum();
        raised.into_iter().map(|band| band / sum).collect()
    }

    fn picture(&self, thinned: &Thinned, x: &Span, narrow: bool) -> Result<String, ReportError> {
        let (width, letters) = if narrow { (400, 10) } else { (960, 18) };
        let layers = self.drawn_layers();
        let height = 330 + 40 * layers.len() as u32;
        let names = || layers.iter().map(|layer| svg::shorten(&layer.name, letters));
        let counts = || layers.iter().map(|layer| neurons_of(layer.neurons, narrow));
        let longest = names().chain(counts()).map(|words| words.chars().count()).max();
        let left = 22 + 8 * longest.unwrap_or(1) as u32;
        let frame = Frame { width, height, left, right: 14, rows: false, columns: true };
        let y = Span { minimum: 0.0, maximum: 1.0, ticks: Vec::new() };
        let mut x = x.clone();
        if narrow {
            let every = x.ticks.len().div_ceil(5).max(1);
            x.ticks = x.ticks.into_iter().step_by(every).collect();
        }
        svg::draw(frame, &x, &y, (&self.time.heading(), ""), |chart| {
            let mut top = String::new();
            let mut upper = 1.0;
            for (index, band) in self.bands().into_iter().enumerate() {
                let lower = upper - band;
                let edge = [(x.minimum, lower), (x.maximum, lower)];
                let edge = LineSeries::new(edge, svg::RULE.stroke_width(1));
                chart.draw_series(edge).map_err(svg::failed)?;
                let Some(layer) = layers.get(index) else {
                    continue;
                };
                let at = (x.minimum, upper - band / 2.0);
                let back = -(left as i32) + 6;
                let label = EmptyElement::at(at)
                    + Text::new(
                        svg::shorten(&layer.name, letters),
                        (back, -16),
                        svg::font(13.5, svg::colour(index)),
                    )
                    + Text::new(
                        neurons_of(layer.neurons, narrow),
                        (back, 2),
                        svg::font(11.5, svg::MUTED),
                    );
                chart.draw_series(std::iter::once(label)).map_err(svg::failed)?;
                let step = chart.plotting_area().dim_in_pixel().0 as f64 * self.step()
                    / (x.maximum - x.minimum);
                let mark = (step * 0.55).clamp(2.0, 9.0).round() as i32;
                let rows = layer.neurons.max(1) as f64;
                let place = |spike: &Spike| {
                    let row = (spike.neuron as f64 + 0.5) / rows;
                    // A little air keeps the outermost neurons off the boundary.
                    chart.backend_coord(&(spike.time, upper - band * (0.03 + 0.94 * row)))
                };
                let spikes = thinned.layers.get(index).map_or(&[][..], Vec::as_slice);
                top.push_str(&marks(spikes.iter().map(place), mark, svg::colour(index)));
                upper = lower;
            }
            Ok(top)
        })
    }

    fn summary(&self) -> String {
        let layers = self.layers.iter().map(|layer| {
            format!(
                "{}: {} spikes of {} neurons",
                layer.name,
                count(layer.spikes.len()),
                format_number(layer.neurons as f64, None)
            )
        });
        let layers: Vec<String> = layers.collect();
        format!("Spike raster over {}. {}.", self.time.heading(), layers.join("; "))
    }

    fn is_empty(&self) -> bool {
        self.layers.iter().all(|layer| layer.spikes.is_empty())
    }
}

fn neurons_of(neurons: u64, narrow: bool) -> String {
    let number = format_number(neurons as f64, None);
    match (narrow, neurons) {
        (true, _) => format!("n = {number}"),
        (false, 1) => format!("{number} neuron"),
        (false, _) => format!("{number} neurons"),
    }
}

/// Keeps every k-th neuron, k the smallest tried that leaves at most `share` spikes; returns k.
fn thin_layer(spikes: &mut Vec<Spike>, share: usize) -> usize {
    let mut every = spikes.len().div_ceil(share.max(1)).max(2) as u64;
    let last = spikes.iter().map(|spike| spike.neuron).max().unwrap_or(0);
    while every <= last && spikes.iter().filter(|spike| spike.neuron % every == 0).count() > share {
        every += (every / 8).max(1);
    }
    spikes.retain(|spike| spike.neuron % every == 0);
    // A few neurons with very many spikes: of these not all spikes are kept.
    let surplus = spikes.len().div_ceil(share.max(1)).max(1);
    let mut place = 0;
    spikes.retain(|_| {
        place += 1;
        place % surplus == 0
    });
    every as usize
}

/// All marks of one layer as a single path, which keeps the page small.
fn marks(places: impl Iterator<Item = (i32, i32)>, width: i32, colour: RGBColor) -> String {
    let mut path = String::new();
    for (x, y) in places {
        // Writing to a String cannot fail.
        let _ = write!(path, "M{} {y}h{width}", x - width / 2);
    }
    if path.is_empty() {
        return path;
    }
    format!(
        "<path class=\"spikes\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" d=\"{path}\"/>",
        svg::hex(colour)
    )
}

const TEMPLATE: &str = r#"<figure class="block chart-block" data-block="raster">
<figcaption><span class="caption">{{ title }}</span>{% if description %}<span class="description">{{ description }}</span>{% endif %}</figcaption>
{% if not wide %}<p class="empty">No spikes.</p>{% else %}
<div class="chart" role="img" aria-label="{{ summary }}"><div class="wide">{{ wide }}</div><div class="narrow">{{ narrow }}</div></div>
{% if stretched %}<p class="remark">Bands of small layers are stretched; heights are not to one scale.</p>{% endif %}
{% for remark in remarks %}<p class="remark">{{ remark }}</p>{% endfor %}
{% endif %}
</figure>
"#;

impl Render for Raster {
    fn html(&self, page: &Page) -> Result<String, ReportError> {
        let span = self.time_span();
        let thinned = self.thin(&span);
        let draw = |narrow| {
            if self.is_empty() {
                Ok(None)
            } else {
                self.picture(&thinned, &span, narrow).map(|svg| Some(ready(svg)))
            }
        };
        let layers = self.drawn_layers();
        let total: u64 = layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.neurons));
        let stretched = layers.iter().any(|layer| {
            layers.len() > 1 && (layer.neurons as f64) < LEAST_BAND * total.max(1) as f64
        });
        page.fill(
            "raster",
            TEMPLATE,
            context! {
                title => &self.title, description => &self.description, summary => self.summary(),
                stretched, remarks => &thinned.remarks, wide => draw(false)?, narrow => draw(true)?,
            },
        )
    }

    fn text(&self, width: usize) -> String {
        const ROWS: usize = 5;
        let mut lines = text::caption(&self.title, &self.description, width);
        if self.is_empty() {
            return lines + "(no spikes)\n";
        }
        let span = self.time_span();
        let axis = self.axis();
        let names = self.layers.iter().map(|layer| text::columns(&layer.name)).max();
        let label = names.unwrap_or(0).clamp(1, width / 4);
        let steps = (span.maximum - span.minimum) / self.step();
        let room = width.saturating_sub(label + 4).min(80);
        let plot =
            if steps.is_finite() && steps >= 1.0 { room.min(steps.round() as usize) } else { room };
        for layer in self.drawn_layers() {
            let rows = (layer.neurons.clamp(1, ROWS as u64)) as usize;
            let mut grid = vec![vec![0usize; plot]; rows];
            for spike in layer.spikes.iter().filter(|spike| spike.neuron < layer.neurons) {
                if let Some(time) = axis.position(spike.time).filter(|time| span.holds(*time)) {
                    let column = (span.share(time) * plot as f64) as usize;
                    let row = spike.neuron as f64 / layer.neurons as f64 * rows as f64;
                    grid[(row as usize).min(rows - 1)][column.min(plot - 1)] += 1;
                }
            }
            let most = grid.iter().flatten().copied().max().unwrap_or(0).max(1);
            for (row, cells) in grid.iter().enumerate() {
                let name = if row == 0 { layer.name.as_str() } else { "" };
                let shades = cells.iter().map(|spikes| text::shade(*spikes as f64 / most as f64));
                let shades: String = shades.collect();
                lines.push_str(&format!("  {} │{shades}\n", text::fit(name, label)));
            }
            lines.push_str(&format!("  {} ├{}\n", " ".repeat(label), "─".repeat(plot)));
        }
        let ends = format!(
            "{} from {} to {}; darker is more spikes",
            self.time.heading(),
            format_number(span.minimum, None),
            format_number(span.maximum, None)
        );
        for line in text::wrap(&ends, width.saturating_sub(2)) {
            lines.push_str(&format!("  {line}\n"));
        }
        lines
    }
}
