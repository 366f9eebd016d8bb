//! Claims among accounts that are matched and merged, referrals, and deals from files.

use super::{PATH, claim, partner, program, verb, with};
use crate::imports::load;
use crate::world::{Reply, World, money};
use serde_json::{Value, json};

/// A claim that names a company, and no domain of it.
fn named(program: &str, name: &str) -> Value {
    let mut body = with(claim(program, ""), json!({ "account_name": name }));
    body.as_object_mut().unwrap().remove("account_domain");
    body
}

fn accounts(world: &World) -> usize {
    world.admin().all("/v1/accounts").len()
}

fn conflicts(world: &World) -> Vec<Value> {
    world.admin().all("/v1/registration-conflicts")
}

fn merge(world: &World, account: &str, survivor: &str) -> Reply {
    let body = json!({ "account_id": account, "survivor_id": survivor, "reason": "Entered twice." });
    world.admin().post("/v1/account-merges", body)
}

/// The account of a registration, as the organization sees it.
fn account_of(world: &World, id: &str) -> String {
    let found = world.admin().get(&format!("{PATH}/{id}")).expect(200);
    found.text("/account_id").to_owned()
}

#[test]
fn two_spellings_of_one_company_are_one_account() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (first_id, first) = partner(&world, "Aurora", &program);
    let (_, second) = partner(&world, "Borealis", &program);
    let one = first
        .post(PATH, named(&program, "Hafen Logistik GmbH"))
        .expect(201);
    let refused = second
        .post(PATH, named(&program, "HAFEN-LOGISTIK"))
        .refused(409, "registration_conflict");
    assert_eq!(refused["errors"][0]["pointer"], "/account_name");
    for secret in [one.id().as_str(), first_id.as_str(), "Aurora", "GmbH"] {
        assert!(!refused.raw().contains(secret), "{}", refused.raw());
    }
    assert_eq!(accounts(&world), 1);
}

#[test]
fn a_domain_decides_whatever_name_it_comes_with() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, first) = partner(&world, "Aurora", &program);
    let (_, second) = partner(&world, "Borealis", &program);
    first.post(PATH, claim(&program, "hafen.example")).expect(201);
    let other_name = with(
        claim(&program, "WWW.hafen.example"),
        json!({ "account_name": "Walfisch" }),
    );
    second
        .post(PATH, other_name)
        .refused(409, "registration_conflict");
    assert_eq!(accounts(&world), 1);
}

#[test]
fn a_free_mail_domain_joins_nobody() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, first) = partner(&world, "Aurora", &program);
    let (_, second) = partner(&world, "Borealis", &program);
    let of = |name: &str| with(claim(&program, "gmail.com"), json!({ "account_name": name }));
    first.post(PATH, of("Hafen Logistik")).expect(201);
    second.post(PATH, of("Walfisch Tiefsee")).expect(201);
    assert_eq!((accounts(&world), conflicts(&world).len()), (2, 0));
}

#[test]
fn what_is_merely_alike_is_for_a_person_and_no_partner_hears_of_it() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, first) = partner(&world, "Aurora", &program);
    let (_, second) = partner(&world, "Borealis", &program);
    let one = first
        .post(PATH, named(&program, "Hafen Logistik"))
        .expect(201)
        .id();
    let two = second
        .post(PATH, named(&program, "Hafn Logistik"))
        .expect(201)
        .id();
    let (account, other) = (account_of(&world, &one), account_of(&world, &two));
    assert_ne!(account, other);
    let found = conflicts(&world);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (
            &found[0]["kind"],
            &found[0]["account_id"],
            &found[0]["incumbent_registration_id"]
        ),
        (&json!("similar_account"), &json!(other), &json!(one))
    );
    let pairs = world
        .admin()
        .all(&format!("/v1/account-matches?account_id={other}"));
    assert_eq!(pairs.len(), 1);
    for actor in [&first, &second] {
        assert_eq!(actor.all("/v1/registration-conflicts").len(), 0);
        let events = actor.get("/v1/events?limit=100").expect(200);
        assert!(
            !events.raw().contains("registration_conflict."),
            "{}",
            events.raw()
        );
    }
    let path = format!(
        "/v1/registration-conflicts/{}/decide",
        found[0]["id"].as_str().unwrap()
    );
    let body = |decision: &str| json!({ "decision": decision, "reason": "They are two." });
    world
        .admin()
        .post(&path, body("incumbent_keeps"))
        .refused(422, "validation_failed")
        .pointer("/decision", "not_allowed");
    world.admin().post(&path, body("dismissed")).expect(200);
}

#[test]
fn a_merge_moves_registrations_and_an_undo_moves_exactly_those_back() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, first) = partner(&world, "Aurora", &program);
    let (_, second) = partner(&world, "Borealis", &program);
    let moved = first.post(PATH, claim(&program, "a.example")).expect(201).id();
    let draft = with(
        claim(&program, "b.example"),
        json!({ "draft": true, "account_name": "Walfisch" }),
    );
    let kept = second.post(PATH, draft).expect(201).id();
    let (account, survivor) = (account_of(&world, &moved), account_of(&world, &kept));
    let done = merge(&world, &account, &survivor).expect(201);
    assert_eq!(
        (&done["moved_registrations"], &done["moved_deals"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(account_of(&world, &moved), survivor);
    // The claim protects the survivor now, under either account's name.
    verb(&second, &kept, "submit").refused(409, "registration_conflict");
    second
        .post(PATH, claim(&program, "a.example"))
        .refused(409, "registration_conflict");
    verb(world.admin(), &moved, "approve").expect(200);
    let undo = format!("/v1/account-merges/{}/undo", done.id());
    world
        .admin()
        .post(&undo, json!({ "reason": "They are two." }))
        .expect(200);
    assert_eq!(
        (account_of(&world, &moved), account_of(&world, &kept)),
        (account.clone(), survivor)
    );
    let deals = world.admin().all(&format!("/v1/deals?account_id={account}"));
    assert_eq!(deals.len(), 1, "the deal of the registration goes with it");
}

#[test]
fn accounts_with_claims_against_one_another_are_not_merged() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, first) = partner(&world, "Aurora", &program);
    let (_, second) = partner(&world, "Borealis", &program);
    let one = first.post(PATH, claim(&program, "a.example")).expect(201).id();
    let other = with(
        claim(&program, "b.example"),
        json!({ "account_name": "Walfisch" }),
    );
    let two = second.post(PATH, other).expect(201).id();
    let (account, survivor) = (account_of(&world, &one), account_of(&world, &two));
    verb(world.admin(), &one, "approve").expect(200);
    verb(world.admin(), &two, "approve").expect(200);
    let refused = merge(&world, &account, &survivor).refused(409, "registration_conflict");
    assert!(refused.raw().contains(&one) && refused.raw().contains(&two));
    assert!(!refused.raw().contains("Aurora") && !refused.raw().contains("Borealis"));
    assert_eq!(
        (account_of(&world, &one), account_of(&world, &two)),
        (account.clone(), survivor.clone())
    );
    assert_eq!(world.admin().all("/v1/account-merges").len(), 0);
    let why = json!({ "reason_code": "other", "reason": "It was not to be." });
    world
        .admin()
        .post(&format!("{PATH}/{two}/revoke"), why)
        .expect(200);
    merge(&world, &account, &survivor).expect(201);
    assert_eq!(account_of(&world, &one), survivor);
}

#[test]
fn an_open_referral_of_somebody_else_contests() {
    for (rule, status) in [("refuse", 409), ("queue", 201)] {
        let world = World::new();
        let program = program(&world, json!({ "second_registrant": rule }));
        let (first_id, first) = partner(&world, "Aurora", &program);
        let (_, second) = partner(&world, "Borealis", &program);
        let lead = json!({
            "program_id": program, "company_name": "Hafen Logistik GmbH", "company_domain": "www.hafen.example"
        });
        let referral = first.post("/v1/referrals", lead).expect(201).id();
        // One's own referral is no obstacle.
        let own = first
            .post(PATH, claim(&program, "hafen.example"))
            .expect(201)
            .id();
        verb(&first, &own, "withdraw").expect(200);
        let ask = json!({ "program_id": program, "account_domain": "hafen.example" });
        let standing = second.post(&format!("{PATH}/precheck"), ask).expect(200);
        assert_eq!(standing.body, json!({ "standing": "contested" }));
        let answer = second.post(PATH, claim(&program, "hafen.example")).expect(status);
        for secret in [referral.as_str(), first_id.as_str()] {
            assert!(!answer.raw().contains(secret), "{}", answer.raw());
        }
        let found = conflicts(&world);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (&found[0]["kind"], &found[0]["referral_id"]),
            (&json!("referral"), &json!(referral))
        );
        let seen = second.get("/v1/registration-conflicts").expect(200);
        assert!(!seen.raw().contains(&referral), "{}", seen.raw());
    }
}

#[test]
fn deals_from_a_file_are_flagged_where_somebody_has_a_claim() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, first) = partner(&world, "Aurora", &program);
    let account = |key: &str, domain: &str| {
        let body = json!({ "name": format!("{key} company"), "external_id": key, "domain": domain });
        world.admin().post("/v1/accounts", body).expect(201).id()
    };
    account("claimed", "hafen.example");
    account("free", "walfisch.example");
    let body = with(
        claim(&program, "hafen.example"),
        json!({ "account_name": "claimed company" }),
    );
    first.post(PATH, body).expect(201);
    let columns = ["external_id", "account", "amount", "currency", "status", "won_at"];
    let fields: serde_json::Map<String, Value> = columns
        .iter()
        .map(|column| ((*column).to_owned(), json!({ "column": column })))
        .collect();
    let mapping = json!({ "fields": fields });
    let header = columns.join(",");
    let flagged = |rows: &str| {
        let import = load(&world, "deals", &mapping, &[], format!("{header}\n{rows}\n"));
        assert_eq!(import["counts"]["rejected"], 0, "{}", import.raw());
        conflicts(&world).len()
    };
    assert_eq!(flagged("A,free,10.00,USD,open,"), 0);
    assert_eq!(flagged("B,claimed,10.00,USD,open,"), 1);
    assert_eq!(
        flagged("C,claimed,10.00,USD,won,2026-01-05T12:00:00Z"),
        2,
        "won on arrival"
    );
    assert_eq!(flagged("A,claimed,10.00,USD,open,"), 3, "moved to the account");
    assert_eq!(flagged("A,claimed,11.00,USD,open,"), 3, "flagged once");
    let deals = world.admin().all("/v1/deals");
    let free = world.admin().all("/v1/accounts?external_id=free")[0]["id"].clone();
    assert!(deals.iter().all(|deal| deal["account_id"] != free));
    let body = json!({ "name": "Direct", "account_id": free, "amount": money("1.00 USD"), "opened_on": "2026-01-02" });
    let deal = world.admin().post("/v1/deals", body).expect(201).id();
    let claimed = world.admin().all("/v1/accounts?external_id=claimed")[0]["id"].clone();
    world
        .admin()
        .patch(&format!("/v1/deals/{deal}"), json!({ "account_id": claimed }))
        .expect(200);
    assert_eq!(conflicts(&world).len(), 4, "moved by hand");
}
