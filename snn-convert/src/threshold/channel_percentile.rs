//! The 99.9th percentile of each channel's activations.
//!
//! Robust against outliers: the largest activations saturate, all others get a finer code.
//! Source: Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.2.1, a channel instead of a
//! layer.

use super::{ThresholdRule, for_channels};
use crate::calibrate::percentile;

/// Share of activations that do not saturate, in per cent.
const PERCENT: f64 = 99.9;

pub static RULE: ThresholdRule = ThresholdRule {
    name: "channel_percentile",
    summary: "the 99.9th percentile of each channel's activations",
    reference: "Rueckauer et al. 2017, Front. Neurosci. 11:682",
    choose: |sample, _steps| for_channels(sample, |channel| percentile(channel, PERCENT)),
};
