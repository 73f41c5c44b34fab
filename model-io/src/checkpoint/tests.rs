use super::*;

fn sample() -> (Checkpoint, Facts) {
    let identity = Identity {
        engine: "clock".into(),
        network: NetworkHash(7 << 100 | 3),
        version: "0.1.0".into(),
        narrow: vec![true, false],
    };
    let mut checkpoint =
        Checkpoint { identity, seed: 5, time: Time(2_500_000_000_000), sections: Vec::new() };
    checkpoint.push("population/a/0", Numbers::F64(vec![1.5, -0.0, f64::MAX]));
    checkpoint.push("population/a/1", Numbers::F32(vec![0.25]));
    checkpoint.push("counts", Numbers::U32((0..20_000).collect()));
    checkpoint.push("steps", Numbers::U64(vec![u64::MAX]));
    checkpoint.push("times", Numbers::I64(vec![i64::MIN, 3]));
    checkpoint.push("payloads", Numbers::I32(vec![-7]));
    checkpoint.push("empty", Numbers::F64(Vec::new()));
    (checkpoint, vec![("network".into(), "two cells".into())])
}

fn bytes() -> Vec<u8> {
    let (checkpoint, facts) = sample();
    let mut bytes = Vec::new();
    write(&checkpoint, &facts, &mut bytes).unwrap();
    bytes
}

fn parse(bytes: &[u8]) -> Result<(Checkpoint, Facts), CheckpointFileError> {
    read(&mut &*bytes, bytes.len() as u64)
}

#[test]
fn what_is_written_is_read() {
    assert_eq!(parse(&bytes()).unwrap(), sample());
    assert_eq!(bytes(), bytes());
}

/// The header by hand, after bincode 1.3: lengths as u64, numbers little-endian, pairs and tuples
/// without anything between.
#[test]
fn the_header_has_bincodes_wire_format() {
    let identity = Identity {
        engine: "e".into(),
        network: NetworkHash(2),
        version: String::new(),
        narrow: vec![true],
    };
    let mut checkpoint = Checkpoint { identity, seed: 9, time: Time(-1), sections: Vec::new() };
    checkpoint.push("s", Numbers::U32(vec![1]));
    let mut found = Vec::new();
    write(&checkpoint, &vec![("k".into(), "v".into())], &mut found).unwrap();
    let mut header: Vec<u8> = Vec::new();
    let text = |header: &mut Vec<u8>, text: &str| {
        header.extend((text.len() as u64).to_le_bytes());
        header.extend(text.as_bytes());
    };
    text(&mut header, "e");
    header.extend(2_u128.to_le_bytes());
    text(&mut header, "");
    header.extend(1_u64.to_le_bytes());
    header.push(1);
    header.extend(9_u64.to_le_bytes());
    header.extend((-1_i64).to_le_bytes());
    header.extend(1_u64.to_le_bytes());
    text(&mut header, "k");
    text(&mut header, "v");
    header.extend(1_u64.to_le_bytes());
    text(&mut header, "s");
    text(&mut header, "u4");
    header.extend(1_u64.to_le_bytes());
    header.extend(crc32fast::hash(&[1, 0, 0, 0]).to_le_bytes());
    assert_eq!(found[..8], SIGNATURE);
    assert_eq!(found[8..12], [1, 0, 0, 0]);
    assert_eq!(found[16..24], (header.len() as u64).to_le_bytes());
    assert_eq!(found[24..24 + header.len()], header);
    assert_eq!(found[24 + header.len()..], [1, 0, 0, 0]);
}

#[test]
fn every_truncation_and_every_flipped_bit_is_refused() {
    let good = bytes();
    for end in (0..400).chain((400..good.len()).step_by(997)) {
        parse(&good[..end]).unwrap_err();
    }
    let mut longer = good.clone();
    longer.push(0);
    assert!(matches!(parse(&longer), Err(CheckpointFileError::Length { .. })));
    for at in (0..600).chain((600..good.len()).step_by(991)) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        parse(&bad).unwrap_err();
    }
}

#[test]
fn reasons_say_what_is_wrong() {
    let good = bytes();
    let reason = |bytes: &[u8]| parse(bytes).unwrap_err().to_string();
    assert!(reason(b"").contains("does not begin as a checkpoint"));
    assert!(reason(&good[..good.len() - 1]).contains("not written to its end"));
    let mut other = good.clone();
    other[8] = 2;
    assert!(reason(&other).contains("version 2, this program reads version 1"));
    let mut other = good.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    assert!(reason(&other).contains("section `payloads` is damaged: its checksum differs"));
    let mut other = good;
    other[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(reason(&other).contains("claims"));
}

/// A header that is whole but lies about its sections: nothing is allocated for it.
#[test]
fn a_lying_table_is_refused_by_the_files_length() {
    for count in [3, 1 << 40, u64::MAX] {
        let header: Header = (
            ("clock".into(), 0, "0.1.0".into(), vec![]),
            (0, 0),
            vec![],
            vec![("huge".into(), "f8".into(), count, 0)],
        );
        let bytes = header_bytes(&SIGNATURE, LAYOUT, &encode(&header).unwrap());
        assert!(matches!(parse(&bytes), Err(CheckpointFileError::Length { .. })), "{count}");
    }
}

#[test]
fn a_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    let (mut checkpoint, facts) = sample();
    write_file(&checkpoint, &facts, &path).unwrap();
    checkpoint.time = Time(9);
    write_file(&checkpoint, &facts, &path).unwrap();
    assert_eq!(read_file(&path).unwrap().0.time, Time(9));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let missing = read_file(&folder.path().join("none")).unwrap_err();
    assert!(matches!(missing, CheckpointFileError::System(_)));
}
