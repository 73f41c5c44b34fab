//! NIR's own equations, cut into steps where the input is constant.

use super::{Convention, Dialect};

pub(super) static DIALECT: Dialect = Dialect {
    name: "nir",
    summary: "NIR's equations, exactly integrated over steps of 0.1 ms with constant input",
    convention: || Convention::specification(1e-4),
    variants: &[],
    evidence: "the NIR paper's exact LIF spikes (steps 460, 510, 710, 760)",
};
