//! The synapses of a dense layer: one, two for complex weights, or a forward and a recurrent one.

use crate::quantise::network::{Connection, DelaySteps};

use super::NetxError;
use super::runnable::Layer;
use super::weights::{delays, dense, whole};

/// A projection without its ends.
pub(super) struct Synapse {
    pub(super) connection: Connection,
    pub(super) delay: DelaySteps,
    pub(super) port: u8,
    pub(super) message_bits: u8,
}

/// One synapse, two for complex weights, or the forward and the recurrent one.
pub(super) fn synapses(
    layer: &mut Layer<'_>,
    matrices: &[Vec<i64>],
    (rows, columns): (usize, usize),
    message_bits: u8,
) -> Result<Vec<Synapse>, NetxError> {
    let plain =
        |connection, port| Synapse { connection, delay: DelaySteps::One(0), port, message_bits };
    if let [real, imaginary] = matrices {
        if layer.stored.delay.is_some() {
            layer.warn("netx ignores the delays of complex weights".into());
        }
        let [real] = dense(layer, [real], true)?;
        let [imaginary] = dense(layer, [imaginary], true)?;
        return Ok(vec![plain(real, 0), plain(imaginary, 1)]);
    }
    let forward = matrices.first().map(Vec::as_slice).unwrap_or_default();
    let delay = match layer.stored.delay.clone() {
        Some(array) => DelaySteps::PerSynapse(delays(layer, &array, rows, columns)?),
        None => DelaySteps::One(0),
    };
    let delayed = layer.stored.delay.is_some();
    if layer.stored.layer_type != "dense_rec" {
        let [connection] = dense(layer, [forward], true)?;
        return Ok(vec![Synapse { connection, delay, port: 0, message_bits }]);
    }
    let Some(array) = layer.stored.recurrent_weights.clone() else {
        return Err(layer.wrong("it has no weight_rec; write the matrix [neurons, neurons] of its loop, or make it dense".into()));
    };
    let recurrent = whole(layer, "weight_rec", &array)?;
    if Some(recurrent.len()) != rows.checked_mul(rows) {
        return Err(layer.wrong(format!(
            "{} recurrent weights; {rows} neurons have {rows} × {rows}",
            recurrent.len()
        )));
    }
    if delayed {
        if rows != columns {
            let problem = "a delayed recurrent layer has as many sources as neurons, since netx \
                           uses the input's delays for the recurrent weights; delay the layer before \
                           or behind it instead";
            return Err(layer.wrong(problem.into()));
        }
        layer.warn(
            "netx forgets the weight exponent of delayed recurrent layers and gives the recurrent \
             weights the input's delays"
                .into(),
        );
    }
    let connections = dense(layer, [forward, &recurrent], !delayed)?;
    let synapse = |connection| Synapse { connection, delay: delay.clone(), port: 0, message_bits };
    Ok(connections.into_iter().map(synapse).collect())
}
