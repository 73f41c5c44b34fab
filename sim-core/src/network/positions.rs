//! Where the neurons of a population lie, in one to three dimensions.
//!
//! Coordinates are plain numbers in a unit of length of the network's choice (commonly mm); masks
//! and functions of distance use the same unit.

use crate::diagnostics::Findings;
use crate::random::{Purpose, Stream};
use serde::{Deserialize, Serialize};

/// The most dimensions.
const MOST_DIMENSIONS: usize = 3;

/// Where the neurons of a population lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Positions {
    /// In the middle of the cells of a regular grid.
    Grid(GridPositions),
    /// Drawn uniformly in a box.
    Random(RandomPositions),
    /// Listed one by one.
    List(ListPositions),
}

/// Neurons in the middle of the cells of a regular grid; the last coordinate runs fastest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridPositions {
    /// Number of neurons along each of one to three axes.
    pub shape: Vec<u32>,
    /// Length of the box along each axis.
    pub extent: Vec<f64>,
    /// Middle of the box; the origin where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center: Option<Vec<f64>>,
    /// Whether opposite sides of the box touch.
    #[serde(default)]
    pub periodic: bool,
}

/// Neurons drawn uniformly in a box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomPositions {
    /// Length of the box along each of one to three axes.
    pub extent: Vec<f64>,
    /// Middle of the box; the origin where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center: Option<Vec<f64>>,
    /// Whether opposite sides of the box touch.
    #[serde(default)]
    pub periodic: bool,
}

/// Neurons at listed places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListPositions {
    /// One to three coordinates of each neuron.
    pub coordinates: Vec<Vec<f64>>,
    /// Lengths after which space repeats, one an axis; none: it does not repeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Vec<f64>>,
}

/// Checked positions.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidPositions {
    /// Number of axes, 1 to 3.
    pub dimensions: usize,
    /// Coordinates of each neuron; those beyond the axes are 0.
    pub coordinates: Vec<[f64; 3]>,
    /// Lengths after which space repeats.
    pub period: Option<[f64; 3]>,
}

impl ValidPositions {
    /// The way from neuron `from` of these to neuron `to` of others: the shortest one in space that
    /// repeats.
    pub fn displacement(&self, from: u32, others: &ValidPositions, to: u32) -> [f64; 3] {
        let place = |positions: &ValidPositions, neuron: u32| {
            positions.coordinates.get(neuron as usize).copied().unwrap_or_default()
        };
        let (from, to) = (place(self, from), place(others, to));
        std::array::from_fn(|axis| {
            let way = to[axis] - from[axis];
            match self.period {
                Some(period) if period[axis] > 0.0 => {
                    way - period[axis] * (way / period[axis]).round()
                }
                _ => way,
            }
        })
    }
}

/// The length of a way.
pub fn length(way: [f64; 3]) -> f64 {
    way.iter().map(|x| x * x).sum::<f64>().sqrt()
}

impl Positions {
    /// Checks the positions of `size` neurons and computes or draws them.
    pub(super) fn lower(
        &self,
        size: u32,
        seed: u64,
        findings: &mut Findings<'_>,
    ) -> Option<ValidPositions> {
        match self {
            Positions::Grid(grid) => findings.within("grid", |f| grid.lower(size, f)),
            Positions::Random(random) => findings.within("random", |f| random.lower(size, seed, f)),
            Positions::List(list) => findings.within("list", |f| list.lower(size, f)),
        }
    }
}

/// The box's lengths and lowest corner.
fn check_box(
    extent: &[f64],
    center: Option<&[f64]>,
    findings: &mut Findings<'_>,
) -> Option<([f64; 3], [f64; 3])> {
    let lengths = axes(extent, "extent", findings)?;
    if extent.iter().any(|&length| length <= 0.0) {
        let message = format!("an axis has the length {extent:?}");
        findings.wrong("out-of-range", "extent", message, "lengths are above zero");
        return None;
    }
    let center = match center {
        None => [0.0; 3],
        Some(center) if center.len() == extent.len() => axes(center, "center", findings)?,
        Some(center) => {
            let message = format!("{} coordinates for {} axes", center.len(), extent.len());
            findings.wrong("wrong-count", "center", message, "give one coordinate an axis");
            return None;
        }
    };
    Some((lengths, std::array::from_fn(|axis| center[axis] - 0.5 * lengths[axis])))
}

/// One to three finite numbers, filled up with zeros.
fn axes(numbers: &[f64], key: &str, findings: &mut Findings<'_>) -> Option<[f64; 3]> {
    if numbers.is_empty() || numbers.len() > MOST_DIMENSIONS {
        let message = format!("{} axes", numbers.len());
        findings.wrong("wrong-count", key, message, "space has one to three axes");
        return None;
    }
    if !numbers.iter().all(|number| number.is_finite()) {
        findings.wrong("not-finite", key, format!("{numbers:?}"), "give finite numbers");
        return None;
    }
    Some(std::array::from_fn(|axis| numbers.get(axis).copied().unwrap_or(0.0)))
}

impl GridPositions {
    fn lower(&self, size: u32, findings: &mut Findings<'_>) -> Option<ValidPositions> {
        let (lengths, corner) = check_box(&self.extent, self.center.as_deref(), findings)?;
        if self.shape.len() != self.extent.len() {
            let message =
                format!("{} axes, but the extent has {}", self.shape.len(), self.extent.len());
            findings.wrong("wrong-count", "shape", message, "give as many of one as of the other");
            return None;
        }
        let count = self.shape.iter().try_fold(1_u32, |product, &n| product.checked_mul(n));
        if count != Some(size) {
            let message = format!("a grid of {:?} for {size} neurons", self.shape);
            findings.wrong(
                "sizes-differ",
                "shape",
                message,
                "a grid has as many places as neurons",
            );
            return None;
        }
        let shape: [u32; 3] =
            std::array::from_fn(|axis| self.shape.get(axis).copied().unwrap_or(1));
        let place = |neuron: u32| {
            let index =
                [neuron / (shape[1] * shape[2]), neuron / shape[2] % shape[1], neuron % shape[2]];
            std::array::from_fn(|axis| match lengths[axis] {
                0.0 => 0.0,
                length => {
                    corner[axis] + length * (f64::from(index[axis]) + 0.5) / f64::from(shape[axis])
                }
            })
        };
        Some(ValidPositions {
            dimensions: self.extent.len(),
            coordinates: (0..size).map(place).collect(),
            period: self.periodic.then_some(lengths),
        })
    }
}

impl RandomPositions {
    fn lower(&self, size: u32, seed: u64, findings: &mut Findings<'_>) -> Option<ValidPositions> {
        let (lengths, corner) = check_box(&self.extent, self.center.as_deref(), findings)?;
        let place = |neuron: u32| {
            let mut stream = Stream::new(seed, Purpose::Parameter, neuron, 0);
            std::array::from_fn(|axis| corner[axis] + lengths[axis] * stream.next_uniform())
        };
        Some(ValidPositions {
            dimensions: self.extent.len(),
            coordinates: (0..size).map(place).collect(),
            period: self.periodic.then_some(lengths),
        })
    }
}

impl ListPositions {
    fn lower(&self, size: u32, findings: &mut Findings<'_>) -> Option<ValidPositions> {
        if self.coordinates.len() != size as usize {
            let message = format!("{} places for {size} neurons", self.coordinates.len());
            findings.wrong("wrong-count", "coordinates", message, "give one place a neuron");
            return None;
        }
        let dimensions = self.coordinates.first().map_or(1, Vec::len);
        if self.coordinates.iter().any(|place| place.len() != dimensions) {
            let message = "places have different numbers of coordinates";
            findings.wrong("wrong-count", "coordinates", message, "give each the same number");
            return None;
        }
        let mut coordinates = Vec::with_capacity(self.coordinates.len());
        for place in &self.coordinates {
            coordinates.push(axes(place, "coordinates", findings)?);
        }
        let period = match &self.period {
            None => None,
            Some(period) if period.len() != dimensions => {
                let message = format!("{} lengths for {dimensions} axes", period.len());
                findings.wrong("wrong-count", "period", message, "give one length an axis");
                return None;
            }
            Some(period) => Some(check_box(period, None, findings)?.0),
        };
        Some(ValidPositions { dimensions, coordinates, period })
    }
}
