//! The page as a whole.

use super::super::*;
use super::sample::{self, HOSTILE};
use super::{html_of, occurrences};

/// Every string of a report as an attacker would choose it.
fn hostile_report() -> Report {
    let name = || format!("{HOSTILE}\" onclick='x' {{{{ 7 * 7 }}}} &amp; \u{0}");
    let mut raster = sample::raster(0.2);
    raster.layers[0].name = name();
    raster.title = name();
    let mut chart = sample::accuracy();
    chart.series[0].name = name();
    chart.reference_lines[0].label = name();
    chart.x.label = name();
    chart.y.unit = name();
    let bars = BarChart {
        title: name(),
        description: name(),
        value: Axis::new(&name(), &name()),
        bars: vec![Bar::new(&name(), 1.0)],
    };
    let table = Table {
        title: name(),
        description: name(),
        columns: vec![Column::words(&name()), Column::numbers(&name(), &name(), None)],
        rows: vec![vec![Cell::Text(name()), Cell::Number(1.0)]],
    };
    let mut cores = sample::core_map();
    cores.resources[0] = name();
    cores.cores[0].label = name();
    let figures = KeyFigures { figures: vec![KeyFigure::new(&name(), &name(), &name(), &name())] };
    let picture = Picture {
        width: 1,
        height: 1,
        pixels: vec![0.5],
        label: name(),
        prediction: Some(name()),
        note: name(),
    };
    let pictures = PictureRow { title: name(), description: name(), pictures: vec![picture] };
    let section = Section::new(&name(), &name(), &name())
        .with(figures)
        .with(table)
        .with(chart)
        .with(bars)
        .with(raster)
        .with(cores)
        .with(pictures);
    Report {
        title: name(),
        subtitle: name(),
        provenance: vec![(name(), name())],
        sections: vec![section],
    }
}

#[test]
fn hostile_names_stay_text_everywhere() {
    let html = hostile_report().to_html().unwrap();
    // The page's own script is the only one; the attacker's appears in escaped form only.
    assert_eq!(occurrences(&html, "<script"), 1);
    assert!(html.contains("&lt;script&gt;"));
    // A quote that ended an attribute would leave the handler unescaped.
    assert!(!html.contains("\" onclick"));
    assert!(!html.contains("' onclick='"));
    // Template syntax inside a value is not run.
    assert!(html.contains("{{ 7 * 7 }}"));
    // What was escaped already is escaped again, not taken over.
    assert!(html.contains("&amp;amp;"));
}

#[test]
fn section_anchors_are_safe_and_unique() {
    let mut report = Report::default();
    for id in ["a b\"c", "a b\"c", "", ""] {
        report.sections.push(Section::new(id, "Title", ""));
    }
    let html = report.to_html().unwrap();
    assert_eq!(occurrences(&html, "<section id=\"a-b-c\""), 1);
    assert_eq!(occurrences(&html, "<section id=\"section\""), 1);
    assert_eq!(occurrences(&html, "<section id=\""), 4);
}

#[test]
fn page_asks_for_nothing() {
    let html = sample::report().to_html().unwrap();
    let without_namespace = html.replace("http://www.w3.org/2000/svg", "");
    for sign in ["http:", "https:", "//cdn", "@import", "url(", "<link rel=\"stylesheet"] {
        assert!(!without_namespace.contains(sign), "{sign}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn sample_has_every_kind_of_block_and_is_small() {
    let html = sample::report().to_html().unwrap();
    for kind in
        ["key_figures", "table", "line_chart", "bar_chart", "raster", "core_map", "picture_row"]
    {
        assert!(html.contains(&format!("data-block=\"{kind}\"")), "{kind}");
    }
    assert_eq!(occurrences(&html, "<h1>"), 1);
    assert_eq!(occurrences(&html, "<section id="), 4);
    assert!(html.len() < 500_000, "{} bytes", html.len());
}

#[test]
fn same_report_gives_the_same_bytes() {
    assert_eq!(sample::report().to_html().unwrap(), sample::report().to_html().unwrap());
}

#[test]
fn report_survives_json() {
    let report = sample::report();
    let json = serde_json::to_string(&report).unwrap();
    let back: Report = serde_json::from_str(&json).unwrap();
    // NaN is not equal to itself, so the renderings are compared.
    assert_eq!(back.to_html().unwrap(), report.to_html().unwrap());
    assert!(json.contains(r#""kind":"core_map""#));
}

#[test]
fn empty_report_and_empty_blocks_say_so() {
    let html = Report::default().to_html().unwrap();
    assert!(html.contains("This report has no sections."));
    assert!(html_of(Table::default()).contains("No rows."));
    assert!(html_of(LineChart::default()).contains("No points."));
    assert!(html_of(BarChart::default()).contains("No bars."));
    assert!(html_of(Raster::default()).contains("No spikes."));
    assert!(html_of(PictureRow::default()).contains("No pictures."));
    assert!(html_of(CoreMap::default()).contains("0 cores in use"));
    assert!(!html_of(KeyFigures::default()).contains("<dl"));
}

#[test]
fn table_cells_are_aligned_sortable_and_complete() {
    let table = Table {
        title: "T".into(),
        columns: vec![
            Column::words("name"),
            Column::numbers("value", "ms", Some(2)).with_bars(10.0),
        ],
        rows: vec![
            vec!["a".into(), Cell::Number(12_345.678)],
            vec!["b".into(), Cell::Number(f64::NAN)],
            vec!["c".into()],
            vec!["d".into(), Cell::Number(2.5), "surplus".into()],
        ],
        ..Table::default()
    };
    let html = html_of(table);
    assert!(html.contains("data-sort=\"12345.678\""));
    assert!(html.contains("12,345.68"));
    assert!(html.contains("width:100.0%"), "a bar over its maximum is full");
    assert!(html.contains("width:25.0%"));
    assert_eq!(occurrences(&html, ">–</td>"), 2, "not a number and a missing cell");
    assert!(!html.contains("surplus"));
}

#[test]
fn long_tables_are_cut_and_say_so() {
    let table = Table {
        columns: vec![Column::words("n")],
        rows: (0..2_100usize).map(|row| vec![row.into()]).collect(),
        ..Table::default()
    };
    let html = html_of(table);
    assert!(html.contains("Showing the first 2,000 of 2,100 rows."));
    assert!(!html.contains(">2,050<"));
}

#[test]
fn core_map_draws_each_place_once() {
    let html = html_of(sample::core_map());
    assert_eq!(occurrences(&html, "<div class=\"router\""), 32);
    assert_eq!(occurrences(&html, "<button type=\"button\" class=\"core"), 5);
    assert_eq!(occurrences(&html, "<i></i>"), 123);
    assert!(html.contains("5 of 128 cores in use"));
    assert!(html.contains("data-values=\"1.0400,0.0100,1.0400,0.1200\""));
    // The fallback without script: the same cores as a table.
    assert!(html.contains("Cores as a table"));
}

#[test]
fn core_map_names_what_it_cannot_place() {
    let mut map = sample::core_map();
    map.cores[0].column = 99;
    let twin = map.cores[1].clone();
    map.cores.push(twin);
    assert!(html_of(map).contains("Not on the map: 2 cores"));
}

#[test]
fn core_map_of_absurd_size_becomes_a_table() {
    let mut map = sample::core_map();
    (map.columns, map.rows, map.cores_per_router) = (u32::MAX, u32::MAX, u32::MAX);
    map.cores[0].utilisation = vec![f64::NAN];
    let html = html_of(map.clone());
    assert!(html.contains("The mesh is too large to draw"));
    assert_eq!(occurrences(&html, "<div class=\"router\""), 0);
    assert!(super::text_of(map, 80).contains("core 4"));
}

#[test]
fn pictures_become_runs_of_equal_pixels() {
    let picture = Picture {
        width: 3,
        height: 2,
        pixels: vec![1.0, 1.0, 0.0, f64::NAN, 2.0, -1.0],
        label: "7".into(),
        prediction: Some("1".into()),
        note: String::new(),
    };
    let broken = Picture { width: usize::MAX, height: 2, pixels: vec![0.0], ..Picture::default() };
    let row =
        PictureRow { title: "P".into(), pictures: vec![picture, broken], ..PictureRow::default() };
    let html = html_of(row);
    assert!(html.contains("d=\"M0 0h2v1h-2zM1 1h1v1h-1z\""), "ink in two runs");
    assert!(html.contains("7, taken for 1: wrong"));
    assert!(html.contains("no pixels"));
}
