//! The core map keeps its schema, its references and the check's totals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail so")]

mod mapping_networks;

use loihi_export::check::check;
use loihi_export::export::core_map::{AxonSource, CoreMap, contradictions, core_map, to_json};
use loihi_export::mapping::{CoreLimits, MapConfig, map};
use loihi_export::partition::PartitionConfig;
use loihi_export::quantise::network::QuantisedNetwork;
use mapping_networks::{limits, random_network, tiny};
use serde_json::Value;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/core_map.schema.json")).unwrap()
}

fn map_of(net: &QuantisedNetwork, limits: &CoreLimits) -> CoreMap {
    let partition = PartitionConfig { chips: 64, ..PartitionConfig::default() };
    let config = MapConfig { partition, ..MapConfig::default() };
    let mapping = map(net, limits, &config).unwrap();
    core_map(&check(net, limits, mapping).unwrap())
}

/// What `value` breaks of `rule`: the part of JSON Schema that the schema file uses.
fn problems(value: &Value, rule: &Value, root: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, want) in rule.as_object().unwrap() {
        let fits = match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" => true,
            "$ref" => {
                let pointer = want.as_str().unwrap().trim_start_matches('#');
                let rule = root.pointer(pointer).expect("a reference into the schema");
                found.extend(problems(value, rule, root, place));
                true
            }
            "const" => value == want,
            "enum" => want.as_array().unwrap().contains(value),
            "minimum" => value.as_f64() >= want.as_f64(),
            "minItems" => value.as_array().map(Vec::len) >= want.as_u64().map(|n| n as usize),
            "maxItems" => value.as_array().map(Vec::len) <= want.as_u64().map(|n| n as usize),
            "type" => match want.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_i64() || value.is_u64(),
                other => panic!("type {other} is not covered"),
            },
            "required" => want
                .as_array()
                .unwrap()
                .iter()
                .all(|key| value.get(key.as_str().unwrap()).is_some()),
            "additionalProperties" => {
                assert_eq!(want, &Value::Bool(false));
                let known = rule["properties"].as_object().unwrap();
                value.as_object().is_none_or(|o| o.keys().all(|key| known.contains_key(key)))
            }
            "properties" => {
                for (key, rule) in want.as_object().unwrap() {
                    let Some(value) = value.get(key) else { continue };
                    found.extend(problems(value, rule, root, &format!("{place}/{key}")));
                }
                true
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(problems(value, want, root, &format!("{place}/{index}")));
                }
                true
            }
            "oneOf" => {
                let fitting = |rule: &&Value| problems(value, rule, root, place).is_empty();
                want.as_array().unwrap().iter().filter(fitting).count() == 1
            }
            other => panic!("keyword {other} is not covered"),
        };
        if !fits {
            found.push(format!("{place}: {value} breaks {keyword}"));
        }
    }
    found
}

#[test]
fn core_maps_keep_the_schema_and_the_schema_notices_changes() {
    let schema = schema();
    let (mut hosts, mut routes) = (0, 0);
    for seed in 0..20 {
        let map = map_of(&random_network(seed), &tiny());
        let text = to_json(&map).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(problems(&value, &schema, &schema, ""), Vec::<String>::new());
        assert_eq!(serde_json::from_str::<CoreMap>(&text).unwrap(), map);
        routes += map.routes.len();
        let from_host = |core: &&Value| core["in_axons"].to_string().contains("host");
        hosts += value["cores"].as_array().unwrap().iter().filter(from_host).count();

        for damage in [
            |core: &mut Value| core["extra"] = 1.into(),
            |core: &mut Value| core["router_x"] = "1".into(),
            |core: &mut Value| core["router_x"] = (-1).into(),
            |core: &mut Value| core["neuron_groups"] = Value::Null,
            |core: &mut Value| core["neuron_groups"][0]["ranges"][0]["stride"] = 0.into(),
            |core: &mut Value| core["usage"].as_object_mut().unwrap().clear(),
            |core: &mut Value| core["in_axons"][0]["source"]["kind"] = "elsewhere".into(),
        ] {
            let mut value = value.clone();
            damage(&mut value["cores"][0]);
            assert!(!problems(&value, &schema, &schema, "").is_empty());
        }
    }
    assert!(hosts > 0 && routes > 0, "the networks show every kind of record");
}

#[test]
fn every_reference_of_a_core_map_leads_somewhere_and_counts_agree() {
    for seed in 0..30 {
        let net = random_network(seed);
        let map = map_of(&net, &tiny());
        let core = |chip: u32, core: u32| {
            let is = |c: &&loihi_export::export::core_map::CoreOfMap| {
                c.address.logical_chip_id == chip && c.address.logical_core_id == core
            };
            map.cores.iter().find(is).expect("the core is in the map")
        };
        for here in &map.cores {
            let sum = |lengths: &mut dyn Iterator<Item = u64>| lengths.sum::<u64>();
            assert_eq!(sum(&mut here.in_axons.iter().map(|a| a.length)), here.usage.input_axons);
            assert_eq!(sum(&mut here.out_axons.iter().map(|a| a.length)), here.usage.output_axons);
            let memory = sum(&mut here.syn_entries.iter().map(|e| e.memory_bits));
            assert_eq!(memory, here.usage.synapse_memory);
            let mut next = 0;
            for (index, group) in here.neuron_groups.iter().enumerate() {
                assert_eq!(group.neuron_group_id as usize, index);
                for range in &group.ranges {
                    assert_eq!(range.logical_idx_addr, next);
                    next += u64::from(range.length);
                }
            }
            assert_eq!(next, here.usage.neurons);
            for axons in &here.in_axons {
                let entry = &here.syn_entries[axons.syn_entry_id as usize];
                assert!(here.neuron_groups.len() > entry.neuron_group_id as usize);
                if let AxonSource::Core { logical_chip_id, logical_core_id, neuron_group_id } =
                    axons.source
                {
                    let sender = core(logical_chip_id, logical_core_id);
                    let matches = sender.out_axons.iter().filter(|out| {
                        out.target == here.address
                            && out.syn_entry_id == axons.syn_entry_id
                            && out.neuron_group_id == neuron_group_id
                            && out.length == axons.length
                    });
                    assert_eq!(matches.count(), 1, "seed {seed}");
                }
            }
            for out in &here.out_axons {
                let there = core(out.target.logical_chip_id, out.target.logical_core_id);
                assert!(there.syn_entries.len() > out.syn_entry_id as usize);
            }
        }
        let mapped: u64 = map.cores.iter().map(|core| core.usage.neurons).sum();
        let on_chip = net.populations.iter().filter(|p| p.process != "input");
        assert_eq!(mapped, on_chip.map(|p| p.shape.size()).sum::<u64>());
    }
}

#[test]
fn what_a_core_map_says_against_itself_is_found() {
    type Damage = fn(&mut CoreMap);
    let damages: [(Damage, &str); 14] = [
        (|map| map.version = 99, "version is 99; this program knows 2"),
        (|map| map.basis = "measured".into(), "basis is measured"),
        (|map| map.cores.push(map.cores[0].clone()), "stands twice"),
        (|map| map.cores[0].address.logical_core_id = 5000, "a chip has"),
        (|map| map.cores[0].router_x = 99, "is not on a mesh"),
        (|map| map.cores[0].usage.neurons += 1, "neurons stated"),
        (|map| map.cores[0].usage.synapse_memory += 1, "bits of synapse memory stated"),
        (|map| map.cores[0].neuron_groups[0].ranges[0].length += 1, "neurons lists"),
        (|map| map.cores[0].neuron_groups[0].ranges[0].stride = 0, "has two places"),
        (|map| map.cores[0].neuron_groups[0].ranges[0].stride = 0, "a stride of 0"),
        (|map| drop(map.cores.pop()), "that the map lacks"),
        (|map| drop(map.routes.pop()), "and 0 routed"),
        (|map| map.routes[0].path.push([0, 7, 3]), "does not lead from"),
        (|map| map.routes[0].axons += 1, "are sent"),
    ];
    let mut seen = [false; 14];
    for seed in 0..30 {
        let net = random_network(seed);
        let map = map_of(&net, &tiny());
        assert_eq!(contradictions(&map), Vec::<String>::new(), "seed {seed}");
        let partition = PartitionConfig { chips: 64, ..PartitionConfig::default() };
        let mut config = MapConfig { partition, ..MapConfig::default() };
        config.route.algorithm = "multicast_tree".into();
        let tree = loihi_export::mapping::map(&net, &tiny(), &config).unwrap();
        let tree = core_map(&check(&net, &tiny(), tree).unwrap());
        assert_eq!(contradictions(&tree), Vec::<String>::new(), "seed {seed}");
        if map.routes.is_empty() {
            continue;
        }
        for ((damage, text), seen) in damages.iter().zip(&mut seen) {
            let mut damaged = map.clone();
            damage(&mut damaged);
            *seen |= contradictions(&damaged).iter().any(|found| found.contains(text));
        }
    }
    let unseen: Vec<_> =
        damages.iter().zip(seen).filter(|(_, seen)| !seen).map(|d| d.0.1).collect();
    assert_eq!(unseen, [] as [&str; 0]);
}

#[test]
fn logical_ids_count_120_cores_a_loihi_2_chip_and_128_a_loihi_1_chip() {
    for (chip, cores) in [("loihi2", 120), ("loihi1", 128)] {
        // one neuron a core, so that the network needs a second chip
        let limits = CoreLimits { neurons_per_core: 1, ..limits(chip) };
        let mut net = random_network(1);
        net.projections.clear();
        net.populations.truncate(1);
        let shape = sim_core::network::Shape::List(cores + 2);
        net.populations.push(mapping_networks::population("many", "lif", shape));
        let map = map_of(&net, &limits);
        assert_eq!(map.chip.cores_per_chip, cores);
        let last = map.cores.last().unwrap().address;
        assert_eq!((last.logical_chip_id, last.logical_core_id), (1, 1));
    }
}
