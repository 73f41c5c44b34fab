//! Runs against the synapses of the definition.

use super::*;
use crate::network::convolution::output_extent;
use kernels::Instructions;

fn convolution(channels: [u32; 2], groups: u32, stride: [u32; 2], dilation: u32) -> Convolution {
    let (source, kernel, padding) = ([channels[0], 9, 7], [3, 4], [1, 2, 0, 1]);
    let extent = |axis: usize| {
        let pad = u64::from(padding[axis] + padding[axis + 2]);
        output_extent(source[axis + 1], kernel[axis], stride[axis], pad, dilation) as u32
    };
    let target = [channels[1], extent(0), extent(1)];
    let dilation = [dilation; 2];
    Convolution { source, target, kernel, stride, padding, dilation, groups }
}

fn cases() -> Vec<Convolution> {
    let mut cases = Vec::new();
    for (channels, groups) in [([1, 5], 1), ([4, 6], 2), ([3, 3], 3)] {
        for (stride, dilation) in [([1, 1], 1), ([2, 3], 1), ([1, 2], 2)] {
            cases.push(convolution(channels, groups, stride, dilation));
        }
    }
    cases
}

fn weights(geometry: &Convolution) -> Vec<f64> {
    (0..geometry.weight_count()).map(|index| (index as f64 * 0.37).sin()).collect()
}

/// What the sources add to each neuron, synapse by synapse.
fn by_synapse(geometry: &Convolution, sources: &[u32], payloads: &[i32]) -> Vec<f64> {
    let weights = weights(geometry);
    let mut sums = vec![0.0; geometry.target.iter().product::<u32>() as usize];
    for (index, &source) in sources.iter().enumerate() {
        let payload = f64::from(payloads.get(index).copied().unwrap_or(1));
        geometry.for_each_target(source, |synapse| {
            sums[synapse.target as usize] += weights[synapse.weight as usize] * payload;
        });
    }
    sums
}

#[test]
fn runs_add_what_the_synapses_add_in_the_same_order() {
    for geometry in cases() {
        geometry.check().unwrap();
        let scatter = Scatter::new(geometry);
        let laid_out = scatter.lay_out(&weights(&geometry));
        let sources: Vec<u32> =
            (0..geometry.source.iter().product()).filter(|n| n % 3 != 1).collect();
        let payloads: Vec<i32> = match geometry.groups {
            2 => sources.iter().map(|source| *source as i32 % 4 - 1).collect(),
            _ => Vec::new(),
        };
        let expected = by_synapse(&geometry, &sources, &payloads);
        let count = expected.len() as u32;
        let mut sums = vec![0.0; expected.len()];
        scatter.add(Instructions::widest(), &sources, &payloads, &laid_out, &mut sums);
        let mut neurons = vec![f64::NAN; expected.len()];
        scatter.gather(&sums, &(0..count), &mut neurons);
        assert_eq!(neurons, expected);
        let mut back = vec![0.0; expected.len()];
        scatter.spread(&neurons, &(0..count), &mut back);
        assert_eq!(back, sums);
        // Cut anywhere, the parts hold the same.
        for part in [0..count / 3, count / 3..count - 2, count - 2..count] {
            let mut sums = vec![0.0; expected.len()];
            let channels = scatter.channels_in(&part);
            scatter.add_channels(&sources, &payloads, &laid_out, &channels, &mut sums);
            let mut neurons = vec![f64::NAN; part.len()];
            scatter.gather(&sums, &part, &mut neurons);
            assert_eq!(neurons, expected[part.start as usize..part.end as usize]);
        }
    }
}

#[test]
fn walking_visits_the_synapses_of_the_geometry_in_their_order() {
    for geometry in cases() {
        let (scatter, weights) = (Scatter::new(geometry), weights(&geometry));
        let laid_out = scatter.lay_out(&weights);
        for source in 0..geometry.source.iter().product() {
            let (mut expected, mut walked) = (Vec::new(), Vec::new());
            geometry.for_each_target(source, |synapse| {
                expected.push((synapse.target, weights[synapse.weight as usize]));
            });
            scatter.for_each_target(source, |target, place| {
                walked.push((target, laid_out[place]));
            });
            assert_eq!(walked, expected);
            assert_eq!(scatter.row_length(source), expected.len() as u64);
        }
    }
}

#[test]
fn twins_are_joined_where_a_mean_pooling_is_part_of_the_kernel() {
    // A 2 × 2 mean and then a 2 × 2 kernel, stride 1: one 4 × 4 kernel of stride 2.
    let outer = [3.0, -1.0, 0.5, 2.0, 1.0, 1.0, -2.0, 0.25];
    let weight = |index: usize| {
        let (out, row, column) = (index / 16, index / 4 % 4, index % 4);
        outer[out * 4 + row / 2 * 2 + column / 2] / 4.0
    };
    let weights: Vec<f64> = (0..32).map(weight).collect();
    let geometry = Convolution {
        source: [1, 6, 6],
        target: [2, 2, 2],
        kernel: [4, 4],
        stride: [2, 2],
        padding: [0; 4],
        dilation: [1, 1],
        groups: 1,
    };
    geometry.check().unwrap();
    let mut scatter = Scatter::new(geometry);
    let laid_out = scatter.lay_out(&weights);
    scatter.find_twins(&laid_out);
    let (neurons, payloads) = ([0, 1, 6, 7, 8, 20, 21, 35], [1, 1, 2, -1, 1, 3, -3, 1]);
    let mut scratch = Scratch::default();
    let (joined, counts, _) = scatter.joined(&neurons, &payloads, &mut scratch);
    assert_eq!((joined, counts), ([0, 2, 14, 28].as_slice(), [3, 1, 0, 1].as_slice()));
    let mut expected = vec![0.0; 8];
    scatter.add(Instructions::widest(), &neurons, &payloads, &laid_out, &mut expected);
    let mut sums = vec![0.0; 8];
    let (joined, counts, _) = scatter.joined(&neurons, &payloads, &mut scratch);
    scatter.add(Instructions::widest(), joined, counts, &laid_out, &mut sums);
    assert_eq!(sums, expected);
    // Weights that are not on the grid keep their order of summing.
    let mut scatter = Scatter::new(geometry);
    scatter.find_twins(&laid_out.iter().map(|weight| weight / 3.0).collect::<Vec<_>>());
    assert_eq!(scatter.joined(&neurons, &payloads, &mut scratch).0, neurons);
}

#[test]
fn a_stride_leaves_one_run_a_kernel_row() {
    let scatter = Scatter::new(convolution([1, 4], 1, [1, 2], 1));
    for column in 0..7 {
        assert!(scatter.runs.at(column).len() <= 1, "column {column}");
    }
    // Depthwise targets and single cells need no other order.
    assert!(Scatter::new(convolution([3, 3], 3, [1, 1], 1)).is_plain());
    assert!(!scatter.is_plain());
}
