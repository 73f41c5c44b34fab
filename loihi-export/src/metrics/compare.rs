//! Every partitioner with every placer and router on one network.

use rayon::prelude::*;
use serde::Serialize;

use super::{Costs, Metrics, metrics};
use crate::check::check;
use crate::mapping::{CoreLimits, MapConfig, Mapping};
use crate::partition::{PARTITIONERS, PartitionConfig, partition};
use crate::place::{PLACERS, PlaceConfig, place};
use crate::quantise::network::QuantisedNetwork;
use crate::route::{ROUTERS, RouteConfig, route};

/// One combination of algorithms.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Partitioner.
    pub partitioner: &'static str,
    /// Placer.
    pub placer: &'static str,
    /// Router.
    pub router: &'static str,
    /// What came out; `None` where it failed.
    pub metrics: Option<Metrics>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Maps with all combinations; each mapping passes the independent check or is a failed row.
///
/// Rows come in the order of the registries. Only seeds, chips and sharing of `config` count.
pub fn compare(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &MapConfig,
    rates: &[f64],
    costs: &Costs,
) -> Vec<Row> {
    let of_partitioner = |entry: &crate::partition::Partitioner| -> Vec<Row> {
        let partition_config =
            PartitionConfig { algorithm: entry.name.to_owned(), ..config.partition.clone() };
        let cut = partition(network, limits, &partition_config);
        let mut rows = Vec::new();
        for placer in PLACERS {
            let place_config =
                PlaceConfig { algorithm: placer.name.to_owned(), ..config.place.clone() };
            let placed = cut.as_ref().map_err(ToString::to_string).and_then(|cut| {
                place(network, cut.clone(), limits, &place_config).map_err(|e| e.to_string())
            });
            for router in ROUTERS {
                let made = placed.as_ref().map_err(String::clone).and_then(|(cut, places)| {
                    let route_config = RouteConfig { algorithm: router.name.to_owned() };
                    let routes = route(network, cut, places, limits, &route_config)
                        .map_err(|error| error.to_string())?;
                    let mapping = Mapping {
                        network: network.name.clone(),
                        chip: limits.chip.clone(),
                        slices: cut.slices.clone(),
                        cores: places.cores.clone(),
                        routes: routes.routes,
                        links: routes.links,
                        casting: routes.casting,
                    };
                    let checked =
                        check(network, limits, mapping).map_err(|error| error.to_string())?;
                    Ok(metrics(&checked, rates, costs))
                });
                let (found, error) = match made {
                    Ok(found) => (Some(found), None),
                    Err(error) => (None, Some(error)),
                };
                rows.push(Row {
                    partitioner: entry.name,
                    placer: placer.name,
                    router: router.name,
                    metrics: found,
                    error,
                });
            }
        }
        rows
    };
    let rows: Vec<Vec<Row>> = PARTITIONERS.par_iter().map(of_partitioner).collect();
    rows.into_iter().flatten().collect()
}
