//! Arguments of commands that read NIR graphs: conventions in place of a dialect's.

use spikeloom::model_io::nir::dialect::{
    CurrentOrder, Decay, InputScale, Named, SpikeReset, Start, Stated,
};

/// What NIR leaves open, stated in place of the dialect's.
#[derive(Debug, Clone, clap::Args)]
pub struct Conventions {
    /// NIR: length of a step in seconds, in place of the dialect's
    #[arg(long, value_name = "SECONDS")]
    dt: Option<f64>,

    /// NIR: what the file's time constants are multiplied by to be seconds, in place of the
    /// dialect's
    #[arg(long, value_name = "FACTOR")]
    tau_scale: Option<f64>,

    /// NIR: what a spike does to the potential, in place of the dialect's
    #[arg(long, value_name = "to-value|subtract|subtract-many|subtract-next|…", value_parser = SpikeReset::named)]
    reset: Option<SpikeReset>,

    /// NIR: what a step keeps, 1 - dt/tau or exp(-dt/tau), in place of the dialect's
    #[arg(long, value_name = "euler|exponential", value_parser = Decay::named)]
    decay: Option<Decay>,

    /// NIR: whether the current that acts is the one that decayed and took its input in, the one that
    /// jumped and decays afterwards, or the one that jumped and decayed, in place of the dialect's
    #[arg(long, value_name = "after-input|jump-first|input-decays", value_parser = CurrentOrder::named)]
    current: Option<CurrentOrder>,

    /// NIR: what the input of leaky neurons is multiplied by, r times the decayed part, r dt/tau, or 1,
    /// in place of the dialect's
    #[arg(long = "r", value_name = "decay|step|one", value_parser = InputScale::named)]
    input: Option<InputScale>,

    /// NIR: how many spikes a neuron sends in a step at the most, with --reset subtract-many, in place of
    /// the dialect's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    most_spikes: Option<u32>,

    /// NIR: where leaky potentials begin, at 0 or at the node's v_leak, in place of the dialect's
    #[arg(long, value_name = "zero|leak", value_parser = Start::named)]
    start: Option<Start>,
}

impl Conventions {
    /// What is stated.
    pub fn stated(&self) -> Stated {
        let Self { dt, tau_scale, reset, decay, current, input, most_spikes, start } = *self;
        Stated { dt, tau_scale, decay, current, reset, input, most_spikes, start }
    }
}
