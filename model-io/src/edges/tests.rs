//! Tables written here and read back, and tables that are wrong.

use super::*;
use crate::array::{Array, Values};
use crate::hdf5::{self, Storage};
use crate::npz::write_npz;
use crate::recording::OutputFormat;
use crate::sonata::{PopulationSpikes, Spikes};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn expected() -> Edges {
    Edges {
        sources: vec![0, 2, 2],
        targets: vec![1, 0, 3],
        weights: Some(vec![0.5, -1.0, 2.0]),
        delays: Some(vec![1.0, 1.5, 0.1]),
    }
}

#[test]
fn csv_edges_are_read_and_mistakes_have_their_line() {
    let folder = folder();
    let path = folder.path().join("edges.csv");
    let text = "# made by hand\nsource,target,weight,delay\n0,1,0.5,1\n2,0,-1,1.5\n\n2,3,2,0.1\n";
    std::fs::write(&path, text).unwrap();
    assert_eq!(read_edges(&path, None).unwrap(), expected());
    for (wrong, said) in [
        ("0,1\n", "names the columns"),
        ("source,target\n0,x\n", "line 2: `x` is not a number"),
        ("source,target\n0,1,2\n", "3 entries for 2 columns"),
        ("source,weight\n0,1\n", "no column `target`; the columns are: weight"),
        ("source,target\n0,-1\n", "entry 0 is -1"),
        ("", "empty"),
    ] {
        std::fs::write(&path, wrong).unwrap();
        let message = read_edges(&path, None).unwrap_err().to_string();
        assert!(message.contains(said), "{message}");
    }
    assert!(read_edges(&folder.path().join("none"), None).is_err());
}

#[test]
fn npz_edges_are_read_as_lists_and_as_a_sparse_matrix() {
    let folder = folder();
    let path = folder.path().join("edges.npz");
    let vector = |values: Vec<f64>| Array::vector(values);
    let whole = |values: Vec<u64>| Array::vector(Values::U64(values));
    let save = |arrays: &[(&str, Array)]| {
        let named = arrays.iter().map(|(name, array)| (*name, array));
        std::fs::write(&path, write_npz(named).unwrap()).unwrap();
    };
    save(&[
        ("sources", whole(vec![0, 2, 2])),
        ("targets", whole(vec![1, 0, 3])),
        ("weights", vector(vec![0.5, -1.0, 2.0])),
        ("delays", vector(vec![1.0, 1.5, 0.1])),
    ]);
    assert_eq!(read_edges(&path, None).unwrap(), expected());
    save(&[
        ("indptr", whole(vec![0, 1, 1, 3])),
        ("indices", whole(vec![1, 0, 3])),
        ("data", vector(vec![0.5, -1.0, 2.0])),
    ]);
    let plain = Edges { delays: None, ..expected() };
    assert_eq!(read_edges(&path, None).unwrap(), plain);
    save(&[("indptr", whole(vec![0, 5])), ("indices", whole(vec![1]))]);
    assert!(read_edges(&path, None).unwrap_err().to_string().contains("do not ascend"));
    save(&[("sources", whole(vec![0])), ("targets", whole(vec![0, 1]))]);
    assert!(read_edges(&path, None).unwrap_err().to_string().contains("2 entries for 1"));
    save(&[("times", vector(vec![1.5])), ("neurons", whole(vec![4]))]);
    let spikes = read_spike_table(&path, None).unwrap();
    assert_eq!((spikes.timestamps, spikes.node_ids), (vec![1.5], vec![4]));
}

#[test]
fn edges_are_read_as_they_were_written() {
    let folder = folder();
    let names = EdgeNames { projection: "a to b", source: "a", target: "b", weight_unit: "pA" };
    for (format, name) in
        [(OutputFormat::Sonata, "e.h5"), (OutputFormat::Npz, "e.npz"), (OutputFormat::Csv, "e.csv")]
    {
        let path = folder.path().join(name);
        for edges in [expected(), Edges { delays: None, ..expected() }] {
            write_edges(&path, format, &edges, names, true).unwrap();
            assert_eq!(read_edges(&path, None).unwrap(), edges, "{name}");
        }
        assert!(write_edges(&path, format, &expected(), names, false).is_err(), "{name} exists");
    }
}

#[test]
fn spikes_of_several_populations_are_read_and_one_is_chosen() {
    let folder = folder();
    let spikes = |timestamps: &[f64], node_ids: &[u64]| PopulationSpikes {
        timestamps: timestamps.to_vec(),
        node_ids: node_ids.to_vec(),
        size: None,
    };
    let expected: Spikes = [
        ("a".to_string(), spikes(&[1.5, 3.0], &[4, 0])),
        ("b, \"c\"".to_string(), spikes(&[2.0], &[7])),
    ]
    .into_iter()
    .collect();
    let text = folder.path().join("spikes.csv");
    let lines = "time,population,neuron\n1.5,a,4\n2,\"b, \"\"c\"\"\",7\n3,a,0\n";
    std::fs::write(&text, lines).unwrap();
    let archive = folder.path().join("spikes.npz");
    let mut arrays = Vec::new();
    for (name, own) in &expected {
        arrays.push((format!("{name}/times"), Array::vector(own.timestamps.clone())));
        arrays.push((format!("{name}/neurons"), Array::vector(own.node_ids.clone())));
    }
    let named = arrays.iter().map(|(name, array)| (name.as_str(), array));
    std::fs::write(&archive, write_npz(named).unwrap()).unwrap();
    for path in [text, archive] {
        assert_eq!(read_spike_tables(&path).unwrap(), expected);
        assert_eq!(read_spike_table(&path, Some("a")).unwrap(), expected["a"]);
        let message = read_spike_table(&path, None).unwrap_err().to_string();
        assert!(message.contains("name one of a, b"), "{message}");
        let message = read_spike_table(&path, Some("d")).unwrap_err().to_string();
        assert!(message.contains("no population `d`"), "{message}");
    }
    let single = folder.path().join("one.csv");
    std::fs::write(&single, "time,neuron\ninf,1\n").unwrap();
    assert!(read_spike_tables(&single).unwrap_err().to_string().contains("time 0 is inf"));
}

#[test]
fn sonata_edges_are_read_with_their_groups() {
    let folder = folder();
    let path = folder.path().join("edges.h5");
    let root = hdf5::create(&path).unwrap();
    let all = root.create_group("edges").unwrap();
    let group = all.create_group("a_to_b").unwrap();
    let write = |group: &hdf5::GroupWriter, name: &str, values: Values| {
        group.write(name, &Array::vector(values), Storage::Plain).unwrap();
    };
    write(&group, "source_node_id", Values::U64(vec![0, 2, 2]));
    write(&group, "target_node_id", Values::U64(vec![1, 0, 3]));
    write(&group, "edge_group_id", Values::U64(vec![0, 1, 0]));
    write(&group, "edge_group_index", Values::U64(vec![0, 0, 1]));
    let first = group.create_group("0").unwrap();
    write(&first, "syn_weight", Values::F64(vec![0.5, 2.0]));
    write(&first, "delay", Values::F64(vec![1.0, 0.1]));
    let second = group.create_group("1").unwrap();
    write(&second, "syn_weight", Values::F64(vec![-1.0]));
    write(&second, "delay", Values::F64(vec![1.5]));
    root.flush().unwrap();
    drop((first, second, group, all, root));
    assert_eq!(read_edges(&path, None).unwrap(), expected());
    assert_eq!(read_edges(&path, Some("a_to_b")).unwrap(), expected());
    let message = read_edges(&path, Some("c")).unwrap_err().to_string();
    assert!(message.contains("known are: a_to_b"), "{message}");
}
