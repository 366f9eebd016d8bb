//! Whom a run on Stripe pays, and that it pays by itself.

use super::{A_WHILE, ACCOUNT, COOLED_OFF, House, method, payout, status};
use crate::world::{Actor, StandIn, World, count, names, texts};
use chrono::{DateTime, Utc};
use copartner::app::{ledger_check, worker};
use copartner::platform::clock::Clock;
use copartner::platform::stripe::{Stripe, StripeSettings};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use std::thread;

#[test]
fn a_run_pays_itself_by_transfers_and_carries_the_rest() {
    let house = House::new();
    let (world, program) = (&house.world, &house.program);
    let partner = |name: &str, sale: &str| {
        let id = world.enrolled(name, program);
        world.sale(program, &id, sale);
        id
    };
    let [japan, none, kuwait, fresh] = [
        ("A", "1000 JPY"),
        ("B", "100.00 USD"),
        ("C", "100.000 KWD"),
        ("D", "100.00 USD"),
    ]
    .map(|(name, sale)| partner(name, sale));
    method(world, &japan, "JPY", "acct_1Japan0000000000");
    method(world, &kuwait, "KWD", "acct_1Kuwait000000000");
    world.pass(COOLED_OFF);
    method(world, &fresh, "USD", "acct_1Fresh0000000000");
    let run = house.run();
    let carried = world
        .admin()
        .all(&format!("/v1/payout-carry-forwards?payout_run_id={}", run.id));
    let mut left: Vec<_> = texts(&carried, "partner_id")
        .into_iter()
        .zip(texts(&carried, "reason"))
        .collect();
    let mut expected = vec![
        (none, "payout_method_missing".to_owned()),
        (kuwait, "currency_not_supported".to_owned()),
        (fresh, "payout_method_cooling_off".to_owned()),
    ];
    left.sort();
    expected.sort();
    assert_eq!(left, expected);
    // Nothing is sent by the request; the worker does.
    assert_eq!(house.stand_in.orders(), Vec::<String>::new());
    assert_eq!(run.now()["status"], "processing");
    world.work();
    assert_eq!(run.now()["status"], "completed");
    let mut made: Vec<String> = Vec::new();
    for transfer in house.stand_in.transfers() {
        let id = transfer["id"].as_str().unwrap();
        let of = world
            .admin()
            .all(&format!("/v1/payouts?payout_run_id={}", run.id));
        let paid = of.iter().find(|one| one["reference"] == id).unwrap();
        assert_eq!(paid["status"], "paid");
        assert_eq!(paid["id"], transfer["metadata"]["payout_id"]);
        assert_eq!(paid["id"], transfer["transfer_group"]);
        let paid_at: DateTime<Utc> = paid["paid_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(paid_at.timestamp(), transfer["created"].as_i64().unwrap());
        made.push(format!(
            "{} {} {}",
            transfer["amount"], transfer["currency"], transfer["destination"]
        ));
    }
    made.sort();
    assert_eq!(
        made,
        [
            "100 \"jpy\" \"acct_1Japan0000000000\"".to_owned(),
            format!("1000 \"usd\" \"{ACCOUNT}\"")
        ]
    );
    assert_eq!(house.balance("paid"), "10.00");
    world.books_balance();
    let who = "SELECT DISTINCT actor_type AS name FROM audit_events WHERE action = 'payout.paid'";
    assert_eq!(names(&mut world.database().owner(), who), ["system"]);
    house.later(A_WHILE);
    assert_eq!(house.stand_in.orders().len(), 2);
    assert_eq!(house.stand_in.lists(), 0);
    // There is no file of it.
    let file = format!("/v1/payout-runs/{}/file", run.id);
    house.finance().get(&file).refused(409, "payout_run_has_no_file");
}

#[test]
fn only_the_organization_that_the_key_is_for_pays_with_it() {
    let mut house = House::new();
    let draft = |world: &World, actor: &Actor| {
        let body = json!({ "cut_off_at": world.clock.now(), "rail": "stripe" });
        actor.post_once("/v1/payout-runs", body)
    };
    let other = house.world.second_organization();
    draft(&house.world, &other.admin)
        .refused(422, "validation_failed")
        .pointer("/rail", "rail_not_set_up");
    draft(&house.world, house.world.admin()).expect(201);
    house.world.stripe = None;
    house.world.restart();
    draft(&house.world, house.world.admin())
        .refused(422, "validation_failed")
        .pointer("/rail", "rail_not_set_up");
}

#[test]
fn a_sandbox_moves_no_real_money() {
    let mut world = World::sandbox();
    let stand_in = StandIn::at(&world.clock);
    let draft = |world: &World| {
        let body = json!({ "cut_off_at": world.clock.now(), "rail": "stripe" });
        world.admin().post_once("/v1/payout-runs", body)
    };
    let live = StripeSettings {
        stripe_secret_key: "sk_live_standinstandin".parse().ok(),
        ..stand_in.settings(world.home.id)
    };
    world.stripe = Stripe::new(&live).unwrap();
    world.restart();
    draft(&world)
        .refused(422, "validation_failed")
        .pointer("/rail", "live_key_in_sandbox");
    world.stripe = Some(stand_in.account(world.home.id));
    world.restart();
    draft(&world).expect(201);
}

#[test]
fn whose_account_went_out_of_force_gets_no_transfer() {
    let house = House::new();
    let clerk = house.world.key(&["payout_runs:write"]);
    let run = house.world.draft_run_on("stripe", &clerk);
    let finance = house.finance();
    run.verb(&finance, "approve", Value::Null).expect(200);
    let methods = house.world.admin().all("/v1/payout-methods?status=active");
    let withdraw = format!("/v1/payout-methods/{}/withdraw", texts(&methods, "id")[0]);
    house.world.admin().act(&withdraw).expect(200);
    run.verb(&finance, "process", Value::Null).expect(200);
    house.world.work();
    assert_eq!(status(&run), "cancelled");
    assert_eq!(house.stand_in.orders(), Vec::<String>::new());
    assert_eq!(house.balance("payable"), "10.00");
    house.world.books_balance();
}

/// What is still queued is not on its way: a person may pay it by other means, and then the service does not.
#[test]
fn a_person_may_decide_before_anything_is_sent() {
    for (verb, account) in [("confirm", "paid"), ("fail", "payable")] {
        let house = House::new();
        let run = house.run();
        let body = if verb == "fail" {
            json!({ "reason": "Not now." })
        } else {
            json!({})
        };
        super::decide(&house, &run, verb, body).expect(200);
        house.later(A_WHILE);
        assert_eq!(house.stand_in.orders(), Vec::<String>::new());
        assert_eq!(house.balance(account), "10.00");
        house.world.books_balance();
    }
    let house = House::new();
    let run = house.run();
    run.verb(&house.finance(), "confirm", json!({})).expect(200);
    house.later(A_WHILE);
    assert_eq!(house.stand_in.orders(), Vec::<String>::new());
    house.world.books_balance();
}

#[test]
fn several_workers_at_once_pay_each_once() {
    const PARTNERS: usize = 12;
    let house = House::new();
    for number in 1..PARTNERS {
        let name = format!("Partner {number}");
        let partner = house.world.enrolled(&name, &house.program);
        method(
            &house.world,
            &partner,
            "USD",
            &format!("acct_1Partner{number:08}"),
        );
        house.world.sale(&house.program, &partner, "50.00 USD");
    }
    house.world.pass(COOLED_OFF);
    let run = house.run();
    let (db, clock, stripe) = (&house.world.db, &house.world.clock, house.world.stripe.as_ref());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                // Those who meet one another at the same rows are at it again at once, as the worker's threads are.
                while worker::step(db, clock, stripe).unwrap_or(true) {}
            });
        }
    });
    house.world.work();
    assert_eq!(run.now()["by_status"]["paid"], PARTNERS);
    assert_eq!(house.stand_in.transfers().len(), PARTNERS);
    assert_eq!(house.stand_in.orders().len(), PARTNERS);
    house.world.books_balance();
}

#[test]
fn no_secret_and_no_account_is_told_or_kept_in_the_clear() {
    let house = House::new();
    let run = house.sent();
    assert_eq!(status(&run), "paid");
    let mut owner = house.world.database().owner();
    let tables = names(
        &mut owner,
        "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    );
    for table in tables {
        let holding = |text: &str| {
            let query =
                format!("SELECT count(*) AS count FROM {table} t WHERE to_jsonb(t)::text LIKE '%{text}%'");
            count(&mut house.world.database().owner(), &query)
        };
        assert_eq!(holding("standinstandin"), 0, "{table} holds a secret");
        let expected = i64::from(table == "payout_methods");
        assert_eq!(holding(ACCOUNT), expected, "{table} holds the account");
    }
    let methods = house.world.admin().get("/v1/payout-methods").expect(200);
    assert!(!methods.raw().contains(ACCOUNT), "{}", methods.raw());
    assert_eq!(methods.data()[0]["masked_stripe_account"], "****EwkZ");
    assert!(!format!("{:?}", house.world.stripe).contains("standinstandin"));
}

#[test]
fn books_that_disagree_with_a_transfer_are_found_out() {
    let house = House::new();
    let run = house.sent();
    house.world.books_balance();
    let id = payout(&run)["id"].as_str().unwrap().to_owned();
    let mut owner = house.world.database().owner();
    for damage in [
        "UPDATE payout_transfers SET status = 'refused'",
        "UPDATE payout_transfers SET status = 'unresolved'",
        "UPDATE payout_transfers SET status = 'made', transfer_id = 'tr_other'",
        "DELETE FROM payout_transfers",
    ] {
        let damage = format!("ALTER TABLE payout_transfers DISABLE TRIGGER payout_transfers_guard; {damage}");
        owner.batch_execute(&damage).unwrap();
        let found = ledger_check::all(&house.world.db, house.world.clock.now()).unwrap();
        let faults: Vec<String> = found
            .iter()
            .flat_map(|one| one.faults.iter().map(ToString::to_string))
            .collect();
        assert_eq!(faults.len(), 1, "{damage}: {faults:?}");
        assert!(
            faults[0].contains("transfers") && faults[0].contains(&id),
            "{faults:?}"
        );
    }
}
