//! The chips as their meshes of routers, with heat maps.

use super::MappingFindings;
use crate::loihi_export::mapping::{CorePosition, Resource, RouterPosition};
use crate::loihi_export::metrics::flows::{Flows, flows};
use crate::loihi_export::metrics::router_traffic;
use crate::report::{Cell, Column, Core, CoreMap, CorePopulation, Section, Table};
use std::collections::BTreeMap;

/// Chips that are drawn; further ones are in the table of chips.
const MOST_CHIPS: u32 = 8;

/// For each core: mean hops of what it sends.
pub(super) fn hops_of_cores(findings: &MappingFindings<'_>) -> BTreeMap<u32, f64> {
    let mut sums: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for route in &findings.checked.mapping().routes {
        let entry = sums.entry(route.source_core).or_default();
        entry.0 += route.axons as f64 * route.hops() as f64;
        entry.1 += route.axons as f64;
    }
    sums.into_iter().map(|(core, (hops, axons))| (core, hops / axons.max(1.0))).collect()
}

/// What the maps are drawn from.
struct Mesh<'a> {
    findings: &'a MappingFindings<'a>,
    /// Packets in a step.
    flows: Flows,
    /// Packets in a step through each router, and through the busiest.
    traffic: BTreeMap<RouterPosition, f64>,
    busiest: f64,
    /// Mean hops of what each core sends, and the longest of these.
    hops: BTreeMap<u32, f64>,
    longest: f64,
    /// Populations of each core.
    content: Vec<Vec<CorePopulation>>,
    /// Resources whose limit is known.
    known: Vec<Resource>,
}

/// The maps of all chips, and a table of chips where there are several.
pub(super) fn mesh(findings: &MappingFindings<'_>) -> Section {
    let mesh = Mesh::new(findings);
    let mut section = Section::new(
        "mesh",
        "Mesh",
        "Cores on the mesh of routers. The first map shows how full each core is, the second the \
         traffic of its router and the ways of its packets, relative to the busiest router and the \
         longest way.",
    );
    let chips = findings.budget.chips_needed;
    let chips = u32::try_from(chips).unwrap_or(u32::MAX);
    if chips > MOST_CHIPS {
        section.text.push_str(&format!("\n\nThe first {MOST_CHIPS} of {chips} chips are drawn."));
    }
    if chips > 1 {
        section = section.with(mesh.chips(chips));
    }
    for chip in 0..chips.min(MOST_CHIPS) {
        let name = if chips > 1 { format!(", chip {chip}") } else { String::new() };
        section = section
            .with(mesh.map(
                format!("Utilisation{name}"),
                "share of each resource of a core that is used".into(),
                None,
                mesh.known.iter().map(|resource| resource.name().to_string()).collect(),
                mesh.cores(chip, |index, _| mesh.fills(index)),
            ))
            .with(mesh.map(
                format!("Congestion and hops{name}"),
                format!(
                    "100 % congestion are {:.2} packets in a step through the busiest router; \
                     100 % hops are {:.2} for a packet",
                    mesh.busiest, mesh.longest
                ),
                Some("larger of the two".into()),
                vec!["congestion".into(), "hops".into()],
                mesh.cores(chip, |index, place| mesh.ways(index, place)),
            ));
    }
    section
}

fn share(value: f64, most: f64) -> f64 {
    if most > 0.0 { value / most } else { 0.0 }
}

impl<'a> Mesh<'a> {
    fn new(findings: &'a MappingFindings<'a>) -> Self {
        let checked = findings.checked;
        let flows = flows(checked, &findings.activity.rates);
        let traffic = router_traffic(checked, &flows);
        let hops = hops_of_cores(findings);
        let mut content = vec![Vec::new(); checked.mapping().cores.len()];
        for slice in &checked.mapping().slices {
            let name = checked.network().populations[slice.population].name.clone();
            let neurons = u64::from(slice.length());
            if let Some(list) = content.get_mut(slice.core as usize) {
                list.push(CorePopulation { name, neurons });
            }
        }
        let limited = |&resource: &Resource| checked.limits().limit(resource).is_some();
        Self {
            findings,
            busiest: traffic.values().copied().fold(0.0, f64::max),
            longest: hops.values().copied().fold(0.0, f64::max),
            flows,
            traffic,
            hops,
            content,
            known: Resource::ALL.into_iter().filter(limited).collect(),
        }
    }

    /// How full a core is, by known resource.
    fn fills(&self, index: usize) -> Vec<f64> {
        let (usage, limits) = (&self.findings.budget.cores[index], self.findings.checked.limits());
        let fill = |&resource: &Resource| {
            share(usage.amount(resource) as f64, limits.limit(resource).unwrap_or(1) as f64)
        };
        self.known.iter().map(fill).collect()
    }

    /// Congestion of a core's router and hops of its packets.
    fn ways(&self, index: usize, place: CorePosition) -> Vec<f64> {
        let congestion = self.traffic.get(&place.router).copied().unwrap_or(0.0);
        let way = self.hops.get(&(index as u32)).copied().unwrap_or(0.0);
        vec![share(congestion, self.busiest), share(way, self.longest)]
    }

    /// What a core's tooltip says besides its populations.
    fn facts(&self, index: usize, place: CorePosition) -> Vec<String> {
        let (usage, limits) = (&self.findings.budget.cores[index], self.findings.checked.limits());
        let amount = |resource: Resource| {
            let available = limits.limit(resource).map_or("unknown".into(), |n| n.to_string());
            format!("{} {} of {available}", resource.name(), usage.amount(resource))
        };
        let core = index as u32;
        let packets = |of: &BTreeMap<u32, f64>| of.get(&core).copied().unwrap_or(0.0);
        let traffic = self.traffic.get(&place.router).copied().unwrap_or(0.0);
        let mut facts: Vec<String> = Resource::ALL.into_iter().map(amount).collect();
        facts.push(format!(
            "packets in a step: {:.2} sent, {:.2} received, {traffic:.2} through the router",
            packets(&self.flows.sent),
            packets(&self.flows.received)
        ));
        facts
    }

    fn cores(&self, chip: u32, utilisation: impl Fn(usize, CorePosition) -> Vec<f64>) -> Vec<Core> {
        let cores = self.findings.checked.mapping().cores.iter().enumerate();
        let of_chip = cores.filter(|(_, place)| place.router.chip == chip);
        of_chip
            .map(|(index, &place)| Core {
                column: place.router.x,
                row: place.router.y,
                core: place.core,
                label: format!("core {index}"),
                populations: self.content[index].clone(),
                facts: self.facts(index, place),
                utilisation: utilisation(index, place),
            })
            .collect()
    }

    fn map(
        &self,
        title: String,
        description: String,
        largest: Option<String>,
        resources: Vec<String>,
        cores: Vec<Core>,
    ) -> CoreMap {
        let limits = self.findings.checked.limits();
        let populations = &self.findings.checked.network().populations;
        CoreMap {
            title,
            description,
            largest,
            columns: limits.mesh_columns,
            rows: limits.mesh_rows,
            cores_per_router: limits.cores_per_router,
            available: Some(limits.cores.into()),
            resources,
            population_order: populations.iter().map(|p| p.name.clone()).collect(),
            cores,
        }
    }

    /// One row a chip: what it holds and what leaves it.
    fn chips(&self, chips: u32) -> Table {
        #[derive(Default, Clone)]
        struct Row {
            cores: u64,
            neurons: u64,
            fullest: f64,
            leaving: f64,
            arriving: f64,
        }
        let mut rows = vec![Row::default(); chips as usize];
        for (index, place) in self.findings.checked.mapping().cores.iter().enumerate() {
            let Some(row) = rows.get_mut(place.router.chip as usize) else { continue };
            row.cores += 1;
            row.neurons += self.findings.budget.cores[index].neurons;
            row.fullest = self.fills(index).into_iter().fold(row.fullest, f64::max);
        }
        for (&(from, to), packets) in self.flows.links.iter().filter(|(l, _)| l.0.chip != l.1.chip)
        {
            if let Some(row) = rows.get_mut(from.chip as usize) {
                row.leaving += packets;
            }
            if let Some(row) = rows.get_mut(to.chip as usize) {
                row.arriving += packets;
            }
        }
        let cells = rows.into_iter().enumerate().map(|(chip, row)| {
            let cells: [Cell; 6] = [
                chip.into(),
                row.cores.into(),
                row.neurons.into(),
                (100.0 * row.fullest).into(),
                row.leaving.into(),
                row.arriving.into(),
            ];
            cells.to_vec()
        });
        Table {
            title: "Chips".into(),
            description: "packets over a chip's borders in a step, those on their way to further \
                          chips included; modelled"
                .into(),
            columns: vec![
                Column::numbers("chip", "", Some(0)),
                Column::numbers("cores", "", Some(0)),
                Column::numbers("neurons", "", Some(0)),
                Column::numbers("fullest resource", "%", Some(1)).with_bars(100.0),
                Column::numbers("packets out", "", Some(2)),
                Column::numbers("packets in", "", Some(2)),
            ],
            rows: cells.collect(),
        }
    }
}
