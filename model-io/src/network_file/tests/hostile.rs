//! Files from strangers: never a panic, never a hang.

use super::GOOD;
use crate::network_file::{MOST_BYTES, locate, read, read_and_validate};
use proptest::prelude::*;

/// Pieces that are likely to break something where they land.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "\r",
    "\t",
    "\\",
    "\\u0000",
    "µ",
    "𝄞",
    "\u{0}",
    "#",
    "nan",
    "inf",
    "-",
    "1e999",
    "99999999999999999999999999",
    "0x",
    "true",
    "2020-01-01",
    "\"\" = 1\n",
    "\"a/b\" = 1\n",
    "\"\"\"",
    "[populations.cells]\n",
    "size = [1, 2, 3]\n",
    "[[populations.cells.parameters]]\n",
    "parameters = 3\n",
    "a.b.c.d = 1\n",
];

proptest! {
    /// Whatever is cut, repeated or put in, reading and rendering end without a panic, and every
    /// place lies in the text.
    #[test]
    fn spoiled_files_are_refused_or_read_but_never_panic(
        edits in prop::collection::vec((0..GOOD.len(), 0..60_usize, 0..PIECES.len(), 0..4_u8), 1..5)
    ) {
        let mut text = GOOD.to_string();
        for (at, length, piece, kind) in edits {
            let start = text.floor_char_boundary(at.min(text.len()));
            let end = text.floor_char_boundary((start + length).min(text.len()));
            let taken = text[start..end].to_string();
            match kind {
                0 => text.replace_range(start..end, ""),
                1 => text.insert_str(start, PIECES[piece]),
                2 => text.replace_range(start..end, PIECES[piece]),
                _ => text.insert_str(end, &taken),
            }
        }
        match read_and_validate(&text) {
            Ok((_, valid)) => {
                let warnings = locate(&text, valid.warnings().to_vec());
                prop_assert_eq!(warnings.0.len(), valid.warnings().len());
            }
            Err(problems) => {
                prop_assert!(!problems.0.is_empty());
                for located in &problems.0 {
                    if let Some(span) = located.span.clone() {
                        prop_assert!(text.get(span).is_some());
                    }
                }
                prop_assert!(!problems.render(&text).is_empty());
            }
        }
    }
}

#[test]
fn a_file_that_is_too_large_is_refused_unread() {
    let text = "#".repeat(MOST_BYTES + 1);
    let problems = read(&text).unwrap_err();
    assert_eq!(problems.0[0].problem.code, "file-too-large");
    assert_eq!(problems.0[0].span, None);
}

#[test]
fn deep_nesting_is_refused() {
    for text in [
        format!("dt = {}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("dt = {}", "{ a = ".repeat(100_000)),
        format!("{}b = 1", "a.".repeat(100_000)),
        format!("[{}b]", "a.".repeat(100_000)),
    ] {
        let problems = read(&text).unwrap_err();
        let rendered = problems.render(&text);
        assert!(rendered.contains("error["), "{rendered}");
        // A long line is cut, so the message stays readable.
        assert!(rendered.len() < 50_000, "{} bytes", rendered.len());
    }
}

#[test]
fn long_texts_in_place_of_quantities_are_refused_quickly_and_shown_cut() {
    let digits = "1".repeat(1 << 20);
    let text = GOOD.replace("0.1 ms", &format!("{digits}x"));
    let rendered = read(&text).unwrap_err().render(&text);
    assert!(rendered.contains("`11111111111111111111…` does not begin with a number"));
    assert!(rendered.len() < 2_000, "{} bytes", rendered.len());
}

#[test]
fn numbers_beyond_the_range_of_a_float_are_refused() {
    for huge in ["1e999", "-1e999", "9".repeat(400).as_str()] {
        let text = GOOD.replace("tau_membrane = \"20 ms\"", &format!("tau_membrane = {huge}"));
        let problems = read_and_validate(&text).unwrap_err();
        assert_eq!(problems.0[0].line, 13, "{problems}");
    }
    for not_finite in ["inf", "nan", "\"inf ms\"", "\"NaN ms\"", "\"1e999 ms\""] {
        let text =
            GOOD.replace("tau_membrane = \"20 ms\"", &format!("tau_membrane = {not_finite}"));
        let problems = read_and_validate(&text).unwrap_err();
        assert_eq!(problems.0[0].line, 13, "{problems}");
    }
}
