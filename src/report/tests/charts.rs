//! Charts with odd, huge and ordinary data.

use super::super::axis::{Span, clip};
use super::super::block::raster::MOST_SPIKES;
use super::super::*;
use super::sample::{self, Numbers};
use super::{html_of, occurrences};

fn line(points: Vec<(f64, f64)>) -> LineChart {
    LineChart {
        title: "L".into(),
        x: Axis::new("x", ""),
        y: Axis::new("y", ""),
        series: vec![Series::new("s", points)],
        ..LineChart::default()
    }
}

/// All numbers of an SVG attribute list must be finite.
fn assert_finite(html: &str) {
    let body = &html[html.find("<main").unwrap()..html.find("<script nonce").unwrap()];
    for sign in ["NaN", "inf", "2147483647", "-2147483648"] {
        assert!(!body.contains(sign), "{sign} in the page");
    }
}

#[test]
fn line_chart_has_axis_series_reference_and_band() {
    let html = html_of(sample::accuracy());
    for tick in ["1", "2", "4", "8", "16", "32"] {
        assert!(html.contains(&format!("\n{tick}\n</text>")), "tick {tick}");
    }
    assert!(html.contains("ANN 98.8\u{a0}%"));
    assert!(html.contains("opacity=\"0.16\""), "the confidence band");
    // Six points in two series in a wide and a narrow picture.
    assert_eq!(occurrences(&html, "class=\"hit\""), 24);
    assert!(html.contains("role=\"img\" aria-label=\"Line chart of accuracy [%] over T [steps]."));
}

#[test]
fn line_chart_breaks_at_gaps_and_counts_them() {
    let nan = f64::NAN;
    let chart = line(vec![(1.0, 1.0), (2.0, nan), (3.0, 3.0), (nan, 4.0), (5.0, f64::INFINITY)]);
    let html = html_of(chart);
    assert!(html.contains("Not drawn: 3 points without a value on the axes."));
    assert_eq!(occurrences(&html, "<polyline fill=\"none\" opacity=\"1\" stroke=\"#0072B2\""), 0);
    assert_finite(&html);
}

#[test]
fn single_and_extreme_points_are_drawn() {
    for point in [(0.0, 0.0), (1.0, -5.0), (1e308, -1e308), (1e-308, 5e-324), (1e16, 1e16 + 2.0)] {
        let html = html_of(line(vec![point]));
        assert_eq!(occurrences(&html, "class=\"hit\""), 2, "{point:?}");
        assert_finite(&html);
    }
    let html = html_of(line(vec![(-1e308, 1e308), (1e308, -1e308)]));
    assert_finite(&html);
}

#[test]
fn log_axis_leaves_out_what_is_not_positive() {
    let mut chart = line(vec![(0.0, 1.0), (-1.0, 1.0), (4.0, 1.0)]);
    chart.x = chart.x.log2();
    let html = html_of(chart);
    assert!(html.contains("Not drawn: 2 points"));
    assert_eq!(occurrences(&html, "class=\"hit\""), 2);
}

#[test]
fn fixed_range_clips_lines_and_counts_points_outside() {
    let mut chart = line(vec![(0.0, 0.0), (1.0, 100.0), (2.0, 95.0)]);
    chart.y = chart.y.fixed(90.0, 100.0);
    let html = html_of(chart);
    assert!(html.contains("Outside the range shown: 1 point."));
    assert_eq!(occurrences(&html, "class=\"hit\""), 4);
    assert_finite(&html);
}

#[test]
fn long_series_are_thinned_and_say_so() {
    let html = html_of(line((0..100_000).map(|i| (f64::from(i), f64::from(i % 7))).collect()));
    assert!(html.contains("Thinned: one in 50 points is drawn."));
    assert!(html.len() < 200_000, "{} bytes", html.len());
}

#[test]
fn bars_start_at_zero_in_either_direction() {
    let chart = BarChart {
        title: "B".into(),
        value: Axis::new("v", "Hz").fixed(5.0, 6.0),
        bars: vec![Bar::new("up", 3.0), Bar::new("down", -2.0), Bar::new("none", f64::NAN)],
        ..BarChart::default()
    };
    let html = html_of(chart);
    assert!(html.contains("\n0\n</text>"), "zero is on the axis");
    assert!(html.contains("up 3\u{a0}Hz, down −2\u{a0}Hz, none –\u{a0}Hz"));
    assert_finite(&html);
}

#[test]
fn many_bars_are_cut_and_say_so() {
    let bars = (0..500).map(|index| Bar::new("b", f64::from(index))).collect();
    let html = html_of(BarChart { title: "B".into(), bars, ..BarChart::default() });
    assert!(html.contains("Showing the first 60 of 500 bars."));
}

/// Marks in the spike paths of one of the two pictures.
fn marks(html: &str) -> usize {
    let paths = html.split("class=\"spikes\"").skip(1);
    let marks: usize = paths.map(|path| occurrences(path.split("/>").next().unwrap(), "M")).sum();
    marks / 2
}

#[test]
fn small_raster_shows_every_spike() {
    let raster = sample::raster(0.3);
    let spikes: usize = raster.layers.iter().map(|layer| layer.spikes.len()).sum();
    assert!(spikes > 100 && spikes < MOST_SPIKES, "{spikes}");
    let html = html_of(raster);
    assert_eq!(marks(&html), spikes);
    assert!(!html.contains("one in"));
    assert!(html.contains("1,152 neurons") && html.contains("heights are not to one scale"));
}

#[test]
fn huge_raster_keeps_whole_neurons_and_says_so() {
    let mut numbers = Numbers(3);
    let mut spikes = |neurons: u64, count: usize| -> Vec<Spike> {
        let one = |_| Spike {
            neuron: (numbers.next() * neurons as f64) as u64,
            time: (numbers.next() * 100.0).floor(),
        };
        (0..count).map(one).collect()
    };
    let layers = vec![
        RasterLayer { name: "big".into(), neurons: 50_000, spikes: spikes(50_000, 400_000) },
        RasterLayer { name: "small".into(), neurons: 10, spikes: spikes(10, 200) },
    ];
    let html = html_of(Raster { title: "R".into(), layers, ..Raster::default() });
    assert!(marks(&html) <= MOST_SPIKES, "{}", marks(&html));
    assert!(marks(&html) > MOST_SPIKES / 2, "{}", marks(&html));
    assert!(html.contains("big: drawn is one in"));
    assert!(html.contains("of 400,000 spikes)"));
    assert!(!html.contains("small: drawn is"), "the small layer is whole");
    assert!(html.len() < 300_000, "{} bytes", html.len());
}

#[test]
fn one_neuron_with_very_many_spikes_is_thinned_too() {
    let spikes = (0..50_000).map(|time| Spike { neuron: 0, time: f64::from(time) }).collect();
    let layers = vec![RasterLayer { name: "one".into(), neurons: 1, spikes }];
    let html = html_of(Raster { title: "R".into(), layers, ..Raster::default() });
    assert!(marks(&html) <= MOST_SPIKES && marks(&html) > MOST_SPIKES / 3, "{}", marks(&html));
}

#[test]
fn raster_counts_impossible_spikes() {
    let spike = |neuron, time| Spike { neuron, time };
    let spikes = vec![spike(0, 1.0), spike(7, 1.0), spike(1, f64::NAN), spike(u64::MAX, 2.0)];
    let layers = vec![RasterLayer { name: "l".into(), neurons: 2, spikes }];
    for time_step in [None, Some(1.0), Some(0.0), Some(f64::NAN), Some(-1.0)] {
        let raster =
            Raster { title: "R".into(), layers: layers.clone(), time_step, ..Raster::default() };
        let html = html_of(raster.clone());
        assert_eq!(marks(&html), 1);
        assert!(html.contains("Not drawn: 3 spikes"));
        assert!(!html.contains("h0M") && !html.contains("h0\""), "marks have a width");
        assert_finite(&html);
        assert!(super::text_of(raster, 60).contains('█'));
    }
}

#[test]
fn lines_are_cut_where_they_leave_the_axes() {
    let span = |minimum, maximum| Span { minimum, maximum, ticks: Vec::new() };
    let (x, y) = (span(0.0, 2.0), span(90.0, 100.0));
    // From (0, 0) to (1, 100) the line crosses y = 90 at x = 0.9.
    let ((from_x, from_y), to) = clip(&x, &y, (0.0, 0.0), (1.0, 100.0)).unwrap();
    // Rounding of one division and one product.
    assert!((from_x - 0.9).abs() < 1e-12 && (from_y - 90.0).abs() < 1e-9);
    assert_eq!(to, (1.0, 100.0));
    assert_eq!(clip(&x, &y, (0.0, 0.0), (1.0, 80.0)), None);
    assert_eq!(clip(&x, &y, (3.0, 95.0), (3.0, 96.0)), None);
}

#[test]
fn ticks_are_round_and_inside() {
    let labels = |axis: Axis, low: f64, high: f64| -> Vec<String> {
        let span = axis.fit([low, high].into_iter(), 0.0, 5);
        span.ticks.into_iter().map(|(_, label)| label).collect()
    };
    assert_eq!(labels(Axis::new("", ""), 0.0, 10.0), ["0", "2", "4", "6", "8", "10"]);
    assert_eq!(labels(Axis::new("", ""), 0.0, 0.19), ["0.00", "0.05", "0.10", "0.15"]);
    assert_eq!(labels(Axis::new("", "").log2(), 1.0, 32.0), ["1", "2", "4", "8", "16", "32"]);
    assert_eq!(labels(Axis::new("", "").log2(), 1.0, 65536.0).len(), 5);
}
