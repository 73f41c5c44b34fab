//! Norse 1.1.

use super::{Convention, CurrentOrder, Decay, Dialect, Start};

fn exported() -> Convention {
    Convention {
        decay: Decay::Euler,
        current: CurrentOrder::JumpFirst,
        tau_scale: 1e3,
        start: Start::Leak,
        ..Convention::specification(1e-3)
    }
}

pub(super) static DIALECT: Dialect = Dialect {
    name: "norse",
    summary: "Norse 1.1: Euler steps of 1 ms from v_leak on; its exporter writes time constants times dt",
    convention: exported,
    variants: &[("a graph that Norse read, with its time constants in seconds", || Convention {
        current: CurrentOrder::AfterInput,
        tau_scale: 1.0,
        ..exported()
    })],
    evidence: "its recordings come back spike by spike (LIFBox, LIF); the scale undoes norse#411; graphs that \
               Norse 1.1.0 read come back with a scale of 1 and the current after its input",
};
