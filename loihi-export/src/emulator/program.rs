//! A network after checking: processes and synapses in the form that steps need.

use std::sync::Arc;

use crate::{
    chip::ChipSpec,
    quantise::network::{Connection, QuantisedNetwork, QuantisedProjection},
};

use super::{
    connection::{Ends, ProjectionTable},
    error::{EmulatorError, ProjectionProblem},
    learning::connection::LearningProjection,
    parameters::{FieldWarning, Parameters},
    process::{self, Process, ProcessInfo, ProcessKind},
    spikes::Spike,
};

/// Neurons of a network at most; state takes 12 to 24 bytes a neuron.
const NEURON_LIMIT: u64 = 1 << 27;

/// The immutable part of an emulator.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) populations: Vec<ProgramPopulation>,
    pub(super) projections: Vec<ProgramProjection>,
    /// Indices of the inputs.
    pub(super) inputs: Vec<usize>,
    pub(super) warnings: Vec<FieldWarning>,
    /// Bits of the sum of the weights that reach a neuron; 32 where none are dropped.
    pub(super) accumulator_bits: u8,
}

#[derive(Debug)]
pub(crate) struct ProgramPopulation {
    pub(super) name: String,
    pub(super) neurons: usize,
    /// `None` for inputs.
    pub(super) process: Option<Arc<dyn Process>>,
    /// What the process is.
    pub(super) info: &'static ProcessInfo,
    /// Whether the caller gives synaptic input of the same step.
    pub(super) driven: bool,
    /// Projections that end here.
    pub(super) incoming: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct ProgramProjection {
    pub(super) source: usize,
    /// Input port of the target.
    pub(super) port: usize,
    /// Kind of its connection, for reports.
    pub(super) kind: &'static str,
    pub(super) table: ProjectionTable,
    pub(super) learning: Option<LearningProjection>,
}

impl Program {
    pub(super) fn new(network: &QuantisedNetwork, chip: &ChipSpec) -> Result<Self, EmulatorError> {
        check_size(network)?;
        let mut program = Self {
            populations: Vec::new(),
            projections: Vec::new(),
            inputs: Vec::new(),
            warnings: Vec::new(),
            accumulator_bits: chip.arithmetic.accumulator_bits(),
        };
        for population in &network.populations {
            let info = process::find(population)?;
            let neurons = population.shape.size() as usize;
            let parameters = Parameters::check(population, info, neurons)?.on(chip);
            program.warnings.extend(parameters.field_warnings(chip));
            let driven = info.is_driven(&parameters)?;
            if driven {
                program.inputs.push(program.populations.len());
            }
            let process = match info.kind {
                ProcessKind::Injected => {
                    program.inputs.push(program.populations.len());
                    None
                }
                ProcessKind::Computed(build) => Some(build(&parameters, neurons)?),
            };
            let (name, incoming) = (population.name.clone(), Vec::new());
            let population = ProgramPopulation { name, neurons, process, info, driven, incoming };
            program.populations.push(population);
        }
        for projection in &network.projections {
            program.add(projection, chip).map_err(|problem| EmulatorError::Projection {
                projection: projection.name.clone(),
                problem,
            })?;
        }
        Ok(program)
    }

    fn add(
        &mut self,
        projection: &QuantisedProjection,
        chip: &ChipSpec,
    ) -> Result<(), ProjectionProblem> {
        let populations = self.populations.len();
        let find = |side, index| {
            let missing = ProjectionProblem::NoPopulation { side, index, populations };
            self.populations.get(index).ok_or(missing)
        };
        let source = find("source", projection.source)?;
        let target = find("target", projection.target)?;
        if target.process.is_none() {
            return Err(ProjectionProblem::TargetIsInput { target: target.name.clone() });
        }
        let port = usize::from(projection.port);
        if port >= target.info.ports.len() {
            let (got, target_name) = (projection.port, target.name.clone());
            let (process, ports) = (target.info.name, target.info.ports);
            return Err(ProjectionProblem::Port { got, target: target_name, process, ports });
        }
        let ends = Ends {
            sources: source.neurons as u32,
            targets: target.neurons as u32,
            source: &source.name,
            target: &target.name,
        };
        let table = ProjectionTable::new(projection, ends, chip)?;
        let learning = LearningProjection::new(projection, ends, &self.populations)?;
        let kind = match (&projection.connection, learning.is_some(), projection.delay.longest()) {
            (Connection::Dense { .. }, true, _) => "LearningDense",
            (Connection::Sparse { .. }, true, _) => "LearningSparse",
            (Connection::Dense { .. }, _, 0) => "Dense",
            (Connection::Dense { .. }, ..) => "DelayDense",
            (Connection::Sparse { .. }, _, 0) => "Sparse",
            (Connection::Sparse { .. }, ..) => "DelaySparse",
            (Connection::Convolution { .. }, ..) => "Conv",
        };
        let (index, source) = (self.projections.len(), projection.source);
        self.projections.push(ProgramProjection { source, port, kind, table, learning });
        if let Some(target) = self.populations.get_mut(projection.target) {
            target.incoming.push(index);
        }
        Ok(())
    }

    pub(super) fn unknown(&self, population: String) -> EmulatorError {
        let known = self.populations.iter().map(|population| population.name.clone()).collect();
        EmulatorError::UnknownPopulation { population, known }
    }

    pub(super) fn check_input_count(&self, got: usize) -> Result<(), EmulatorError> {
        if got == self.inputs.len() {
            return Ok(());
        }
        let inputs = self.inputs.iter().filter_map(|&index| self.populations.get(index));
        let names = inputs.map(|population| population.name.clone()).collect();
        Err(EmulatorError::InputCount { got, expected: self.inputs.len(), names })
    }

    /// Input spikes must name neurons of the population in ascending order, each once.
    pub(super) fn check_input(
        &self,
        index: usize,
        spikes: &[Spike],
        step: u64,
    ) -> Result<(), EmulatorError> {
        let Some(population) = self.populations.get(index) else {
            return Err(self.unknown(index.to_string()));
        };
        let mut next = 0;
        for spike in spikes {
            let problem = if spike.neuron as usize >= population.neurons {
                format!("neuron {} of {} neurons", spike.neuron, population.neurons)
            } else if u64::from(spike.neuron) < next {
                format!("neuron {} after neuron {}; sort them, each once", spike.neuron, next - 1)
            } else if spike.payload == 0 {
                format!("neuron {} has payload 0; leave silent neurons out", spike.neuron)
            } else {
                next = u64::from(spike.neuron) + 1;
                continue;
            };
            let population = population.name.clone();
            return Err(EmulatorError::Input { population, step, problem });
        }
        Ok(())
    }
}

/// Sizes come from files: look at all of them before taking memory for any.
fn check_size(network: &QuantisedNetwork) -> Result<(), EmulatorError> {
    let sizes = network.populations.iter().map(|population| population.shape.size());
    let neurons = sizes.fold(0, u64::saturating_add);
    if neurons > NEURON_LIMIT {
        return Err(EmulatorError::TooLarge { what: "neurons", got: neurons, limit: NEURON_LIMIT });
    }
    // Slots of input that wait for their step: one for each step of delay.
    let waiting = network.projections.iter().map(|projection| {
        let targets = network.populations.get(projection.target).map_or(0, |p| p.shape.size());
        targets.saturating_mul(match projection.connection {
            Connection::Convolution { .. } => 1,
            _ => projection.delay.longest() + 1,
        })
    });
    let waiting = waiting.fold(0, u64::saturating_add);
    if waiting > 8 * NEURON_LIMIT {
        let limit = 8 * NEURON_LIMIT;
        return Err(EmulatorError::TooLarge { what: "delayed inputs", got: waiting, limit });
    }
    Ok(())
}
