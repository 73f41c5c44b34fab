//! Constant current: the linear map of the first layer is computed once a sample, in float, and acts
//! in every step. No input neurons and no input noise.
//!
//! Source: Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.1 (analog input).

use super::{CodeEntry, InputCode};

pub(super) const ENTRY: CodeEntry = CodeEntry {
    name: "constant_current",
    summary: "the first layer's input, computed once, acts as a constant current",
    code: InputCode::ConstantCurrent,
};
