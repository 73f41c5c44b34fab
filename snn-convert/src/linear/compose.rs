//! Two maps one after the other, as one.

use super::{ChannelScale, Geometry, LinearMap};

/// The map that does `first`, then `next`, in the most compact form there is.
pub(super) fn compose(first: &LinearMap, next: &LinearMap) -> LinearMap {
    merged_convolution(first, next)
        .or_else(|| channels_mixed_first(first, next))
        .or_else(|| channels_mixed_after(first, next))
        .or_else(|| scaled_channels(first, next))
        .or_else(|| some_channels(first, next))
        .unwrap_or_else(|| sparse_after(first, next))
}

/// A convolution with a factor a channel before or behind it is a convolution.
fn scaled_channels(first: &LinearMap, next: &LinearMap) -> Option<LinearMap> {
    match (first, next) {
        (factors, LinearMap::Convolution { geometry, .. }) => {
            let scale = channel_factors(factors, geometry.source)?;
            Some(next.scaled(&scale, &ChannelScale::one()))
        }
        (LinearMap::Convolution { geometry, .. }, factors) => {
            let scale = channel_factors(factors, geometry.target)?;
            Some(first.scaled(&ChannelScale::one(), &scale))
        }
        _ => None,
    }
}

/// The factors of a map that only scales, by one factor a channel of a picture.
fn channel_factors(map: &LinearMap, picture: [u32; 3]) -> Option<ChannelScale> {
    let LinearMap::Sparse { targets, rows } = map else { return None };
    let [channels, height, width] = picture.map(|n| n as usize);
    let per_channel = height * width;
    if rows.len() != *targets || rows.len() != channels * per_channel {
        return None;
    }
    let factor = |source: usize| match rows[source].as_slice() {
        [(target, factor)] if *target as usize == source => Some(*factor),
        _ => None,
    };
    let factors: Option<Vec<f64>> = (0..channels).map(|c| factor(c * per_channel)).collect();
    let factors = factors?;
    let equal = |source: usize| factor(source) == Some(factors[source / per_channel]);
    (0..rows.len()).all(equal).then_some(ChannelScale { factors, per_channel })
}

/// A convolution that sees the source as some of its channels (a concatenation before it) is a
/// convolution with the weights of those channels.
fn some_channels(first: &LinearMap, next: &LinearMap) -> Option<LinearMap> {
    let LinearMap::Sparse { targets, rows } = first else { return None };
    let LinearMap::Convolution { geometry, weights } = next else { return None };
    let [channels, height, width] = geometry.source.map(|n| n as usize);
    let area = height * width;
    if geometry.groups != 1 || *targets != channels * area || !rows.len().is_multiple_of(area) {
        return None;
    }
    let &[(offset, 1.0)] = rows.first()?.as_slice() else { return None };
    let offset = offset as usize;
    let moved = |(source, row): (usize, &Vec<(u32, f64)>)| matches!(row.as_slice(), [(target, 1.0)] if *target as usize == source + offset);
    if !offset.is_multiple_of(area) || !rows.iter().enumerate().all(moved) {
        return None;
    }
    let (from, count) = (offset / area, rows.len() / area);
    let [out, _, kernel_height, kernel_width] = geometry.weight_shape().map(|n| n as usize);
    let taps = kernel_height * kernel_width;
    let mut own = Vec::with_capacity(out * count * taps);
    for target in 0..out {
        let start = (target * channels + from) * taps;
        own.extend_from_slice(weights.get(start..start + count * taps)?);
    }
    let source = [count as u32, geometry.source[1], geometry.source[2]];
    let geometry = Geometry { source, ..*geometry };
    geometry.check().ok()?;
    Some(LinearMap::Convolution { geometry, weights: own })
}

/// A dense layer behind any map is a dense layer.
pub(super) fn dense_after(
    first: &LinearMap,
    targets: usize,
    middle: usize,
    weights: &[f64],
) -> LinearMap {
    let sources = first.sources();
    let mut product = vec![0.0; targets * sources];
    for source in 0..sources {
        first.for_each_target(source, |via, weight| {
            for target in 0..targets {
                product[target * sources + source] += weights[target * middle + via] * weight;
            }
        });
    }
    LinearMap::Dense { targets, sources, weights: product }
}

/// A convolution behind a channel-wise one (a pooling) as one convolution, where windows nest.
fn merged_convolution(first: &LinearMap, next: &LinearMap) -> Option<LinearMap> {
    let (
        LinearMap::Convolution { geometry: pool, weights: pool_weights },
        LinearMap::Convolution { geometry: outer, weights },
    ) = (first, next)
    else {
        return None;
    };
    let channel_wise = pool.groups == pool.source[0] && pool.groups == pool.target[0];
    let plain = pool.padding == [0; 4] && pool.dilation == [1, 1] && outer.dilation == [1, 1];
    if !channel_wise || !plain || pool.target != outer.source {
        return None;
    }
    let mut merged = Geometry { source: pool.source, ..*outer };
    for axis in 0..2 {
        let (stride, kernel) = (pool.stride[axis], pool.kernel[axis]);
        // Pooled cells in the padding must read nothing: the pool has to use up its whole source.
        let used = stride * (pool.target[axis + 1] - 1) + kernel;
        if used != pool.source[axis + 1] && outer.padding[axis + 2] > 0 {
            return None;
        }
        // A window that overlaps the padding's first real cell would lose what reaches over.
        if kernel > stride && outer.padding[axis] + outer.padding[axis + 2] > 0 {
            return None;
        }
        merged.kernel[axis] = (outer.kernel[axis] - 1) * stride + kernel;
        merged.stride[axis] = outer.stride[axis] * stride;
        merged.padding[axis] = outer.padding[axis] * stride;
        merged.padding[axis + 2] = outer.padding[axis + 2] * stride;
    }
    merged.check().ok()?;
    let weights = nested_kernel(pool, pool_weights, outer, weights, &merged);
    Some(LinearMap::Convolution { geometry: merged, weights })
}

/// A convolution behind one that only mixes the channels of each cell (1 × 1) as one convolution.
///
/// Linear bottlenecks project and expand in this way without an activation between.
fn channels_mixed_first(first: &LinearMap, next: &LinearMap) -> Option<LinearMap> {
    let (
        LinearMap::Convolution { geometry: mix, weights: mix_weights },
        LinearMap::Convolution { geometry: outer, weights },
    ) = (first, next)
    else {
        return None;
    };
    let cell_wise = mix.kernel == [1, 1] && mix.stride == [1, 1] && mix.padding == [0; 4];
    if !cell_wise || mix.groups != 1 || mix.target != outer.source {
        return None;
    }
    let [out, per_group, height, width] = outer.weight_shape().map(|n| n as usize);
    let (sources, taps) = (mix.source[0] as usize, height * width);
    let out_group = (out / outer.groups.max(1) as usize).max(1);
    let mut merged = vec![0.0; out * sources * taps];
    for (index, weight) in weights.iter().enumerate() {
        let (tap, target) = (index % taps, index / taps / per_group);
        let via = target / out_group * per_group + index / taps % per_group;
        for source in 0..sources {
            merged[(target * sources + source) * taps + tap] +=
                weight * mix_weights[via * sources + source];
        }
    }
    // Every source reaches every channel of a cell, whatever groups came after.
    let geometry = Geometry { source: mix.source, groups: 1, ..*outer };
    geometry.check().ok()?;
    Some(LinearMap::Convolution { geometry, weights: merged })
}

/// A convolution before one that only mixes the channels of each cell (1 × 1) as one convolution.
///
/// Separable convolutions are of this kind: depthwise, then pointwise, without an activation between.
fn channels_mixed_after(first: &LinearMap, next: &LinearMap) -> Option<LinearMap> {
    let (
        LinearMap::Convolution { geometry: inner, weights },
        LinearMap::Convolution { geometry: mix, weights: mix_weights },
    ) = (first, next)
    else {
        return None;
    };
    let cell_wise = mix.kernel == [1, 1] && mix.stride == [1, 1] && mix.padding == [0; 4];
    if !cell_wise || mix.groups != 1 || inner.target != mix.source {
        return None;
    }
    let [middle, per_group, height, width] = inner.weight_shape().map(|n| n as usize);
    let (sources, targets) = (inner.source[0] as usize, mix.target[0] as usize);
    let (taps, group) = (height * width, middle / inner.groups as usize);
    let mut merged = vec![0.0; targets * sources * taps];
    for (index, weight) in weights.iter().enumerate() {
        let (tap, within, via) = (index % taps, index / taps % per_group, index / taps / per_group);
        let source = via / group * per_group + within;
        for target in 0..targets {
            merged[(target * sources + source) * taps + tap] +=
                weight * mix_weights[target * middle + via];
        }
    }
    let geometry = Geometry { target: mix.target, groups: 1, ..*inner };
    geometry.check().ok()?;
    Some(LinearMap::Convolution { geometry, weights: merged })
}

fn nested_kernel(
    pool: &Geometry,
    pool_weights: &[f64],
    outer: &Geometry,
    weights: &[f64],
    merged: &Geometry,
) -> Vec<f64> {
    let [out, per_group, height, width] = outer.weight_shape().map(|n| n as usize);
    let [merged_height, merged_width] = merged.kernel.map(|n| n as usize);
    let [pool_height, pool_width] = pool.kernel.map(|n| n as usize);
    let [down, right] = pool.stride.map(|n| n as usize);
    let out_group = out / outer.groups as usize;
    let mut kernel = vec![0.0; out * per_group * merged_height * merged_width];
    for (index, weight) in weights.iter().enumerate() {
        let (row, column) = (index / width % height, index % width);
        let plane = index / width / height;
        let channel = plane / per_group / out_group * per_group + plane % per_group;
        for tap in 0..pool_height * pool_width {
            let (tap_row, tap_column) = (tap / pool_width, tap % pool_width);
            let at_row = row * down + tap_row;
            let at_column = column * right + tap_column;
            kernel[(plane * merged_height + at_row) * merged_width + at_column] +=
                weight * pool_weights[channel * pool_height * pool_width + tap];
        }
    }
    kernel
}

/// Any two maps as a list.
fn sparse_after(first: &LinearMap, next: &LinearMap) -> LinearMap {
    let mut rows = Vec::with_capacity(first.sources());
    let mut sums = vec![0.0; next.targets()];
    let mut reached: Vec<u32> = Vec::new();
    let mut seen = vec![false; next.targets()];
    for source in 0..first.sources() {
        first.for_each_target(source, |via, weight| {
            next.for_each_target(via, |target, next_weight| {
                sums[target] += weight * next_weight;
                if !std::mem::replace(&mut seen[target], true) {
                    reached.push(target as u32);
                }
            });
        });
        reached.sort_unstable();
        let mut row = Vec::with_capacity(reached.len());
        for target in reached.drain(..) {
            let index = target as usize;
            seen[index] = false;
            row.push((target, std::mem::take(&mut sums[index])));
        }
        rows.push(row);
    }
    LinearMap::Sparse { targets: next.targets(), rows }
}
