//! This example shows: published energies of three chips, computed from counted operations.
//!
//! A profile is a set of figures with one basis; its error band says where a measurement is expected
//! around the model. Nothing that is printed as modelled was measured here: the measured numbers
//! are those of the papers.
//!
//! * Frady et al. 2020 (arXiv 2004.12691): a nearest-neighbour query on 32 Loihi chips, 76,800
//!   neurons for 60 steps, 667 to 750 input spikes that each reach every neuron; 1.33 mJ.
//! * Akopyan et al. 2015, Fig. 17: 1,048,576 neurons with 128 synapses each on TrueNorth; 68, 71
//!   and 94 mW at 11.58, 20.07 and 95.93 Hz. The first and the last are what the profile is fitted to.
//! * Frenkel et al. 2019 (arXiv 1804.07858): ODIN at 37.5 and 0.65 million synaptic operations a
//!   second; 477 and 35 µW.
//!
//! Run it with `cargo run --example chip_energy`.

#![allow(clippy::print_stdout)] // an example prints

use spikeloom::loihi_export::chip::ChipSpec;
use spikeloom::loihi_export::chip::profile::percent_band;
use spikeloom::loihi_export::energy::{Estimate, Operations, Workload, estimate, quantity};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("modelled against measured; the band is where a measurement is expected\n");
    println!("{:<34} {:>14} {:>14} {:>9}  band", "workload", "modelled", "measured", "error");
    for spikes in [667.0, 750.0] {
        let total = Operations {
            neuron_steps: 76_800.0 * 60.0,
            dense_events: 76_800.0 * spikes,
            ..Operations::default()
        };
        let made = modelled("loihi1", "davies_spice", total, 60.0, 32)?;
        // the paper's 1.33 mJ is what the neuron cores took, without static power and reset
        let joules = made.neuron_j.unwrap_or(0.0) + made.synapse_j.unwrap_or(0.0);
        row(&format!("Loihi query, {spikes} input spikes"), joules, 1.33e-3, "J", &made)?;
    }
    for (rate, watts) in [(11.58, 68e-3), (20.07, 71e-3), (95.93, 94e-3)] {
        let total =
            Operations { dense_events: 1_048_576.0 * 128.0 * rate * 1e-3, ..Operations::default() };
        let made = modelled("truenorth", "affine_0v8", total, 1.0, 1)?;
        let power = made.power_w.unwrap_or(0.0);
        row(&format!("TrueNorth at {rate} Hz"), power, watts, "W", &made)?;
    }
    for (events, watts) in [(37.5e6, 477e-6), (0.65e6, 35e-6)] {
        let total = Operations { dense_events: events * 1e-3, ..Operations::default() };
        let made = modelled("odin", "power_0v55", total, 1.0, 1)?;
        let power = made.power_w.unwrap_or(0.0);
        row(&format!("ODIN at {:.2} M events/s", events * 1e-6), power, watts, "W", &made)?;
    }
    Ok(())
}

fn modelled(
    chip: &str,
    profile: &str,
    total: Operations,
    steps: f64,
    chips: u64,
) -> Result<Estimate, Box<dyn Error>> {
    let spec = ChipSpec::built_in(chip)?;
    let figures = spec.profiles.get(profile).ok_or("no such profile")?;
    let workload = Workload { steps, chips, total, ..Workload::default() };
    Ok(estimate(chip, profile, figures, &workload))
}

/// Prints a line; an error where the measurement is outside of the band.
fn row(
    name: &str,
    modelled: f64,
    measured: f64,
    unit: &str,
    estimate: &Estimate,
) -> Result<(), Box<dyn Error>> {
    let [low, high] = estimate.error_band.ok_or("the profile states no band")?;
    let error = 100.0 * (modelled / measured - 1.0);
    println!(
        "{name:<34} {:>14} {:>14} {error:>+8.1}%  {}",
        quantity(modelled, unit),
        quantity(measured, unit),
        percent_band([low, high])
    );
    if !(modelled * (1.0 + low)..=modelled * (1.0 + high)).contains(&measured) {
        return Err(format!("{name}: the measurement is outside of the band").into());
    }
    Ok(())
}
