use super::*;
use crate::array::Values;
use crate::npz::{NpzLimits, read_npz};
use crate::sonata::read_spikes;
use crate::spool::{SpoolHeader, SpoolWriter, Stream};
use sim_core::recording::{Recording, Spike, Trace, WeightTrace};
use sim_core::time::Time;
use std::fs::File;
use std::path::PathBuf;

const MS: i64 = 1_000_000_000_000;

fn header(several: bool) -> SpoolHeader {
    SpoolHeader {
        dt: 0.5,
        populations: vec![("silent".into(), 4), ("a".into(), 3), ("b".into(), 2)],
        spikes: vec![false, true, several],
        streams: vec![
            Stream::Variable {
                probe: "v".into(),
                population: 1,
                variable: "membrane_potential".into(),
                unit: "mV".into(),
            },
            Stream::Weights { probe: "w".into(), projection: "a to b".into(), unit: "pA".into() },
        ],
        facts: vec![("version".into(), "0.1.0".into()), ("network".into(), "x".into())],
    }
}

/// A recording of so many pieces.
fn recorded(folder: &Path, several: bool, graded: bool, pieces: i64) -> SpoolReader<File> {
    let path = folder.join("run.recording");
    let mut writer = SpoolWriter::create(&path, &header(several)).unwrap();
    writer.synapses(2, &[(0, 3, 1, 0.5), (2, 1, 0, 0.5)]).unwrap();
    for piece in 0..pieces {
        let times = vec![Time(2 * piece * MS + MS), Time(2 * piece * MS + 2 * MS)];
        let spike = |neuron| Spike { time: times[0], neuron };
        let values = (0..6).map(|k| (6 * piece + k) as f64 / 4.0).collect();
        let trace = Trace {
            probe: "v".into(),
            population: 1,
            variable: "membrane_potential",
            times: times.clone(),
            values,
        };
        let weights = WeightTrace {
            probe: "w".into(),
            projection: 0,
            times: times.clone(),
            values: vec![1.0, 2.0, 3.0, 4.0],
        };
        let mut spikes = vec![spike(4), spike(6)];
        spikes.extend(several.then(|| spike(8)));
        let payloads = if graded && piece > 0 { vec![-2; spikes.len()] } else { Vec::new() };
        let recording = Recording {
            spikes,
            payloads,
            traces: vec![trace],
            weights: vec![weights],
            ..Recording::default()
        };
        writer.record(&recording).unwrap();
    }
    SpoolReader::new(File::open(path).unwrap()).unwrap()
}

fn made(folder: &Path, spool: &mut SpoolReader<File>, content: Content, name: &str) -> PathBuf {
    let path = folder.join(name);
    write(spool, content, OutputFormat::of_path(&path).unwrap(), &path, true).unwrap();
    path
}

#[test]
fn spikes_are_the_same_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = recorded(folder.path(), true, false, 2);
    let sonata = read_spikes(&made(folder.path(), &mut spool, Content::Spikes, "s.h5")).unwrap();
    assert_eq!(sonata.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(sonata["a"].timestamps, [1.0, 1.0, 3.0, 3.0]);
    assert_eq!(sonata["a"].node_ids, [0, 2, 0, 2]);
    assert_eq!(sonata["b"].node_ids, [1, 1]);
    let npz = made(folder.path(), &mut spool, Content::Spikes, "s.npz");
    let arrays = read_npz(&std::fs::read(npz).unwrap(), NpzLimits::default()).unwrap();
    assert_eq!(arrays["a/times"].values, Values::F64(vec![1.0, 1.0, 3.0, 3.0]));
    assert_eq!(arrays["b/neurons"].values, Values::U64(vec![1, 1]));
    assert_eq!(arrays.len(), 4);
    let csv = made(folder.path(), &mut spool, Content::Spikes, "s.csv");
    let text = std::fs::read_to_string(csv).unwrap();
    assert_eq!(text, "time,population,neuron\n1,a,0\n1,a,2\n1,b,1\n3,a,0\n3,a,2\n3,b,1\n");
}

#[test]
fn spikes_of_one_population_can_be_read_as_a_stimulus() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = recorded(folder.path(), false, true, 3);
    for name in ["s.h5", "s.npz", "s.csv"] {
        let path = made(folder.path(), &mut spool, Content::Spikes, name);
        let read = crate::edges::read_spike_table(&path, None).unwrap();
        assert_eq!(read.timestamps, [1.0, 1.0, 3.0, 3.0, 5.0, 5.0], "{name}");
        assert_eq!(read.node_ids, [0, 2, 0, 2, 0, 2], "{name}");
    }
    let text = std::fs::read_to_string(folder.path().join("s.csv")).unwrap();
    assert!(text.starts_with("time,neuron,payload\n1,0,1\n1,2,1\n3,0,-2\n"), "{text}");
    let group = crate::hdf5::open(&folder.path().join("s.h5")).unwrap();
    let group = group.group("spikes").unwrap().group("a").unwrap();
    let payloads = group.read("payloads").unwrap().values;
    assert_eq!(payloads, Values::I32(vec![1, 1, -2, -2, -2, -2]));
}

#[test]
fn samples_are_a_sonata_report_arrays_or_lines() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = recorded(folder.path(), true, false, 2);
    let values: Vec<f64> = (0..12).map(|k| f64::from(k) / 4.0).collect();
    let path = made(folder.path(), &mut spool, Content::Stream(0), "v.h5");
    let root = crate::hdf5::open(&path).unwrap();
    let report = root.group("report").unwrap().group("a").unwrap();
    let data = report.read("data").unwrap();
    assert_eq!((data.shape, data.values), (vec![4, 3], Values::F64(values.clone())));
    let unit = report.read_member_attribute("data", "units").unwrap().unwrap();
    assert_eq!(unit.values, Values::Text(vec!["mV".into()]));
    let mapping = report.group("mapping").unwrap();
    assert_eq!(mapping.read("time").unwrap().values, Values::F64(vec![1.0, 5.0, 1.0]));
    assert_eq!(mapping.read("index_pointers").unwrap().values, Values::U64(vec![0, 1, 2, 3]));
    let version = root.read_attribute("spikeloom_version").unwrap().unwrap();
    assert_eq!(version.values, Values::Text(vec!["0.1.0".into()]));
    let npz = made(folder.path(), &mut spool, Content::Stream(0), "v.npz");
    let arrays = read_npz(&std::fs::read(npz).unwrap(), NpzLimits::default()).unwrap();
    assert_eq!(arrays["values"].shape, [4, 3]);
    assert_eq!(arrays["values"].values, Values::F64(values));
    let csv = made(folder.path(), &mut spool, Content::Stream(0), "v.csv");
    let text = std::fs::read_to_string(csv).unwrap();
    assert!(text.starts_with("time,neuron,value\n1,0,0\n1,1,0.25\n1,2,0.5\n2,0,0.75\n"), "{text}");
}

#[test]
fn weights_come_with_their_synapses() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = recorded(folder.path(), true, false, 1);
    let path = made(folder.path(), &mut spool, Content::Stream(1), "w.h5");
    let group = crate::hdf5::open(&path).unwrap().group("weights").unwrap();
    let group = group.group("a to b").unwrap();
    assert_eq!(group.read("data").unwrap().shape, [2, 2]);
    assert_eq!(group.read("source_node_id").unwrap().values, Values::U64(vec![0, 2]));
    assert_eq!(group.read("target_node_id").unwrap().values, Values::U64(vec![1, 0]));
    assert_eq!(group.read("delay").unwrap().values, Values::F64(vec![1.5, 0.5]));
    let npz = made(folder.path(), &mut spool, Content::Stream(1), "w.npz");
    let arrays = read_npz(&std::fs::read(npz).unwrap(), NpzLimits::default()).unwrap();
    assert_eq!(
        arrays.keys().collect::<Vec<_>>(),
        ["times", "values", "sources", "targets", "delays"]
    );
    let csv = made(folder.path(), &mut spool, Content::Stream(1), "w.csv");
    let text = std::fs::read_to_string(csv).unwrap();
    assert_eq!(
        text,
        "time,source,target,delay,weight\n1,0,1,1.5,1\n1,2,0,0.5,2\n2,0,1,1.5,3\n2,2,0,0.5,4\n"
    );
}

#[test]
fn an_empty_recording_makes_empty_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = recorded(folder.path(), true, false, 0);
    for (content, name) in
        [(Content::Spikes, "s"), (Content::Stream(0), "v"), (Content::Stream(1), "w")]
    {
        for ending in ["h5", "npz", "csv"] {
            made(folder.path(), &mut spool, content, &format!("{name}.{ending}"));
        }
    }
    assert!(read_spikes(&folder.path().join("s.h5")).unwrap()["a"].timestamps.is_empty());
}
