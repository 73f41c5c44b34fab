//! Weights and delays as the file holds them, if netx makes of them what ours do.

use sim_core::network::Convolution;

use super::super::{KERNEL_RANGE, LARGEST_DELAY};
use super::Guard;
use crate::chip::Truncation;
use crate::quantise::coding::{CodedWeights, code_dense, code_dense_recurrent, stored_weight};
use crate::quantise::network::{
    Connection, DelaySteps, QuantisedPopulation, QuantisedProjection, SignMode,
};

const RECODE: &str = "quantise with the code that netx chooses (quantise::coding::code_dense)";

impl Guard {
    /// The whole numbers that act: what Lava keeps of the stored weights, shifted by the exponent.
    pub(super) fn written(
        &mut self,
        place: &str,
        stored: &[i32],
        (sign_mode, weight_bits, exponent): (SignMode, u8, i8),
        sources: u32,
    ) -> Vec<i64> {
        let remedy = RECODE;
        let mut weights = Vec::with_capacity(stored.len());
        for (index, &stored) in stored.iter().enumerate() {
            // What acts is what Lava keeps of the stored weight, shifted by the exponent.
            let kept = stored_weight(stored.into(), sign_mode, weight_bits, Truncation::Floor);
            let kept = match kept {
                Ok(kept) => kept,
                Err(error) => {
                    self.report("weight_bits", place, error.to_string(), remedy);
                    return Vec::new();
                }
            };
            let factor = 1i64 << u32::from(exponent.unsigned_abs()).min(40);
            if exponent >= 0 {
                weights.push(kept.saturating_mul(factor));
            } else if kept % factor == 0 {
                weights.push(kept / factor);
            } else {
                let at = (index / sources.max(1) as usize, index % sources.max(1) as usize);
                let problem = format!(
                    "the weight of target {}, source {} is {kept} / {factor}, no whole number; \
                     netx reads whole numbers",
                    at.0, at.1
                );
                self.report("integer", place, problem, remedy);
                return Vec::new();
            }
        }
        weights
    }

    /// The matrix of a projection from the layer before.
    pub(super) fn matrix(
        &mut self,
        projection: &QuantisedProjection,
        source: &QuantisedPopulation,
        target: &QuantisedPopulation,
    ) -> Vec<i64> {
        let dense = dense_form(projection, source, target);
        let projection = dense.as_ref().unwrap_or(projection);
        let Connection::Dense { weights, sign_mode, weight_bits, weight_exponent } =
            &projection.connection
        else {
            let problem = "its weights are no matrix".into();
            let remedy = "use dense weights, as for the other part";
            self.report("complex", &projection.name, problem, remedy);
            return Vec::new();
        };
        let sources = self.size(source, &source.shape);
        let code = (*sign_mode, *weight_bits, *weight_exponent);
        self.written(&projection.name, weights, code, sources)
    }

    /// Reports where netx's code of a layer's matrices, which it chooses for both together, would
    /// not give their effect.
    pub(super) fn coded(
        &mut self,
        place: &str,
        weights: &[i64],
        recurrent: &[i64],
        neurons: u32,
        sources: u32,
    ) {
        let (rows, columns) = (neurons as usize, sources as usize);
        let coded: Result<Vec<CodedWeights>, _> = if recurrent.is_empty() {
            code_dense(weights, rows, columns, Truncation::Floor).map(|coded| vec![coded])
        } else {
            code_dense_recurrent(weights, recurrent, rows, columns, Truncation::Floor)
                .map(Vec::from)
        };
        match coded {
            Err(error) => {
                let remedy = "change the layer before exporting it";
                self.report("weights", place, error.to_string(), remedy);
            }
            Ok(matrices) => {
                for coded in matrices {
                    if let Some(first) = coded.first_changed {
                        let problem = format!(
                            "netx would change {} weights; the first is {} of target {}, source {}, \
                             stored as {}",
                            coded.changed, first.written, first.target, first.source, first.stored
                        );
                        self.report("weights", place, problem, RECODE);
                    }
                }
            }
        }
    }

    /// The weights of a layer on itself.
    pub(super) fn recurrent(
        &mut self,
        projection: &QuantisedProjection,
        population: &QuantisedPopulation,
    ) -> Vec<i64> {
        if let Some(dense) = dense_form(projection, population, population) {
            return self.recurrent(&dense, population);
        }
        let place = &projection.name;
        let Connection::Dense { weights, sign_mode, weight_bits, weight_exponent } =
            &projection.connection
        else {
            let problem = "its weights are no matrix".into();
            let remedy = "netx has dense recurrent weights only; use those";
            self.report("recurrent", place, problem, remedy);
            return Vec::new();
        };
        let neurons = self.size(population, &population.shape);
        let code = (*sign_mode, *weight_bits, *weight_exponent);
        let weights = self.written(place, weights, code, neurons);
        if self.delays(projection, weights.len()).iter().any(|&d| d != 0) {
            let problem = "it is delayed; netx has no delays of recurrent weights".into();
            let remedy = "set its delay to one step, or export NIR";
            self.report("delay", place, problem, remedy);
        }
        weights
    }

    pub(super) fn kernels(
        &mut self,
        place: &str,
        weights: &[i32],
        geometry: &Convolution,
    ) -> Vec<i64> {
        let weights: Vec<i64> = weights.iter().map(|&w| w.into()).collect();
        if weights.len() as u64 != geometry.weight_count() {
            let problem = format!(
                "{} weights cannot fill kernels {:?}",
                weights.len(),
                geometry.weight_shape()
            );
            self.report("weights", place, problem, "repair the network");
        }
        if let Some(weight) = weights.iter().find(|&w| !KERNEL_RANGE.contains(w)) {
            let problem = format!("weight {weight} is outside {KERNEL_RANGE:?}");
            self.report("weights", place, problem, "scale the layer and its threshold down");
        }
        if weights.iter().all(|&w| w == 0) {
            let problem = "all weights are 0, on which netx stops".into();
            self.report("weights", place, problem, "leave the layer out");
        }
        weights
    }

    pub(super) fn delays(&mut self, projection: &QuantisedProjection, synapses: usize) -> Vec<u8> {
        let delays = match &projection.delay {
            DelaySteps::One(0) => return Vec::new(),
            DelaySteps::One(delay) => vec![*delay],
            DelaySteps::PerSynapse(delays) => {
                if delays.len() != synapses {
                    let problem = format!("{} delays for {synapses} weights", delays.len());
                    self.report("delay", &projection.name, problem, "repair the network");
                }
                delays.clone()
            }
        };
        if let Some(delay) = delays.iter().find(|&&d| d > LARGEST_DELAY) {
            let problem =
                format!("an additional delay of {delay} steps; netx clamps at {LARGEST_DELAY}");
            self.report("delay", &projection.name, problem, "shorten the delays");
        }
        delays
    }
}

/// Weights of a matrix that a list is laid out in, at most.
const MATRIX_LIMIT: u64 = 1 << 26;

/// Listed synapses as the matrix that netx has for them; `None` for other connections.
pub(super) fn dense_form(
    projection: &QuantisedProjection,
    source: &QuantisedPopulation,
    target: &QuantisedPopulation,
) -> Option<QuantisedProjection> {
    let Connection::Sparse { targets, sources, weights, sign_mode, weight_bits, weight_exponent } =
        &projection.connection
    else {
        return None;
    };
    let (columns, rows) = (source.shape.size(), target.shape.size());
    let size = rows.checked_mul(columns).filter(|size| *size <= MATRIX_LIMIT)? as usize;
    let mut matrix = vec![0; size];
    let mut laid = vec![0; size];
    for (index, ((&target, &source), &weight)) in
        targets.iter().zip(sources).zip(weights).enumerate()
    {
        let place = u64::from(target) * columns + u64::from(source);
        let place = usize::try_from(place).ok()?;
        *matrix.get_mut(place)? = weight;
        if let DelaySteps::PerSynapse(delays) = &projection.delay {
            *laid.get_mut(place)? = delays.get(index).copied()?;
        }
    }
    let delay = match &projection.delay {
        DelaySteps::One(delay) => DelaySteps::One(*delay),
        DelaySteps::PerSynapse(_) => DelaySteps::PerSynapse(laid),
    };
    let connection = Connection::Dense {
        weights: matrix,
        sign_mode: *sign_mode,
        weight_bits: *weight_bits,
        weight_exponent: *weight_exponent,
    };
    Some(QuantisedProjection { connection, delay, ..projection.clone() })
}
