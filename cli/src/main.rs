//! The `spikeloom` command (temporary driver).
use spikeloom::demo::{DemoConfig, demo};
struct Print;
impl spikeloom::progress::Progress for Print {
    fn stage(&self, title: &str) { println!("\n== {title}"); }
    fn note(&self, text: &str) { println!("{text}"); }
    fn begin(&self, what: &str, total: u64) { println!("{what}: {total}"); }
    fn advance(&self) {}
    fn end(&self) {}
}
fn main() {
    let config = DemoConfig { out: "out/demo".into(), overwrite: true, chip: "loihi2".into(), limit: None };
    let t = std::time::Instant::now();
    match demo(&config, &Print) { Ok(s) => println!("{}", serde_json::to_string_pretty(&s).unwrap()), Err(e) => println!("ERROR {e}") }
    println!("{:?}", t.elapsed());
}
