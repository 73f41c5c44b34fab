//! What spike trains say: rates, intervals, counts, correlations, spectra, distances.
//!
//! Times are in milliseconds, rates in spikes per second. A measure that needs more spikes than
//! there are is `None`, never a number that means something else.

mod counts;
mod distance;
mod intervals;
mod spectrum;
mod summary;

pub use counts::{count_correlation, fano_factor, histogram, mean_correlation};
pub use distance::{van_rossum, victor_purpura};
pub use intervals::{coefficient_of_variation, intervals, local_variation};
pub use spectrum::{Spectrum, power_spectrum};
pub use summary::{AnalysisConfig, PopulationAnalysis, activity_blocks, analyse, page};

use crate::model_io::sonata::Spikes;
use crate::model_io::spool::{Piece, SpoolReader};
use crate::sim_core::time::Time;

/// The spike trains of a population: times ascending (ms), one list a neuron.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trains {
    /// Name of the population.
    pub population: String,
    /// Times of each neuron's spikes (ms), ascending, within the window.
    pub neurons: Vec<Vec<f64>>,
    /// Begin of the window (ms); its spikes lie in (begin, end].
    pub begin: f64,
    /// End of the window (ms).
    pub end: f64,
}

impl Trains {
    /// The trains of all populations of a recording within (begin, end]. Where a file does not say how
    /// many neurons a population has, those behind the last that spiked are not known to exist.
    pub fn from_file(spikes: &Spikes, begin: f64, end: f64) -> Vec<Trains> {
        let trains = |(name, own): (&String, &crate::model_io::sonata::PopulationSpikes)| {
            let spiking = own.node_ids.iter().max().map_or(0, |last| *last as usize + 1);
            let size = own.size.map_or(0, |size| usize::try_from(size).unwrap_or(usize::MAX));
            let size = spiking.max(if size > MOST_NEURONS { 0 } else { size });
            let mut neurons = vec![Vec::new(); size.min(MOST_NEURONS)];
            for (&time, &neuron) in own.timestamps.iter().zip(&own.node_ids) {
                if time > begin
                    && time <= end
                    && let Some(train) = neurons.get_mut(neuron as usize)
                {
                    train.push(time);
                }
            }
            neurons.iter_mut().for_each(|train: &mut Vec<f64>| train.sort_by(f64::total_cmp));
            Trains { population: name.clone(), neurons, begin, end }
        };
        spikes.iter().map(trains).collect()
    }

    /// The trains of the recorded populations of a recording in progress within (begin, end].
    ///
    /// # Errors
    /// The system's, where it cannot be read.
    pub fn from_spool<R: std::io::Read + std::io::Seek>(
        spool: &mut SpoolReader<R>,
        begin: f64,
        end: f64,
    ) -> std::io::Result<Vec<Trains>> {
        let header = spool.header().clone();
        let sizes = || header.populations.iter().map(|(_, size)| *size as usize);
        if sizes().sum::<usize>() > MOST_NEURONS {
            return Err(std::io::Error::other("it names more neurons than can be read"));
        }
        let mut neurons: Vec<Vec<f64>> = vec![Vec::new(); sizes().sum()];
        spool.rewind()?;
        while let Some(piece) = spool.next_piece()? {
            let Piece::Spikes(times, spiking, _) = piece else {
                continue;
            };
            for (time, neuron) in times.into_iter().zip(spiking) {
                let time = Time(time).milliseconds();
                if time > begin
                    && time <= end
                    && let Some(train) = neurons.get_mut(neuron as usize)
                {
                    train.push(time);
                }
            }
        }
        let mut trains = Vec::new();
        for ((name, size), recorded) in header.populations.iter().zip(&header.spikes) {
            let rest = neurons.split_off((*size as usize).min(neurons.len()));
            let own = std::mem::replace(&mut neurons, rest);
            if *recorded {
                trains.push(Trains { population: name.clone(), neurons: own, begin, end });
            }
        }
        Ok(trains)
    }

    /// Length of the window (ms).
    pub fn duration(&self) -> f64 {
        self.end - self.begin
    }

    /// Number of spikes.
    pub fn spike_count(&self) -> usize {
        self.neurons.iter().map(Vec::len).sum()
    }

    /// Spikes per neuron and second.
    pub fn mean_rate(&self) -> Option<f64> {
        let seconds = self.neurons.len() as f64 * self.duration() / 1000.0;
        (seconds > 0.0).then(|| self.spike_count() as f64 / seconds)
    }

    /// The rate of each neuron (1/s).
    pub fn rates(&self) -> Vec<f64> {
        self.neurons.iter().map(|train| train.len() as f64 * 1000.0 / self.duration()).collect()
    }
}

/// A file that names a neuron beyond this is damaged; no list is made for it.
const MOST_NEURONS: usize = 1 << 28;
