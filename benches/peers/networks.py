"""The networks of `simulators.py`, with all their constants, for any tool to build.

They are the ones of `spikeloom bench` (src/bench): the same sizes, constants and scaling. Units: mV, ms, pA, nS, pF,
Hz. Sources are named in src/bench beside each workload.
"""

import math
from dataclasses import dataclass, field


@dataclass
class Normal:
    """Normally distributed; what falls out of [low, high] is drawn again."""

    mean: float
    std: float
    low: float = -math.inf
    high: float = math.inf


@dataclass
class Uniform:
    """Evenly distributed."""

    low: float
    high: float


@dataclass
class Population:
    """Neurons of one model: `delta`, `exponential`, `alpha` (currents) or `conductance`."""

    name: str
    size: int
    model: str
    constants: dict
    initial: dict = field(default_factory=dict)
    inputs: int = 0  # Poisson sources of each neuron
    input_rate: float = 0.0  # rate of each of them
    input_weight: float = 0.0
    current: float = 0.0


@dataclass
class Projection:
    """Synapses: `rule` is ("pairwise", probability), ("in_degree", number) or ("total", number)."""

    source: str
    target: str
    rule: tuple
    weight: object
    delay: object
    autapses: bool = True
    plastic: bool = False


@dataclass
class Network:
    """All of it; `duration` is what is simulated unless something else is said."""

    populations: list
    projections: list
    duration: float
    warm_up: float = 0.0
    dt: float = 0.1
    exact_times: bool = False
    plasticity: dict = field(default_factory=dict)


def sizes_of(total, scale):
    """Excitatory and inhibitory neurons: four to one."""
    total = round(total * scale)
    return {"excitatory": total - total // 5, "inhibitory": total // 5}


def balanced(scale, model, constants, initial, weights):
    """Brette et al. 2007: a constant number of inputs at every scale."""
    sizes = sizes_of(4_000, scale)
    populations = [Population(n, size, model, constants, initial) for n, size in sizes.items()]
    rule = ("pairwise", min(1.0, 0.02 / scale))
    projections = [
        Projection(source, target, rule, weights[source], 0.1) for source in sizes for target in sizes
    ]
    return Network(populations, projections, duration=5000.0)


def cuba(scale):
    constants = dict(tau=20.0, capacitance=1.0, rest=-49.0, threshold=-50.0, reset=-60.0, refractory=5.0,
                     tau_excitatory=5.0, tau_inhibitory=10.0)
    weights = {"excitatory": 1.62 / 20.0, "inhibitory": -9.0 / 20.0}
    return balanced(scale, "exponential", constants, {"potential": Uniform(-60.0, -50.0)}, weights)


def coba(scale):
    constants = dict(tau=20.0, capacitance=200.0, rest=-60.0, threshold=-50.0, reset=-60.0, refractory=5.0,
                     tau_excitatory=5.0, tau_inhibitory=10.0, reversal_excitatory=0.0, reversal_inhibitory=-80.0)
    initial = {"potential": Normal(-65.0, 5.0), "excitatory": Normal(40.0, 15.0), "inhibitory": Normal(200.0, 120.0)}
    return balanced(scale, "conductance", constants, initial, {"excitatory": 6.0, "inhibitory": -67.0})


def brunel(scale, exact_times=False):
    """Brunel 2000: probability 0.1 at every scale, weights grow as inputs become fewer."""
    sizes, weight, tau, threshold = sizes_of(12_500, scale), 0.1, 20.0, 20.0
    constants = dict(tau=tau, capacitance=250.0, rest=0.0, threshold=threshold, reset=0.0, refractory=2.0)
    rate = 1000.0 * 2.0 * threshold / (weight * tau)
    initial = {"potential": Uniform(0.0, threshold)} if exact_times else {}
    populations = [
        Population(name, size, "delta", constants, initial, inputs=1000, input_rate=rate / 1000, input_weight=weight)
        for name, size in sizes.items()
    ]
    weights = {"excitatory": weight / scale, "inhibitory": -5.0 * weight / scale}
    projections = [
        Projection(source, target, ("pairwise", 0.1), weights[source], 1.5)
        for source in sizes for target in sizes
    ]
    duration = 200.0 if exact_times else 1000.0
    return Network(populations, projections, duration=duration, exact_times=exact_times)


def stdp(scale):
    """Morrison, Aertsen & Diesmann 2007, at a tenth of its size: numbers and inputs shrink together."""
    sizes = {"excitatory": round(9_000 * scale), "inhibitory": round(2_250 * scale)}
    tau, capacitance, threshold, tau_synapse = 10.0, 250.0, 20.0, 0.3258272240372284
    excitation = 0.14 / peak_of_alpha(tau, capacitance, tau_synapse) / scale
    constants = dict(tau=tau, capacitance=capacitance, rest=0.0, threshold=threshold, reset=0.0, refractory=0.5,
                     tau_excitatory=tau_synapse, tau_inhibitory=tau_synapse)
    rate = 1000.0 * 1.685 * threshold * capacitance / (tau * excitation * math.e * tau_synapse)
    inputs = sizes["excitatory"]
    populations = [
        Population(name, size, "alpha", constants, {"potential": Normal(5.7, 7.2)}, inputs=inputs,
                   input_rate=rate / inputs, input_weight=excitation)
        for name, size in sizes.items()
    ]
    weights = {"excitatory": excitation, "inhibitory": -5.0 * excitation}
    projections = [
        Projection(source, target, ("in_degree", sizes[source]), weights[source], 1.5, autapses=source != target,
                   plastic=source == target == "excitatory")
        for source in sizes for target in sizes
    ]
    plasticity = dict(tau_plus=15.0, tau_minus=30.0, learning_rate=0.1, asymmetry=0.0513, exponent=0.4)
    return Network(populations, projections, duration=250.0, plasticity=plasticity)


def peak_of_alpha(tau, capacitance, tau_synapse):
    """Peak of the potential (mV) that an alpha current of 1 pA causes, on a fine grid of times."""
    rate = 1.0 / tau_synapse - 1.0 / tau

    def potential(t):
        shape = (math.exp(-t / tau) - math.exp(-t / tau_synapse)) / rate - t * math.exp(-t / tau_synapse)
        return math.e / (tau_synapse * capacitance * rate) * shape

    return max(potential(1e-4 * k) for k in range(1, 100_000))


# Potjans & Diesmann 2014: name, neurons, background inputs, rate (Hz), initial mean and deviation (mV).
CELLS = [
    ("L23E", 20_683, 1600, 0.903, -68.28, 5.36),
    ("L23I", 5_834, 1500, 2.965, -63.16, 4.57),
    ("L4E", 21_915, 2100, 4.414, -63.33, 4.74),
    ("L4I", 5_479, 1900, 5.876, -63.45, 4.94),
    ("L5E", 4_850, 2000, 7.569, -63.11, 4.94),
    ("L5I", 1_065, 1900, 8.633, -61.66, 4.55),
    ("L6E", 14_395, 2900, 1.105, -66.72, 5.46),
    ("L6I", 2_948, 2100, 7.829, -61.43, 4.48),
]
# Probability that a pair is connected [target][source].
PROBABILITY = [
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
    [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
]


def pd14(scale):
    """Inputs shrink with the scale, weights grow by its root, a current makes up for the mean that is missing."""
    full_weight, tau_synapse, background_rate, dt = 87.808, 0.5, 8.0, 0.1

    def synapses(target, source):
        pairs = CELLS[target][1] * CELLS[source][1]
        return round(math.log(1.0 - PROBABILITY[target][source]) / math.log(1.0 - 1.0 / pairs))

    def weight(target, source):
        return full_weight * (2.0 if (target, source) == (0, 2) else -4.0 if source % 2 else 1.0)

    populations, projections = [], []
    for target, (name, size, inputs, _, mean, std) in enumerate(CELLS):
        recurrent = sum(weight(target, s) * synapses(target, s) / size * CELLS[s][3] for s in range(8))
        missing = 1e-3 * tau_synapse * (1.0 - math.sqrt(scale)) * (recurrent + full_weight * inputs * background_rate)
        constants = dict(tau=10.0, capacitance=250.0, rest=-65.0, threshold=-50.0, reset=-65.0, refractory=2.0,
                         tau_excitatory=tau_synapse, tau_inhibitory=tau_synapse)
        populations.append(Population(
            name, round(size * scale), "exponential", constants, {"potential": Normal(mean, std)},
            inputs=inputs, input_rate=background_rate * scale, input_weight=full_weight / math.sqrt(scale),
            current=missing,
        ))
        for source in range(8):
            count = round(synapses(target, source) * scale * scale)
            if count == 0:
                continue
            mean_weight, inhibitory = weight(target, source) / math.sqrt(scale), source % 2 == 1
            bounds = dict(high=0.0) if inhibitory else dict(low=0.0)
            mean_delay = 0.8 if inhibitory else 1.5
            projections.append(Projection(
                CELLS[source][0], name, ("total", count),
                Normal(mean_weight, 0.1 * abs(mean_weight), **bounds),
                Normal(mean_delay, 0.5 * mean_delay, low=0.5 * dt),
            ))
    return Network(populations, projections, duration=1000.0, warm_up=500.0)


NETWORKS = {
    "pd14": pd14,
    "brunel": brunel,
    "cuba": cuba,
    "coba": coba,
    "stdp": stdp,
    "event-brunel": lambda scale: brunel(scale, exact_times=True),
}
