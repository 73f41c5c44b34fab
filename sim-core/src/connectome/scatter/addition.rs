//! Adding what spikes bring, run by run.

use super::Scatter;
use kernels::{Instructions, Loop};
use std::ops::Range;

impl Scatter {
    /// Adds the laid-out weights of `sources`, times their payloads (1 where there are none), to
    /// `sums`, which holds all targets channel-last.
    pub fn add(
        &self,
        instructions: Instructions,
        sources: &[u32],
        payloads: &[i32],
        weights: &[f64],
        sums: &mut [f64],
    ) {
        let spikes = Spikes { scatter: self, sources, weights, sums };
        match payloads.is_empty() {
            true => instructions.run(Addition { spikes, factor: |_| 1.0 }),
            false => {
                let factor = |index: usize| payloads.get(index).map_or(1.0, |&n| f64::from(n));
                instructions.run(Addition { spikes, factor });
            }
        }
    }

    /// Adds the laid-out weights of all sources, times their values, to the neurons `output`: what the
    /// convolution makes of an analogue input. Each target sums in the order of the sources.
    pub fn apply(&self, values: &[f64], weights: &[f64], output: &mut [f64], sums: &mut Vec<f64>) {
        let part = 0..self.targets() as u32;
        sums.resize(self.targets(), 0.0);
        self.spread(output, &part, sums);
        let is_there = |source: &u32| values.get(*source as usize).is_some_and(|v| *v != 0.0);
        let sources: Vec<u32> = (0..values.len() as u32).filter(is_there).collect();
        let spikes = Spikes { scatter: self, sources: &sources, weights, sums };
        let factor = |index: usize| values[sources[index] as usize];
        Instructions::widest().run(Addition { spikes, factor });
        self.gather(sums, &part, output);
    }

    /// As [`add`](Self::add), only for target channels in `part`.
    pub fn add_channels(
        &self,
        sources: &[u32],
        payloads: &[i32],
        weights: &[f64],
        part: &Range<usize>,
        sums: &mut [f64],
    ) {
        let (channels, area) = (self.targets_per_group, self.area());
        self.for_each_run(sources, |index, run, place| {
            let group = run.start / area;
            let first = part.start.saturating_sub(group * channels).min(channels);
            let end = part.end.saturating_sub(group * channels).min(channels);
            for offset in 0..run.len() {
                let sums = &mut sums[(run.start + offset) * channels..][first..end];
                let weights = &weights[(place + offset) * channels..][first..end];
                add_times(sums, weights, payloads.get(index));
            }
        });
    }

    /// Calls `visit(index of the source, cells, place)` for every run: `cells` are positions in
    /// `[group, row, column]`, `place` is the position of the first weight; both count channels of a
    /// group as one.
    #[inline(always)]
    fn for_each_run(&self, sources: &[u32], mut visit: impl FnMut(usize, Range<usize>, usize)) {
        let [height, width] = self.geometry.kernel.map(|n| n as usize);
        let (area, target_width) = (self.area(), self.geometry.target[2] as usize);
        // Neighbours come together mostly: what a line has in common is found once.
        let mut own = 0..0;
        let (mut plane, mut kernel, mut rows) = (0, 0, &[][..]);
        for (index, &source) in sources.iter().enumerate() {
            if !own.contains(&source) {
                let cell = self.cell(source);
                let first = source - cell.column as u32;
                own = first..first + self.geometry.source[2];
                plane = cell.channel / self.sources_per_group * area;
                kernel = cell.channel * height;
                rows = self.rows.at(cell.row);
            }
            let runs = self.runs.at((source - own.start) as usize);
            for row in rows {
                let line = plane + row.target as usize * target_width;
                let weights = (kernel + row.kernel as usize) * width;
                for run in runs {
                    let first = line + run.target as usize;
                    let cells = first..first + run.count as usize;
                    visit(index, cells, weights + run.place as usize);
                }
            }
        }
    }
}

/// Spikes on their way to targets that are held channel-last.
struct Spikes<'a> {
    scatter: &'a Scatter,
    sources: &'a [u32],
    weights: &'a [f64],
    sums: &'a mut [f64],
}

/// Adds what spikes bring, times a factor each.
struct Addition<'a, F> {
    spikes: Spikes<'a>,
    factor: F,
}

impl<F: Fn(usize) -> f64> Loop for Addition<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Spikes { scatter, sources, weights, sums } = self.spikes;
        let channels = scatter.targets_per_group;
        scatter.for_each_run(sources, |index, run, place| {
            let (factor, length) = ((self.factor)(index), run.len() * channels);
            let weights = &weights[place * channels..][..length];
            let own = sums[run.start * channels..][..length].iter_mut();
            own.zip(weights).for_each(|(sum, weight)| *sum += weight * factor);
        });
    }
}

/// sums += weights × payload.
#[inline(always)]
fn add_times(sums: &mut [f64], weights: &[f64], payload: Option<&i32>) {
    match payload {
        None | Some(1) => sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight),
        Some(&payload) => {
            let factor = f64::from(payload);
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight * factor);
        }
    }
}
