//! The pure engine: `cargo bench --bench engine`.

fn main() {}
