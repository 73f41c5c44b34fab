//! The largest activation of the layer, for all channels.
//!
//! Never saturates on the calibration set, but codes small channels coarsely; the baseline.
//! Source: Diehl et al. 2015, IJCNN, "Fast-classifying, high-accuracy spiking deep networks".

use super::{ThresholdRule, for_channels};

pub static RULE: ThresholdRule = ThresholdRule {
    name: "layer_maximum",
    summary: "the largest activation of the layer, for all channels",
    reference: "Diehl et al. 2015, IJCNN",
    choose: |sample, _steps| {
        let largest = f64::from(sample.maximum());
        for_channels(sample, |_| largest)
    },
};
