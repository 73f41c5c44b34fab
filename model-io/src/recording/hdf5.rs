//! SONATA spikes and reports, and weights beside them.

use super::arrays::{Part, recorded};
use super::counts::Counts;
use super::{Content, RecordingError, milliseconds};
use crate::array::Array;
use crate::hdf5::{GroupWriter, Storage, create};
use crate::sonata::{MAGIC, VERSION, write_size};
use crate::spool::{SpoolReader, Stream};
use std::io::{Read, Seek};
use std::path::Path;

pub(super) fn write<R: Read + Seek>(
    spool: &mut SpoolReader<R>,
    counts: &Counts,
    content: Content,
    path: &Path,
) -> Result<(), RecordingError> {
    let root = create(path)?;
    root.write_attribute("magic", &Array::scalar(MAGIC))?;
    root.write_attribute("version", &Array::vector(VERSION.to_vec()))?;
    for (what, value) in spool.header().facts.clone() {
        root.write_attribute(&format!("spikeloom_{what}"), &Array::scalar(value))?;
    }
    match content {
        Content::Spikes => spikes(spool, counts, &root.create_group("spikes")?)?,
        Content::Stream(index) => match spool.header().streams.get(index).cloned() {
            Some(Stream::Variable { population, unit, .. }) => {
                let report = root.create_group("report")?;
                samples(spool, counts, (index, population), &unit, &report)?;
            }
            Some(Stream::Weights { projection, unit, .. }) => {
                let group = root.create_group("weights")?.create_group(&projection)?;
                weights(spool, counts, index, &unit, &group)?;
            }
            None => {}
        },
    }
    root.flush()?;
    Ok(())
}

fn array<R: Read + Seek>(
    spool: &mut SpoolReader<R>,
    counts: &Counts,
    part: Part,
    group: &GroupWriter,
    name: &str,
) -> Result<(), RecordingError> {
    let mut array = group.begin_array(name, &part.shape(counts), &part.empty())?;
    part.stream(spool, counts, |values| Ok(array.append(values)?))
}

fn spikes<R: Read + Seek>(
    spool: &mut SpoolReader<R>,
    counts: &Counts,
    all: &GroupWriter,
) -> Result<(), RecordingError> {
    for (index, name) in recorded(spool.header()) {
        let group = all.create_group(&name)?;
        group.write_attribute("sorting", &Array::scalar("by_time".to_owned()))?;
        write_size(&group, spool.header().populations.get(index).map(|own| u64::from(own.1)))?;
        array(spool, counts, Part::SpikeTimes(index), &group, "timestamps")?;
        group.write_member_attribute("timestamps", "units", &Array::scalar("ms".to_owned()))?;
        array(spool, counts, Part::SpikeNeurons(index), &group, "node_ids")?;
        if counts.graded {
            array(spool, counts, Part::SpikePayloads(index), &group, "payloads")?;
        }
    }
    Ok(())
}

fn samples<R: Read + Seek>(
    spool: &mut SpoolReader<R>,
    counts: &Counts,
    (index, population): (usize, usize),
    unit: &str,
    report: &GroupWriter,
) -> Result<(), RecordingError> {
    let (name, size) = spool.header().populations[population].clone();
    let group = report.create_group(&name)?;
    array(spool, counts, Part::SampleValues(index), &group, "data")?;
    group.write_member_attribute("data", "units", &Array::scalar(unit.to_owned()))?;
    let mapping = group.create_group("mapping")?;
    let neurons = 0..u64::from(size);
    let compressed = Storage::Compressed;
    mapping.write("node_ids", &Array::vector(neurons.clone().collect::<Vec<u64>>()), compressed)?;
    let pointers: Vec<u64> = (0..=u64::from(size)).collect();
    mapping.write("index_pointers", &Array::vector(pointers), compressed)?;
    mapping.write("element_ids", &Array::vector(vec![0_u32; size as usize]), compressed)?;
    mapping.write("element_pos", &Array::vector(vec![0.0_f32; size as usize]), compressed)?;
    mapping.write(
        "time",
        &Array::vector(course(counts, index, spool.header().dt)),
        Storage::Plain,
    )?;
    mapping.write_member_attribute("time", "units", &Array::scalar("ms".to_owned()))?;
    Ok(())
}

/// Begin, end and interval of a stream's samples (ms).
fn course(counts: &Counts, index: usize, dt: f64) -> Vec<f64> {
    let samples = &counts.streams[index];
    let (first, last) = (samples.first.unwrap_or(0), samples.last.unwrap_or(0));
    let interval = samples.second.map_or(dt, |second| milliseconds(second - first));
    vec![milliseconds(first), milliseconds(last) + interval, interval]
}

fn weights<R: Read + Seek>(
    spool: &mut SpoolReader<R>,
    counts: &Counts,
    index: usize,
    unit: &str,
    group: &GroupWriter,
) -> Result<(), RecordingError> {
    array(spool, counts, Part::SampleTimes(index), group, "time")?;
    group.write_member_attribute("time", "units", &Array::scalar("ms".to_owned()))?;
    array(spool, counts, Part::SampleValues(index), group, "data")?;
    group.write_member_attribute("data", "units", &Array::scalar(unit.to_owned()))?;
    array(spool, counts, Part::Sources(index), group, "source_node_id")?;
    array(spool, counts, Part::Targets(index), group, "target_node_id")?;
    array(spool, counts, Part::Delays(index), group, "delay")?;
    Ok(())
}
