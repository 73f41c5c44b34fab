//! A step's spikes through a shared kernel, from their list to the inputs of neurons.

use super::{Scatter, Scratch};
use crate::connectome::Arriving;
use kernels::Instructions;
use std::ops::Range;

/// A shared kernel on its way to a part of its targets.
pub(in super::super) struct ConvolutionDelivery<'a> {
    pub(in super::super) instructions: Instructions,
    pub(in super::super) scatter: &'a Scatter,
    pub(in super::super) weights: &'a [f64],
    pub(in super::super) part: &'a Range<u32>,
}

impl ConvolutionDelivery<'_> {
    /// Adds a step's spikes. Every target sums in the order of the sources.
    pub(in super::super) fn deliver(
        &self,
        spikes: Arriving<'_>,
        input: &mut [f64],
        empty: bool,
        scratch: &mut Scratch,
    ) {
        let ConvolutionDelivery { instructions, scatter, weights, part } = *self;
        let whole = input.len() == scatter.targets();
        let (neurons, payloads, sums) = scatter.joined(spikes.neurons, spikes.payloads, scratch);
        if whole && scatter.is_plain() {
            scatter.add(instructions, neurons, payloads, weights, input);
            return;
        }
        sums.resize(scatter.targets(), 0.0);
        if empty {
            sums.fill(0.0);
        } else {
            scatter.spread(input, part, sums);
        }
        match whole {
            true => scatter.add(instructions, neurons, payloads, weights, sums),
            false => {
                let channels = scatter.channels_in(part);
                scatter.add_channels(neurons, payloads, weights, &channels, sums);
            }
        }
        scatter.gather(sums, part, input);
    }
}
