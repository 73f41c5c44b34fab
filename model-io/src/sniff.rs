//! What a file is, by its content; the name's ending only decides between texts and ONNX.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::hdf5::{self, MemberKind};
use crate::npz::NPY_SIGNATURE;

/// A kind of file that Spikeloom reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Lava-DL netx network (HDF5 with `/layer`).
    Netx,
    /// Neuromorphic Intermediate Representation (HDF5 with `/node`).
    Nir,
    /// SONATA spikes (HDF5 with `/spikes`).
    SonataSpikes,
    /// SONATA edges (HDF5 with `/edges`).
    SonataEdges,
    /// Samples of state variables in the layout of SONATA's reports (HDF5 with `/report`).
    SonataReport,
    /// Weights that a probe recorded (HDF5 with `/weights` and the mark of SONATA files).
    Weights,
    /// Another HDF5 file.
    OtherHdf5,
    /// Archive of numpy arrays.
    Npz,
    /// One numpy array.
    Npy,
    /// ONNX model (protobuf).
    Onnx,
    /// PyTorch archive (zip with `data.pkl`), or its format from before version 1.6.
    PyTorch,
    /// Tensors in a safetensors file.
    Safetensors,
    /// Keras model (HDF5 with `model_weights`).
    Keras,
    /// Keras 3 archive (zip with `metadata.json`).
    KerasArchive,
    /// TensorFlow Lite model (flatbuffer with the identifier `TFL3`).
    TfLite,
    /// Another zip archive.
    OtherZip,
    /// Network or configuration that a person wrote.
    Toml,
    /// Spikeloom's core map.
    CoreMap,
    /// Another JSON text.
    OtherJson,
    /// A checkpoint of a run.
    Checkpoint,
    /// A recording in progress.
    Recording,
    /// Nothing that is known.
    Unknown,
}

/// What is said about a format: one line each.
const FORMATS: &[(Format, &str, &str)] = &[
    (Format::Netx, "netx", "a Lava-DL netx network (.net), as `spikeloom export` also writes"),
    (Format::Nir, "nir", "a NIR graph (.nir), as `spikeloom export` also writes"),
    (Format::SonataSpikes, "sonata", "a SONATA spike recording (.h5); use `spikeloom compare`"),
    (
        Format::SonataEdges,
        "sonata_edges",
        "SONATA edges (.h5); use `connectivity = { rule = \"file\", path = … }` in a network description",
    ),
    (Format::SonataReport, "sonata_report", "samples of state variables (.h5), a SONATA report"),
    (Format::Weights, "weights", "weights that a probe recorded (.h5)"),
    (Format::OtherHdf5, "hdf5", "an HDF5 file that is neither netx, NIR nor SONATA"),
    (Format::Npz, "npz", "an archive of numpy arrays (.npz)"),
    (Format::Npy, "npy", "a numpy array (.npy)"),
    (Format::Onnx, "onnx", "an ONNX model (.onnx); use `spikeloom convert`"),
    (Format::PyTorch, "pytorch", "a PyTorch file (.pt); use `spikeloom convert`"),
    (Format::Safetensors, "safetensors", "a safetensors file; use `spikeloom convert`"),
    (Format::Keras, "keras", "a Keras model (.h5); use `spikeloom convert`"),
    (
        Format::KerasArchive,
        "keras_archive",
        "a Keras 3 archive; save it as HDF5 with `model.save('model.h5')`",
    ),
    (
        Format::TfLite,
        "tflite",
        "a TensorFlow Lite model (.tflite), which is not read; convert it to ONNX with \
         `python -m tf2onnx.convert --tflite model.tflite --output model.onnx`, or save the Keras model \
         that it was made from with `model.save('model.h5')`",
    ),
    (Format::OtherZip, "zip", "a zip archive that is neither npz nor PyTorch"),
    (Format::Toml, "toml", "a network description (.toml); use `spikeloom simulate`"),
    (Format::CoreMap, "core_map", "a core map (.json); made by `spikeloom map`"),
    (Format::OtherJson, "json", "a JSON text that is no core map"),
    (Format::Checkpoint, "checkpoint", "a checkpoint; use `spikeloom simulate … --resume`"),
    (Format::Recording, "recording", "a recording in progress; use `spikeloom analyse`"),
    (Format::Unknown, "unknown", "of a format that is not known"),
];

impl Format {
    /// A short name for machine-readable output.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// What the file is and what to use it with, to follow "this is".
    pub fn description(self) -> &'static str {
        self.entry().2
    }

    fn entry(self) -> &'static (Format, &'static str, &'static str) {
        let last = FORMATS.len() - 1;
        &FORMATS[FORMATS.iter().position(|entry| entry.0 == self).unwrap_or(last)]
    }

    /// All formats.
    pub fn all() -> impl Iterator<Item = Format> {
        FORMATS.iter().map(|entry| entry.0)
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.description())
    }
}

/// Bytes of a file that [`detect_bytes`] looks at.
const HEAD: u64 = 1 << 16;

/// Finds out what a file is; HDF5 files are opened to see their members.
///
/// # Errors
/// The system's error where the file cannot be read. Damaged files are no error here.
pub fn detect(path: &Path) -> std::io::Result<Format> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let format = detect_bytes(&head, &ending);
    if format != Format::OtherHdf5 {
        return Ok(format);
    }
    let Ok(root) = hdf5::open(path) else {
        return Ok(format);
    };
    let is_group = |name| root.kind(name) == Some(MemberKind::Group);
    Ok(match () {
        () if is_group("model_weights") => Format::Keras,
        () if is_group("layer") => Format::Netx,
        () if is_group("node") => Format::Nir,
        () if is_group("spikes") => Format::SonataSpikes,
        () if is_group("edges") => Format::SonataEdges,
        () if is_group("report") => Format::SonataReport,
        () if is_group("weights") && is_marked(&root) => Format::Weights,
        () => Format::OtherHdf5,
    })
}

/// Whether it has the mark of SONATA files, which our recordings of weights have, too.
fn is_marked(root: &hdf5::Group) -> bool {
    matches!(root.read_attribute("magic"), Ok(Some(_)))
}

/// Finds out what a file is by its first bytes and its name's ending (lower case, without dot).
///
/// HDF5 files are [`Format::OtherHdf5`]; [`detect`] tells them apart.
pub fn detect_bytes(head: &[u8], ending: &str) -> Format {
    if head.starts_with(&hdf5::SIGNATURE) || has_user_block(head) {
        return Format::OtherHdf5;
    }
    if head.starts_with(&crate::checkpoint::SIGNATURE) {
        return Format::Checkpoint;
    }
    if head.starts_with(&crate::spool::SIGNATURE) {
        return Format::Recording;
    }
    if head.starts_with(&NPY_SIGNATURE) {
        return Format::Npy;
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return zip_kind(head, ending);
    }
    if head.get(4..8) == Some(b"TFL3".as_slice()) {
        return Format::TfLite;
    }
    if is_safetensors(head) {
        return Format::Safetensors;
    }
    // The magic number of PyTorch's old format, as a pickle.
    if head.starts_with(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") {
        return Format::PyTorch;
    }
    match std::str::from_utf8(head) {
        Ok(text) => text_kind(text, ending),
        // The head may end inside a character.
        Err(e) if e.error_len().is_none() && e.valid_up_to() > 0 => {
            text_kind(std::str::from_utf8(&head[..e.valid_up_to()]).unwrap_or_default(), ending)
        }
        Err(_) if is_onnx(head) => Format::Onnx,
        Err(_) => Format::Unknown,
    }
}

/// HDF5 allows other content in front of its signature.
fn has_user_block(head: &[u8]) -> bool {
    let places = std::iter::successors(Some(512usize), |at| at.checked_mul(2));
    let mut inside = places.take_while(|&at| at < head.len());
    inside.any(|at| head[at..].starts_with(&hdf5::SIGNATURE))
}

/// The first member's name tells numpy archives from PyTorch's.
fn zip_kind(head: &[u8], ending: &str) -> Format {
    let length = head.get(26..28).map_or(0, |b| usize::from(u16::from_le_bytes([b[0], b[1]])));
    let name = head.get(30..30 + length).unwrap_or_default();
    if name.ends_with(b".npy") || (ending == "npz" && name.is_empty()) {
        return Format::Npz;
    }
    // Which member comes first depends on PyTorch's version; TorchScript archives have both.
    let inside = |member: &[u8]| head.windows(member.len()).any(|window| window == member);
    if name.ends_with(b".format_version") || inside(b"/data.pkl") || inside(b"/constants.pkl") {
        return Format::PyTorch;
    }
    if name == b"metadata.json" {
        return Format::KerasArchive;
    }
    Format::OtherZip
}

/// The length of a JSON header, at most 10^8 bytes, and its first character.
fn is_safetensors(head: &[u8]) -> bool {
    match head.split_first_chunk::<8>() {
        Some((length, rest)) => {
            (2..=100_000_000).contains(&u64::from_le_bytes(*length)) && rest.starts_with(b"{")
        }
        None => false,
    }
}

fn text_kind(text: &str, ending: &str) -> Format {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('{') {
        let core_map = ["\"spikeloom.core_map\""];
        return match core_map.iter().any(|key| text.contains(key)) {
            true => Format::CoreMap,
            false => Format::OtherJson,
        };
    }
    if ending == "onnx" && is_onnx(text.as_bytes()) {
        return Format::Onnx;
    }
    let has_control = text.chars().any(|c| c.is_control() && !c.is_whitespace());
    // A table header or a key with a value, on the first line that is no comment.
    let line = start.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'));
    let is_toml = line.is_some_and(|l| l.starts_with('[') || l.contains('=')) || ending == "toml";
    match (has_control, is_toml) {
        (false, true) => Format::Toml,
        (true, _) if is_onnx(text.as_bytes()) => Format::Onnx,
        _ => Format::Unknown,
    }
}

/// A ModelProto starts with field 1 (version, a small number) and then a field it knows.
fn is_onnx(head: &[u8]) -> bool {
    // Fields of ModelProto: 2 producer, 3 its version, 4 domain, 5 version, 6 doc, 7 graph, 8 opset.
    matches!(head, [0x08, 1..=64, 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_the_formats_apart() {
        let mut zip = b"PK\x03\x04".to_vec();
        zip.resize(26, 0);
        let named = |name: &[u8]| {
            let mut zip = zip.clone();
            zip.extend_from_slice(&[name.len() as u8, 0, 0, 0]);
            zip.extend_from_slice(name);
            zip
        };
        let mut user_block = vec![b'x'; 512];
        user_block.extend_from_slice(&hdf5::SIGNATURE);
        let cases: [(&[u8], &str, Format); 19] = [
            (b"\x1c\0\0\0TFL3\x14\0\x20\0", "tflite", Format::TfLite),
            (&crate::checkpoint::SIGNATURE, "ckpt", Format::Checkpoint),
            (&crate::spool::SIGNATURE, "recording", Format::Recording),
            (b"\x10\0\0\0\0\0\0\0{\"a\":", "safetensors", Format::Safetensors),
            (&named(b"metadata.json"), "keras", Format::KerasArchive),
            (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "pt", Format::PyTorch),
            (&hdf5::SIGNATURE, "", Format::OtherHdf5),
            (&user_block, "", Format::OtherHdf5),
            (b"\x93NUMPY\x01\x00", "", Format::Npy),
            (&named(b"x.npy"), "", Format::Npz),
            (&named(b"model/data.pkl"), "pt", Format::PyTorch),
            (&named(b"word/document.xml"), "docx", Format::OtherZip),
            (b"\x08\x07\x12\x07pytorch\x1a", "onnx", Format::Onnx),
            (b"\x08\x09\x12\x07pytorch\xff\xfe", "bin", Format::Onnx),
            (b"# a network\n[populations.a]\n", "txt", Format::Toml),
            (b"{\"format\": \"spikeloom.core_map\"}", "json", Format::CoreMap),
            (b"{\"accuracy\": 1}", "json", Format::OtherJson),
            (b"", "toml", Format::Toml),
            (b"\xff\xd8\xff\xe0JFIF", "jpg", Format::Unknown),
        ];
        for (head, ending, expected) in cases {
            assert_eq!(detect_bytes(head, ending), expected, "{head:?}");
        }
    }

    #[test]
    fn every_format_has_a_name_of_its_own() {
        let names: std::collections::HashSet<_> = Format::all().map(Format::name).collect();
        assert_eq!(names.len(), FORMATS.len());
        assert!(Format::Nir.to_string().contains("NIR"));
    }
}
