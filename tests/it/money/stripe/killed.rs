//! `kill -9` of the service between the commit and the order, and between the order and its record.

use super::{ACCOUNT, COOLED_OFF, method};
use crate::serve::{Folder, Running, copartner};
use crate::world::{StandIn, Turn, World, count};
use copartner::platform::clock::{Clock, SystemClock};
use diesel::{RunQueryDsl, sql_query};
use serde_json::{Value, json};

const PAID: &str = "SELECT count(*) AS count FROM payouts WHERE status = 'paid'";

fn wait_until(world: &World, query: &str) {
    let mut owner = world.database().owner();
    while count(&mut owner, query) == 0 {
        std::thread::yield_now();
    }
}

fn start(world: &World, stand_in: &StandIn, folder: &Folder) -> Running {
    let database = world.database();
    let mut command = copartner(folder.path());
    command
        .env("DATABASE_URL", database.url("copartner_service"))
        .env("DATABASE_OWNER_URL", database.url("postgres"))
        .env("COPARTNER_WORKERS", "1")
        .env("COPARTNER_DATABASE_CONNECTIONS", "4")
        .envs(stand_in.environment(world.home.id));
    Running::run(&mut command)
}

#[test]
fn a_service_that_is_killed_while_it_pays_goes_on_and_pays_once() {
    for (name, turn, is_made) in [
        ("before", Turn::WaitBefore, false),
        ("after", Turn::WaitAfter, true),
    ] {
        let mut world = World::new();
        let stand_in = StandIn::still(SystemClock.now());
        world.stripe = Some(stand_in.account(world.home.id));
        world.restart();
        let program = world.ten_percent(json!({}));
        let partner = world.enrolled("Nordlicht", &program);
        method(&world, &partner, "USD", ACCOUNT);
        world.sale(&program, &partner, "100.00 USD");
        world.pass(COOLED_OFF);
        let clerk = world.key(&["payout_runs:write"]);
        let finance = world.finance();
        let run = world.draft_run_on("stripe", &clerk);
        run.verb(&finance, "approve", Value::Null).expect(200);
        run.verb(&finance, "process", Value::Null).expect(200);
        stand_in.turns(&[turn]);
        let folder = Folder::new(&format!("stripe-{name}"));
        let first = start(&world, &stand_in, &folder);
        stand_in.wait_for_waiting();
        first.signal("-KILL");
        first.ended();
        stand_in.go_on();
        let sent = "SELECT count(*) AS count FROM payout_transfers WHERE status = 'sent' AND attempts = 1";
        assert_eq!(count(&mut world.database().owner(), sent), 1, "{name}");
        assert_eq!(count(&mut world.database().owner(), PAID), 0, "{name}");
        assert_eq!(stand_in.transfers().len(), usize::from(is_made), "{name}");
        world.books_balance();
        // The dead worker's time runs out.
        let run_out = "UPDATE payout_transfers SET next_attempt_at = uncertain_since";
        sql_query(run_out).execute(&mut world.database().owner()).unwrap();
        let second = start(&world, &stand_in, &folder);
        wait_until(&world, PAID);
        second.signal("-TERM");
        assert_eq!(second.ended().0, Some(0));
        assert_eq!(stand_in.transfers().len(), 1, "{name}");
        let orders = stand_in.orders();
        assert_eq!(orders.len(), 2, "{name}");
        assert_eq!(orders[0], orders[1], "{name}");
        assert_eq!(run.now()["status"], "completed");
        assert_eq!(world.balance(&partner, "paid"), "10.00");
        world.books_balance();
    }
}

#[test]
fn a_service_that_could_not_pay_does_not_start() {
    let world = World::new();
    let stand_in = StandIn::still(SystemClock.now());
    let folder = Folder::new("stripe-settings");
    let outcome = |settings: &[(&'static str, String)]| {
        let database = world.database();
        let mut command = copartner(folder.path());
        command
            .env("DATABASE_URL", database.url("copartner_service"))
            .env("DATABASE_OWNER_URL", database.url("postgres"))
            .envs(settings.iter().cloned());
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let with = |name: &str, value: Option<&str>| {
        let all = stand_in.environment(world.home.id).into_iter();
        let mut settings: Vec<_> = all.filter(|(known, _)| *known != name).collect();
        if let (Some(value), Some((name, _))) = (
            value,
            stand_in
                .environment(world.home.id)
                .iter()
                .find(|(known, _)| *known == name),
        ) {
            settings.push((name, value.to_owned()));
        }
        outcome(&settings)
    };
    for (name, value, said) in [
        (
            "COPARTNER_STRIPE_ORGANIZATION_ID",
            None,
            "the organization that it pays for",
        ),
        (
            "COPARTNER_STRIPE_ORGANIZATION_ID",
            Some("org_01j9zq4y8k7m5n3p2r1s0t6v4w"),
            "there is no organization",
        ),
        (
            "COPARTNER_STRIPE_SECRET_KEY",
            None,
            "need COPARTNER_STRIPE_SECRET_KEY",
        ),
        (
            "COPARTNER_STRIPE_SECRET_KEY",
            Some("hush-hush-hush"),
            "must begin with",
        ),
        (
            "COPARTNER_STRIPE_WEBHOOK_SECRET",
            Some("hush-hush-hush"),
            "must begin with whsec_",
        ),
        (
            "COPARTNER_STRIPE_API_BASE",
            Some("http://api.stripe.com"),
            "https://",
        ),
    ] {
        let told = with(name, value);
        assert!(told.contains(said), "{name}: {told}");
        assert!(!told.contains("hush"), "{told}");
    }
}
