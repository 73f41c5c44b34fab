//! Spikes of one population over time.

/// A spike: which neuron, and what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spike {
    /// Index of the neuron in its population.
    pub neuron: u32,
    /// Payload; 1 for a plain spike, never 0.
    pub payload: i32,
}

impl Spike {
    /// A plain spike with payload 1.
    pub fn plain(neuron: u32) -> Self {
        Self { neuron, payload: 1 }
    }
}

/// The spikes of one population, step after step.
///
/// Row 0 is the first step of a run. Within a step neurons ascend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpikeTrain {
    /// End of each step's spikes in `spikes`.
    ends: Vec<usize>,
    spikes: Vec<Spike>,
}

impl Default for SpikeTrain {
    fn default() -> Self {
        Self::new()
    }
}

impl SpikeTrain {
    /// A train without steps.
    pub fn new() -> Self {
        Self { ends: Vec::new(), spikes: Vec::new() }
    }

    /// The train of dense rows `[step][neuron]`; zeros are silence.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = &'a [i32]>) -> Self {
        let mut train = Self::new();
        for row in rows {
            let spikes = row.iter().enumerate().filter(|(_, payload)| **payload != 0);
            train
                .spikes
                .extend(spikes.map(|(neuron, &payload)| Spike { neuron: neuron as u32, payload }));
            train.ends.push(train.spikes.len());
        }
        train
    }

    /// Appends a step.
    pub fn push_step(&mut self, spikes: &[Spike]) {
        self.spikes.extend_from_slice(spikes);
        self.ends.push(self.spikes.len());
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        self.ends.len()
    }

    /// Number of spikes in all steps.
    pub fn count(&self) -> usize {
        self.spikes.len()
    }

    /// Spikes of one step, neurons ascending; none for steps beyond the end.
    pub fn at(&self, step: usize) -> &[Spike] {
        let end = self.ends.get(step).copied();
        let start = if step == 0 { Some(0) } else { self.ends.get(step - 1).copied() };
        match (start, end) {
            (Some(start), Some(end)) => self.spikes.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Number of spikes of each of `neurons` neurons.
    pub fn counts(&self, neurons: usize) -> Vec<u32> {
        let mut counts = vec![0; neurons];
        for spike in &self.spikes {
            if let Some(count) = counts.get_mut(spike.neuron as usize) {
                *count += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_step_by_step() {
        let rows = [vec![0, 1, 0], vec![0, 0, 0], vec![-3, 0, 2]];
        let train = SpikeTrain::from_rows(rows.iter().map(Vec::as_slice));
        assert_eq!(train.steps(), 3);
        assert_eq!(train.at(0), [Spike::plain(1)]);
        assert_eq!(train.at(1), []);
        let last = [Spike { neuron: 0, payload: -3 }, Spike { neuron: 2, payload: 2 }];
        assert_eq!(train.at(2), last);
        assert_eq!(train.at(3), []);
        assert_eq!(train.counts(3), [1, 1, 1]);
    }
}
