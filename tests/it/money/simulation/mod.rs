//! Months of a vendor's life by chance: deals, part payments, refunds, disputes, runs that fail, rules that change. After
//! every step the books are looked at from several sides; at the end everything is worked out again.
//!
//! A seed tells the whole story: `COPARTNER_SIMULATION_SEED=7 COPARTNER_SIMULATION_STEPS=2000 cargo test simulation`.

mod chance;
mod corrections;
mod invariants;
mod refunds;
mod story;
mod verbs;

use super::backtests::pays_what_was_paid;
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use story::Story;

/// Steps of the short run, enough for every kind of step to succeed.
const STEPS: u64 = 200;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    )
}

/// Lives through a story and prints its seed should it fail.
fn live(seed: u64, steps: u64) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut story = Story::begin(seed);
        for _ in 0..steps {
            story.step();
            invariants::hold(&story);
        }
        story.end();
        for version in story.base_versions() {
            let terms = story
                .world
                .admin()
                .get(&format!("/v1/commission-rule-versions/{version}"))
                .expect(200);
            let day = |instant: &Value| {
                instant
                    .as_str()
                    .map_or("2040-01-01", |text| &text[..10])
                    .to_owned()
            };
            let from_on = day(&terms["terms"]["effective_from"]);
            let until_on = day(&terms["terms"]["effective_to"]);
            pays_what_was_paid(&story.world, &version, &from_on, &until_on);
        }
        story.world.books_balance();
        story
    }));
    match outcome {
        Ok(story) => story.was_eventful(steps),
        Err(cause) => {
            eprintln!("the seed of this simulation is {seed}, and it had {steps} steps");
            resume_unwind(cause);
        }
    }
}

#[test]
fn simulation_of_months_by_chance() {
    let steps = number("COPARTNER_SIMULATION_STEPS").unwrap_or(STEPS);
    let seed = number("COPARTNER_SIMULATION_SEED").unwrap_or(20_260_304);
    live(seed, steps);
}
