//! Recordings as archives of numpy arrays.

use super::arrays::{Part, is_weights, recorded};
use super::counts::Counts;
use super::{Content, RecordingError};
use crate::npz::NpzWriter;
use crate::spool::SpoolReader;
use std::fs::File;
use std::io::{BufWriter, Read, Seek};
use std::path::Path;

pub(super) fn write<R: Read + Seek>(
    spool: &mut SpoolReader<R>,
    counts: &Counts,
    content: Content,
    path: &Path,
) -> Result<(), RecordingError> {
    let mut archive = NpzWriter::new(BufWriter::new(File::create(path)?));
    for (name, part) in arrays(spool, counts, content) {
        archive.begin(&name, &part.shape(counts), &part.empty())?;
        part.stream(spool, counts, |values| Ok(archive.append(values)?))?;
    }
    archive.finish()?;
    Ok(())
}

fn arrays<R: Read + Seek>(
    spool: &SpoolReader<R>,
    counts: &Counts,
    content: Content,
) -> Vec<(String, Part)> {
    let mut arrays = Vec::new();
    match content {
        Content::Spikes => {
            let populations = recorded(spool.header());
            let is_one = populations.len() == 1;
            for (index, population) in populations {
                let mut push = |name: &str, part: Part| {
                    let name = if is_one { name.into() } else { format!("{population}/{name}") };
                    arrays.push((name, part));
                };
                push("times", Part::SpikeTimes(index));
                push("neurons", Part::SpikeNeurons(index));
                if counts.graded {
                    push("payloads", Part::SpikePayloads(index));
                }
            }
        }
        Content::Stream(index) => {
            arrays.push(("times".into(), Part::SampleTimes(index)));
            arrays.push(("values".into(), Part::SampleValues(index)));
            if is_weights(spool.header(), content) {
                arrays.push(("sources".into(), Part::Sources(index)));
                arrays.push(("targets".into(), Part::Targets(index)));
                arrays.push(("delays".into(), Part::Delays(index)));
            }
        }
    }
    arrays
}
