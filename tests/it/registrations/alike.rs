//! Deals of the organization's own that meet a claim to the same company in another spelling.

use super::{PATH, claim, partner, program, verb};
use crate::imports::load;
use crate::world::{Actor, World, money, texts};
use serde_json::{Value, json};

/// A world in which a partner claims Hafen Logistik GmbH; the program, the claim and the partner's caller.
fn claimed() -> (World, String, String, Actor) {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, actor) = partner(&world, "Aurora", &program);
    let mut body = claim(&program, "");
    body["account_name"] = json!("Hafen Logistik GmbH");
    body.as_object_mut().unwrap().remove("account_domain");
    let id = actor.post(PATH, body).expect(201).id();
    (world, program, id, actor)
}

fn account(world: &World, name: &str, key: &str) -> String {
    let body = json!({ "name": name, "external_id": key });
    world.admin().post("/v1/accounts", body).expect(201).id()
}

fn deal(world: &World, account: &str, key: &str) -> String {
    let body = json!({
        "name": "Telematics", "account_id": account, "external_id": key, "amount": money("10.00 EUR")
    });
    world.admin().post("/v1/deals", body).expect(201).id()
}

fn conflicts(world: &World) -> Vec<Value> {
    world.admin().all("/v1/registration-conflicts")
}

fn heard(actor: &Actor) -> bool {
    let events = actor.get("/v1/events?limit=100").expect(200);
    events.raw().contains("registration_conflict.") || !actor.all("/v1/registration-conflicts").is_empty()
}

#[test]
fn a_deal_at_an_account_in_another_spelling_is_flagged_the_moment_it_comes() {
    let (world, _, id, actor) = claimed();
    let crm = account(&world, "HAFEN-LOGISTIK G.m.b.H.", "crm-1");
    world.work();
    assert_eq!(conflicts(&world).len(), 0);
    let first = deal(&world, &crm, "opp-1");
    let found = conflicts(&world);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (
            &found[0]["kind"],
            &found[0]["deal_id"],
            &found[0]["incumbent_registration_id"]
        ),
        (&json!("similar_account"), &json!(first), &json!(id))
    );
    world.work();
    assert_eq!(conflicts(&world).len(), 1);
    // Where the deal is there before its account was compared, the comparison finds it.
    let other = account(&world, "hafen logistik gmbh", "crm-2");
    let second = deal(&world, &other, "opp-2");
    assert_eq!(conflicts(&world).len(), 1);
    world.work();
    assert_eq!(texts(&conflicts(&world), "deal_id"), [second, first]);
    assert!(!heard(&actor), "no partner hears of what is merely alike");
}

#[test]
fn the_same_deal_of_the_crm_in_two_spellings_is_flagged_once_for_each() {
    let (world, _, id, actor) = claimed();
    let accounts =
        "external_id,name\nCRM-1,HAFEN-LOGISTIK\ncrm 1,Hafen Logistik G.m.b.H.\nX-1,Walfisch Tiefsee\n";
    let deals = "external_id,account,amount,currency\nOPP-1,CRM-1,10.00,EUR\nopp 1,crm 1,10.00,EUR\nX-1,X-1,1.00,EUR\n";
    let mapping = |columns: &[&str]| crate::imports::mapping(columns, json!({}));
    load(
        &world,
        "accounts",
        &mapping(&["external_id", "name"]),
        &[],
        accounts,
    );
    let columns = ["external_id", "account", "amount", "currency"];
    for round in 0..2 {
        load(&world, "deals", &mapping(&columns), &[], deals);
        world.work();
        let found = conflicts(&world);
        assert_eq!(texts(&found, "kind"), ["similar_account"; 2], "{round}");
        assert_eq!(texts(&found, "incumbent_registration_id"), [id.as_str(); 2]);
    }
    assert!(!heard(&actor));
}

#[test]
fn what_a_person_told_apart_and_who_has_no_claim_any_more_meets_nobody() {
    let (world, _, id, _) = claimed();
    let crm = account(&world, "HAFEN-LOGISTIK", "crm-1");
    world.work();
    let pair = world.admin().all("/v1/account-matches").remove(0);
    let reject = format!("/v1/account-matches/{}/reject", pair["id"].as_str().unwrap());
    world
        .admin()
        .post(&reject, json!({ "reason": "Two companies." }))
        .expect(200);
    deal(&world, &crm, "opp-1");
    world.work();
    assert_eq!(conflicts(&world).len(), 0);
    let confirm = reject.replace("reject", "confirm");
    world
        .admin()
        .post(&confirm, json!({ "reason": "One, after all." }))
        .expect(200);
    verb(world.admin(), &id, "withdraw").expect(200);
    deal(&world, &crm, "opp-2");
    assert_eq!(conflicts(&world).len(), 0);
}

#[test]
fn what_was_decided_is_not_laid_before_anybody_again_when_a_further_spelling_comes() {
    let (world, _, _, _) = claimed();
    let crm = account(&world, "HAFEN-LOGISTIK G.m.b.H.", "crm-1");
    world.work();
    deal(&world, &crm, "opp-1");
    let conflict = conflicts(&world).remove(0);
    let decide = format!(
        "/v1/registration-conflicts/{}/decide",
        conflict["id"].as_str().unwrap()
    );
    let decision = json!({ "decision": "dismissed", "reason": "Two different sites." });
    world.admin().post(&decide, decision).expect(200);
    account(&world, "hafen logistik gmbh", "crm-2");
    world.work();
    assert_eq!(texts(&conflicts(&world), "status"), ["decided"]);
}
