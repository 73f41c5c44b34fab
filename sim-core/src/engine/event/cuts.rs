//! Where a part's synapses lie in each row of a projection.

use crate::connectome::{Fanout, Layout};
use std::ops::Range;

/// Fewest synapses of a segment onto a part, in the mean, for which its place is kept: eight bytes beside at
/// least four for each synapse.
const LONG: u64 = 64;

/// The run of each segment that reaches some consecutive neurons, found once: a row lies in memory that no cache
/// holds, so that to look for the run takes longer than to add some ten of its synapses.
#[derive(Debug)]
pub(super) struct Cuts {
    /// From the segment's first synapse; by the segment's number.
    runs: Vec<(u32, u32)>,
}

impl Cuts {
    /// Those of a projection onto the neurons `range` of its target population; `None` where a segment has too few
    /// synapses for that, or names no targets, or where all of it reaches the part.
    pub(super) fn new(fanout: &Fanout, range: &Range<u32>) -> Option<Self> {
        let Layout::Sparse { targets, .. } = fanout.layout() else {
            return None;
        };
        let (size, own) = (fanout.targets().len() as u64, range.len() as u64);
        let segments = fanout.segment_count();
        let reached = (u128::from(fanout.synapse_count()) * u128::from(own)) as u64 / size.max(1);
        if own == size || segments == 0 || reached / segments < LONG {
            return None;
        }
        let place = |row: &[u32], bound: u32| {
            u32::try_from(row.partition_point(|&target| target < bound)).ok()
        };
        let run = |number| {
            let row = &targets[fanout.numbered_segment(number)];
            Some((place(row, range.start)?, place(row, range.end)?))
        };
        let runs = (0..segments as usize).map(run).collect::<Option<Vec<_>>>()?;
        Some(Cuts { runs })
    }

    /// The synapses of the segment with this number that reach the part.
    #[inline]
    pub(super) fn run(&self, fanout: &Fanout, number: usize) -> Range<usize> {
        let (begin, end) = self.runs[number];
        let first = fanout.numbered_segment(number).start;
        first + begin as usize..first + end as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Cuts;
    use crate::connectome::{CompileConfig, Layout};
    use crate::distribution::Uniform;
    use crate::engine::Compiled;
    use crate::network::{Connectivity, FixedProbability, Network, Population, Projection};
    use crate::neuron::lif_delta::LifDelta;
    use crate::units::{Milliseconds, Millivolts, Values};

    #[test]
    fn runs_have_the_synapses_onto_the_part_and_no_others() {
        let mut network = Network::new("cut", Milliseconds(0.1));
        network.add_population("sources", Population::new(20, LifDelta::default()));
        network.add_population("targets", Population::new(400, LifDelta::default()));
        let (low, high) = (Milliseconds(0.06).into(), Milliseconds(0.24).into());
        let delays: [(_, Values); 2] =
            [("one", Milliseconds(1.5).into()), ("two", Uniform { low, high }.into())];
        for (name, delay) in delays {
            let rule = FixedProbability { probability: 0.8, autapses: true };
            let rule = Connectivity::FixedProbability(rule);
            let projection = Projection::new("sources", "targets", rule);
            network.add_projection(name, projection.weight(Millivolts(0.1)).delay(delay));
        }
        let network = network.validate().unwrap();
        let compiled = Compiled::new(network, CompileConfig::UNLIMITED).unwrap();
        for fanout in compiled.connectome.fanouts() {
            let Layout::Sparse { targets, .. } = fanout.layout() else {
                panic!("drawn rows name their targets");
            };
            for range in [0..170, 170..400] {
                let cuts = Cuts::new(fanout, &range).unwrap();
                for source in 0..20 {
                    for delay in fanout.delays_of(source) {
                        let own = fanout.segment(source, delay);
                        let own = own.filter(|&place| range.contains(&targets[place]));
                        let number = fanout.segment_number(source, delay).unwrap();
                        let run = cuts.run(fanout, number);
                        assert!(run.len() > 40, "{}", run.len());
                        assert_eq!(run.collect::<Vec<_>>(), own.collect::<Vec<_>>());
                    }
                }
            }
            assert!(Cuts::new(fanout, &(0..400)).is_none(), "all of each row");
            assert!(Cuts::new(fanout, &(0..30)).is_none(), "few of each row");
        }
    }
}
