//! The text form.

use super::super::number::{format_number, per_cent};
use super::super::text::{bar, columns, fit, fit_right, table, wrap};
use super::super::*;
use super::sample;
use super::text_of;

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [40, 60, 80, 132, 300] {
        for line in sample::report().to_text(width).lines() {
            assert!(columns(line) <= width, "{width}: {} columns: {line}", columns(line));
        }
    }
}

#[test]
fn widths_under_the_least_are_raised() {
    assert_eq!(sample::report().to_text(0), sample::report().to_text(40));
}

#[test]
fn every_part_is_in_the_text() {
    let text = sample::report().to_text(100);
    for part in [
        "ANN accuracy",
        "98.8",
        "Layers after conversion",
        "1,152",
        "conv2",
        "Provenance",
        "5 of 128 cores in use",
        "5588 !···",
        "taken for 9: wrong",
        "<script>document",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn control_characters_cannot_steer_the_terminal() {
    let name = "a\u{1b}[2Jb\u{202e}c\r\nd\u{7}";
    let figures = KeyFigures { figures: vec![KeyFigure::new(name, name, name, name)] };
    let text = Report {
        title: name.into(),
        subtitle: name.into(),
        provenance: vec![(name.into(), name.into())],
        sections: vec![Section::new(name, name, name).with(figures)],
    }
    .to_text(80);
    for letter in text.chars() {
        assert!(letter == '\n' || !letter.is_control(), "{letter:?}");
        assert_ne!(letter, '\u{202e}');
    }
}

#[test]
fn cells_are_cut_and_padded_to_the_column() {
    assert_eq!(fit("abc", 5), "abc  ");
    assert_eq!(fit("abcdef", 4), "abc…");
    assert_eq!(fit("脉冲神经", 5), "脉冲…");
    assert_eq!(columns(&fit("脉冲神经", 4)), 4);
    assert_eq!(fit("abc", 0), "");
    assert_eq!(fit_right("7", 3), "  7");
}

#[test]
fn words_wrap_and_long_words_break() {
    assert_eq!(wrap("one two three", 8), ["one two", "three"]);
    assert_eq!(wrap("abcdefghijkl", 8), ["abcdefgh", "ijkl"]);
    assert_eq!(wrap("", 8), [""]);
}

#[test]
fn names_stay_whole_where_prose_can_give_way() {
    let headings = ["name".to_string(), "summary".into()];
    let name = "lif_conductance_exponential";
    let rows = [vec![name.to_string(), "a leaky neuron with two conductances that decay".into()]];
    let set = table(&headings, &[false, false], &rows, 44);
    assert!(set.contains(&format!("{name}  a leaky neuron…\n")), "{set}");
    // Without prose beside it a name is cut.
    let words = [vec![name.to_string(), "stepwise".into()]];
    let set = table(&headings, &[false, false], &words, 24);
    assert!(set.contains("lif_conductan…  stepwise\n"), "{set}");
}

#[test]
fn table_is_set_in_columns_or_stacked() {
    let headings = ["name".to_string(), "n".into()];
    let rows = [vec!["conv1".to_string(), "12".into()], vec!["d".into(), "3".into()]];
    let set = table(&headings, &[false, true], &rows, 40);
    assert_eq!(set, "name    n\n─────  ──\nconv1  12\nd       3\n");
    let many: Vec<String> = (0..30).map(|index| format!("heading {index}")).collect();
    let stacked = table(&many, &[], std::slice::from_ref(&many), 40);
    assert!(stacked.starts_with("heading 0: heading 0\n"));
}

#[test]
fn bars_have_eighths() {
    assert_eq!(bar(0.5, 4), "██");
    assert_eq!(bar(1.0 / 16.0, 2), "▏");
    assert_eq!(bar(9.0, 3), "███");
    assert_eq!(bar(f64::NAN, 3), "");
}

#[test]
fn numbers_read_well() {
    let plain = |value| format_number(value, None);
    assert_eq!(plain(98.8), "98.8");
    assert_eq!(plain(1234567.0), "1,234,567");
    assert_eq!(plain(0.0612), "0.0612");
    assert_eq!(plain(2.0 / 3.0), "0.6667");
    assert_eq!(plain(-1234.5), "−1,234");
    assert_eq!(plain(1e300), "1.00e300");
    assert_eq!(plain(f64::NEG_INFINITY), "−∞");
    assert_eq!(format_number(-0.001, Some(1)), "0.0");
    assert_eq!(format_number(999.999, Some(2)), "1,000.00");
    assert_eq!(per_cent(1.04), "104\u{a0}%");
    assert_eq!(per_cent(f64::NAN), "–");
}

#[test]
fn empty_blocks_say_so() {
    assert!(
        text_of(Table { columns: vec![Column::words("n")], ..Table::default() }, 60)
            .contains("(no rows)")
    );
    assert!(text_of(LineChart::default(), 60).contains("(no points)"));
    assert!(text_of(BarChart::default(), 60).contains("(no bars)"));
    assert!(text_of(Raster::default(), 60).contains("(no spikes)"));
    assert!(text_of(CoreMap::default(), 60).contains("0 cores in use"));
}
