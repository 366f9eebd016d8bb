//! Account matching: `cargo bench --bench matching`.
//!
//! Prints precision, recall and F1 on labeled public data (a folder named by `COPARTNER_SAMPLE_DATA`, `../shared/data`
//! unless told) next to what plain equality of cleaned names reaches. Asserts nothing: it is a measurement.
//! `BENCH_SHOW_MISTAKES=1` also prints every pair that was judged wrongly. How long a match takes among a million
//! accounts is measured by `BENCH_PART=pipeline cargo bench --bench service`.

mod quality;
mod sets;

use std::io::Write;
use std::path::PathBuf;

/// Whatever stops the benchmark.
type Fault = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Fault> {
    let folder = std::env::var_os("COPARTNER_SAMPLE_DATA")
        .map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    if folder.is_dir() {
        quality::measure(&folder, say)?;
    } else {
        say(&format!(
            "NOT MEASURED: there is no sample data at {}; name its folder in COPARTNER_SAMPLE_DATA",
            folder.display()
        ))?;
    }
    Ok(())
}

fn say(line: &str) -> Result<(), Fault> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
