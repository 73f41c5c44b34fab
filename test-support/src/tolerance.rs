//! Every tolerance of the tests, with its reason; all else is compared exactly.

/// Spike times of two exact methods (ms).
///
/// Times are held in femtoseconds (1e-12 ms); a potential of 70 mV is known to about 1e-14 mV, and
/// a crossing with a slope above 1e-3 mV/ms is therefore known to 1e-11 ms. A hundred times that
/// leaves room for a few hundred spikes that build on each other.
pub const SPIKE_TIME_MS: f64 = 1e-9;

/// Membrane potentials against NEST's recordings (mV).
///
/// The recordings keep ten decimals, so they are off by 5e-11 mV themselves.
pub const NEST_POTENTIAL_MV: f64 = 1e-9;

/// A potential that was integrated exactly step by step against its closed form (mV).
///
/// Each step rounds 70 mV by about 1e-14 mV and the leak forgets old errors; ten thousand steps of
/// a slow membrane stay below 1e-10 mV.
pub const TRAJECTORY_MV: f64 = 1e-10;

/// Relative error of a closed-form rate that was measured from exact spike times.
///
/// Femtosecond times over intervals of at least a millisecond: 1e-12.
pub const RATE_RELATIVE: f64 = 1e-11;

/// How many standard deviations a random count may lie from its mean.
///
/// Five: one in 1.7 million draws exceeds it, and seeds are fixed besides.
pub const SIGMAS: f64 = 5.0;
