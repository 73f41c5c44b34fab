//! Spike files are read back as written, and other writers' habits are understood.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use model_io::array::Array;
use model_io::hdf5::{self, Storage};
use model_io::sniff::{Format, detect};
use model_io::sonata::{PopulationSpikes, Spikes, read_sorting, read_spikes, write_spikes};

fn spikes() -> Spikes {
    let (timestamps, node_ids) = (vec![3.5, 0.1, 3.5, 2.0], vec![7, 1, 2, 1]);
    let unsorted = PopulationSpikes { timestamps, node_ids, size: None };
    let silent = PopulationSpikes { size: Some(30), ..PopulationSpikes::default() };
    [("exc".to_owned(), unsorted), ("silent".to_owned(), silent)].into()
}

#[test]
fn spikes_are_written_sorted_by_time_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spikes.h5");
    write_spikes(&path, &spikes(), false).unwrap();
    let read = read_spikes(&path).unwrap();
    assert_eq!(read["exc"].timestamps, [0.1, 2.0, 3.5, 3.5]);
    assert_eq!(read["exc"].node_ids, [1, 1, 2, 7], "equal times are sorted by neuron");
    assert_eq!(read["silent"], spikes()["silent"], "how many are silent is kept");
    assert_eq!(read_sorting(&path, "exc").unwrap().as_deref(), Some("by_time"));
    assert_eq!(detect(&path).unwrap(), Format::SonataSpikes);
    let root = hdf5::open(&path).unwrap();
    assert_eq!(root.read_attribute("magic").unwrap(), Some(Array::scalar(0x0A7Au32)));
    let exc = root.group("spikes").unwrap().group("exc").unwrap();
    let units = exc.read_member_attribute("timestamps", "units").unwrap();
    assert_eq!(units, Some(Array::scalar("ms".to_owned())));
    let first = std::fs::read(&path).unwrap();
    write_spikes(&path, &spikes(), true).unwrap();
    assert!(first == std::fs::read(&path).unwrap(), "equal spikes give equal bytes");
}

#[test]
fn contradicting_spikes_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spikes.h5");
    let refused = |timestamps, node_ids, words: &str| {
        let spikes = PopulationSpikes { timestamps, node_ids, size: None };
        let spikes: Spikes = [("exc".to_owned(), spikes)].into();
        let message = write_spikes(&path, &spikes, false).unwrap_err().to_string();
        assert!(message.contains("/spikes/exc") && message.contains(words), "{message}");
    };
    refused(vec![1.0], vec![], "1 timestamps but 0 node_ids");
    refused(vec![1.0, f64::NAN], vec![1, 2], "timestamp 1 is NaN");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A file with the given members of `/spikes/exc`.
fn file(path: &Path, times: &Array, units: Option<&str>, nodes: &Array) {
    let root = hdf5::create(path).unwrap();
    let exc = root.create_group("spikes").unwrap().create_group("exc").unwrap();
    exc.write("timestamps", times, Storage::Plain).unwrap();
    if let Some(units) = units {
        let units = Array::scalar(units.to_owned());
        exc.write_member_attribute("timestamps", "units", &units).unwrap();
    }
    exc.write("node_ids", nodes, Storage::Plain).unwrap();
    exc.write_attribute("sorting", &Array::scalar(1i32)).unwrap();
}

#[test]
fn other_types_and_units_are_understood_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.h5");
    let times = Array::vector(vec![0.5f32, 0.25]);
    let nodes = Array::vector(vec![3i32, 4]);
    file(&path, &times, Some("s"), &nodes);
    assert_eq!(read_spikes(&path).unwrap()["exc"].timestamps, [500.0, 250.0]);
    assert_eq!(read_spikes(&path).unwrap()["exc"].node_ids, [3, 4]);
    assert_eq!(read_sorting(&path, "exc").unwrap().as_deref(), Some("by_id"));
    file(&path, &times, None, &nodes);
    assert_eq!(read_spikes(&path).unwrap()["exc"].timestamps, [0.5, 0.25]);
    file(&path, &times, Some("fortnight"), &nodes);
    assert!(read_spikes(&path).unwrap_err().to_string().contains("`fortnight`; known: ms, s"));
    file(&path, &times, None, &Array::vector(vec![-1i32, 4]));
    assert!(read_spikes(&path).unwrap_err().to_string().contains("node_ids"));
    file(&path, &times, None, &Array::vector(vec![1u64]));
    assert!(read_spikes(&path).unwrap_err().to_string().contains("2 timestamps but 1"));
}

#[test]
fn the_content_tells_what_a_file_is() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data");
    assert_eq!(detect(&data.join("nir/prim_lif.nir")).unwrap(), Format::Nir);
    assert_eq!(detect(&data.join("netx/slayer_cnn.net")).unwrap(), Format::Netx);
    assert_eq!(detect(&data.join("netx/slayer_cnn.npz")).unwrap(), Format::Npz);
    assert_eq!(detect(&data.join("hdf5/types.h5")).unwrap(), Format::OtherHdf5);
    assert_eq!(detect(&data.join("hdf5/user_block.h5")).unwrap(), Format::OtherHdf5);
    assert!(detect(&data.join("absent")).is_err());
}
