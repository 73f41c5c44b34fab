//! Network files as people write them, right and wrong.

mod files;
mod hostile;
mod messages;
mod round_trip;

/// A right file; the tests spoil it in one place each.
const GOOD: &str = r#"name = "example"
dt = "0.1 ms"
seed = 7

[populations.cells]
size = 10
model = "lif_exponential"
spike = "at_or_above"
reset = { to = "-70 mV" }
refractory_input = "integrated"

[populations.cells.parameters]
tau_membrane = "20 ms"
threshold = { values = [-50, -51.5, -50, -50, -50, -50, -50, -50, -50, -50], unit = "mV" }

[populations.outside]
size = 10
model = "spike_source"

[stimuli.background]
kind = "poisson"
population = "outside"
rate = "8 Hz"

[projections.in]
source = "outside"
target = "cells"
connectivity = { rule = "fixed_probability", probability = 0.1 }
weight = "60 pA"
delay = "1.5 ms"

[probes.spikes]
population = "cells"
variable = "spikes"
"#;
