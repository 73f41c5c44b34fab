//! The model with so many ports: its tables, made when first asked for and kept.

use super::{FIRST_PORT, MEMBRANE, TAU_SYNAPSE_MS, parameter};
use crate::network::RefractoryInput;
use crate::neuron::model::{Combine, ModelSpec, ModelTime, ParameterSpec, Range, ReceptorSpec};
use crate::neuron::typed_parameters::variable;
use crate::units::Dimension::{Current, Potential, Time};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The model's name.
pub(super) const NAME: &str = "lif_multisynapse";

/// The most ports of a neuron.
pub const MOST_PORTS: usize = 1024;

/// The names of all ports, for those who named another.
pub(super) const NUMBERED: &str = "ports are numbered from `port_1` to `port_1024`, each with its \
     `tau_synapse_1` … and `current_1` …; those that a network names are there";

/// What the number of a port stands behind.
pub(super) const TAU_PREFIX: &str = "tau_synapse_";
const PORT_PREFIX: &str = "port_";
const CURRENT_PREFIX: &str = "current_";

/// The model with a number of ports.
pub(super) struct Ported {
    pub(super) spec: &'static ModelSpec,
}

/// The port that a name of a receptor, a parameter or a variable belongs to, counted from 1.
pub(super) fn number(name: &str) -> Option<usize> {
    let number = [PORT_PREFIX, TAU_PREFIX, CURRENT_PREFIX]
        .into_iter()
        .find_map(|prefix| name.strip_prefix(prefix))?;
    let port: usize = number.parse().ok()?;
    // Written as these tables write it: no sign, no zero in front.
    ((1..=MOST_PORTS).contains(&port) && port.to_string() == number).then_some(port)
}

/// The model with so many ports. What is made here stays: it is one of at most [`MOST_PORTS`].
pub(super) fn with(ports: usize) -> &'static Ported {
    static KNOWN: Mutex<BTreeMap<usize, &'static Ported>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(ports.clamp(1, MOST_PORTS)).or_insert_with_key(|&ports| {
        let spec: &'static ModelSpec = Box::leak(Box::new(spec(ports)));
        Box::leak(Box::new(Ported { spec }))
    })
}

fn named(prefix: &str, port: usize) -> &'static str {
    Box::leak(format!("{prefix}{port}").into_boxed_str())
}

fn spec(ports: usize) -> ModelSpec {
    let mut parameters: Vec<ParameterSpec> = MEMBRANE.to_vec();
    let mut receptors = Vec::with_capacity(ports);
    let mut variables =
        vec![variable("membrane_potential", Potential, None, "V; initially the resting potential")];
    for port in 1..=ports {
        parameters.push(parameter(
            named(TAU_PREFIX, port),
            named("τ_", port),
            Time,
            (TAU_SYNAPSE_MS, Range::Positive),
            "decay of the current of this port",
        ));
        receptors.push(ReceptorSpec {
            name: named(PORT_PREFIX, port),
            weight: Current,
            combine: Combine::Sum,
            meaning: "jump of its current",
        });
        let meaning = "the current of this port";
        variables.push(variable(named(CURRENT_PREFIX, port), Current, Some(0.0), meaning));
    }
    debug_assert_eq!(parameters.len(), FIRST_PORT + ports);
    ModelSpec {
        name: NAME,
        summary: "leaky integrate-and-fire, any number of ports with exponential currents (exact)",
        time: ModelTime::Continuous,
        parameters: Vec::leak(parameters),
        receptors: Vec::leak(receptors),
        variables: Vec::leak(variables),
        current: Some(Current),
        spikes: true,
        subtracting_reset: false,
        graded: false,
        refractory_input: &[RefractoryInput::Integrated],
        reference: "Rotter & Diesmann 1999, Biol. Cybern. 81:381; NEST iaf_psc_exp_multisynapse",
    }
}
