//! Image folders: `class/picture.png` (or `.jpg`, `.jpeg`), or pictures without classes.
//!
//! Folders named with whole numbers are classes of these numbers; other names are counted in
//! alphabetical order. Pictures are taken in turn from all classes, so that the first of them are a
//! fair sample.

use super::DataError;
use crate::error::Error;
use image::{DynamicImage, ImageReader, Limits};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Bytes that all pictures together may take, one a value.
const LIMIT: u64 = 1 << 30;
/// Pixels along a side.
const LONGEST_SIDE: u32 = 1 << 14;
/// Bytes that decoding one picture may take.
const DECODING: u64 = 1 << 29;

/// Pictures of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Pictures {
    /// Values of all pictures, `[pictures, channels, height, width]`.
    pub values: Vec<u8>,
    /// `[channels, height, width]`.
    pub shape: [usize; 3],
    /// The class of each; empty where the folder has none.
    pub labels: Vec<usize>,
    /// The name of each class, by number.
    pub classes: Vec<(usize, String)>,
}

/// Reads all pictures of a folder, with 1 (grey) or 3 channels (red, green, blue); without a wish,
/// as the first picture is.
///
/// # Errors
/// [`Error::Read`]; [`DataError::Image`] naming the picture of another size or that cannot be read.
pub fn read(folder: &Path, channels: Option<usize>) -> Result<Pictures, Error> {
    let List { files, labels, classes, shape } = List::new(folder, channels)?;
    let claimed = shape.iter().product::<usize>() as u64 * files.len() as u64;
    if claimed > LIMIT {
        return Err(DataError::TooLarge { claimed, limit: LIMIT }.into());
    }
    Ok(Pictures { values: decode_all(&files, shape)?, shape, labels, classes })
}

/// The pictures of a folder, of which only the first was read.
pub(super) struct List {
    pub(super) files: Vec<PathBuf>,
    /// The class of each; empty where the folder has none.
    pub(super) labels: Vec<usize>,
    classes: Vec<(usize, String)>,
    /// `[channels, height, width]` of the first, and so of all.
    pub(super) shape: [usize; 3],
}

impl List {
    pub(super) fn new(folder: &Path, channels: Option<usize>) -> Result<Self, Error> {
        let (files, classes) = list(folder)?;
        let Some((first, _)) = files.first() else {
            return Err(DataError::NoPictures.into());
        };
        let picture = decode(first)?;
        let own = if picture.color().has_color() { 3 } else { 1 };
        let size = [picture.height() as usize, picture.width() as usize];
        let shape = [channels.unwrap_or(own), size[0], size[1]];
        let labels = files.iter().filter_map(|(_, label)| *label).collect();
        let files = files.into_iter().map(|(path, _)| path).collect();
        Ok(List { files, labels, classes, shape })
    }
}

/// Values of pictures of this shape, one after the other.
pub(super) fn decode_all(files: &[PathBuf], shape: [usize; 3]) -> Result<Vec<u8>, Error> {
    let one = |path: &PathBuf| -> Result<Vec<u8>, Error> {
        let picture = decode(path)?;
        let [channels, height, width] = shape;
        let own = [picture.height() as usize, picture.width() as usize];
        if own != [height, width] {
            let reason = format!(
                "it is {} x {} pixels, the first picture is {width} x {height}; all must have one size",
                own[1], own[0]
            );
            return Err(DataError::Image { path: path.clone(), reason }.into());
        }
        let mut values = Vec::with_capacity(channels * height * width);
        append(&mut values, &picture, channels);
        Ok(values)
    };
    // Decoding is work; the first picture that is wrong is the one that is named.
    let all: Vec<Result<Vec<u8>, Error>> = files.par_iter().map(one).collect();
    let mut values = Vec::new();
    for own in all {
        values.extend(own?);
    }
    Ok(values)
}

/// Values `[channels, height, width]` of a picture.
fn append(values: &mut Vec<u8>, picture: &DynamicImage, channels: usize) {
    if channels == 1 {
        values.extend(picture.to_luma8().as_raw());
        return;
    }
    let interleaved = picture.to_rgb8();
    for channel in 0..3 {
        values.extend(interleaved.as_raw().iter().skip(channel).step_by(3));
    }
}

fn decode(path: &Path) -> Result<DynamicImage, Error> {
    let wrong = |reason: String| DataError::Image { path: path.into(), reason };
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
    let mut reader = reader.map_err(|error| wrong(error.to_string()))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(DECODING);
    reader.limits(limits);
    Ok(reader.decode().map_err(|error| wrong(error.to_string()))?)
}

type Files = Vec<(PathBuf, Option<usize>)>;

/// The pictures of a folder, in the order in which they are samples.
///
/// # Errors
/// [`Error::Read`].
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    Ok(list(folder)?.0.into_iter().map(|(path, _)| path).collect())
}

/// All pictures with their classes, and the names of the classes.
fn list(folder: &Path) -> Result<(Files, Vec<(usize, String)>), Error> {
    let mut folders: Vec<(String, Vec<PathBuf>)> = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let own = entries(&path)?.into_iter().filter(|path| is_picture(path)).collect();
            folders.push((name, own));
        }
    }
    folders.retain(|(_, files)| !files.is_empty());
    if folders.is_empty() {
        let own = entries(folder)?.into_iter().filter(|path| is_picture(path));
        return Ok((own.map(|path| (path, None)).collect(), Vec::new()));
    }
    let numbers: Option<Vec<usize>> = folders.iter().map(|(name, _)| name.parse().ok()).collect();
    let numbers = numbers.unwrap_or_else(|| (0..folders.len()).collect());
    let most = folders.iter().map(|(_, files)| files.len()).max().unwrap_or(0);
    let mut files = Vec::new();
    for turn in 0..most {
        for (&class, (_, own)) in numbers.iter().zip(&folders) {
            files.extend(own.get(turn).map(|path| (path.clone(), Some(class))));
        }
    }
    let names = folders.into_iter().map(|(name, _)| name);
    Ok((files, numbers.into_iter().zip(names).collect()))
}

/// What a folder holds, in alphabetical order.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable =
        |error: std::io::Error| Error::Read { path: folder.into(), reason: error.to_string() };
    let paths = std::fs::read_dir(folder).map_err(unreadable)?;
    let paths: Result<Vec<PathBuf>, std::io::Error> =
        paths.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    path.is_file() && ["png", "jpg", "jpeg"].contains(&ending.as_str())
}
