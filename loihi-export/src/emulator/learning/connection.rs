//! A learning projection inside a network: its synapses, and where its signals come from.

use crate::{
    emulator::{
        connection::Ends, error::ProjectionProblem, overflow::OverflowCounter,
        program::ProgramPopulation, spikes::Spike,
    },
    quantise::network::{Connection, QuantisedProjection, SignMode},
};

use super::{
    LearningError, LearningProgram, LearningState, Place, StepSignals, arithmetic::FixedPoint,
};

/// The immutable part.
#[derive(Debug)]
pub(crate) struct LearningProjection {
    program: LearningProgram,
    places: Vec<Place>,
    weights: Vec<i64>,
    sign_mode: SignMode,
    sources: usize,
    targets: usize,
    graded: bool,
    source: usize,
    /// Population whose spikes are the targets'.
    post: usize,
    third_factor: Option<[Option<usize>; 3]>,
}

/// Traces, tags and weights while the network runs.
pub(crate) type LearningRun = LearningState<FixedPoint>;

impl LearningProjection {
    /// `None` for projections without a rule.
    pub(crate) fn new(
        projection: &QuantisedProjection,
        ends: Ends<'_>,
        populations: &[ProgramPopulation],
    ) -> Result<Option<Self>, ProjectionProblem> {
        let Some(rule) = &projection.learning else { return Ok(None) };
        let (places, weights, sign_mode) = synapses(&projection.connection, ends)?;
        if projection.delay.longest() > 0 {
            return Err(ProjectionProblem::LearningDelay);
        }
        let (sources, targets) = (ends.sources as usize, ends.targets as usize);
        let post = rule.post.unwrap_or(projection.target);
        let third = rule.third_factor.unwrap_or_default();
        let factors = [("post", Some(post)), ("y1", third[0]), ("y2", third[1]), ("y3", third[2])];
        for (what, index) in factors {
            let Some(index) = index else { continue };
            if populations.get(index).is_none_or(|population| population.neurons != targets) {
                return Err(LearningError::Factor { what, index, targets }.into());
            }
        }
        Ok(Some(Self {
            program: LearningProgram::new(rule, sources, targets)?,
            places,
            weights,
            sign_mode,
            sources,
            targets,
            graded: projection.message_bits > 0,
            source: projection.source,
            post,
            third_factor: rule.third_factor,
        }))
    }

    /// The state before the first step.
    pub(crate) fn start(&self) -> LearningRun {
        LearningState::new(&self.program, self.weights.clone(), self.sources, self.targets)
    }

    /// Adds the weights of the sources that spiked; returns the synapses visited.
    pub(crate) fn accumulate(&self, state: &LearningRun, sent: &[Spike], sums: &mut [i64]) -> u64 {
        let payloads = rows(sent, self.sources);
        let mut visited = 0;
        for (place, &weight) in self.places.iter().zip(&state.variables[0]) {
            let payload = payloads.get(place.source as usize).copied().unwrap_or_default();
            if payload == 0 {
                continue;
            }
            visited += 1;
            if let Some(sum) = sums.get_mut(place.target as usize) {
                let times = if self.graded { i64::from(payload) } else { 1 };
                *sum = sum.wrapping_add(weight.wrapping_mul(times));
            }
        }
        visited
    }

    /// Takes in the spikes of a step and learns at the end of an epoch.
    pub(crate) fn learn(
        &self,
        state: &mut LearningRun,
        time: u64,
        spikes: &[&[Spike]],
        overflows: &mut OverflowCounter,
    ) {
        let of = |population: usize, neurons: usize| {
            rows(spikes.get(population).copied().unwrap_or_default(), neurons)
        };
        let sources = of(self.source, self.sources);
        let targets: Vec<bool> = of(self.post, self.targets).into_iter().map(|p| p != 0).collect();
        let third = self.third_factor.map(|populations| {
            populations.map(|population| match population {
                Some(population) => {
                    of(population, self.targets).into_iter().map(i64::from).collect()
                }
                None => vec![0; self.targets],
            })
        });
        let signals = StepSignals { sources: &sources, targets: &targets, third: third.as_ref() };
        state.step(&self.program, &self.places, self.sign_mode, time, &signals, overflows);
    }
}

impl LearningRun {
    /// A variable by Lava's name.
    pub(crate) fn variable(&self, name: &str) -> Option<&[i64]> {
        let (list, index) = match name {
            "weights" => (&self.variables[..], 0),
            "tag_2" => (&self.variables[..], 1),
            "tag_1" => (&self.variables[..], 2),
            "x1" => (&self.x[..], 0),
            "x2" => (&self.x[..], 1),
            "y1" => (&self.y[..], 0),
            "y2" => (&self.y[..], 1),
            "y3" => (&self.y[..], 2),
            _ => return None,
        };
        list.get(index).map(Vec::as_slice)
    }
}

/// Payloads of all neurons, 0 where they are silent.
fn rows(spikes: &[Spike], neurons: usize) -> Vec<i32> {
    let mut row = vec![0; neurons];
    for spike in spikes {
        if let Some(slot) = row.get_mut(spike.neuron as usize) {
            *slot = spike.payload;
        }
    }
    row
}

type Synapses = (Vec<Place>, Vec<i64>, SignMode);

fn synapses(connection: &Connection, ends: Ends<'_>) -> Result<Synapses, LearningError> {
    let wide = |weights: &[i32]| weights.iter().copied().map(i64::from).collect();
    match connection {
        Connection::Dense { weights, sign_mode, .. } => {
            let sources = u64::from(ends.sources.max(1));
            let place = |index: u64| Place {
                target: (index / sources) as u32,
                source: (index % sources) as u32,
            };
            Ok(((0..weights.len() as u64).map(place).collect(), wide(weights), *sign_mode))
        }
        Connection::Sparse { targets, sources, weights, sign_mode, .. } => {
            let ends = targets.iter().zip(sources);
            let places = ends.map(|(&target, &source)| Place { target, source }).collect();
            Ok((places, wide(weights), *sign_mode))
        }
        Connection::Convolution { .. } => Err(LearningError::Convolution),
    }
}
