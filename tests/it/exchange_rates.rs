//! Rates of exchange: entered by hand, imported as the ECB publishes them, corrected and looked up.

use crate::imports::load;
use crate::world::{Reply, World, texts};
use copartner::kernel::exchange::Exchange;
use diesel::{RunQueryDsl, sql_query};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// The first rows of a file as the ECB publishes it.
const HISTORY: &str = "Date,USD,JPY,CYP,GBP,\n\
    2026-03-03,1.25,160,N/A,0.8,\n\
    2026-03-02,1.2,150.5,N/A,,\n\
    2007-12-31,1.4721,164.93,0.585274,0.73335,\n";

fn mapping() -> Value {
    json!({ "fields": { "date": { "column": "Date" } } })
}

fn import(world: &World, file: &str) -> Reply {
    let import = load(world, "exchange_rates", &mapping(), &[], file);
    assert_eq!(import["status"], "succeeded", "{}", import.raw());
    import
}

fn counts(import: &Reply) -> [i64; 4] {
    ["created", "updated", "unchanged", "rejected"].map(|name| import["counts"][name].as_i64().unwrap())
}

/// Enters a rate; `pair` is `EUR/USD`.
fn enter(world: &World, pair: &str, day: &str, rate: &str, reason: Option<&str>) -> Reply {
    let (base, quote) = pair.split_once('/').unwrap();
    let mut body = json!({ "base": base, "quote": quote, "valid_on": day, "rate": rate });
    if let Some(reason) = reason {
        body["reason"] = json!(reason);
    }
    world.admin().post("/v1/exchange-rates", body)
}

fn look_up(world: &World, from: &str, to: &str, on: &str, more: &str) -> Reply {
    let path = format!("/v1/exchange-rates/lookup?from={from}&to={to}&on={on}{more}");
    world.admin().get(&path)
}

/// The direction and the legs, as `cross EUR/USD 1.25 2026-03-03 ecb, EUR/GBP ...`.
fn told(found: &Reply) -> String {
    let leg = |leg: &Value| {
        let text = |name: &str| leg[name].as_str().unwrap().to_owned();
        let (base, quote, rate) = (text("base"), text("quote"), text("rate"));
        format!("{base}/{quote} {rate} {} {}", text("valid_on"), text("source"))
    };
    let legs: Vec<String> = found["legs"].as_array().unwrap().iter().map(leg).collect();
    format!("{} {}", found.text("/direction"), legs.join(", "))
}

#[test]
fn the_history_of_the_ecb_is_imported_once() {
    let world = World::new();
    assert_eq!(counts(&import(&world, HISTORY)), [3, 0, 0, 0]);
    assert_eq!(world.admin().all("/v1/exchange-rates").len(), 9);
    // Currencies that are no more are rates, too.
    let old = world.admin().all("/v1/exchange-rates?quote=CYP");
    assert_eq!(texts(&old, "rate"), ["0.585274"]);
    assert_eq!(counts(&import(&world, HISTORY)), [0, 0, 3, 0]);
    assert_eq!(world.admin().all("/v1/exchange-rates").len(), 9);

    // Another rate of a day supersedes the one that was published before; a further currency is added.
    let corrected = HISTORY.replace("150.5,N/A,,", "151,N/A,0.79,");
    assert_eq!(counts(&import(&world, &corrected)), [0, 1, 2, 0]);
    let path = "/v1/exchange-rates?base=EUR&quote=JPY&valid_on=2026-03-02";
    let of_day = world.admin().all(path);
    assert_eq!(texts(&of_day, "rate"), ["151", "150.5"]);
    assert_eq!(of_day[0]["supersedes_id"], of_day[1]["id"]);
    assert_eq!(of_day[1]["superseded_by_id"], of_day[0]["id"]);
    assert_eq!(counts(&import(&world, &corrected)), [0, 0, 3, 0]);
}

#[test]
fn a_row_that_is_no_rate_is_rejected_by_its_currency() {
    let world = World::new();
    let file = "Date,USD,GBP\n2026-03-02,1.2,zero\n2026-03-03,0,0.8\n2026-03-04,N/A,N/A\n2026-03-05,1.2,0.8\n\
        2026-03-05,1.2,0.8\nyesterday,1,1\n";
    let import = import(&world, file);
    assert_eq!(counts(&import), [1, 0, 0, 5]);
    let path = format!("/v1/imports/{}/rejections", import.id());
    let rejected = world.admin().all(&path);
    assert_eq!(texts(&rejected, "column"), ["GBP", "USD", "Date", "Date", "Date"]);
    assert_eq!(
        texts(&rejected, "code"),
        [
            "invalid_rate",
            "invalid_rate",
            "no_rates",
            "duplicate_in_file",
            "invalid_date"
        ]
    );
}

#[test]
fn the_latest_rate_holds_that_is_not_too_old() {
    let world = World::new();
    import(&world, HISTORY);
    let found =
        |from: &str, to: &str, on: &str, more: &str| told(&look_up(&world, from, to, on, more).expect(200));
    assert_eq!(
        found("EUR", "USD", "2026-03-02", ""),
        "direct EUR/USD 1.2 2026-03-02 ecb"
    );
    assert_eq!(
        found("USD", "EUR", "2026-03-10", ""),
        "inverse EUR/USD 1.25 2026-03-03 ecb"
    );
    assert_eq!(
        found("USD", "GBP", "2026-03-05", ""),
        "cross EUR/USD 1.25 2026-03-03 ecb, EUR/GBP 0.8 2026-03-03 ecb"
    );
    // A rate of eight days is too old, unless whoever asks says otherwise; tomorrow's is none of today's.
    look_up(&world, "USD", "EUR", "2026-03-11", "")
        .refused(422, "validation_failed")
        .pointer("?on", "no_rate");
    assert_eq!(
        found("USD", "EUR", "2026-03-11", "&max_age_days=8"),
        "inverse EUR/USD 1.25 2026-03-03 ecb"
    );
    look_up(&world, "EUR", "USD", "2026-03-01", "")
        .refused(422, "validation_failed")
        .pointer("?on", "no_rate");
    look_up(&world, "EUR", "GBP", "2026-03-02", "")
        .refused(422, "validation_failed")
        .pointer("?on", "no_rate");
    look_up(&world, "USD", "USD", "2026-03-02", "")
        .refused(422, "validation_failed")
        .pointer("?to", "same_currency");
    look_up(&world, "CYP", "EUR", "2007-12-31", "")
        .refused(422, "validation_failed")
        .pointer("?from", "unknown_currency");
}

#[test]
fn what_somebody_entered_goes_before_the_ecb_and_is_corrected_with_a_reason() {
    let world = World::new();
    import(&world, HISTORY);
    let held = || told(&look_up(&world, "EUR", "USD", "2026-03-03", "").expect(200));
    let first = enter(&world, "EUR/USD", "2026-03-03", "1.3", None).expect(201);
    assert_eq!(first["source"], "manual");
    assert!(first.text("/created_by").starts_with("key_"));
    assert_eq!(held(), "direct EUR/USD 1.3 2026-03-03 manual");
    enter(&world, "EUR/USD", "2026-03-03", "1.31", None)
        .refused(409, "already_exists")
        .pointer("/reason", "missing");
    enter(&world, "EUR/USD", "2026-03-02", "1.31", Some("For no reason."))
        .refused(422, "validation_failed")
        .pointer("/reason", "nothing_to_correct");
    let second = enter(&world, "EUR/USD", "2026-03-03", "1.31", Some("A typing error.")).expect(201);
    assert_eq!(second["supersedes_id"], json!(first.id()));
    assert_eq!(held(), "direct EUR/USD 1.31 2026-03-03 manual");
    let path = format!("/v1/exchange-rates/{}", first.id());
    let superseded = world.admin().get(&path).expect(200);
    assert_eq!(superseded["superseded_by_id"], json!(second.id()));
    assert_eq!(superseded["rate"], "1.3");
    // A later rate of the ECB goes before an older one by hand; nothing is ever changed.
    let next = "Date,USD\n2026-03-04,1.26\n";
    import(&world, next);
    let later = look_up(&world, "EUR", "USD", "2026-03-04", "").expect(200);
    assert_eq!(told(&later), "direct EUR/USD 1.26 2026-03-04 ecb");
    let mut owner = world.database().owner();
    for statement in ["UPDATE exchange_rates SET rate = 1", "DELETE FROM exchange_rates"] {
        sql_query(statement).execute(&mut owner).unwrap_err();
    }
}

#[test]
fn a_rate_that_is_none_is_refused() {
    let world = World::new();
    for (pair, rate, pointer, code) in [
        ("EUR/EUR", "1.1", "/quote", "same_currency"),
        ("EUR/QQQ", "1.1", "/quote", "unknown_currency"),
        ("XAU/EUR", "1.1", "/base", "unknown_currency"),
        ("EUR/USD", "0.00", "/rate", "out_of_range"),
    ] {
        enter(&world, pair, "2026-03-03", rate, None)
            .refused(422, "validation_failed")
            .pointer(pointer, code);
    }
}

/// The ECB's whole history, if this machine has it.
fn history() -> Option<String> {
    let shared = std::env::var_os("COPARTNER_SAMPLE_DATA").unwrap_or_else(|| "../shared/data".into());
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(shared)
        .join("fx-ecb/eurofxref-hist.csv.gz");
    let mut text = String::new();
    let file = File::open(path).ok()?;
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    Some(text)
}

#[test]
fn seven_thousand_days_of_forty_one_currencies() {
    let Some(history) = history() else {
        let note = "SKIPPED exchange_rates::seven_thousand_days_of_forty_one_currencies: no \
                    fx-ecb/eurofxref-hist.csv.gz in COPARTNER_SAMPLE_DATA (default ../shared/data)";
        writeln!(std::io::stderr(), "\n{note}").unwrap();
        return;
    };
    let world = World::new();
    let days = i64::try_from(history.lines().count() - 1).unwrap();
    assert_eq!(counts(&import(&world, &history)), [days, 0, 0, 0]);
    assert_eq!(counts(&import(&world, &history)), [0, 0, days, 0]);
    // Every cell that is no `N/A` is a rate.
    let is_rate = |cell: &&str| !cell.is_empty() && *cell != "N/A";
    let cells = history
        .lines()
        .skip(1)
        .map(|line| line.split(',').skip(1).filter(is_rate).count());
    let stored = crate::world::count(
        &mut world.database().owner(),
        "SELECT count(*) FROM exchange_rates",
    );
    assert_eq!(stored, i64::try_from(cells.sum::<usize>()).unwrap());
    let found = look_up(&world, "USD", "GBP", "2026-10-30", "").expect(200);
    assert_eq!(
        told(&found),
        "cross EUR/USD 1.1172 2026-10-30 ecb, EUR/GBP 0.8338 2026-10-30 ecb"
    );
    let exchange: Exchange = serde_json::from_value(json!({
        "from": found["from"], "to": found["to"], "legs": found["legs"]
    }))
    .unwrap();
    assert_eq!(exchange.rates_in_words().matches("ecb").count(), 2);
}
