//! Numpy's files are read in every order and type; bombs and damage are refused.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{Cursor, Write};
use std::path::Path;

use model_io::array::{Array, Values};
use model_io::npz::{NpzError, NpzLimits, read_npy, read_npz, take, write_npy, write_npz};

fn npy(descriptor: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header =
        format!("{{'descr': '{descriptor}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

#[test]
fn files_of_numpy_are_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/netx/slayer_cnn.npz");
    let mut arrays = read_npz(&std::fs::read(path).unwrap(), NpzLimits::default()).unwrap();
    let spikes = take(&mut arrays, "s").unwrap();
    assert_eq!(spikes.shape.len(), 2);
    assert!(spikes.values.to_i64().unwrap().iter().all(|&s| s == 0 || s == 1));
    let message = take(&mut arrays, "weights").unwrap_err().to_string();
    assert!(message.contains("`weights` is missing") && message.contains("layer1_s"), "{message}");
}

#[test]
fn fortran_order_and_big_endian_numbers_become_c_order() {
    // [[1, 2, 3], [4, 5, 6]] with the first axis fastest.
    let data: Vec<u8> = [1i16, 4, 2, 5, 3, 6].iter().flat_map(|x| x.to_be_bytes()).collect();
    let array = read_npy(&npy(">i2", "True", "(2, 3)", &data)).unwrap();
    assert_eq!(array, Array::new(vec![2, 3], vec![1i16, 2, 3, 4, 5, 6]).unwrap());
    let flags = read_npy(&npy("|b1", "False", "(3,)", &[0, 1, 7])).unwrap();
    assert_eq!(flags.values, Values::Bool(vec![false, true, true]));
    let scalar = read_npy(&npy("<f8", "False", "()", &2.5f64.to_le_bytes())).unwrap();
    assert_eq!(scalar, Array::scalar(2.5f64));
    let empty = read_npy(&npy("<f4", "True", "(0, 5)", &[])).unwrap();
    assert_eq!(empty.shape, [0, 5]);
}

#[test]
fn what_is_written_is_read_back() {
    let arrays = [
        ("x", Array::new(vec![2, 3], vec![1u8, 2, 3, 4, 5, 6]).unwrap()),
        ("t", Array::vector(vec![0.5f64, f64::NEG_INFINITY])),
        ("n", Array::vector(vec![i64::MIN, i64::MAX])),
        ("b", Array::vector(vec![true, false])),
        ("s", Array::scalar(1.5f32)),
    ];
    let bytes = write_npz(arrays.iter().map(|(name, array)| (*name, array))).unwrap();
    let read = read_npz(&bytes, NpzLimits::default()).unwrap();
    assert_eq!(read.len(), 5);
    for (name, array) in &arrays {
        assert_eq!(read[*name], *array);
    }
    let again = write_npz(arrays.iter().map(|(name, array)| (*name, array))).unwrap();
    assert!(bytes == again, "equal arrays give equal bytes");
    assert!(write_npy(&Array::scalar("text".to_owned())).is_err());
}

#[test]
fn wrong_headers_are_refused_with_the_reason() {
    let message = |bytes: &[u8]| read_npy(bytes).unwrap_err().to_string();
    assert!(message(b"hello").contains("not in npy format"));
    assert!(message(b"\x93NUMPY\x09\x00ab").contains("version 9"));
    assert!(message(&npy("<f4", "False", "(1000000000000,)", &[0; 8])).contains("truncated"));
    let overflow = npy("<f4", "False", "(9223372036854775807, 9)", &[0; 8]);
    assert!(message(&overflow).contains("overflow"));
    assert!(message(&npy("|O", "False", "(1,)", &[0; 8])).contains("`|O` are not supported"));
    assert!(message(&npy("<f4", "Maybe", "(1,)", &[0; 8])).contains("fortran_order"));
    assert!(message(&npy("<f4", "False", "(-1,)", &[0; 8])).contains("extent `-1`"));
}

#[test]
fn archives_that_unpack_to_too_much_are_refused() {
    let zeros = Array::vector(vec![0u8; 1 << 20]);
    let bytes = write_npz([("a", &zeros), ("b", &zeros)]).unwrap();
    assert!(bytes.len() < 5000, "a small archive of much content");
    let limits = NpzLimits::default();
    let too_large = |limits| matches!(read_npz(&bytes, limits), Err(NpzError::TooLarge { .. }));
    assert!(too_large(NpzLimits { array_bytes: 1 << 19, ..limits }));
    assert!(too_large(NpzLimits { total_bytes: 3 << 19, ..limits }));
    assert!(too_large(NpzLimits { arrays: 1, ..limits }));
    assert!(!too_large(limits));
    // The same with a stated size that lies: patch both copies of the uncompressed length.
    let mut lying = bytes.clone();
    let stated = (write_npy(&zeros).unwrap().len() as u32).to_le_bytes();
    for at in 0..lying.len() - 4 {
        if lying[at..at + 4] == stated {
            lying[at..at + 4].copy_from_slice(&16u32.to_le_bytes());
        }
    }
    assert!(read_npz(&lying, NpzLimits { array_bytes: 1 << 19, ..limits }).is_err());
}

#[test]
fn damaged_archives_never_panic() {
    let array = Array::new(vec![4, 5], (0..20).collect::<Vec<i32>>()).unwrap();
    let bytes = write_npz([("x", &array)]).unwrap();
    let limits = NpzLimits { array_bytes: 1 << 20, total_bytes: 1 << 21, arrays: 10 };
    for length in 0..bytes.len() {
        assert!(read_npz(&bytes[..length], limits).is_err(), "{length} bytes");
    }
    let mut survived = 0;
    for at in 0..bytes.len() {
        for value in [0u8, 0xff, bytes[at] ^ 1] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            survived += usize::from(read_npz(&damaged, limits).is_ok());
        }
    }
    assert!(survived > 0, "times and the like do not matter");
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("notes.txt", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(b"not an array").unwrap();
    let other = writer.finish().unwrap().into_inner();
    let message = read_npz(&other, limits).unwrap_err().to_string();
    assert!(message.contains("`notes.txt`") && message.contains("npy"), "{message}");
}
