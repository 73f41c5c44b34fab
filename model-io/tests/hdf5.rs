//! HDF5 files of h5py are read whatever type and layout they use; damaged ones give errors.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use model_io::array::{Array, Values};
use model_io::hdf5::{self, Group, Hdf5Error, MemberKind, Storage};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(name)
}

fn types() -> Group {
    hdf5::open(&data("hdf5/types.h5")).unwrap()
}

#[test]
fn every_element_type_is_read_with_its_values() {
    let file = types();
    let values = |name: &str| file.read(name).unwrap().values;
    assert_eq!(values("half"), Values::F32(vec![1.5, -2.0, 65504.0]));
    assert_eq!(values("bool"), Values::Bool(vec![true, false, true]));
    assert_eq!(values("big_endian"), Values::I16(vec![1, -2, 3]));
    assert_eq!(values("big_float"), Values::F64(vec![0.5, -1e300]));
    assert_eq!(values("fixed_text"), Values::Text(vec!["dense".into(), "conv".into()]));
    assert_eq!(file.read_text("utf8_text").unwrap(), "τ in ms");
    assert_eq!(values("scalar"), Values::U64(vec![u64::MAX]));
    assert_eq!(values("sorting").to_i64(), Some(vec![1]));
    let texts = file.read("texts").unwrap();
    assert_eq!(texts.shape, [2, 2]);
    let long = "long ".repeat(20);
    let expected = ["a", "b.c", "", long.as_str()].map(str::to_owned);
    assert_eq!(texts.values, Values::Text(expected.to_vec()));
    assert_eq!(file.read("empty").unwrap().shape, [0, 3]);
    assert!(file.read("null").unwrap().is_empty());
    assert_eq!(file.read_attribute("units").unwrap(), Some(Array::scalar("ms".to_owned())));
    assert_eq!(file.read_attribute("version").unwrap(), Some(Array::vector(vec![0u32, 1])));
    assert_eq!(file.read_attribute("absent").unwrap(), None);
}

#[test]
fn every_layout_is_read() {
    let file = types();
    let expected: Vec<i64> = (0..7 * 11 * 3).collect();
    for name in ["chunked", "plain_chunks"] {
        let array = file.read(name).unwrap();
        assert_eq!(array.shape, [7, 11, 3]);
        assert_eq!(array.values.to_i64().unwrap(), expected, "{name}");
    }
    assert_eq!(file.read("resizable").unwrap().values.to_i64().unwrap(), [0, 1, 2, 3, 4]);
    assert_eq!(file.read("unwritten").unwrap().values, Values::I64(vec![0; 4]));
    let many = file.group("many").unwrap();
    assert_eq!(many.member_names().len(), 300);
    assert_eq!(many.read("member217").unwrap().values.to_i64().unwrap(), [217]);
    let ordered = file.group("ordered").unwrap();
    assert_eq!(ordered.member_names().collect::<Vec<_>>(), ["a", "z"]);
    assert_eq!(ordered.read("z").unwrap().values.to_i64().unwrap(), [1]);
    let behind = hdf5::open(&data("hdf5/user_block.h5")).unwrap();
    assert_eq!(behind.read_text("text").unwrap(), "behind a user block");
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let file = types();
    let message = |name: &str| file.read(name).unwrap_err().to_string();
    assert!(message("filled").contains("/filled: its fill value"), "{}", message("filled"));
    assert!(message("lzf").contains("filter 32000"), "{}", message("lzf"));
    assert!(message("compound").contains("compound"), "{}", message("compound"));
    assert!(message("soft").contains("symbolic or external link"), "{}", message("soft"));
    assert!(message("outside").contains("not followed"), "{}", message("outside"));
    assert!(message("many").contains("/many is a group; expected an array"));
    assert!(message("absent").contains("/absent is missing; its group has: big_endian"));
    assert_eq!(file.kind("outside"), Some(MemberKind::Other));
    assert!(matches!(file.group("half"), Err(Hdf5Error::WrongType { .. })));
    let latest = hdf5::open(&data("hdf5/latest.h5")).unwrap();
    assert_eq!(latest.read("contiguous").unwrap().values, Values::F64(vec![0.0, 1.0, 2.0]));
    let message = latest.read("chunked").unwrap_err().to_string();
    assert!(message.contains("libver"), "{message}");
}

#[test]
fn what_is_written_is_read_back_in_every_type_and_storage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.h5");
    // More than one chunk, and extents that no chunk divides.
    let large: Vec<f32> = (0..700 * 401).map(|k| (k % 977) as f32).collect();
    let arrays = [
        Array::new(vec![700, 401], large).unwrap(),
        Array::vector(vec![true, false]),
        Array::vector(vec![i8::MIN, i8::MAX]),
        Array::vector(vec![i16::MIN, i16::MAX]),
        Array::vector(vec![i32::MIN, i32::MAX]),
        Array::vector(vec![i64::MIN, i64::MAX]),
        Array::vector(vec![u8::MAX]),
        Array::vector(vec![u16::MAX]),
        Array::vector(vec![u32::MAX]),
        Array::vector(vec![u64::MAX]),
        Array::vector(vec![f64::MIN_POSITIVE, -0.0]),
        Array::vector(vec!["".to_owned(), "ä".to_owned()]),
        Array::scalar(2.5f64),
        Array::new(vec![2, 0], Vec::<f32>::new()).unwrap(),
    ];
    for storage in [Storage::Plain, Storage::Compressed] {
        let root = hdf5::create(&path).unwrap();
        for (index, array) in arrays.iter().enumerate() {
            root.write(&format!("a{index}"), array, storage).unwrap();
            root.write_attribute(&format!("b{index}"), &Array::scalar(index as u64)).unwrap();
        }
        root.write_short_text("type", "dense").unwrap();
        root.write_attribute("units", &Array::scalar("ms".to_owned())).unwrap();
        root.write_member_attribute("a1", "units", &Array::scalar("µs".to_owned())).unwrap();
        drop(root);
        let root = hdf5::open(&path).unwrap();
        for (index, array) in arrays.iter().enumerate() {
            assert_eq!(root.read(&format!("a{index}")).unwrap(), *array);
        }
        assert_eq!(root.read("type").unwrap(), Array::vector(vec!["dense".to_owned()]));
        assert_eq!(root.read_attribute("units").unwrap(), Some(Array::scalar("ms".to_owned())));
        let member = root.read_member_attribute("a1", "units").unwrap();
        assert_eq!(member, Some(Array::scalar("µs".to_owned())));
    }
}

#[test]
fn arrays_much_larger_than_what_was_written_of_them_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.h5");
    let root = hdf5::create(&path).unwrap();
    let array = Array::new(vec![700, 401], vec![0.5f32; 700 * 401]).unwrap();
    root.write("x", &array, Storage::Compressed).unwrap();
    drop(root);
    let extents = |rows: u64| [rows.to_le_bytes(), 401u64.to_le_bytes()].concat();
    let honest = std::fs::read(&path).unwrap();
    let at = honest.windows(16).position(|window| window == extents(700)).unwrap();
    // 3600 rows are fewer than a file of this length could hold: more are refused before.
    for (rows, refused) in [(700u64, false), (1200, false), (3600, true)] {
        let mut bytes = honest.clone();
        bytes[at..at + 16].copy_from_slice(&extents(rows));
        std::fs::write(&path, &bytes).unwrap();
        let read = hdf5::open(&path).unwrap().read("x");
        assert_eq!(read.is_err(), refused, "{rows} rows");
        if let Err(error) = read {
            let message = error.to_string();
            assert!(message.contains("/x") && message.contains("never written"), "{message}");
        }
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = hdf5::create(&folder.path().join("x.h5")).unwrap();
    let one = Array::scalar(1i64);
    for name in ["", ".", "..", "a/b", "a\0b"] {
        assert!(root.write(name, &one, Storage::Plain).is_err(), "{name:?}");
    }
    assert!(root.write_short_text("type", "longer than ten").is_err());
    let wrong = Array { shape: vec![3], values: vec![1i64].into() };
    let message = root.write("x", &wrong, Storage::Plain).unwrap_err().to_string();
    assert!(message.contains("/x") && message.contains("[3]"), "{message}");
    root.write("x", &one, Storage::Plain).unwrap();
    assert!(root.write("x", &one, Storage::Plain).is_err(), "twice the same name");
}

/// Reads everything that is reachable, as deep as the file is.
fn read_all(group: &Group, depth: usize) {
    let _ = group.read_attribute("units");
    let names: Vec<_> = group.member_names().take(500).map(str::to_owned).collect();
    for name in names {
        match group.kind(&name) {
            Some(MemberKind::Group) if depth < 8 => {
                if let Ok(group) = group.group(&name) {
                    read_all(&group, depth + 1);
                }
            }
            Some(MemberKind::Array) => drop(group.read(&name)),
            _ => {}
        }
    }
}

/// A generator of damage: the same bytes for the same seed.
struct Damage(u64);

impl Damage {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    fn apply(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes[at] = 0xff,
                1 => bytes[at] = 0,
                2 => bytes[at] ^= 1 << self.below(8),
                3 => bytes[at] = self.below(256) as u8,
                // An address or a length that leads somewhere else in the file, or nowhere.
                4 => {
                    let target = [self.below(bytes.len()) as u64, u64::MAX - 7][self.below(2)];
                    let word = bytes.iter_mut().skip(at & !7).take(8);
                    word.zip(target.to_le_bytes()).for_each(|(byte, new)| *byte = new);
                }
                _ => bytes.truncate(at.max(1)),
            }
        }
    }
}

#[test]
fn damaged_files_never_panic_or_hang() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.h5");
    let mut opened = 0;
    for name in
        ["hdf5/types.h5", "nir/prim_lif.nir", "nir/norse_lif_cuba.nir", "netx/hand_conv.net"]
    {
        let whole = std::fs::read(data(name)).unwrap();
        let mut damage = Damage(0x5eed_0001);
        for _ in 0..250 {
            let mut bytes = whole.clone();
            damage.apply(&mut bytes);
            std::fs::write(&path, &bytes).unwrap();
            if let Ok(root) = hdf5::open(&path) {
                opened += 1;
                read_all(&root, 0);
            }
            let _ = model_io::nir::read(&path);
            let _ = model_io::sonata::read_spikes(&path);
        }
    }
    assert!(opened > 300, "most damage must get past the superblock: {opened}");
}

#[test]
fn truncated_files_are_refused_at_any_length() {
    let whole = std::fs::read(data("nir/prim_lif.nir")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short.nir");
    for length in (0..whole.len()).step_by(463) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let message = model_io::nir::read(&path).unwrap_err().to_string();
        let named = message.contains("truncated") || message.contains("signature");
        assert!(named || message.contains("superblock"), "{length}: {message}");
    }
}

/// A dataset that claims more than the file can hold must not be allocated.
#[test]
fn claimed_sizes_are_checked_against_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.h5");
    // An extent that occurs nowhere else in the file.
    let extent = 0x0123usize;
    for storage in [Storage::Plain, Storage::Compressed] {
        let root = hdf5::create(&path).unwrap();
        root.write("x", &Array::vector(vec![1.0f32; extent]), storage).unwrap();
        drop(root);
        let mut bytes = std::fs::read(&path).unwrap();
        let old = (extent as u64).to_le_bytes();
        let new = (1u64 << 40).to_le_bytes();
        let places: Vec<_> = (0..bytes.len() - 8).filter(|&k| bytes[k..k + 8] == old).collect();
        assert!(!places.is_empty());
        for at in places {
            bytes[at..at + 8].copy_from_slice(&new);
        }
        std::fs::write(&path, &bytes).unwrap();
        let error = hdf5::open(&path).unwrap().read("x").unwrap_err();
        assert!(matches!(error, Hdf5Error::TooLarge { .. }), "{error}");
    }
}
