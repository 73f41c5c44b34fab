//! Which program made a result: version and commit, in every JSON object and on every page.

use serde_json::{Value, json};
use spikeloom::report::Report;

/// The commit that the program was built from; `unknown` where it was built outside a repository.
pub const COMMIT: &str = env!("SPIKELOOM_COMMIT");

/// Version and commit as people read them.
pub const VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (commit ", env!("SPIKELOOM_COMMIT"), ")");

/// A result with the commit beside everything else.
pub fn in_json(mut result: Value) -> Value {
    if let Some(object) = result.as_object_mut() {
        object.insert("commit".to_string(), json!(COMMIT));
    }
    result
}

/// A page with the commit among what made its numbers.
pub fn on_page(mut page: Report) -> Report {
    page.provenance.push(("commit".to_string(), COMMIT.to_string()));
    page
}
