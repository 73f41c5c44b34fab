//! A recording analysed: one row a population, and a page to look at.

use super::{
    Spectrum, Trains, coefficient_of_variation, fano_factor, histogram, local_variation,
    mean_correlation, power_spectrum,
};
use crate::report::{
    Alignment, Axis, Block, Cell, Column, LineChart, Raster, RasterLayer, Report, Section, Series,
    Spike, Table,
};
use rayon::prelude::*;
use serde::Serialize;

/// How a recording is analysed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnalysisConfig {
    /// Bin of histograms over time (ms).
    pub bin_ms: f64,
    /// Window of spike counts for the Fano factor (ms).
    pub count_window_ms: f64,
    /// Bin of counts for correlations and spectra (ms).
    pub correlation_bin_ms: f64,
    /// Most neurons of a population whose pairs are correlated.
    pub correlated_neurons: usize,
}

impl Default for AnalysisConfig {
    fn default() -> Self {
        AnalysisConfig {
            bin_ms: 10.0,
            count_window_ms: 100.0,
            correlation_bin_ms: 2.0,
            correlated_neurons: 200,
        }
    }
}

/// Bins of a segment of the spectrum.
const SEGMENT: usize = 256;

/// What is measured of one population; `None` where there are too few spikes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PopulationAnalysis {
    /// Its name.
    pub population: String,
    /// Neurons up to the last that spiked.
    pub neurons: usize,
    /// Spikes.
    pub spikes: usize,
    /// Spikes per neuron and second.
    pub rate_hz: Option<f64>,
    /// Mean coefficient of variation of the intervals, over neurons with three spikes or more.
    pub interval_cv: Option<f64>,
    /// Mean local variation of the intervals.
    pub local_variation: Option<f64>,
    /// Mean Fano factor of the counts.
    pub fano_factor: Option<f64>,
    /// Mean correlation of pairs of neurons.
    pub correlation: Option<f64>,
    /// Frequency of the largest power of the population rate.
    pub peak_frequency_hz: Option<f64>,
    /// Spikes per neuron and second in each bin.
    pub rate_over_time_hz: Vec<f64>,
    /// Power spectrum of the population rate.
    pub spectrum: Option<Spectrum>,
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Analyses the populations of a recording, in parallel.
pub fn analyse(trains: &[Trains], config: &AnalysisConfig) -> Vec<PopulationAnalysis> {
    trains.par_iter().map(|trains| population(trains, config)).collect()
}

fn population(trains: &Trains, config: &AnalysisConfig) -> PopulationAnalysis {
    let mut all: Vec<f64> = trains.neurons.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let per_bin = trains.neurons.len().max(1) as f64 * config.bin_ms / 1000.0;
    let counts = histogram(&all, trains.begin, trains.end, config.bin_ms);
    let spectrum = power_spectrum(trains, config.correlation_bin_ms, SEGMENT);
    let neurons = || trains.neurons.iter();
    PopulationAnalysis {
        population: trains.population.clone(),
        neurons: trains.neurons.len(),
        spikes: trains.spike_count(),
        rate_hz: trains.mean_rate(),
        interval_cv: mean(neurons().filter_map(|train| coefficient_of_variation(train))),
        local_variation: mean(neurons().filter_map(|train| local_variation(train))),
        fano_factor: fano_factor(trains, config.count_window_ms),
        correlation: mean_correlation(trains, config.correlation_bin_ms, config.correlated_neurons),
        peak_frequency_hz: spectrum.as_ref().and_then(Spectrum::peak),
        rate_over_time_hz: counts.iter().map(|&count| f64::from(count) / per_bin).collect(),
        spectrum,
    }
}

/// A page with the raster, the rates over time, the spectra and the table of measures.
pub fn page(
    trains: &[Trains],
    analyses: &[PopulationAnalysis],
    config: &AnalysisConfig,
    title: &str,
    provenance: Vec<(String, String)>,
) -> Report {
    let mut activity = Section::new("activity", "Activity", "");
    activity.blocks = activity_blocks(trains, analyses, config);
    // The table of measures has a section of its own.
    let measures = activity.blocks.remove(0);
    let populations = match analyses.len() {
        1 => "1 population".to_string(),
        several => format!("{several} populations"),
    };
    Report {
        title: title.into(),
        subtitle: populations,
        provenance,
        sections: vec![Section::new("measures", "Measures", "").with(measures), activity],
    }
}

/// The table of measures, the raster, the rates over time and the spectra.
pub fn activity_blocks(
    trains: &[Trains],
    analyses: &[PopulationAnalysis],
    config: &AnalysisConfig,
) -> Vec<Block> {
    let begin = trains.first().map_or(0.0, |trains| trains.begin);
    let rates = analyses.iter().map(|analysis| {
        let at = |bin: usize| begin + (bin as f64 + 0.5) * config.bin_ms;
        let points = analysis.rate_over_time_hz.iter().enumerate();
        Series::new(&analysis.population, points.map(|(bin, &rate)| (at(bin), rate)))
    });
    let spectra = analyses.iter().filter_map(|analysis| {
        let spectrum = analysis.spectrum.as_ref()?;
        let points = spectrum.frequencies.iter().copied().zip(spectrum.power.iter().copied());
        Some(Series::new(&analysis.population, points))
    });
    let spectra: Vec<Series> = spectra.collect();
    let mut blocks: Vec<Block> = vec![table(analyses).into(), raster(trains).into()];
    let rates = LineChart {
        title: "Rates over time".into(),
        description: format!("Spikes per neuron and second in bins of {} ms.", config.bin_ms),
        x: Axis::new("time", "ms"),
        y: Axis::new("rate", "1/s").from_zero(),
        series: rates.collect(),
        ..LineChart::default()
    };
    blocks.push(rates.into());
    if !spectra.is_empty() {
        let chart = LineChart {
            title: "Power spectra".into(),
            description: "Power of the population rate (Welch's estimate).".into(),
            x: Axis::new("frequency", "Hz"),
            y: Axis::new("power", "1/s").from_zero(),
            series: spectra,
            ..LineChart::default()
        };
        blocks.push(chart.into());
    }
    blocks
}

fn raster(trains: &[Trains]) -> Raster {
    let layer = |trains: &Trains| {
        let spikes = trains.neurons.iter().enumerate().flat_map(|(neuron, train)| {
            train.iter().map(move |&time| Spike { neuron: neuron as u64, time })
        });
        RasterLayer {
            name: trains.population.clone(),
            neurons: trains.neurons.len() as u64,
            spikes: spikes.collect(),
        }
    };
    // The whole window, however late the first spike comes and early the last.
    let begin = trains.iter().map(|trains| trains.begin).fold(f64::INFINITY, f64::min);
    let end = trains.iter().map(|trains| trains.end).fold(f64::NEG_INFINITY, f64::max);
    Raster {
        title: "Spikes".into(),
        description: "One row a neuron.".into(),
        time: Axis::new("time", "ms").fixed(begin, end),
        time_step: None,
        layers: trains.iter().map(layer).collect(),
    }
}

fn table(analyses: &[PopulationAnalysis]) -> Table {
    let column = |title: &str, unit: &str| Column {
        title: title.into(),
        unit: unit.into(),
        alignment: Alignment::Right,
        ..Column::default()
    };
    let number = |value: Option<f64>| value.map_or(Cell::Missing, Cell::Number);
    let row = |analysis: &PopulationAnalysis| {
        vec![
            Cell::Text(analysis.population.clone()),
            Cell::Number(analysis.neurons as f64),
            Cell::Number(analysis.spikes as f64),
            number(analysis.rate_hz),
            number(analysis.interval_cv),
            number(analysis.local_variation),
            number(analysis.fano_factor),
            number(analysis.correlation),
            number(analysis.peak_frequency_hz),
        ]
    };
    Table {
        title: "Populations".into(),
        description: "Means over neurons (pairs) with enough spikes.".into(),
        columns: vec![
            Column { title: "population".into(), ..Column::default() },
            column("neurons", ""),
            column("spikes", ""),
            column("rate", "1/s"),
            column("CV of intervals", ""),
            column("local variation", ""),
            column("Fano factor", ""),
            column("correlation", ""),
            column("peak frequency", "Hz"),
        ],
        rows: analyses.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::AxisRange;

    #[test]
    fn a_clock_is_measured_and_drawn() {
        let train: Vec<f64> = (1..=100).map(|k| f64::from(k) * 10.0).collect();
        let trains = [Trains {
            population: "clock <b>".into(),
            neurons: vec![train.clone(), Vec::new(), train],
            begin: 0.0,
            end: 1000.0,
        }];
        let config = AnalysisConfig::default();
        let analyses = analyse(&trains, &config);
        let clock = &analyses[0];
        assert_eq!((clock.neurons, clock.spikes), (3, 200));
        assert!((clock.rate_hz.unwrap() - 200.0 / 3.0).abs() < 1e-9);
        assert_eq!(clock.interval_cv, Some(0.0));
        assert_eq!(clock.fano_factor, Some(0.0));
        assert!((clock.correlation.unwrap() - 1.0).abs() < 1e-9);
        assert!(clock.rate_over_time_hz.iter().all(|rate| (rate - 200.0 / 3.0).abs() < 1e-9));
        let html = page(&trains, &analyses, &config, "t", Vec::new()).to_html().unwrap();
        assert!(html.contains("<svg") && !html.contains("<b>"));
    }

    #[test]
    fn a_raster_shows_the_whole_window() {
        let late = Trains {
            population: "late".into(),
            neurons: vec![vec![740.0], vec![760.0]],
            begin: 200.0,
            end: 1000.0,
        };
        let silent = Trains { end: 900.0, ..late.clone() };
        let shown = raster(&[silent, late]).time.range;
        assert_eq!(shown, AxisRange::Fixed { minimum: 200.0, maximum: 1000.0 });
    }

    #[test]
    fn silence_is_measured_as_nothing() {
        let silent = Trains { neurons: vec![Vec::new(); 4], end: 1000.0, ..Trains::default() };
        let analysis = &analyse(&[silent], &AnalysisConfig::default())[0];
        assert_eq!((analysis.rate_hz, analysis.interval_cv), (Some(0.0), None));
        assert_eq!((analysis.fano_factor, analysis.correlation), (None, None));
    }
}
