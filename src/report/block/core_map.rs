//! Cores of a chip on their mesh of routers and how full each one is.

use std::collections::BTreeMap;

use minijinja::context;
use serde::{Deserialize, Serialize};

use super::Render;
use crate::report::html::Page;
use crate::report::number::{count, format_number, nulls_are_nan, per_cent};
use crate::report::{ReportError, svg, text};

/// A mesh with more places than this is shown as a table only; the report says so.
const MOST_PLACES: u64 = 8_192;
/// The same for a row of routers.
const MOST_COLUMNS: u32 = 128;
/// The table under the map ends after this many cores.
const MOST_ROWS: usize = 1_000;

/// Occupancy of one chip: a mesh of routers with the same number of cores at each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CoreMap {
    /// Title.
    pub title: String,
    /// What there is to see; may be empty.
    #[serde(default)]
    pub description: String,
    /// Routers in a row.
    pub columns: u32,
    /// Rows of routers.
    pub rows: u32,
    /// Cores at each router.
    pub cores_per_router: u32,
    /// Names of the resources of a core, for example `neurons`, `synapse memory`.
    pub resources: Vec<String>,
    /// What the largest share of a core is called; the fullest resource where nothing is said.
    #[serde(default)]
    pub largest: Option<String>,
    /// Cores that may be used where not every place of the mesh has one.
    #[serde(default)]
    pub available: Option<u64>,
    /// Populations in the order of their colours, where several maps share these; without, those
    /// of the cores in order of appearance.
    #[serde(default)]
    pub population_order: Vec<String>,
    /// The cores in use; places not named here are free.
    pub cores: Vec<Core>,
}

/// One core in use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Core {
    /// Column of its router, from 0 at the left.
    pub column: u32,
    /// Row of its router, from 0 at the top.
    pub row: u32,
    /// Number of the core at its router, from 0.
    pub core: u32,
    /// Name of the core, for example `core 3`.
    pub label: String,
    /// What lives on it.
    pub populations: Vec<CorePopulation>,
    /// Further lines of its tooltip, for example amounts; may be empty.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Share in use of each resource of [`CoreMap::resources`], in that order; above 1 is over budget.
    #[serde(deserialize_with = "nulls_are_nan")]
    pub utilisation: Vec<f64>,
}

/// A population, or a part of one, on a core.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CorePopulation {
    /// Name of the population.
    pub name: String,
    /// Its neurons on this core.
    pub neurons: u64,
}

impl Core {
    /// The populations with their neurons, for reading.
    fn content(&self) -> Vec<String> {
        if self.populations.is_empty() {
            return vec!["no population".into()];
        }
        let read = |population: &CorePopulation| {
            let neurons = format_number(population.neurons as f64, None);
            format!("{} ({neurons} neurons)", population.name)
        };
        self.populations.iter().map(read).collect()
    }

    /// The fullest resource.
    fn highest(&self) -> f64 {
        let finite = self.utilisation.iter().copied().filter(|share| share.is_finite());
        finite.fold(f64::NAN, f64::max)
    }
}

impl CoreMap {
    /// Cores of the chip, `None` for a mesh without any.
    fn places(&self) -> Option<u64> {
        let routers = u64::from(self.columns) * u64::from(self.rows);
        Some(routers.saturating_mul(u64::from(self.cores_per_router))).filter(|places| *places > 0)
    }

    fn is_drawable(&self) -> bool {
        self.columns <= MOST_COLUMNS && self.places().is_some_and(|places| places <= MOST_PLACES)
    }

    /// The cores by place (row, column, core); of two at one place the first counts.
    fn by_place(&self) -> BTreeMap<(u32, u32, u32), &Core> {
        let mut map = BTreeMap::new();
        for core in &self.cores {
            let inside = core.column < self.columns
                && core.row < self.rows
                && core.core < self.cores_per_router;
            if inside {
                map.entry((core.row, core.column, core.core)).or_insert(core);
            }
        }
        map
    }

    /// All populations with the numbers of their colours, in the order of these.
    fn populations(&self) -> Vec<(&str, usize)> {
        let named = self.population_order.iter().map(String::as_str);
        let mut numbers: BTreeMap<&str, usize> = named.zip(0..).collect();
        let mut found = BTreeMap::new();
        for population in self.cores.iter().flat_map(|core| &core.populations) {
            let next = numbers.len();
            let name = population.name.as_str();
            found.insert(*numbers.entry(name).or_insert(next), name);
        }
        found.into_iter().map(|(number, name)| (name, number)).collect()
    }

    /// What the largest share is called.
    fn largest(&self) -> &str {
        self.largest.as_deref().unwrap_or("fullest resource")
    }

    fn share(&self, core: &Core, resource: usize) -> f64 {
        core.utilisation.get(resource).copied().unwrap_or(f64::NAN)
    }

    fn used(&self) -> String {
        match self.places() {
            Some(places) if self.available.is_some_and(|available| available < places) => format!(
                "{} of {} cores in use, drawn among {} places",
                count(self.cores.len()),
                format_number(self.available.unwrap_or(places) as f64, None),
                format_number(places as f64, None)
            ),
            Some(places) => format!(
                "{} of {} cores in use",
                count(self.cores.len()),
                format_number(places as f64, None)
            ),
            None => format!("{} cores in use", count(self.cores.len())),
        }
    }

    fn remarks(&self, shown: usize) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.places().is_some() && !self.is_drawable() {
            remarks.push("The mesh is too large to draw; the table lists its cores.".into());
        }
        if shown < self.cores.len() {
            remarks.push(format!(
                "Not on the map: {} cores outside the mesh or at a place already taken.",
                count(self.cores.len() - shown)
            ));
        }
        if self.cores.len() > MOST_ROWS {
            remarks.push(format!(
                "The table lists the first {} of {} cores.",
                count(MOST_ROWS),
                count(self.cores.len())
            ));
        }
        remarks
    }

    /// Values of one core for the template.
    fn cell(&self, core: &Core, colours: &BTreeMap<&str, usize>) -> minijinja::Value {
        let shares: Vec<_> = (0..self.resources.len())
            .map(|index| {
                let share = self.share(core, index);
                context! { shown => per_cent(share), over => share > 1.0 }
            })
            .collect();
        let stripes: Vec<String> = core
            .populations
            .iter()
            .filter_map(|population| colours.get(population.name.as_str()))
            .map(|index| svg::hex(svg::colour(*index)))
            .collect();
        let highest = core.highest();
        let values: Vec<String> = std::iter::once(highest)
            .chain((0..self.resources.len()).map(|index| self.share(core, index)))
            .map(rounded)
            .collect();
        let first = core.populations.first();
        context! {
            label => &core.label,
            place => format!("router ({}, {}), core {}", core.column, core.row, core.core),
            read => format!("{}, {} {}", core.label, self.largest(), per_cent(highest)),
            name => first.map(|population| svg::shorten(&population.name, 24)),
            more => core.populations.len().saturating_sub(1),
            values => values.join(","), heat => rounded(highest.clamp(0.0, 1.0)),
            percent => rounded((highest * 100.0).round()).trim_end_matches(".0000"),
            over => highest > 1.0, content => core.content().join(", "),
            lines => one_line_each(&[core.content(), core.facts.clone()].concat()), shares, stripes,
        }
    }
}

/// A share for the page's script; empty if it is not a number.
fn rounded(share: f64) -> String {
    if share.is_finite() { format!("{share:.4}") } else { String::new() }
}

/// Joins `parts` by line ends, which a part itself must then not hold.
fn one_line_each(parts: &[String]) -> String {
    let flat = parts.iter().map(|part| part.replace(char::is_control, " "));
    flat.collect::<Vec<_>>().join("\n")
}

const TEMPLATE: &str = r##"<figure class="block core-map" data-block="core_map">
<figcaption><span class="caption">{{ title }}</span>{% if description %}<span class="description">{{ description }}</span>{% endif %}<span class="description used">{{ used }}.</span></figcaption>
{% if routers %}
<div class="controls">
<fieldset class="choice" disabled><legend>Shade by</legend>
<label><input type="radio" name="{{ id }}" value="0" checked><span>{{ largest }}</span></label>{% for resource in resources %}<label><input type="radio" name="{{ id }}" value="{{ loop.index }}"><span>{{ resource }}</span></label>{% endfor %}
</fieldset>
<div class="scale" aria-hidden="true"><span>0&nbsp;%</span><i class="ramp"></i><span>100&nbsp;%</span><span class="key"><i class="swatch over"></i>over budget</span><span class="key"><i class="swatch free"></i>free</span></div>
</div>
<div class="scroll mesh-frame"><div class="mesh" role="group" data-resources="{{ resource_lines }}" aria-label="{{ title }}: {{ used }}. Arrow keys move between cores; the tooltip lists all resources." style="--columns:{{ columns }};--across:{{ across }}">
{% for router in routers %}
<div class="router"{% if router.used %} data-used{% endif %}>{% for core in router.cores %}{% if core %}<button type="button" class="core{% if core.over %} over{% endif %}" style="--heat:{{ core.heat or 0 }}" data-values="{{ core.values }}" data-label="{{ core.label }}" data-place="{{ core.place }}" data-content="{{ core.lines }}" aria-label="{{ core.read }}"><span class="percent" aria-hidden="true">{{ core.percent }}</span><span class="name" aria-hidden="true">{{ core.name }}{% if core.more %} +{{ core.more }}{% endif %}</span><span class="stripes" aria-hidden="true">{% for stripe in core.stripes %}<i data-fill="{{ stripe }}"></i>{% endfor %}</span></button>{% else %}<i></i>{% endif %}{% endfor %}</div>
{% endfor %}
</div></div>
{% endif %}
{% if legend %}<ul class="legend" aria-label="Populations">{% for entry in legend %}<li><i class="swatch" data-fill="{{ entry.colour }}"></i>{{ entry.name }}</li>{% endfor %}</ul>{% endif %}
{% for remark in remarks %}<p class="remark">{{ remark }}</p>{% endfor %}
{% if cells %}
<details><summary>Cores as a table</summary><div class="scroll" role="region" tabindex="0" aria-label="{{ title }}: table"><table class="numbers"><thead><tr><th scope="col">core</th><th scope="col">place</th><th scope="col">content</th>{% for resource in resources %}<th scope="col" class="right">{{ resource }}</th>{% endfor %}</tr></thead><tbody>{% for core in cells %}<tr><td>{{ core.label }}</td><td>{{ core.place }}</td><td>{{ core.content }}</td>{% for share in core.shares %}<td class="right{% if share.over %} over{% endif %}">{{ share.shown }}</td>{% endfor %}</tr>{% endfor %}</tbody></table></div></details>
{% endif %}
</figure>
"##;

impl Render for CoreMap {
    fn html(&self, page: &Page) -> Result<String, ReportError> {
        let names = self.populations();
        let colours = names.iter().copied().collect();
        let places = self.by_place();
        let mut routers = Vec::new();
        if self.is_drawable() {
            for row in 0..self.rows {
                for column in 0..self.columns {
                    let at = |core| places.get(&(row, column, core));
                    let cores: Vec<_> = (0..self.cores_per_router)
                        .map(|core| at(core).map(|core| self.cell(core, &colours)))
                        .collect();
                    let used = cores.iter().any(Option::is_some);
                    routers.push(context! { cores, used });
                }
            }
        }
        let cells: Vec<_> =
            self.cores.iter().take(MOST_ROWS).map(|core| self.cell(core, &colours)).collect();
        let legend: Vec<_> = names
            .iter()
            .take(24)
            .map(|(name, number)| {
                context! { name => *name, colour => svg::hex(svg::colour(*number)) }
            })
            .collect();
        let across = (1u32..).find(|side| side.saturating_mul(*side) >= self.cores_per_router);
        page.fill(
            "core map",
            TEMPLATE,
            context! {
                id => page.unique_id("shade"), title => &self.title, description => &self.description,
                largest => self.largest(), used => self.used(), resources => &self.resources, resource_lines => one_line_each(&self.resources), routers, cells, legend,
                columns => self.columns, across => across.unwrap_or(1),
                remarks => self.remarks(places.len()),
            },
        )
    }

    fn text(&self, width: usize) -> String {
        let mut lines = text::caption(&self.title, &self.description, width);
        let places = self.by_place();
        lines.push_str(&format!("{}.\n", self.used()));
        let row_width =
            u64::from(self.columns).saturating_mul(u64::from(self.cores_per_router) + 1) + 2;
        if self.is_drawable() && row_width <= width as u64 {
            lines.push('\n');
            for row in 0..self.rows {
                let mut line = String::from("  ");
                for column in 0..self.columns {
                    for core in 0..self.cores_per_router {
                        line.push(places.get(&(row, column, core)).map_or('·', |core| tenth(core)));
                    }
                    line.push(' ');
                }
                lines.push_str(line.trim_end());
                lines.push('\n');
            }
            let largest = self.largest();
            let key = format!("· free; 0 to 9: tenths of the {largest}; #: full; !: over budget");
            for line in text::wrap(&key, width - 2) {
                lines.push_str(&format!("  {line}\n"));
            }
        }
        let mut headings = vec!["core".to_string(), "router".into(), "content".into()];
        headings.extend(self.resources.iter().cloned());
        let mut right = vec![false; 3];
        right.resize(headings.len(), true);
        let rows: Vec<Vec<String>> = self
            .cores
            .iter()
            .take(MOST_ROWS)
            .map(|core| {
                let place = format!("{},{},{}", core.column, core.row, core.core);
                let mut row = vec![core.label.clone(), place, core.content().join(", ")];
                row.extend(
                    (0..self.resources.len()).map(|index| per_cent(self.share(core, index))),
                );
                row
            })
            .collect();
        lines.push('\n');
        lines.push_str(&text::table(&headings, &right, &rows, width));
        for remark in self.remarks(places.len()) {
            lines.push_str(&format!("{}\n", text::fit(&remark, width)));
        }
        lines
    }
}

fn tenth(core: &Core) -> char {
    let highest = core.highest();
    if highest > 1.0 {
        '!'
    } else if highest >= 0.995 {
        '#'
    } else {
        let tenths = (highest.max(0.0) * 10.0) as u32;
        char::from_digit(tenths.min(9), 10).unwrap_or('0')
    }
}
