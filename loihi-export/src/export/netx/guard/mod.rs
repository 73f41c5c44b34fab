//! Finding everything in a network that netx would not run as our emulator does.

use sim_core::network::{Convolution, Shape};

use super::{BIAS_EXPONENT, LifNumbers, NetxPlan, NetxViolation, PlannedLayer};
use crate::quantise::network::{
    Connection, IntegerValues, QuantisedNetwork, QuantisedPopulation, QuantisedProjection,
};

mod chain;
mod weights;

use weights::dense_form;

/// Biases fit 16 bits, beyond which Lava wraps silently.
const BIAS_RANGE: std::ops::RangeInclusive<i64> = -32767..=32767;
/// Parameters of `lif` that have a place in the file.
const PARAMETERS: [&str; 5] = ["du", "dv", "vth", "bias_mant", "bias_exp"];

/// Turns a network into layers of a netx file.
///
/// # Errors
/// All [`NetxViolation`]s.
pub fn plan(network: &QuantisedNetwork) -> Result<NetxPlan, Vec<NetxViolation>> {
    let mut guard = Guard { violations: Vec::new() };
    let order = guard.chain(network);
    let mut layers = Vec::new();
    let mut flat = true;
    for (position, &index) in order.iter().enumerate() {
        let population = &network.populations[index];
        let mut incoming = network.projections.iter().filter(|p| p.target == index);
        let recurrent = incoming.clone().find(|p| p.source == index);
        let incoming = incoming.find(|p| p.source != index);
        if position == 0 {
            let convolves = network.projections.iter().any(|p| {
                p.source == index && matches!(p.connection, Connection::Convolution { .. })
            });
            layers.push(guard.input(population, convolves));
            flat = !convolves;
        } else if let Some(projection) = incoming {
            let source = &network.populations[order[position - 1]];
            guard.layer((projection, recurrent), source, population, &mut flat, &mut layers);
        }
    }
    if guard.violations.is_empty() {
        let (network, chip) = (network.name.clone(), network.chip.clone());
        Ok(NetxPlan { network, chip, layers })
    } else {
        Err(guard.violations)
    }
}

struct Guard {
    violations: Vec<NetxViolation>,
}

impl Guard {
    fn report(&mut self, rule: &'static str, place: &str, problem: String, remedy: &'static str) {
        self.violations.push(NetxViolation { rule, place: place.to_owned(), problem, remedy });
    }

    fn input(&mut self, population: &QuantisedPopulation, convolves: bool) -> PlannedLayer {
        // A dense layer takes the picture as one list in our order, which needs no flatten layer.
        let shape = match population.shape {
            Shape::Picture(picture) if convolves => picture.to_vec(),
            other => vec![self.size(population, &other)],
        };
        PlannedLayer::Input { shape }
    }

    fn size(&mut self, population: &QuantisedPopulation, shape: &Shape) -> u32 {
        u32::try_from(shape.size()).unwrap_or_else(|_| {
            let problem = format!("it has {} neurons", shape.size());
            self.report("size", &population.name, problem, "at most 4294967295 neurons");
            0
        })
    }

    /// One layer: the projection from the layer before, and the layer's own where it is recurrent.
    fn layer(
        &mut self,
        (projection, recurrent): (&QuantisedProjection, Option<&QuantisedProjection>),
        source: &QuantisedPopulation,
        population: &QuantisedPopulation,
        flat: &mut bool,
        layers: &mut Vec<PlannedLayer>,
    ) {
        if let Some(dense) = dense_form(projection, source, population) {
            return self.layer((&dense, recurrent), source, population, flat, layers);
        }
        let neuron = self.neuron(population);
        let bias = self.bias(population);
        for projection in [Some(projection), recurrent].into_iter().flatten() {
            if projection.message_bits != 0 {
                let problem = format!("its spikes carry {} bits", projection.message_bits);
                let remedy = "netx sends plain spikes between CUBA layers; use message_bits 0";
                self.report("graded", &projection.name, problem, remedy);
            }
        }
        let (sources, neurons) =
            (self.size(source, &source.shape), self.size(population, &population.shape));
        match &projection.connection {
            Connection::Dense { weights, sign_mode, weight_bits, weight_exponent } => {
                if !*flat {
                    layers.push(PlannedLayer::Flatten { size: sources });
                }
                *flat = true;
                let code = (*sign_mode, *weight_bits, *weight_exponent);
                let weights = self.written(&projection.name, weights, code, sources);
                let recurrent =
                    recurrent.map(|p| self.recurrent(p, population)).unwrap_or_default();
                self.coded(&projection.name, &weights, &recurrent, neurons, sources);
                let delays = self.delays(projection, weights.len());
                if !recurrent.is_empty() && delays.iter().any(|&d| d != 0) {
                    let problem =
                        "it leads into a recurrent layer and is delayed; netx would forget \
                                   the weights' exponent and delay the recurrent ones alike"
                            .into();
                    let remedy = "put the delay before another layer, or take the recurrence out";
                    self.report("delay", &projection.name, problem, remedy);
                }
                layers.push(PlannedLayer::Dense {
                    weights,
                    recurrent,
                    sources,
                    neurons,
                    delays,
                    bias,
                    neuron,
                });
            }
            Connection::Convolution { geometry, weights } => {
                if *flat {
                    let problem = "a convolution follows a layer without rows and columns".into();
                    let remedy = "netx convolves the input and convolutions only; give the source \
                                  population a picture's shape or use dense weights";
                    self.report("order", &projection.name, problem, remedy);
                }
                if let Some(recurrent) = recurrent {
                    let problem = "it makes a layer recurrent that a convolution reaches".into();
                    let remedy = "netx has recurrent layers behind dense weights only; use those";
                    self.report("recurrent", &recurrent.name, problem, remedy);
                }
                self.geometry(&projection.name, geometry, source, population);
                let weights = self.kernels(&projection.name, weights, geometry);
                if self.delays(projection, weights.len()).iter().any(|&d| d != 0) {
                    let problem = "it is delayed; netx ignores delays of convolutions".into();
                    let remedy = "set its delay to 0 or use dense weights";
                    self.report("delay", &projection.name, problem, remedy);
                }
                let bias = self.channel_bias(population, bias, geometry);
                layers.push(PlannedLayer::Conv { weights, geometry: *geometry, bias, neuron });
            }
            Connection::Sparse { .. } => {
                let problem = format!("its list needs a matrix of {neurons} × {sources} weights");
                let remedy = "netx has dense and convolution layers only; make the layer smaller";
                self.report("sparse", &projection.name, problem, remedy);
            }
        }
    }

    fn geometry(
        &mut self,
        place: &str,
        geometry: &Convolution,
        source: &QuantisedPopulation,
        target: &QuantisedPopulation,
    ) {
        if let Err(error) = geometry.check() {
            self.report("geometry", place, error.to_string(), "repair the network");
        }
        let ends = [("source", source, geometry.source), ("target", target, geometry.target)];
        for (side, population, extents) in ends {
            if population.shape != Shape::Picture(extents) {
                let problem = format!(
                    "its {side} `{}` is {} but the convolution needs {extents:?}",
                    population.name, population.shape
                );
                self.report("geometry", place, problem, "give the population that shape");
            }
        }
        let [top, left, bottom, right] = geometry.padding;
        if (top, left) != (bottom, right) {
            let problem = format!(
                "it pads {top} above and {bottom} below, {left} left and {right} right; netx pads \
                 both sides alike"
            );
            let remedy = "pad evenly, or make the kernel one larger with zeros on one side";
            self.report("padding", place, problem, remedy);
        }
    }

    fn neuron(&mut self, population: &QuantisedPopulation) -> LifNumbers {
        let place = &population.name;
        if population.process != "lif" {
            let problem = format!("its process is `{}`", population.process);
            let remedy = "netx files here hold `lif` layers; export NIR for other neurons";
            self.report("process", place, problem, remedy);
        }
        for (name, values) in &population.parameters {
            // Regular resets are an argument of netx, not a field of its file.
            let unset = name.starts_with("reset_") && *values == IntegerValues::One(0);
            if !PARAMETERS.contains(&name.as_str()) && !unset {
                let problem = format!("its parameter `{name}` has no place in the file");
                self.report("parameter", place, problem, "known: du, dv, vth, bias_mant, bias_exp");
            }
        }
        let mut number = |name, default, range: std::ops::RangeInclusive<i64>| {
            let value = self.one(population, name, default);
            if !range.contains(&value) && population.process == "lif" {
                let problem = format!("{name} is {value}; netx needs {range:?}");
                self.report("neuron", place, problem, "change the neuron or its quantisation");
            }
            value
        };
        let current_decay = number("du", 0, 0..=4095).saturating_add(1);
        let voltage_decay = number("dv", 0, 0..=4096);
        let threshold = number("vth", 0, 1..=131_071);
        LifNumbers { current_decay, voltage_decay, threshold }
    }

    /// A parameter that netx holds once for the layer.
    fn one(&mut self, population: &QuantisedPopulation, name: &str, default: i64) -> i64 {
        match population.parameters.get(name) {
            None => default,
            Some(IntegerValues::One(value)) => *value,
            Some(IntegerValues::PerNeuron(values)) => {
                let first = values.first().copied().unwrap_or(default);
                if values.iter().any(|&v| v != first) {
                    let problem = format!("{name} differs between its neurons");
                    let remedy =
                        "netx has one value a layer; split the population or use one value";
                    self.report("neuron", &population.name, problem, remedy);
                }
                first
            }
        }
    }

    /// The bias of each neuron in the weights' unit; empty where all are 0.
    fn bias(&mut self, population: &QuantisedPopulation) -> Vec<i64> {
        let neurons = self.size(population, &population.shape) as usize;
        let mantissas = self.each(population, "bias_mant", neurons);
        let exponents = self.each(population, "bias_exp", neurons);
        if mantissas.iter().all(|&m| m == 0) {
            return Vec::new();
        }
        let mut bias = Vec::with_capacity(neurons);
        for (neuron, &mantissa) in mantissas.iter().enumerate() {
            let exponent = exponents.get(neuron).copied().unwrap_or(0);
            // Exponents beyond these ranges never give a bias that fits.
            let scaled = match exponent {
                0..=30 => mantissa.checked_mul(1 << exponent),
                -30..=-1 => Some(mantissa >> -exponent),
                _ => None,
            };
            let unit = 1i64 << BIAS_EXPONENT;
            match scaled.filter(|s| s % unit == 0).map(|s| s / unit) {
                Some(value) if BIAS_RANGE.contains(&value) => bias.push(value),
                _ => {
                    let problem = format!(
                        "the bias of neuron {neuron} is {mantissa} with exponent {exponent}; netx \
                         needs a multiple of {unit} within {BIAS_RANGE:?} times {unit}"
                    );
                    let remedy = "quantise biases with bias_exp 6";
                    self.report("bias", &population.name, problem, remedy);
                    return Vec::new();
                }
            }
        }
        bias
    }

    fn each(&mut self, population: &QuantisedPopulation, name: &str, neurons: usize) -> Vec<i64> {
        match population.parameters.get(name) {
            None => vec![0; neurons],
            Some(IntegerValues::One(value)) => vec![*value; neurons],
            Some(IntegerValues::PerNeuron(values)) => {
                if values.len() != neurons {
                    let problem =
                        format!("{} values of {name} for {neurons} neurons", values.len());
                    self.report("parameter", &population.name, problem, "repair the network");
                }
                values.clone()
            }
        }
    }

    /// netx has one bias a channel.
    fn channel_bias(
        &mut self,
        population: &QuantisedPopulation,
        bias: Vec<i64>,
        geometry: &Convolution,
    ) -> Vec<i64> {
        let [channels, height, width] = geometry.target;
        let pixels = (u64::from(height) * u64::from(width)) as usize;
        if bias.is_empty() || pixels == 0 || bias.len() / pixels != channels as usize {
            return Vec::new();
        }
        for (channel, biases) in bias.chunks(pixels).enumerate() {
            if biases.iter().any(|&b| b != biases[0]) {
                let problem = format!("the bias differs between the neurons of channel {channel}");
                let remedy = "netx has one bias a channel; use one value or dense weights";
                self.report("bias", &population.name, problem, remedy);
                return Vec::new();
            }
        }
        bias.chunks(pixels).filter_map(|biases| biases.first().copied()).collect()
    }
}
