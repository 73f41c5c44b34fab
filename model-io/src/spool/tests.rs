use super::*;
use sim_core::recording::{Recording, Spike, Trace, WeightTrace};
use sim_core::time::Time;
use std::io::{self, Cursor};
use std::sync::{Arc, Mutex};

fn header() -> SpoolHeader {
    SpoolHeader {
        dt: 0.1,
        populations: vec![("a".into(), 3), ("b".into(), 2)],
        spikes: vec![true, false],
        streams: vec![
            Stream::Variable {
                probe: "v".into(),
                population: 1,
                variable: "membrane_potential".into(),
                unit: "mV".into(),
            },
            Stream::Weights { probe: "w".into(), projection: "ab".into(), unit: "pA".into() },
        ],
        facts: vec![("version".into(), "0.1.0".into())],
    }
}

fn recording(from: i64) -> Recording {
    let times = vec![Time(from), Time(from + 1)];
    let trace = Trace {
        probe: "v".into(),
        population: 1,
        variable: "membrane_potential",
        times: times.clone(),
        values: vec![-70.0, -69.5, -69.0, from as f64],
    };
    let weights =
        WeightTrace { probe: "w".into(), projection: 0, times, values: vec![1.0, 2.0, 3.0, 4.0] };
    Recording {
        spikes: vec![Spike { time: Time(from), neuron: 2 }, Spike { time: Time(from), neuron: 1 }],
        payloads: if from > 5 { vec![1, -3] } else { Vec::new() },
        traces: vec![trace],
        weights: vec![weights],
        ..Recording::default()
    }
}

/// A file in memory that holds so many bytes.
struct Limited {
    bytes: Arc<Mutex<Vec<u8>>>,
    room: usize,
}

impl Spool for Limited {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut all = self.bytes.lock().unwrap();
        let room = self.room.saturating_sub(all.len()).min(bytes.len());
        all.extend_from_slice(&bytes[..room]);
        if room < bytes.len() {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
    }

    fn cut(&mut self, position: u64) -> io::Result<()> {
        self.bytes.lock().unwrap().truncate(position as usize);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn pieces(bytes: &[u8]) -> Vec<Piece> {
    let mut reader = SpoolReader::new(Cursor::new(bytes)).unwrap();
    assert_eq!(reader.header(), &header());
    let mut pieces = Vec::new();
    while let Some(piece) = reader.next_piece().unwrap() {
        pieces.push(piece);
    }
    pieces
}

/// Records until the disk is full.
fn written(recordings: &[i64], room: usize) -> (Vec<u8>, io::Result<()>) {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let spool = Limited { bytes: bytes.clone(), room };
    let mut writer = SpoolWriter::begin(Box::new(spool), &header()).unwrap();
    writer.synapses(2, &[(0, 15, 1, 0.5), (2, 15, 0, 0.5)]).unwrap();
    let result = recordings.iter().try_for_each(|&from| writer.record(&recording(from)));
    let bytes = bytes.lock().unwrap().clone();
    assert_eq!(writer.position(), bytes.len() as u64);
    (bytes, result)
}

#[test]
fn what_is_recorded_is_read_in_order() {
    let (bytes, _) = written(&[1, 9], usize::MAX);
    assert_eq!(
        pieces(&bytes),
        [
            Piece::Synapses(1, vec![0, 2], vec![1, 0], vec![15, 15]),
            Piece::Spikes(vec![1, 1], vec![2, 1], vec![]),
            Piece::Samples(0, vec![1, 2], vec![-70.0, -69.5, -69.0, 1.0]),
            Piece::Samples(1, vec![1, 2], vec![1.0, 2.0, 3.0, 4.0]),
            Piece::Spikes(vec![9, 9], vec![2, 1], vec![1, -3]),
            Piece::Samples(0, vec![9, 10], vec![-70.0, -69.5, -69.0, 9.0]),
            Piece::Samples(1, vec![9, 10], vec![1.0, 2.0, 3.0, 4.0]),
        ]
    );
}

/// A disk that becomes full: the reason comes up, and all pieces before can be read.
#[test]
fn a_full_disk_leaves_whole_pieces() {
    let (all, _) = written(&[1, 9], usize::MAX);
    let expected = pieces(&all);
    let begin = written(&[], usize::MAX).0.len();
    let mut counts = Vec::new();
    for room in begin..all.len() {
        let (bytes, result) = written(&[1, 9], room);
        let error = result.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        let found = pieces(&bytes);
        assert_eq!(found, expected[..found.len()]);
        counts.push(found.len());
    }
    counts.dedup();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_torn_or_damaged_end_is_left_out() {
    let (bytes, _) = written(&[1, 9], usize::MAX);
    let expected = pieces(&bytes);
    let begin = written(&[], usize::MAX).0.len();
    for end in begin..bytes.len() {
        let found = pieces(&bytes[..end]);
        assert_eq!(found, expected[..found.len()]);
        assert!(found.len() < expected.len());
    }
    for at in begin..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 0x10;
        assert!(pieces(&bad).len() < expected.len());
    }
}

#[test]
fn a_recording_goes_on_where_it_once_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.recording");
    let mut writer = SpoolWriter::create(&path, &header()).unwrap();
    writer.record(&recording(1)).unwrap();
    let position = writer.position();
    writer.record(&recording(9)).unwrap();
    writer.sync().unwrap();
    let whole = std::fs::read(&path).unwrap();
    // Only one may record at a time; reading is always allowed.
    #[cfg(unix)]
    for refused in [SpoolWriter::resume(&path, position), SpoolWriter::create(&path, &header())] {
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    drop(writer);
    let mut again = SpoolWriter::resume(&path, position).unwrap();
    again.record(&recording(9)).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    drop(again);
    let error = SpoolWriter::resume(&path, 1 << 40).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}
