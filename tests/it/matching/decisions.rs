//! What people decide: pairs that are confirmed or rejected, accounts that are merged and parted again.

use super::{account, certain, matched};
use crate::world::{World, count, money};
use copartner::features::accounts::PairStatus;
use serde_json::{Value, json};

/// The only pair there is, in this state.
fn only_pair(world: &World, status: &str) -> Value {
    let pairs = world.admin().all(&format!("/v1/account-matches?status={status}"));
    assert_eq!(pairs.len(), 1, "{pairs:?}");
    pairs[0].clone()
}

fn decide(world: &World, pair: &Value, verb: &str) {
    let path = format!("/v1/account-matches/{}/{verb}", pair["id"].as_str().unwrap());
    let done = world
        .admin()
        .post(&path, json!({ "reason": "I asked." }))
        .expect(200);
    assert_eq!(done.body["status_reason"], "I asked.");
    assert!(done.body["decided_by"].is_string());
}

#[test]
fn likely_pairs_are_suggested_once_and_decisions_are_kept() {
    let world = World::new();
    let one = account(&world, json!({ "name": "Hafen Logistik GmbH" }));
    let other = account(&world, json!({ "name": "Hafn Logistik" }));
    account(&world, json!({ "name": "Walfisch Tiefsee" }));
    world.work();
    let pair = only_pair(&world, "suggested");
    assert_eq!(
        (&pair["account_id"], &pair["other_account_id"]),
        (&json!(one), &json!(other))
    );
    assert_eq!(
        world
            .admin()
            .all(&format!("/v1/account-matches?account_id={other}"))
            .len(),
        1
    );

    decide(&world, &pair, "reject");
    world
        .admin()
        .patch(
            &format!("/v1/accounts/{other}"),
            json!({ "name": "Haafen Logistik" }),
        )
        .expect(200);
    world.work();
    assert_eq!(
        world.admin().all("/v1/account-matches?status=suggested"),
        [] as [Value; 0]
    );
    // Whoever is certainly the one is not the other.
    assert_eq!(
        matched(world.admin(), json!({ "name": "Hafen Logistik" })).len(),
        1
    );
    // Who is neither with certainty may be both.
    assert_eq!(
        matched(world.admin(), json!({ "name": "Hafen Logistikk" })).len(),
        2
    );

    decide(&world, &pair, "confirm");
    let both = certain(world.admin(), json!({ "name": "Hafen Logistik" }));
    assert_eq!(both.len(), 2, "{both:?}");
    let mut owner = world.database().owner();
    for event in ["confirmed", "rejected"] {
        let told = format!("SELECT count(*) AS count FROM events WHERE type = 'account_match.{event}'");
        assert_eq!(count(&mut owner, &told), 1);
    }
}

#[test]
fn a_confirmed_pair_is_found_even_where_nothing_is_alike() {
    let world = World::new();
    account(
        &world,
        json!({ "name": "Hafen Logistik", "domain": "hafen.example" }),
    );
    let other = account(
        &world,
        json!({ "name": "Hafen Logistic", "domain": "hafen.example" }),
    );
    world.work();
    decide(&world, &only_pair(&world, "suggested"), "confirm");
    let renamed = json!({ "name": "Leuchtturm", "domain": "turm.example" });
    world
        .admin()
        .patch(&format!("/v1/accounts/{other}"), renamed)
        .expect(200);
    let found = certain(world.admin(), json!({ "website": "hafen.example" }));
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn who_would_be_both_of_two_is_for_a_person() {
    let world = World::new();
    account(
        &world,
        json!({ "name": "Hafen Logistik Nord", "domain": "hafen.example" }),
    );
    account(
        &world,
        json!({ "name": "Hafen Logistik", "domain": "hafen.example" }),
    );
    world.work();
    decide(&world, &only_pair(&world, "suggested"), "reject");
    let found = matched(world.admin(), json!({ "website": "hafen.example" }));
    assert!(
        found.len() == 2 && found.iter().all(|found| !found.1),
        "{found:?}"
    );
}

#[test]
fn every_illegal_move_is_refused_with_the_moves_that_are_left() {
    let world = World::new();
    account(&world, json!({ "name": "Hafen Logistik" }));
    account(&world, json!({ "name": "Hafn Logistik" }));
    world.work();
    let pair = only_pair(&world, "suggested");
    let path = format!("/v1/account-matches/{}", pair["id"].as_str().unwrap());
    for reached in [PairStatus::Rejected, PairStatus::Confirmed, PairStatus::Rejected] {
        let verb = if reached == PairStatus::Rejected {
            "reject"
        } else {
            "confirm"
        };
        decide(&world, &pair, verb);
        for illegal in ["confirm", "reject"]
            .iter()
            .filter(|verb| !reached.moves().contains(verb))
        {
            let refused = world
                .admin()
                .post(&format!("{path}/{illegal}"), json!({}))
                .refused(409, "wrong_state");
            assert_eq!(refused.body["current_state"], reached.as_str());
            assert_eq!(refused.body["allowed_moves"], json!(reached.moves()));
        }
    }
}

#[test]
fn a_merge_moves_deals_and_an_undo_moves_exactly_those_back() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("Nordlicht", &program);
    let admin = world.admin();
    let (one, two) = (
        account(&world, json!({ "name": "Hafen Logistik", "external_id": "A" })),
        account(&world, json!({ "name": "Hafn Logistik", "external_id": "B" })),
    );
    let deal = |account: &str, name: &str| {
        let body = json!({
            "name": name, "account_id": account, "program_id": program, "amount": money("10.00 USD"),
            "opened_on": "2026-01-02"
        });
        admin.post("/v1/deals", body).expect(201)
    };
    let of = |account: &str| {
        let deals = admin.all(&format!("/v1/deals?account_id={account}"));
        let mut names: Vec<String> = deals
            .iter()
            .map(|deal| deal["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let (kept, moved, strays) = (deal(&one, "kept"), deal(&two, "moved"), deal(&two, "strays"));
    world.credit(&moved.id(), &partner, "sourced", 10_000);
    let body = json!({ "account_id": two, "survivor_id": one, "reason": "Entered twice." });
    let merge = admin.post("/v1/account-merges", body.clone()).expect(201);
    assert_eq!(merge.body["moved_deals"], 2);
    assert_eq!(
        (of(&one), of(&two)),
        (
            vec!["kept".to_owned(), "moved".to_owned(), "strays".to_owned()],
            vec![]
        )
    );
    assert_eq!(
        admin.get(&format!("/v1/accounts/{two}")).expect(200).body["merged_into_id"],
        json!(one)
    );
    assert_eq!(certain(admin, json!({ "external_id": "B" })), ["Hafen Logistik"]);
    assert_eq!(matched(admin, json!({ "name": "Hafn Logistik" })).len(), 1);
    let late = deal(&two, "late");
    assert_eq!(late.body["account_id"], json!(one));
    admin.post("/v1/account-merges", body).refused(409, "wrong_state");
    let turned = json!({ "account_id": one, "survivor_id": two, "reason": "The other way." });
    admin
        .post("/v1/account-merges", turned)
        .refused(409, "wrong_state");

    let third = account(&world, json!({ "name": "Walfisch" }));
    admin
        .patch(
            &format!("/v1/deals/{}", strays.id()),
            json!({ "account_id": third }),
        )
        .expect(200);
    let undo = format!("/v1/account-merges/{}/undo", merge.id());
    let undone = admin
        .post(&undo, json!({ "reason": "They are two." }))
        .expect(200);
    assert_eq!(undone.body["status"], "undone");
    assert_eq!(
        (of(&one), of(&two)),
        (
            vec!["kept".to_owned(), "late".to_owned()],
            vec!["moved".to_owned()]
        )
    );
    assert_eq!(of(&third), ["strays"]);
    assert_eq!(certain(admin, json!({ "external_id": "B" })), ["Hafn Logistik"]);
    assert_eq!(
        admin.get(&format!("/v1/accounts/{two}")).expect(200).body["merged_into_id"],
        Value::Null
    );
    let credits = admin.all(&format!("/v1/attributions?deal_id={}", moved.id()));
    assert_eq!(credits.len(), 1);
    admin
        .post(&undo, json!({ "reason": "Again." }))
        .refused(409, "wrong_state");
    assert_eq!(
        admin.get(&format!("/v1/deals/{}", kept.id())).expect(200).body["account_id"],
        json!(one)
    );
    let mut owner = world.database().owner();
    for event in [
        "account.merged",
        "account.unmerged",
        "account_merge.created",
        "account_merge.undone",
    ] {
        let told = format!("SELECT count(*) AS count FROM events WHERE type = '{event}'");
        assert_eq!(count(&mut owner, &told), 1, "{event}");
    }
}

#[test]
fn what_was_merged_last_is_undone_first() {
    let world = World::new();
    let admin = world.admin();
    let [a, b, c] =
        ["Hafen", "Turm", "Wal"].map(|name| account(&world, json!({ "name": name, "external_id": name })));
    let merge = |account: &str, survivor: &str| {
        let body = json!({ "account_id": account, "survivor_id": survivor, "reason": "One." });
        admin.post("/v1/account-merges", body).expect(201).id()
    };
    let undo = |id: &str| {
        admin.post(
            &format!("/v1/account-merges/{id}/undo"),
            json!({ "reason": "Two." }),
        )
    };
    let first = merge(&a, &b);
    let second = merge(&b, &c);
    assert_eq!(certain(admin, json!({ "external_id": "Hafen" })), ["Wal"]);
    undo(&first).refused(409, "wrong_state");
    undo(&second).expect(200);
    assert_eq!(certain(admin, json!({ "external_id": "Hafen" })), ["Turm"]);
    undo(&first).expect(200);
    assert_eq!(certain(admin, json!({ "external_id": "Hafen" })), ["Hafen"]);
    let same = json!({ "account_id": a, "survivor_id": a, "reason": "One." });
    admin
        .post("/v1/account-merges", same)
        .refused(422, "validation_failed")
        .pointer("/survivor_id", "same_account");
}

#[test]
fn a_deal_that_is_written_during_the_merge_is_not_lost() {
    let world = World::new();
    let one = account(&world, json!({ "name": "Hafen" }));
    let two = account(&world, json!({ "name": "Turm" }));
    let made: Vec<String> = std::thread::scope(|scope| {
        let deals: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let body = json!({
                        "name": "Deal", "account_id": two, "amount": money("1.00 USD"), "opened_on": "2026-01-02"
                    });
                    world.admin().post("/v1/deals", body).expect(201).id()
                })
            })
            .collect();
        let body = json!({ "account_id": two, "survivor_id": one, "reason": "One." });
        world.admin().post("/v1/account-merges", body).expect(201);
        deals.into_iter().map(|deal| deal.join().unwrap()).collect()
    });
    for deal in made {
        let deal = world.admin().get(&format!("/v1/deals/{deal}")).expect(200);
        assert_eq!(deal.body["account_id"], json!(one));
    }
}

#[test]
fn decisions_are_the_organizations_own() {
    let world = World::new();
    let one = account(&world, json!({ "name": "Hafen Logistik" }));
    let two = account(&world, json!({ "name": "Hafn Logistik" }));
    world.work();
    let pair = only_pair(&world, "suggested");
    let foreign = world.second_organization();
    let path = format!("/v1/account-matches/{}", pair["id"].as_str().unwrap());
    foreign.admin.get(&path).refused(404, "not_found");
    foreign
        .admin
        .post(&format!("{path}/confirm"), json!({}))
        .refused(404, "not_found");
    assert_eq!(foreign.admin.all("/v1/account-matches"), [] as [Value; 0]);
    let body = json!({ "account_id": one, "survivor_id": two, "reason": "Mine." });
    foreign
        .admin
        .post("/v1/account-merges", body)
        .refused(422, "validation_failed");
    let partner = world.full_partner_key(&world.partner("Nordlicht"));
    for path in [path.as_str(), "/v1/account-matches", "/v1/account-merges"] {
        partner.get(path).refused(403, "permission_denied");
    }
}
