//! Sources with the same synapses: counted together, added once.

use super::{Scatter, Scratch};
use crate::neuron::exact;

impl Scatter {
    /// Lets twins be counted together where that leaves every sum as it is.
    pub fn find_twins(&mut self, weights: &[f64]) {
        let largest = weights.iter().fold(0.0, |most: f64, weight| most.max(weight.abs()));
        let sources = self.geometry.source.iter().map(|&n| f64::from(n)).product::<f64>();
        let fine = |weight: &f64| exact::round(*weight) == *weight;
        if largest * sources >= exact::LARGEST_EXACT || !weights.iter().all(fine) {
            return;
        }
        let [rows, columns] = [0, 1].map(|axis| self.first_alike(axis, weights));
        let alike = |first: &[u32]| first.iter().zip(0..).any(|(&first, own)| first != own);
        if !alike(&rows) && !alike(&columns) {
            return;
        }
        let width = self.geometry.source[2];
        let lines = (0..self.geometry.source[0] * self.geometry.source[1]).map(|line| {
            let height = self.geometry.source[1];
            line - line % height + rows[(line % height) as usize]
        });
        self.twins = lines
            .flat_map(|line| columns.iter().map(move |column| line * width + column))
            .collect();
    }

    /// For each source row (or column) the first that reaches the same targets with the same weights.
    fn first_alike(&self, axis: usize, weights: &[f64]) -> Vec<u32> {
        let [height, width] = self.geometry.kernel.map(|n| n as usize);
        let channels = self.targets_per_group;
        // Laid-out weights as [outer, position on the axis, inner].
        let (count, inner) = match axis {
            0 => (height, width * channels),
            _ => (width, channels),
        };
        let place = |position: u32| match axis {
            0 => position as usize,
            _ => self.places[position as usize] as usize,
        };
        let same = |a: u32, b: u32| {
            weights.chunks_exact((count * inner).max(1)).all(|outer| {
                let at = |position| &outer[place(position) * inner..][..inner];
                at(a) == at(b)
            })
        };
        let kernel: Vec<u32> = (0..count as u32)
            .map(|own| (0..own).find(|&first| same(first, own)).unwrap_or(own))
            .collect();
        let taps = if axis == 0 { &self.rows } else { &self.columns };
        let positions = self.geometry.source[axis + 1];
        let mut first_of = std::collections::HashMap::new();
        (0..positions)
            .map(|position| {
                let own = taps.at(position as usize).iter();
                let own: Vec<(u32, u32)> =
                    own.map(|tap| (tap.target, kernel[tap.kernel as usize])).collect();
                *first_of.entry(own).or_insert(position)
            })
            .collect()
    }

    /// The sources to deliver, twins joined: their neurons and payloads.
    pub(in super::super) fn joined<'a>(
        &self,
        neurons: &'a [u32],
        payloads: &'a [i32],
        scratch: &'a mut Scratch,
    ) -> (&'a [u32], &'a [i32], &'a mut Vec<f64>) {
        let Scratch { sums, counts, neurons: joined, payloads: sent } = scratch;
        if self.twins.is_empty() {
            return (neurons, payloads, sums);
        }
        if counts.len() < self.twins.len() {
            counts.resize(self.twins.len(), 0);
        }
        joined.clear();
        sent.clear();
        for (index, &neuron) in neurons.iter().enumerate() {
            let first = self.twins[neuron as usize];
            let count = &mut counts[first as usize];
            let payload = payloads.get(index).copied().unwrap_or(1);
            if *count == 0 {
                joined.push(first);
            }
            // Payloads that overflow together saturate far beyond what a sum holds exactly.
            *count = count.saturating_add(payload);
        }
        sent.extend(joined.iter().map(|&first| std::mem::take(&mut counts[first as usize])));
        (joined, sent, sums)
    }
}
