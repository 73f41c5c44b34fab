//! Everything that has a name and can be chosen, from the registries themselves.
//!
//! To show another registry: a function below and its line in [`LISTS`].

mod chips;

pub use chips::figures;

use crate::error::Error;
use crate::listing::Listing;
use crate::loihi_export::chip::ARITHMETICS;
use crate::loihi_export::emulator::process::PROCESSES;
use crate::loihi_export::partition::PARTITIONERS;
use crate::loihi_export::place::PLACERS;
use crate::loihi_export::quantise::scale::SCALE_RULES;
use crate::loihi_export::route::ROUTERS;
use crate::model_io::sniff::Format;
use crate::sim_core::connectivity::RULES as CONNECTIVITY_RULES;
use crate::sim_core::diagnostics::known_names;
use crate::sim_core::distribution::DISTRIBUTIONS;
use crate::sim_core::engine::ENGINES;
use crate::sim_core::neuron::{MODELS, ModelTime, NeuronModel};
use crate::sim_core::stimulus::STIMULI;
use crate::sim_core::synapse::{RULES as SYNAPSE_RULES, Unit};
use crate::snn_convert::coding::CODES;
use crate::snn_convert::coding::readout::READOUTS;
use crate::snn_convert::method::METHODS;
use crate::snn_convert::source::onnx::supported_operators;
use crate::snn_convert::threshold::RULES;
use crate::{bench, exports};
use serde_json::json;

/// A registry that can be listed.
pub struct ListEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The entries.
    pub list: fn() -> Result<Listing, Error>,
    /// Tables of entries, where one line says too little.
    pub details: fn() -> Result<Vec<Detail>, Error>,
    /// Whether these stand below the list, too; else they are shown of one entry at a time.
    pub in_full: bool,
}

/// What one line of a list says too little about.
pub struct Detail {
    /// Name of the entry.
    pub entry: String,
    /// The table.
    pub table: Listing,
}

impl ListEntry {
    /// One entry alone, and its tables.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the names there are.
    pub fn only(&self, name: &str) -> Result<(Listing, Vec<Listing>), Error> {
        let mut listing = (self.list)()?;
        let known = listing.rows.iter().filter_map(|row| row.first()?.as_str().map(str::to_owned));
        let known: Vec<String> = known.collect();
        listing.rows.retain(|row| row.first().is_some_and(|first| first == name));
        if listing.rows.is_empty() {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let known = known_names(name, &known);
            return Err(Error::Unknown { what: "entry", name: name.to_string(), known });
        }
        let details = (self.details)()?.into_iter().filter(|detail| detail.entry == name);
        Ok((listing, details.map(|detail| detail.table).collect()))
    }
}

/// All lists.
pub static LISTS: &[ListEntry] = &[
    ListEntry {
        name: "models",
        summary: "neuron models",
        list: models,
        details: model_tables,
        in_full: false,
    },
    plain("connectivity", "rules of connectivity", connectivity),
    plain("distributions", "what weights, delays and parameters are drawn from", distributions),
    plain("stimuli", "what drives a network", stimuli),
    ListEntry {
        name: "rules",
        summary: "how synapses change: short-term, long-term, homeostasis",
        list: rules,
        details: rule_parameters,
        in_full: true,
    },
    ListEntry {
        name: "chips",
        summary: "chips, each figure with its source",
        list: chips::chips,
        details: chips::data_sheets,
        in_full: true,
    },
    plain("formats", "files that are recognised", formats),
    plain("exports", "formats that `spikeloom export` writes", export_formats),
    plain("methods", "conversion methods", methods),
    plain("thresholds", "rules that choose what a spike stands for", thresholds),
    plain("codes", "ways to put a sample in", codes),
    plain("readouts", "ways to read an answer", readouts),
    plain("engines", "simulation engines", engines),
    plain("partitioners", "ways to cut populations to fit cores", partitioners),
    plain("placers", "ways to choose cores", placers),
    plain("routers", "ways of spikes over the mesh", routers),
    plain("processes", "integer neurons of the fixed-point engine", processes),
    plain("scales", "rules that choose how many integers a weight's unit becomes", scales),
    plain("arithmetics", "arithmetic in which emulators of Loihi differ", arithmetics),
    plain("dialects", "conventions of NIR's frameworks", dialects),
    plain("operators", "ONNX operators that are read", operators),
    plain("workloads", "what `spikeloom bench` measures", workloads),
];

const fn plain(
    name: &'static str,
    summary: &'static str,
    list: fn() -> Result<Listing, Error>,
) -> ListEntry {
    ListEntry { name, summary, list, details: || Ok(Vec::new()), in_full: false }
}

/// The list of this name.
///
/// # Errors
/// [`Error::Unknown`] with the names there are.
pub fn find_list(name: &str) -> Result<&'static ListEntry, Error> {
    let names = LISTS.iter().map(|entry| entry.name);
    named("list", name, LISTS.iter().find(|entry| entry.name == name), names)
}

/// What was found in a registry, or an error with the names that are known.
///
/// # Errors
/// [`Error::Unknown`] where nothing was found.
pub fn named<T>(
    what: &'static str,
    name: &str,
    found: Option<T>,
    known: impl IntoIterator<Item = &'static str>,
) -> Result<T, Error> {
    found.ok_or_else(|| {
        let known: Vec<&str> = known.into_iter().collect();
        Error::Unknown { what, name: name.to_string(), known: known_names(name, &known) }
    })
}

fn scales() -> Result<Listing, Error> {
    let rows = SCALE_RULES.iter().map(|(name, summary, _)| vec![json!(name), json!(summary)]);
    Ok(Listing { title: "scales".to_string(), columns: NAMED.to_vec(), rows: rows.collect() })
}

fn arithmetics() -> Result<Listing, Error> {
    let rows = ARITHMETICS.iter().map(|named| vec![json!(named.name), json!(named.summary)]);
    Ok(Listing { title: "arithmetics".to_string(), columns: NAMED.to_vec(), rows: rows.collect() })
}

const NAMED: [&str; 2] = ["name", "summary"];
const CITED: [&str; 3] = ["name", "summary", "reference"];

fn models() -> Result<Listing, Error> {
    let columns = [
        "name",
        "summary",
        "time",
        "parameters",
        "receptors",
        "variables",
        "single_precision",
        "reference",
    ];
    let row = |model: &&dyn NeuronModel| {
        let spec = model.spec();
        let time = match spec.time {
            ModelTime::Continuous => "continuous",
            ModelTime::Stepwise => "stepwise",
        };
        let parameters = spec.parameters.iter().map(|parameter| {
            json!({
                "name": parameter.name,
                "symbol": parameter.symbol,
                "unit": parameter.dimension.base_unit(),
                "default": parameter.default,
                "range": parameter.range.describe(),
                "meaning": parameter.meaning,
            })
        });
        let receptors = spec.receptors.iter().map(|receptor| {
            let unit = receptor.weight.base_unit();
            json!({ "name": receptor.name, "unit": unit, "meaning": receptor.meaning })
        });
        let variables = spec.variables.iter().map(|variable| {
            let unit = variable.dimension.base_unit();
            json!({ "name": variable.name, "unit": unit, "meaning": variable.meaning })
        });
        [
            json!(spec.name),
            json!(spec.summary),
            json!(time),
            parameters.collect(),
            receptors.collect(),
            variables.collect(),
            json!(model.narrow_form()),
            json!(spec.reference),
        ]
    };
    let rows = MODELS.iter().map(row);
    Ok(Listing::new("Neuron models", &columns).with_rows(rows))
}

/// What each model has, for people.
fn model_tables() -> Result<Vec<Detail>, Error> {
    let tables = MODELS.iter().flat_map(|model| {
        let spec = model.spec();
        let parameters = spec.parameters.iter().map(|parameter| {
            [
                json!(parameter.name),
                json!(parameter.symbol),
                json!(parameter.default.to_string()),
                json!(parameter.dimension.base_unit()),
                json!(parameter.range.describe()),
                json!(parameter.meaning),
            ]
        });
        let receptors = spec.receptors.iter().map(|receptor| {
            [json!(receptor.name), json!(receptor.weight.base_unit()), json!(receptor.meaning)]
        });
        let variables = spec.variables.iter().map(|variable| {
            [json!(variable.name), json!(variable.dimension.base_unit()), json!(variable.meaning)]
        });
        let titled = |title: &str| format!("{title} of {}", spec.name);
        [
            Listing::new(titled("Parameters"), &PARAMETERS).with_rows(parameters),
            Listing::new(titled("Receptors"), &["receptor", "unit", "meaning"])
                .with_rows(receptors),
            Listing::new(titled("State variables"), &["variable", "unit", "meaning"])
                .with_rows(variables),
        ]
        .map(|table| Detail { entry: spec.name.to_string(), table })
    });
    Ok(tables.filter(|detail| !detail.table.rows.is_empty()).collect())
}

const PARAMETERS: [&str; 6] = ["parameter", "symbol", "default", "unit", "range", "meaning"];

const KEYED: [&str; 3] = ["name", "summary", "keys"];

fn connectivity() -> Result<Listing, Error> {
    let rows = CONNECTIVITY_RULES
        .iter()
        .map(|entry| [json!(entry.name), json!(entry.summary), json!(entry.keys)]);
    Ok(Listing::new("Rules of connectivity", &KEYED).with_rows(rows))
}

fn rules() -> Result<Listing, Error> {
    let columns = ["name", "key", "summary", "parameters", "pairings", "modulated", "reference"];
    let rows = SYNAPSE_RULES.iter().map(|rule| {
        let spec = rule.spec();
        let parameters = spec.parameters.iter().map(|parameter| {
            json!({
                "name": parameter.name,
                "symbol": parameter.symbol,
                "unit": rule_unit(parameter.unit),
                "default": parameter.default,
                "default_as": rule.as_given(parameter.name),
                "range": parameter.range.describe(),
                "meaning": parameter.meaning,
            })
        });
        [
            json!(spec.name),
            json!(spec.kind.key()),
            json!(spec.summary),
            parameters.collect(),
            spec.pairings.iter().map(|pairing| json!(pairing.name())).collect(),
            json!(spec.modulated),
            json!(spec.reference),
        ]
    });
    Ok(Listing::new("Synapse rules", &columns).with_rows(rows))
}

fn rule_unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Of(dimension) => dimension.base_unit(),
        Unit::Weight => "of the weight",
    }
}

/// The parameters of each rule for people.
fn rule_parameters() -> Result<Vec<Detail>, Error> {
    let listings = SYNAPSE_RULES.iter().map(|rule| {
        let spec = rule.spec();
        let rows = spec.parameters.iter().map(|parameter| {
            [
                json!(parameter.name),
                json!(parameter.symbol),
                json!(match (parameter.default, rule.as_given(parameter.name)) {
                    (Some(default), _) => default.to_string(),
                    (None, Some(other)) => format!("that of {other}"),
                    (None, None) => "must be given".to_string(),
                }),
                json!(rule_unit(parameter.unit)),
                json!(parameter.range.describe()),
                json!(parameter.meaning),
            ]
        });
        let table = Listing::new(spec.name, &PARAMETERS).with_rows(rows);
        Detail { entry: spec.name.to_string(), table }
    });
    Ok(listings.collect())
}

fn distributions() -> Result<Listing, Error> {
    let rows = DISTRIBUTIONS
        .iter()
        .map(|entry| [json!(entry.name), json!(entry.summary), json!(entry.keys)]);
    Ok(Listing::new("Distributions and functions of distance", &KEYED).with_rows(rows))
}

fn stimuli() -> Result<Listing, Error> {
    let rows =
        STIMULI.iter().map(|entry| [json!(entry.name), json!(entry.summary), json!(entry.keys)]);
    Ok(Listing::new("Stimuli", &KEYED).with_rows(rows))
}

fn formats() -> Result<Listing, Error> {
    let rows = Format::all().map(|format| [json!(format.name()), json!(format.description())]);
    Ok(Listing::new("File formats", &NAMED).with_rows(rows))
}

fn export_formats() -> Result<Listing, Error> {
    let rows = exports::EXPORTS.iter().map(|entry| [json!(entry.name), json!(entry.summary)]);
    Ok(Listing::new("Export formats", &NAMED).with_rows(rows))
}

fn dialects() -> Result<Listing, Error> {
    let rows = crate::model_io::nir::dialect::DIALECTS
        .iter()
        .map(|entry| [json!(entry.name), json!(entry.summary), json!(entry.evidence)]);
    Ok(Listing::new("NIR dialects", &CITED).with_rows(rows))
}

fn methods() -> Result<Listing, Error> {
    let rows = METHODS
        .iter()
        .map(|entry| [json!(entry.name), json!(entry.summary), json!(entry.reference)]);
    Ok(Listing::new("Conversion methods", &CITED).with_rows(rows))
}

fn thresholds() -> Result<Listing, Error> {
    let rows =
        RULES.iter().map(|entry| [json!(entry.name), json!(entry.summary), json!(entry.reference)]);
    Ok(Listing::new("Threshold rules", &CITED).with_rows(rows))
}

fn codes() -> Result<Listing, Error> {
    let rows = CODES.iter().map(|entry| [json!(entry.name), json!(entry.summary)]);
    Ok(Listing::new("Input codes", &NAMED).with_rows(rows))
}

fn readouts() -> Result<Listing, Error> {
    let rows = READOUTS.iter().map(|entry| [json!(entry.name), json!(entry.summary)]);
    Ok(Listing::new("Read-outs", &NAMED).with_rows(rows))
}

fn engines() -> Result<Listing, Error> {
    let rows = ENGINES.iter().map(|entry| [json!(entry.name), json!(entry.summary)]);
    Ok(Listing::new("Engines", &NAMED).with_rows(rows))
}

fn partitioners() -> Result<Listing, Error> {
    let rows = PARTITIONERS.iter().map(|entry| [json!(entry.name), json!(entry.summary)]);
    Ok(Listing::new("Partitioners", &NAMED).with_rows(rows))
}

fn placers() -> Result<Listing, Error> {
    let rows = PLACERS.iter().map(|entry| [json!(entry.name), json!(entry.summary)]);
    Ok(Listing::new("Placers", &NAMED).with_rows(rows))
}

fn routers() -> Result<Listing, Error> {
    let rows = ROUTERS.iter().map(|entry| [json!(entry.name), json!(entry.summary)]);
    Ok(Listing::new("Routers", &NAMED).with_rows(rows))
}

fn processes() -> Result<Listing, Error> {
    let rows = PROCESSES.iter().map(|process| {
        let parameters = process.parameters.iter().map(|parameter| {
            json!({
                "name": parameter.name,
                "meaning": parameter.meaning,
                "minimum": parameter.minimum,
                "maximum": parameter.maximum,
                "default": parameter.default,
                "per_neuron": parameter.per_neuron,
            })
        });
        [json!(process.name), json!(process.summary), parameters.collect()]
    });
    Ok(Listing::new("Integer processes", &["name", "summary", "parameters"]).with_rows(rows))
}

fn operators() -> Result<Listing, Error> {
    let rows = supported_operators().into_iter().map(|name| [json!(name)]);
    Ok(Listing::new("ONNX operators", &["name"]).with_rows(rows))
}

fn workloads() -> Result<Listing, Error> {
    let rows = bench::WORKLOADS.iter().map(|entry| [json!(entry.name), json!(entry.summary)]);
    Ok(Listing::new("Workloads", &NAMED).with_rows(rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loihi_export::chip::ChipCatalogue;

    #[test]
    fn every_list_has_rows_of_its_width_and_a_name_of_its_own() {
        for entry in LISTS {
            let listing = (entry.list)().unwrap();
            assert!(!listing.rows.is_empty(), "{}", entry.name);
            let details = (entry.details)().unwrap();
            for list in details.iter().map(|detail| &detail.table).chain([&listing]) {
                let width = list.columns.len();
                assert!(list.rows.iter().all(|row| row.len() == width), "{}", list.title);
            }
            for row in &listing.rows {
                let (only, own) = entry.only(row[0].as_str().unwrap()).unwrap();
                assert_eq!(only.rows, std::slice::from_ref(row));
                let of = |detail: &&Detail| detail.entry == row[0];
                assert_eq!(own.len(), details.iter().filter(of).count(), "{}", row[0]);
            }
            assert_eq!(find_list(entry.name).unwrap().summary, entry.summary);
        }
        let error = find_list("modelz").err().unwrap().to_string();
        assert!(error.contains("did you mean `models`?") && error.contains("workloads"), "{error}");
    }

    #[test]
    fn every_known_figure_of_a_chip_has_its_number_and_unknown_ones_have_none() {
        for chip in ChipCatalogue::built_in().unwrap().iter() {
            let sheet = figures(chip).unwrap();
            for row in &sheet.rows {
                assert_eq!(row[1].is_null(), row[2] == "unknown", "{} {}", chip.name, row[0]);
                assert_eq!(row[1].is_null(), row[5].is_null(), "{} {}", chip.name, row[0]);
            }
        }
    }
}
