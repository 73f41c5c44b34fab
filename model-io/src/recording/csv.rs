//! Recordings as text.

use super::arrays::{is_weights, recorded};
use super::counts::Counts;
use super::{Content, RecordingError, each_piece, milliseconds};
use crate::spool::{Piece, SpoolReader};
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::Path;

pub(super) fn write<R: Read + Seek>(
    spool: &mut SpoolReader<R>,
    counts: &Counts,
    content: Content,
    path: &Path,
) -> Result<(), RecordingError> {
    let mut out = BufWriter::new(File::create(path)?);
    match content {
        Content::Spikes => spikes(spool, counts, &mut out)?,
        Content::Stream(index) if is_weights(spool.header(), content) => {
            weights(spool, index, &mut out)?;
        }
        Content::Stream(index) => samples(spool, index, &mut out)?,
    }
    out.flush()?;
    Ok(())
}

fn spikes<R: Read + Seek>(
    spool: &mut SpoolReader<R>,
    counts: &Counts,
    out: &mut dyn Write,
) -> Result<(), RecordingError> {
    let names: Vec<String> =
        spool.header().populations.iter().map(|(name, _)| quoted(name)).collect();
    let several = recorded(spool.header()).len() > 1;
    let population = if several { "population," } else { "" };
    writeln!(out, "time,{population}neuron{}", if counts.graded { ",payload" } else { "" })?;
    each_piece(spool, |piece| {
        let Piece::Spikes(times, neurons, payloads) = piece else {
            return Ok(());
        };
        for (index, (&time, &neuron)) in times.iter().zip(&neurons).enumerate() {
            let population = counts.population_of(neuron);
            write!(out, "{},", milliseconds(time))?;
            if several {
                write!(out, "{},", names[population])?;
            }
            write!(out, "{}", neuron - counts.firsts[population])?;
            if counts.graded {
                write!(out, ",{}", payloads.get(index).copied().unwrap_or(1))?;
            }
            out.write_all(b"\n")?;
        }
        Ok(())
    })
}

fn samples<R: Read + Seek>(
    spool: &mut SpoolReader<R>,
    index: usize,
    out: &mut dyn Write,
) -> Result<(), RecordingError> {
    writeln!(out, "time,neuron,value")?;
    each_piece(spool, |piece| {
        let Piece::Samples(stream, times, values) = piece else {
            return Ok(());
        };
        if stream == index {
            each_row(&times, &values, |time, neuron, value| {
                writeln!(out, "{time},{neuron},{value}")
            })?;
        }
        Ok(())
    })
}

fn weights<R: Read + Seek>(
    spool: &mut SpoolReader<R>,
    index: usize,
    out: &mut dyn Write,
) -> Result<(), RecordingError> {
    let dt = spool.header().dt;
    let mut ends = Vec::new();
    writeln!(out, "time,source,target,delay,weight")?;
    each_piece(spool, |piece| {
        match piece {
            Piece::Synapses(stream, sources, targets, delays) if stream == index => {
                let delays = delays.iter().map(|&steps| f64::from(steps) * dt);
                ends.extend(sources.into_iter().zip(targets).zip(delays));
            }
            Piece::Samples(stream, times, values) if stream == index => {
                each_row(&times, &values, |time, synapse, weight| match ends.get(synapse) {
                    Some(((source, target), delay)) => {
                        writeln!(out, "{time},{source},{target},{delay},{weight}")
                    }
                    None => Ok(()),
                })?;
            }
            _ => {}
        }
        Ok(())
    })
}

/// Calls `write(time in ms, column, value)` for samples `[time, column]`.
fn each_row(
    times: &[i64],
    values: &[f64],
    mut write: impl FnMut(f64, usize, f64) -> io::Result<()>,
) -> io::Result<()> {
    let columns = values.len().checked_div(times.len()).unwrap_or(0).max(1);
    for (&time, row) in times.iter().zip(values.chunks(columns)) {
        for (column, &value) in row.iter().enumerate() {
            write(milliseconds(time), column, value)?;
        }
    }
    Ok(())
}

/// A name as a cell.
fn quoted(name: &str) -> String {
    match name.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.to_string(),
    }
}
