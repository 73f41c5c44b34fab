//! Two nodes with weights that follow each other, as one matrix.

use sim_core::network::Convolution;

use super::path::Weights;

/// Multiplications of a product at most.
const WORK_LIMIT: u64 = 1 << 33;

/// The matrix `[rows, columns]` times the weights before it: its columns and its weights.
///
/// # Errors
/// The number of values of a product larger than `most`.
pub(super) fn product(
    before: &Weights,
    (columns, matrix): (usize, &[f64]),
    most: usize,
) -> Result<(usize, Vec<f64>), u64> {
    let rows = matrix.len() / columns.max(1);
    let (sources, each) = match before {
        Weights::Direct | Weights::Diagonal(_) => (columns, 1),
        Weights::Matrix { columns: sources, .. } => (*sources, *sources),
        Weights::Listed { sources, synapses } => (*sources, synapses.len() / columns.max(1) + 1),
        Weights::Kernel { geometry, .. } => {
            let sources = geometry.source.iter().map(|&n| n as usize).product();
            let taps = geometry.kernel[0] as usize * geometry.kernel[1] as usize;
            (sources, taps * (geometry.source[0] / geometry.groups.max(1)) as usize)
        }
    };
    let size = (rows as u64).saturating_mul(sources as u64);
    let work = (matrix.len() as u64).saturating_mul(each as u64);
    if size > most as u64 || work > WORK_LIMIT {
        return Err(size.max(work));
    }
    let mut weights = vec![0.0; rows * sources];
    for (own, out) in matrix.chunks(columns.max(1)).zip(weights.chunks_mut(sources.max(1))) {
        for (middle, &weight) in own.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
            match before {
                Weights::Direct => out[middle] += weight,
                Weights::Diagonal(factors) => {
                    let factor = factors.get(middle).or(factors.first()).copied().unwrap_or(1.0);
                    out[middle] += weight * factor;
                }
                Weights::Matrix { weights, .. } => {
                    let row = &weights[middle * sources..(middle + 1) * sources];
                    out.iter_mut().zip(row).for_each(|(out, first)| *out += weight * first);
                }
                Weights::Kernel { geometry, weights } => {
                    taps(geometry, middle, |source, tap| out[source] += weight * weights[tap]);
                }
                // Multiplied synapse by synapse, as their delays may differ.
                Weights::Listed { .. } => {}
            }
        }
    }
    Ok((sources, weights))
}

/// What the matrix `[rows, columns]` makes of one value a column.
pub(super) fn applied((columns, matrix): (usize, &[f64]), values: &[f64]) -> Vec<f64> {
    let row = |row: &[f64]| row.iter().zip(values).map(|(weight, value)| weight * value).sum();
    matrix.chunks(columns.max(1)).map(row).collect()
}

/// Visits the source pixels of a target pixel with the places of their weights in the kernel.
pub(super) fn taps(geometry: &Convolution, target: usize, mut visit: impl FnMut(usize, usize)) {
    let [channels, height, width] = geometry.target.map(|n| n as usize);
    let [ins, rows, columns] = geometry.source.map(|n| n as usize);
    let groups = (geometry.groups as usize).max(1);
    let (out, y, x) = (target / (height * width), target / width % height, target % width);
    let (per_group, group) = (ins / groups, out / (channels / groups).max(1));
    let place = |axis: usize, at: usize, element: usize| {
        (at * geometry.stride[axis] as usize + element * geometry.dilation[axis] as usize)
            .checked_sub(geometry.padding[axis] as usize)
    };
    let [tall, wide] = geometry.kernel.map(|n| n as usize);
    for channel in 0..per_group {
        for (i, row) in (0..tall).filter_map(|i| Some((i, place(0, y, i).filter(|&r| r < rows)?))) {
            for j in 0..wide {
                let Some(column) = place(1, x, j).filter(|&c| c < columns) else { continue };
                let source = ((group * per_group + channel) * rows + row) * columns + column;
                visit(source, ((out * per_group + channel) * tall + i) * wide + j);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_are_multiplied_and_biases_carried_on() {
        let first = Weights::Matrix { columns: 2, weights: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        let second = [1.0, 0.0, 2.0, 0.0, 1.0, 1.0];
        let made = product(&first, (3, &second), 100).unwrap();
        assert_eq!(made, (2, vec![11.0, 14.0, 8.0, 10.0]));
        assert_eq!(applied((3, &second), &[1.0, 0.0, -1.0]), [-1.0, -1.0]);
        assert_eq!(product(&first, (3, &second), 3).unwrap_err(), 12);
    }

    #[test]
    fn a_kernel_before_a_matrix_is_written_out() {
        // sums over 2 × 2 pixels of two channels of 2 × 4, each on its own
        let geometry = Convolution {
            source: [2, 2, 4],
            target: [2, 1, 2],
            kernel: [2, 2],
            stride: [2, 2],
            padding: [0; 4],
            dilation: [1, 1],
            groups: 2,
        };
        let first = Weights::Kernel { geometry, weights: vec![1.0; 8] };
        let (columns, weights) = product(&first, (4, &[1.0, 2.0, 3.0, 4.0]), 100).unwrap();
        let channel = |left: f64, right: f64| [left, left, right, right].repeat(2);
        assert_eq!(columns, 16);
        assert_eq!(weights, [channel(1.0, 2.0), channel(3.0, 4.0)].concat());
    }

    #[test]
    fn padding_and_dilation_leave_out_what_lies_beside_the_picture() {
        let geometry = Convolution {
            source: [1, 3, 3],
            target: [1, 3, 3],
            kernel: [2, 2],
            stride: [1, 1],
            padding: [1, 1, 1, 1],
            dilation: [2, 2],
            groups: 1,
        };
        let first = Weights::Kernel { geometry, weights: vec![1.0, 2.0, 4.0, 8.0] };
        let mut corner = vec![0.0; 9];
        corner[0] = 1.0;
        let (_, weights) = product(&first, (9, &corner), 100).unwrap();
        let mut expected = vec![0.0; 9];
        expected[4] = 8.0;
        assert_eq!(weights, expected);
    }
}
