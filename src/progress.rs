//! How long work tells that it goes on; front ends decide how it looks.

/// Told about the progress of long work. All methods may be called from several threads.
pub trait Progress: Sync {
    /// A new stage begins.
    fn stage(&self, title: &str);

    /// Text for people: a table, a finding.
    fn note(&self, text: &str);

    /// Work of `total` equal parts begins.
    fn begin(&self, what: &str, total: u64);

    /// One part is done.
    fn advance(&self);

    /// The work is done.
    fn end(&self);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _title: &str) {}
    fn note(&self, _text: &str) {}
    fn begin(&self, _what: &str, _total: u64) {}
    fn advance(&self) {}
    fn end(&self) {}
}
