//! Finding everything in a network that netx would not run as our emulator does.

use sim_core::network::{Convolution, Shape};

use super::{BIAS_EXPONENT, LARGEST_DELAY, LifNumbers, NetxPlan, NetxViolation, PlannedLayer};
use crate::chip::Truncation;
use crate::quantise::coding::{code_dense, stored_weight};
use crate::quantise::network::{
    Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection, SignMode,
};

/// Weights of a convolution; Lava multiplies them as they are.
const KERNEL_RANGE: std::ops::RangeInclusive<i64> = -256..=255;
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
        let incoming = network.projections.iter().find(|p| p.target == index);
        if position == 0 {
            let convolves = network.projections.iter().any(|p| {
                p.source == index && matches!(p.connection, Connection::Convolution { .. })
            });
            layers.push(guard.input(population, convolves));
            flat = !convolves;
        } else if let Some(projection) = incoming {
            let source = &network.populations[order[position - 1]];
            guard.layer(projection, source, population, &mut flat, &mut layers);
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

    /// The populations from the input on, as far as they are a chain.
    fn chain(&mut self, network: &QuantisedNetwork) -> Vec<usize> {
        const REMEDY: &str = "netx runs one chain of layers; export NIR for other graphs";
        let count = network.populations.len();
        for projection in &network.projections {
            if projection.source >= count || projection.target >= count {
                let problem = "it joins populations that do not exist".into();
                self.report("graph", &projection.name, problem, "repair the network");
                return Vec::new();
            }
        }
        let mut inputs = Vec::new();
        for (index, population) in network.populations.iter().enumerate() {
            let into: Vec<_> = network.projections.iter().filter(|p| p.target == index).collect();
            let out = network.projections.iter().filter(|p| p.source == index).count();
            if into.iter().any(|p| p.source == index) {
                let problem = "it has synapses on itself".into();
                self.report("recurrent", &population.name, problem, REMEDY);
            }
            if into.len() > 1 || out > 1 {
                let problem = format!("{} projections enter and {out} leave it", into.len());
                self.report("branch", &population.name, problem, REMEDY);
            }
            if population.process == "input" {
                inputs.push(index);
                if !into.is_empty() {
                    let problem = "synapses lead into an input".into();
                    self.report("graph", &population.name, problem, "remove the projection");
                }
            } else if into.is_empty() {
                let problem = "nothing reaches it".into();
                self.report("graph", &population.name, problem, "remove it or connect it");
            }
        }
        let [input] = inputs[..] else {
            let problem = format!("it has {} populations of process `input`", inputs.len());
            let remedy = "netx has exactly one input; join the inputs into one population";
            self.report("input", &network.name, problem, remedy);
            return Vec::new();
        };
        let mut order = vec![input];
        while let Some(next) = network.projections.iter().find(|p| order.last() == Some(&p.source))
        {
            if order.contains(&next.target) {
                break;
            }
            order.push(next.target);
        }
        if order.len() < count && self.violations.is_empty() {
            let problem = format!("only {} of {count} populations follow the input", order.len());
            self.report("graph", &network.name, problem, REMEDY);
        }
        if order.len() == 1 {
            let problem = "it has an input and no layer".to_owned();
            self.report("graph", &network.name, problem, "add a layer");
        }
        order
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

    fn layer(
        &mut self,
        projection: &QuantisedProjection,
        source: &QuantisedPopulation,
        population: &QuantisedPopulation,
        flat: &mut bool,
        layers: &mut Vec<PlannedLayer>,
    ) {
        if let Some(dense) = dense_form(projection, source, population) {
            return self.layer(&dense, source, population, flat, layers);
        }
        let neuron = self.neuron(population);
        let bias = self.bias(population);
        if projection.message_bits != 0 {
            let problem = format!("its spikes carry {} bits", projection.message_bits);
            let remedy = "netx sends plain spikes between CUBA layers; use message_bits 0";
            self.report("graded", &projection.name, problem, remedy);
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
                let weights = self.dense(&projection.name, weights, code, neurons, sources);
                let delays = self.delays(projection, weights.len());
                let dense = PlannedLayer::Dense { weights, sources, neurons, delays, bias, neuron };
                layers.push(dense);
            }
            Connection::Convolution { geometry, weights } => {
                if *flat {
                    let problem = "a convolution follows a layer without rows and columns".into();
                    let remedy = "netx convolves the input and convolutions only; give the source \
                                  population a picture's shape or use dense weights";
                    self.report("order", &projection.name, problem, remedy);
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

    /// The weights before netx codes them, if netx's code gives the effect of ours.
    fn dense(
        &mut self,
        place: &str,
        stored: &[i32],
        (sign_mode, weight_bits, exponent): (SignMode, u8, i8),
        neurons: u32,
        sources: u32,
    ) -> Vec<i64> {
        let remedy = "quantise with the code that netx chooses (quantise::coding::code_dense)";
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
        match code_dense(&weights, neurons as usize, sources as usize, Truncation::Floor) {
            Err(error) => {
                let remedy = "change the layer before exporting it";
                self.report("weights", place, error.to_string(), remedy);
            }
            Ok(coded) => {
                if let Some(first) = coded.first_changed {
                    let problem = format!(
                        "netx would change {} weights; the first is {} of target {}, source {}, \
                         stored as {}",
                        coded.changed, first.written, first.target, first.source, first.stored
                    );
                    self.report("weights", place, problem, remedy);
                }
            }
        }
        weights
    }

    fn kernels(&mut self, place: &str, weights: &[i32], geometry: &Convolution) -> Vec<i64> {
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

    fn delays(&mut self, projection: &QuantisedProjection, synapses: usize) -> Vec<u8> {
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

/// Weights of a matrix that a list is laid out in, at most.
const MATRIX_LIMIT: u64 = 1 << 26;

/// Listed synapses as the matrix that netx has for them; `None` for other connections.
fn dense_form(
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
