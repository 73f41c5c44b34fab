//! Checkpoints and recordings in progress.

use super::Content;
use crate::error::Error;
use crate::listing::Listing;
use crate::model_io::checkpoint::{Facts, read_file};
use crate::model_io::spool::{Piece, Stream};
use crate::network_files::unreadable;
use crate::simulate::open;
use serde_json::json;
use std::path::Path;

fn with_facts(mut content: Content, facts: Facts) -> Content {
    for (name, value) in facts {
        content = content.fact(&name, value);
    }
    content
}

/// What a checkpoint is of, and its sections.
pub(super) fn checkpoint(path: &Path) -> Result<Content, Error> {
    let unread = |reason: String| Error::Read { path: path.into(), reason };
    let (checkpoint, facts) = read_file(path).map_err(|error| unread(error.to_string()))?;
    let sections = checkpoint.sections.iter().map(|section| {
        let numbers = &section.numbers;
        [json!(section.name), json!(numbers.type_name()), json!(numbers.len())]
    });
    let columns = ["name", "type", "numbers"];
    let listing = Listing::new("Sections", &columns).with_rows(sections);
    let content = with_facts(Content::default(), facts);
    Ok(content.fact("time_ms", checkpoint.time.milliseconds()).list("sections", listing))
}

/// What a recording in progress is of, and how much is recorded.
pub(super) fn recording(path: &Path) -> Result<Content, Error> {
    let mut spool = open(path)?;
    let header = spool.header().clone();
    let (mut spikes, mut last) = (0, 0);
    let mut samples = vec![0; header.streams.len()];
    while let Some(piece) = spool.next_piece().map_err(|error| unreadable(path, &error))? {
        match piece {
            Piece::Spikes(times, ..) => {
                spikes += times.len();
                last = last.max(times.last().copied().unwrap_or(0));
            }
            Piece::Samples(stream, times, _) => {
                samples[stream] += times.len();
                last = last.max(times.last().copied().unwrap_or(0));
            }
            Piece::Synapses(..) => {}
        }
    }
    let rows = header.streams.iter().zip(samples).map(|(stream, samples)| {
        let (probe, variable) = match stream {
            Stream::Variable { probe, variable, .. } => (probe, variable.as_str()),
            Stream::Weights { probe, .. } => (probe, "weights"),
        };
        [json!(probe), json!(variable), json!(samples)]
    });
    let listing = Listing::new("Samples", &["probe", "variable", "samples"]).with_rows(rows);
    let content = with_facts(Content::default(), header.facts.clone());
    let time_ms = crate::sim_core::time::Time(last).milliseconds();
    let content = content.fact("recorded_up_to_ms", time_ms).fact("spikes", spikes);
    Ok(content.fact("whole_bytes", spool.position()).list("samples", listing))
}
