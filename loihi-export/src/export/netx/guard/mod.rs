//! Finding everything in a network that netx would not run as our emulator does.

use sim_core::network::{Convolution, Shape};

use super::{BIAS_EXPONENT, LifNumbers, NetxPlan, NetxViolation, PlannedLayer, PlannedNeuron};
use crate::quantise::network::{Connection, IntegerValues, QuantisedNetwork, QuantisedPopulation};

mod chain;
mod neurons;
mod weights;

use chain::Incoming;
use neurons::{is_complex, is_driven, message_bits};
use weights::dense_form;

/// Biases fit 16 bits, beyond which Lava wraps silently.
const BIAS_RANGE: std::ops::RangeInclusive<i64> = -32767..=32767;

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
        if position == 0 {
            let convolves = network.projections.iter().any(|p| {
                p.source == index && matches!(p.connection, Connection::Convolution { .. })
            });
            layers.push(guard.input(population, convolves));
            flat = !convolves;
        } else if let Some(incoming) = Incoming::of(network, index) {
            let source = &network.populations[order[position - 1]];
            guard.layer(&incoming, source, population, &mut flat, &mut layers);
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
        let neuron = (population.process != "input").then(|| self.neuron(population, true));
        if neuron.is_some() && !self.bias(population).is_empty() {
            let problem = "it is driven and has a bias; netx ignores biases of input layers";
            let remedy = "add the bias to the input, or put it into the next layer";
            self.report("bias", &population.name, problem.into(), remedy);
        }
        PlannedLayer::Input { shape, neuron }
    }

    fn size(&mut self, population: &QuantisedPopulation, shape: &Shape) -> u32 {
        u32::try_from(shape.size()).unwrap_or_else(|_| {
            let problem = format!("it has {} neurons", shape.size());
            self.report("size", &population.name, problem, "at most 4294967295 neurons");
            0
        })
    }

    /// One layer: the projections from the layer before, and the layer's own where it is recurrent.
    fn layer(
        &mut self,
        incoming: &Incoming<'_>,
        source: &QuantisedPopulation,
        population: &QuantisedPopulation,
        flat: &mut bool,
        layers: &mut Vec<PlannedLayer>,
    ) {
        let dense = dense_form(incoming.forward, source, population);
        let Incoming { imaginary, recurrent, .. } = *incoming;
        let forward = dense.as_ref().unwrap_or(incoming.forward);
        let neuron = self.neuron(population, false);
        let bias = self.bias(population);
        self.synapses(incoming, source, population);
        let (sources, neurons) =
            (self.size(source, &source.shape), self.size(population, &population.shape));
        match &forward.connection {
            Connection::Dense { .. } => {
                if !*flat {
                    layers.push(PlannedLayer::Flatten { size: sources });
                }
                *flat = true;
                let weights = self.matrix(forward, source, population);
                let imaginary = imaginary.map(|p| self.matrix(p, source, population));
                let imaginary = imaginary.unwrap_or_default();
                let recurrent = recurrent.map(|p| self.recurrent(p, population));
                let recurrent = recurrent.unwrap_or_default();
                self.coded(&forward.name, &weights, &recurrent, neurons, sources);
                if let Some(projection) = incoming.imaginary {
                    self.coded(&projection.name, &imaginary, &[], neurons, sources);
                }
                let delays = self.delays(forward, weights.len());
                if !recurrent.is_empty() && delays.iter().any(|&d| d != 0) {
                    let problem =
                        "it leads into a recurrent layer and is delayed; netx would forget \
                                   the weights' exponent and delay the recurrent ones alike"
                            .into();
                    let remedy = "put the delay before another layer, or take the recurrence out";
                    self.report("delay", &forward.name, problem, remedy);
                }
                layers.push(PlannedLayer::Dense {
                    weights,
                    imaginary,
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
                    self.report("order", &forward.name, problem, remedy);
                }
                if let Some(recurrent) = recurrent {
                    let problem = "it makes a layer recurrent that a convolution reaches".into();
                    let remedy = "netx has recurrent layers behind dense weights only; use those";
                    self.report("recurrent", &recurrent.name, problem, remedy);
                }
                self.geometry(&forward.name, geometry, source, population);
                let weights = self.kernels(&forward.name, weights, geometry);
                if self.delays(forward, weights.len()).iter().any(|&d| d != 0) {
                    let problem = "it is delayed; netx ignores delays of convolutions".into();
                    let remedy = "set its delay to 0 or use dense weights";
                    self.report("delay", &forward.name, problem, remedy);
                }
                let bias = self.channel_bias(population, bias, geometry);
                layers.push(PlannedLayer::Conv { weights, geometry: *geometry, bias, neuron });
            }
            Connection::Sparse { .. } => {
                let problem = format!("its list needs a matrix of {neurons} × {sources} weights");
                let remedy = "netx has dense and convolution layers only; make the layer smaller";
                self.report("sparse", &forward.name, problem, remedy);
            }
        }
    }

    /// Reports what the file does not say of a layer's synapses: bits of spikes, learning, parts of
    /// complex weights.
    fn synapses(
        &mut self,
        incoming: &Incoming<'_>,
        source: &QuantisedPopulation,
        population: &QuantisedPopulation,
    ) {
        let bits = message_bits(&source.process);
        for projection in incoming.all() {
            if projection.message_bits != bits {
                let problem = format!(
                    "its spikes carry {} bits; netx takes {bits} behind `{}`",
                    projection.message_bits, source.process
                );
                let remedy = match source.process.as_str() {
                    "input" => {
                        "the bits of injected spikes are an argument of netx \
                                (input_message_bits), not of its file; use message_bits 0, or a \
                                driven delta population as the input"
                    }
                    _ => "set message_bits to that number",
                };
                self.report("graded", &projection.name, problem, remedy);
            }
            if projection.learning.is_some() {
                let problem = "it learns; netx files hold no learning rule".into();
                let remedy = "take the rule out, or export a Lava script";
                self.report("learning", &projection.name, problem, remedy);
            }
        }
        if !is_complex(&population.process) {
            return;
        }
        let forward = incoming.forward;
        if matches!(forward.connection, Connection::Convolution { .. }) {
            let problem = "it leads to resonators, which netx reaches by dense weights only";
            self.report("complex", &forward.name, problem.into(), "use dense weights");
        } else if incoming.imaginary.is_none() || forward.port != 0 {
            let problem = "resonators need two projections from one source: real weights at port \
                           0 and imaginary ones at port 1";
            self.report("complex", &population.name, problem.into(), "add the missing one");
        }
        if let Some(recurrent) = incoming.recurrent {
            let problem = "it makes resonators recurrent; netx has no such layer".into();
            self.report("recurrent", &recurrent.name, problem, "remove the projection");
        }
        for projection in [Some(forward), incoming.imaginary].into_iter().flatten() {
            if projection.delay.longest() > 0 {
                let problem = "it is delayed; netx ignores delays of complex weights".into();
                self.report("delay", &projection.name, problem, "set its delay to 0");
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
