//! Appending to a recording in progress.

use super::{Kind, LAYOUT, MOST_PIECE, PIECE_HEAD, SIGNATURE, SpoolHeader};
use crate::checkpoint::{encode, header_bytes};
use sim_core::recording::{Recording, Spike};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

/// Something that a recording can be appended to.
pub trait Spool: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// The system's; some of the bytes may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts off everything behind a position.
    ///
    /// # Errors
    /// The system's.
    fn cut(&mut self, position: u64) -> io::Result<()>;

    /// Brings everything to the disk.
    ///
    /// # Errors
    /// The system's.
    fn sync(&mut self) -> io::Result<()>;
}

impl Spool for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn cut(&mut self, position: u64) -> io::Result<()> {
        self.set_len(position)?;
        self.seek(SeekFrom::Start(position)).map(|_| ())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Appends to a recording in progress.
pub struct SpoolWriter {
    spool: Box<dyn Spool>,
    position: u64,
}

impl std::fmt::Debug for SpoolWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SpoolWriter(at {})", self.position)
    }
}

/// Keeps other processes from recording into the same file, until this one closes it or ends. Where the
/// system cannot lock, nothing is kept; reading is never kept from anybody.
fn lock(file: &File) -> io::Result<()> {
    // Elsewhere a lock would keep readers away, too.
    #[cfg(unix)]
    if let Err(std::fs::TryLockError::WouldBlock) = file.try_lock() {
        let reason = "another run records into it: wait for its end, or choose another name";
        return Err(io::Error::new(io::ErrorKind::WouldBlock, reason));
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// Samples of one piece at the most, so that a piece stays small.
const SAMPLES_A_PIECE: usize = 1 << 15;

/// Spikes of one piece at the most.
const SPIKES_A_PIECE: usize = 1 << 15;

impl SpoolWriter {
    /// Begins a recording in a new file; one that is there is replaced.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::WouldBlock`] where another process records into it.
    pub fn create(path: &Path, header: &SpoolHeader) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        lock(&file)?;
        file.set_len(0)?;
        Self::begin(Box::new(file), header)
    }

    /// Begins a recording.
    ///
    /// # Errors
    /// The system's.
    pub fn begin(spool: Box<dyn Spool>, header: &SpoolHeader) -> io::Result<Self> {
        let mut writer = SpoolWriter { spool, position: 0 };
        writer.append(&header_bytes(&SIGNATURE, LAYOUT, &encode(&header.to_wire())?))?;
        Ok(writer)
    }

    /// Goes on at a position that this recording had once; what lies behind it is cut off.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::UnexpectedEof`] where the file ends before;
    /// [`io::ErrorKind::WouldBlock`] where another process records into it.
    pub fn resume(path: &Path, position: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        lock(&file)?;
        let length = file.metadata()?.len();
        if length < position {
            let reason = format!("it ends at byte {length}, and was once {position} bytes long");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason));
        }
        file.cut(position)?;
        Ok(SpoolWriter { spool: Box::new(file), position })
    }

    /// Bytes written so far: a position to go on from.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Brings everything to the disk.
    ///
    /// # Errors
    /// The system's.
    pub fn sync(&mut self) -> io::Result<()> {
        self.spool.sync()
    }

    /// Appends spikes and samples; traces are the streams from `1` on in their order, then weights.
    ///
    /// # Errors
    /// The system's; pieces before are whole, and nothing of the broken one is left where that can
    /// be helped.
    pub fn record(&mut self, recording: &Recording) -> io::Result<()> {
        for (index, spikes) in recording.spikes.chunks(SPIKES_A_PIECE).enumerate() {
            let from = index * SPIKES_A_PIECE;
            let payloads = recording.payloads.get(from..from + spikes.len()).unwrap_or_default();
            self.spikes(spikes, payloads)?;
        }
        let traces = recording.traces.iter().map(|trace| (&trace.times, &trace.values));
        let weights = recording.weights.iter().map(|trace| (&trace.times, &trace.values));
        for (stream, (times, values)) in (1..).zip(traces.chain(weights)) {
            let columns = values.len().checked_div(times.len()).unwrap_or(0).max(1);
            let rows = (SAMPLES_A_PIECE / columns).max(1);
            for (times, values) in times.chunks(rows).zip(values.chunks(rows * columns)) {
                let items = times.len();
                let times = times.iter().flat_map(|time| time.0.to_le_bytes());
                let values = values.iter().flat_map(|value| value.to_le_bytes());
                self.piece(stream, Kind::Samples, items, times.chain(values))?;
            }
        }
        Ok(())
    }

    /// Names the synapses whose weights a stream has: (source, delay in steps, target, weight).
    ///
    /// # Errors
    /// The system's.
    pub fn synapses(&mut self, stream: u32, synapses: &[(u32, u32, u32, f64)]) -> io::Result<()> {
        for part in synapses.chunks(SAMPLES_A_PIECE) {
            let column = |of: fn(&(u32, u32, u32, f64)) -> u32| {
                part.iter().flat_map(move |synapse| of(synapse).to_le_bytes())
            };
            let bytes = column(|s| s.0).chain(column(|s| s.2)).chain(column(|s| s.1));
            self.piece(stream, Kind::Synapses, part.len(), bytes)?;
        }
        Ok(())
    }

    fn spikes(&mut self, spikes: &[Spike], payloads: &[i32]) -> io::Result<()> {
        let kind = if payloads.is_empty() { Kind::Spikes } else { Kind::GradedSpikes };
        let times = spikes.iter().flat_map(|spike| spike.time.0.to_le_bytes());
        let neurons = spikes.iter().flat_map(|spike| spike.neuron.to_le_bytes());
        let payloads = payloads.iter().flat_map(|payload| payload.to_le_bytes());
        self.piece(0, kind, spikes.len(), times.chain(neurons).chain(payloads))
    }

    fn piece(
        &mut self,
        stream: u32,
        kind: Kind,
        items: usize,
        content: impl Iterator<Item = u8>,
    ) -> io::Result<()> {
        let mut bytes = vec![0; PIECE_HEAD];
        bytes.extend(content);
        let length = bytes.len() - PIECE_HEAD;
        if length > MOST_PIECE {
            let reason = format!("a sample of {length} bytes; at most {MOST_PIECE} are recorded");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let head = [stream, kind as u32, items as u32, length as u32];
        for (index, word) in head.into_iter().enumerate() {
            bytes[4 * index..4 * index + 4].copy_from_slice(&word.to_le_bytes());
        }
        let mut crc = crc32fast::Hasher::new();
        crc.update(&bytes[..16]);
        crc.update(&bytes[PIECE_HEAD..]);
        bytes[16..PIECE_HEAD].copy_from_slice(&crc.finalize().to_le_bytes());
        self.append(&bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.spool.append(bytes) {
            Ok(()) => {
                self.position += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // A reader stops at a broken piece; cutting it off lets the run go on from here.
                let _ = self.spool.cut(self.position);
                Err(error)
            }
        }
    }
}
