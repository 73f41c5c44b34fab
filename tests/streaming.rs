//! Samples that are read a part at a time: the same samples, in the memory of a part.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use flate2::write::GzEncoder;
use peak_alloc::PeakAlloc;
use spikeloom::data::{SampleStream, Samples, Scaling};
use spikeloom::model_io::array::Array;
use spikeloom::model_io::npz::{write_npy, write_npz};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Peaks are those of the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|n| (n * 7 % 251) as u8).collect()
}

fn idx(kind: u8, extents: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, kind, extents.len() as u8];
    extents.iter().for_each(|extent| file.extend(extent.to_be_bytes()));
    file.extend(elements);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn file(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// 23 samples of 4 × 3 in every format.
fn files(folder: &Path) -> Vec<PathBuf> {
    let pixels = bytes(23 * 12);
    let labels: Vec<u8> = (0..23).map(|n| n % 10).collect();
    let x = Array::new(vec![23, 4, 3], pixels.clone()).unwrap();
    let y = Array::new(vec![23], labels.clone()).unwrap();
    let half: Vec<f32> = pixels.iter().map(|&p| f32::from(p) / 2.0).collect();
    let halves = Array::new(vec![23, 4, 3], half).unwrap();
    let pictures = folder.join("pictures");
    for (number, picture) in pixels.chunks(12).enumerate() {
        let class = pictures.join((number % 5).to_string());
        std::fs::create_dir_all(&class).unwrap();
        let picture = image::GrayImage::from_raw(3, 4, picture.to_vec()).unwrap();
        picture.save(class.join(format!("{number:02}.png"))).unwrap();
    }
    file(folder, "t-labels.idx1-ubyte", &idx(8, &[23], &labels));
    vec![
        file(folder, "x.npz", &write_npz([("x", &x), ("y", &y)]).unwrap()),
        file(folder, "halves.npz", &write_npz([("images", &halves), ("labels", &y)]).unwrap()),
        file(folder, "x.npy", &write_npy(&x).unwrap()),
        file(folder, "t-images.idx3-ubyte", &idx(8, &[23, 4, 3], &pixels)),
        file(folder, "packed.gz", &gzip(&idx(8, &[23, 4, 3], &pixels))),
        pictures,
    ]
}

#[test]
fn parts_put_together_are_the_whole() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    for path in files(folder.path()) {
        let whole = Samples::read(&path, Scaling::default()).unwrap();
        let mut stream = SampleStream::open(&path, None, None, Scaling::default()).unwrap();
        assert_eq!((stream.len(), stream.shape()), (23, whole.shape.as_slice()));
        assert_eq!(stream.labels(), whole.labels);
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        for count in [1, 7, 0, 100, 3] {
            let part = stream.take(count).unwrap();
            values.extend(part.values);
            labels.extend(part.labels);
        }
        assert_eq!((values, labels), (whole.values.clone(), whole.labels.clone()), "{path:?}");
        // Some are passed over, and the last are not wanted.
        let mut stream = SampleStream::open(&path, None, None, Scaling::default()).unwrap();
        stream.limit(20);
        stream.take(2).unwrap();
        stream.skip(9).unwrap();
        assert_eq!(stream.take(50).unwrap(), whole.select(11..20), "{path:?}");
    }
}

#[test]
fn files_that_are_shorter_than_they_say_are_named_when_they_end() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    let x = Array::new(vec![23, 4, 3], bytes(23 * 12)).unwrap();
    let npy = write_npy(&x).unwrap();
    for (name, content) in [
        ("cut.npy", &npy[..npy.len() - 30]),
        ("cut.idx", &idx(8, &[23, 4, 3], &bytes(200))[..]),
        ("cut.gz", &gzip(&idx(8, &[u32::MAX, 4, 3], &bytes(200)))[..]),
    ] {
        let path = file(folder.path(), name, content);
        let mut stream = SampleStream::open(&path, None, None, Scaling::default()).unwrap();
        assert_eq!(stream.take(10).unwrap().len(), 10);
        let message = stream.take(13).unwrap_err().to_string();
        assert!(message.contains("fewer") || message.contains("truncated"), "{message}");
    }
    // Sizes are claims: what is not there is not asked for.
    let claims = npy_claiming("(9223372036854775807, 2, 2)");
    let path = file(folder.path(), "huge.npy", &claims);
    assert!(SampleStream::open(&path, None, None, Scaling::default()).is_err());
    for content in [&b"PK nonsense"[..], b"", b"\x93NUMPY", b"\x1f\x8bxx"] {
        let path = file(folder.path(), "nonsense", content);
        assert!(SampleStream::open(&path, None, None, Scaling::default()).is_err(), "{content:?}");
    }
}

fn npy_claiming(shape: &str) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes
}

#[test]
fn memory_is_that_of_a_part() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    // 20,000 pictures of the size of MNIST's: 16 MB as they are stored, 63 MB as numbers.
    let path = {
        let pixels = vec![7; 20_000 * 784];
        file(folder.path(), "many.gz", &gzip(&idx(8, &[20_000, 28, 28], &pixels)))
    };
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut stream = SampleStream::open(&path, None, None, Scaling::default()).unwrap();
    let mut seen = 0;
    while seen < stream.len() {
        seen += stream.take(100).unwrap().len();
    }
    let most = MEMORY.peak_usage() - before;
    // A part is 0.3 MB; with copies on the way and gzip's window it stays below 4 MB.
    assert!(most < 4_000_000, "{most} bytes");
}
