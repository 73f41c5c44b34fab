//! A linear map whose weights can be moved: values forward, derivatives back.

use crate::linear::{Geometry, LinearMap};

/// Sums of products are made in so many parts, which are added up in order.
const LANES: usize = 4;

/// A map laid out so that what one source reaches lies together.
#[derive(Debug, Clone)]
pub(super) struct MovableMap {
    form: Form,
    targets: usize,
    /// Weights in the order in which sources use them.
    pub weights: Vec<f32>,
}

#[derive(Debug, Clone)]
enum Form {
    /// Weights `[source, target]`.
    Dense,
    /// Weights `[in, height, width, out of the group]`; targets `[height, width, out]`.
    Convolution(Runs),
    /// For each source its targets and where their weights begin. Their weights stay as they are.
    Listed { targets: Vec<u32>, starts: Vec<usize> },
}

/// Which target cells the cells of a convolution's source reach, and through which tap.
#[derive(Debug, Clone)]
struct Runs {
    geometry: Geometry,
    /// Where the entries of each source cell begin.
    starts: Vec<u32>,
    /// (target cell, tap).
    entries: Vec<(u32, u32)>,
}

impl Runs {
    fn new(geometry: Geometry) -> Self {
        let [_, height, width] = geometry.source;
        let [_, rows, columns] = geometry.target;
        // The target along an axis that a tap brings a place to.
        let along = |axis: usize, place: u32, tap: u32, extent: u32| {
            let moved = place + geometry.padding[axis];
            let moved = moved.checked_sub(tap * geometry.dilation[axis])?;
            let (target, stride) = (moved / geometry.stride[axis], geometry.stride[axis]);
            (moved.is_multiple_of(stride) && target < extent).then_some(target)
        };
        let mut runs = Runs { geometry, starts: vec![0], entries: Vec::new() };
        for cell in 0..height * width {
            for down in 0..geometry.kernel[0] {
                let Some(row) = along(0, cell / width, down, rows) else { continue };
                for right in 0..geometry.kernel[1] {
                    let Some(column) = along(1, cell % width, right, columns) else { continue };
                    let tap = down * geometry.kernel[1] + right;
                    runs.entries.push((row * columns + column, tap));
                }
            }
            runs.starts.push(runs.entries.len() as u32);
        }
        runs
    }
}

impl MovableMap {
    /// Lays a map out.
    pub fn new(map: &LinearMap) -> Self {
        let targets = map.targets();
        match map {
            LinearMap::Dense { sources, weights, .. } => {
                let of = |place: usize| weights[place % targets * sources + place / targets];
                let weights = (0..weights.len()).map(|place| of(place) as f32).collect();
                MovableMap { form: Form::Dense, targets, weights }
            }
            LinearMap::Convolution { geometry, weights } => {
                let places = places(geometry);
                let weights = places.into_iter().map(|place| weights[place] as f32).collect();
                MovableMap { form: Form::Convolution(Runs::new(*geometry)), targets, weights }
            }
            LinearMap::Identity { .. } | LinearMap::Sparse { .. } => {
                let (mut own, mut weights, mut starts) = (Vec::new(), Vec::new(), vec![0]);
                for source in 0..map.sources() {
                    map.for_each_target(source, |target, weight| {
                        own.push(target as u32);
                        weights.push(weight as f32);
                    });
                    starts.push(own.len());
                }
                MovableMap { form: Form::Listed { targets: own, starts }, targets, weights }
            }
        }
    }

    /// Whether its weights may be moved.
    pub fn moves(&self) -> bool {
        !matches!(self.form, Form::Listed { .. })
    }

    /// The map `before` with the weights of this one.
    pub fn moved(&self, before: &LinearMap) -> LinearMap {
        let mut after = before.clone();
        match &mut after {
            LinearMap::Dense { targets, sources, weights } => {
                for (place, &weight) in self.weights.iter().enumerate() {
                    weights[place % *targets * *sources + place / *targets] = f64::from(weight);
                }
            }
            LinearMap::Convolution { geometry, weights } => {
                for (place, &weight) in places(geometry).into_iter().zip(&self.weights) {
                    weights[place] = f64::from(weight);
                }
            }
            LinearMap::Identity { .. } | LinearMap::Sparse { .. } => {}
        }
        after
    }

    /// Adds the image of `values` to `sums`.
    pub fn apply(&self, values: &[f32], sums: &mut [f32]) {
        let mut own = vec![0.0_f32; self.targets];
        for (source, &value) in values.iter().enumerate() {
            if value != 0.0 {
                self.for_each_run(source, |target, weight, length| {
                    let weights = &self.weights[weight..weight + length];
                    let own = &mut own[target..target + length];
                    own.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
                });
            }
        }
        self.for_each_target(|neuron, place| sums[neuron] += own[place]);
    }

    /// Adds derivatives by the sources that `open` names, and by the weights, given those by the
    /// targets.
    pub fn walk_back(
        &self,
        values: &[f32],
        targets: &[f32],
        open: Option<(&[bool], &mut [f32])>,
        weights: &mut [f32],
    ) {
        let mut own = vec![0.0_f32; self.targets];
        self.for_each_target(|neuron, place| own[place] = targets[neuron]);
        if let Some((open, sources)) = open {
            for (source, sum) in sources.iter_mut().enumerate().filter(|(source, _)| open[*source])
            {
                self.for_each_run(source, |target, weight, length| {
                    let weights = &self.weights[weight..weight + length];
                    *sum += product(weights, &own[target..target + length]);
                });
            }
        }
        if !self.moves() {
            return;
        }
        for (source, &value) in values.iter().enumerate() {
            if value != 0.0 {
                self.for_each_run(source, |target, weight, length| {
                    let own = &own[target..target + length];
                    let weights = &mut weights[weight..weight + length];
                    weights.iter_mut().zip(own).for_each(|(sum, slope)| *sum += value * slope);
                });
            }
        }
    }

    /// Synapses of all sources.
    pub fn synapses(&self) -> usize {
        match &self.form {
            Form::Dense | Form::Listed { .. } => self.weights.len(),
            Form::Convolution(Runs { geometry, entries, .. }) => {
                let [out, per_group, ..] = geometry.weight_shape().map(|n| n as usize);
                entries.len().saturating_mul(out).saturating_mul(per_group)
            }
        }
    }

    /// Visits each neuron of the target and its place in this map's own order.
    fn for_each_target(&self, mut visit: impl FnMut(usize, usize)) {
        match &self.form {
            Form::Convolution(Runs { geometry, .. }) => {
                let channels = geometry.target[0] as usize;
                let cells = self.targets / channels.max(1);
                for channel in 0..channels {
                    (0..cells).for_each(|cell| {
                        visit(channel * cells + cell, cell * channels + channel);
                    });
                }
            }
            _ => (0..self.targets).for_each(|neuron| visit(neuron, neuron)),
        }
    }

    /// Visits runs of synapses of a source: first target, first weight, length.
    fn for_each_run(&self, source: usize, mut visit: impl FnMut(usize, usize, usize)) {
        match &self.form {
            Form::Dense => visit(0, source * self.targets, self.targets),
            Form::Listed { targets, starts } => {
                let (first, end) = (starts[source], starts[source + 1]);
                for (place, &target) in targets[first..end].iter().enumerate() {
                    visit(target as usize, first + place, 1);
                }
            }
            Form::Convolution(Runs { geometry, starts, entries }) => {
                let [channels, height, width] = geometry.source.map(|n| n as usize);
                let out = geometry.target[0] as usize;
                let taps = (geometry.kernel[0] * geometry.kernel[1]) as usize;
                let groups = geometry.groups.max(1) as usize;
                let length = out / groups;
                let (channel, cell) = (source / (height * width), source % (height * width));
                let first = channel / (channels / groups).max(1) * length;
                for &(target, tap) in &entries[starts[cell] as usize..starts[cell + 1] as usize] {
                    let weight = (channel * taps + tap as usize) * length;
                    visit(target as usize * out + first, weight, length);
                }
            }
        }
    }
}

/// For each weight in this module's order its place in `[out, in / groups, height, width]`.
fn places(geometry: &Geometry) -> Vec<usize> {
    let [out, per_group, height, width] = geometry.weight_shape().map(|n| n as usize);
    let groups = geometry.groups.max(1) as usize;
    let (length, taps) = (out / groups, height * width);
    let mut places = Vec::with_capacity(out * per_group * taps);
    for channel in 0..per_group * groups {
        let (group, within) = (channel / per_group, channel % per_group);
        for tap in 0..taps {
            let place = |own: usize| ((group * length + own) * per_group + within) * taps + tap;
            places.extend((0..length).map(place));
        }
    }
    places
}

/// Σ a b, always in the same order.
fn product(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (whole_a, whole_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = whole_a.remainder().iter().zip(whole_b.remainder());
    let rest: f32 = rest.map(|(a, b)| a * b).sum();
    for (a, b) in whole_a.zip(whole_b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, step: f64) -> Vec<f64> {
        (0..count).map(|n| (n as f64 * step).sin()).collect()
    }

    fn maps() -> Vec<LinearMap> {
        let geometry = |groups: u32, stride: u32, dilation: u32, padding: [u32; 4]| {
            let extent = |n: u32, padding: u32| (n + padding - 2 * dilation - 1) / stride + 1;
            let target =
                [12, extent(7, padding[0] + padding[2]), extent(6, padding[1] + padding[3])];
            let (kernel, stride, dilation) = ([3, 3], [stride; 2], [dilation; 2]);
            Geometry { source: [2, 7, 6], target, kernel, stride, padding, dilation, groups }
        };
        let convolution = |geometry: Geometry| {
            geometry.check().unwrap();
            let weights = numbers(geometry.weight_count() as usize, 0.7);
            LinearMap::Convolution { geometry, weights }
        };
        vec![
            convolution(geometry(1, 1, 1, [1, 1, 1, 1])),
            convolution(geometry(2, 2, 1, [0, 1, 1, 0])),
            convolution(geometry(1, 1, 2, [2, 0, 1, 1])),
            LinearMap::Dense { targets: 5, sources: 84, weights: numbers(420, 0.9) },
            LinearMap::Identity { size: 84 },
        ]
    }

    #[test]
    fn values_go_forward_as_in_the_plain_map() {
        for map in maps() {
            let mut values = numbers(84, 1.1);
            values.iter_mut().step_by(3).for_each(|value| *value = 0.0);
            let mut expected = vec![0.0; map.targets()];
            map.apply(&values, &mut expected);
            let movable = MovableMap::new(&map);
            let narrow: Vec<f32> = values.iter().map(|&value| value as f32).collect();
            let mut sums = vec![0.0; map.targets()];
            movable.apply(&narrow, &mut sums);
            for (sum, expected) in sums.iter().zip(&expected) {
                assert!((f64::from(*sum) - expected).abs() < 1e-4, "{sum} {expected}");
            }
            let mut after = vec![0.0; map.targets()];
            movable.moved(&map).apply(&values, &mut after);
            for (after, expected) in after.iter().zip(&expected) {
                assert!((after - expected).abs() < 1e-4, "{after} {expected}");
            }
        }
    }

    /// With the value Σ t · (W x) for targets t, the derivative by x is Wᵀ t and that by W is t xᵀ: the
    /// sum of the latter times W, and that of the former times x, are both the value itself.
    #[test]
    fn derivatives_come_back_transposed() {
        for map in maps() {
            let movable = MovableMap::new(&map);
            let narrow = |values: Vec<f64>| values.iter().map(|&v| v as f32).collect::<Vec<f32>>();
            let (values, targets) = (narrow(numbers(84, 1.1)), narrow(numbers(map.targets(), 0.4)));
            let mut sums = vec![0.0; map.targets()];
            movable.apply(&values, &mut sums);
            let value = product(&sums, &targets);
            let (mut sources, mut weights) = (vec![0.0; 84], vec![0.0; movable.weights.len()]);
            movable.walk_back(&values, &targets, Some((&[true; 84], &mut sources)), &mut weights);
            assert!((product(&sources, &values) - value).abs() < 1e-3);
            let by_weights = product(&weights, &movable.weights);
            assert!(!movable.moves() || (by_weights - value).abs() < 1e-3);
            let mut transposed = vec![0.0_f64; 84];
            for (source, sum) in transposed.iter_mut().enumerate() {
                map.for_each_target(source, |t, w| *sum += w * f64::from(targets[t]));
            }
            for (found, expected) in sources.iter().zip(&transposed) {
                assert!((f64::from(*found) - expected).abs() < 1e-4, "{found} {expected}");
            }
            let mut none = vec![0.0; 84];
            movable.walk_back(&values, &targets, Some((&[false; 84], &mut none)), &mut weights);
            assert!(none.iter().all(|&slope| slope == 0.0));
        }
    }
}
