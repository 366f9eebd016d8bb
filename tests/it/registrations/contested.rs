//! Ways around the claims of others, which are none.

use super::{PATH, claim, partner, program, verb, with};
use crate::world::{Actor, World, money};
use serde_json::json;

#[test]
fn a_claim_that_is_sent_back_does_not_move_to_what_another_has_claimed() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, first) = partner(&world, "A", &program);
    let (_, second) = partner(&world, "B", &program);
    let [one, other] = ["Cloud", "Software"].map(|name| {
        let family = world
            .admin()
            .post("/v1/product-families", json!({ "name": name }));
        family.expect(201).id()
    });
    let to = |family: &str| {
        with(
            claim(&program, "a.example"),
            json!({ "product_family_id": family }),
        )
    };
    first.post(PATH, to(&one)).expect(201);
    second.post(PATH, to(&one)).refused(409, "registration_conflict");
    let own = second.post(PATH, to(&other)).expect(201).id();
    let action = json!({ "reason": "Say who decides there." });
    let path = format!("{PATH}/{own}");
    world
        .admin()
        .post(&format!("{path}/request-action"), action)
        .expect(200);
    for family in [json!(one), json!(null)] {
        second
            .patch(&path, json!({ "product_family_id": family }))
            .pointer("/product_family_id", "already_claimed");
    }
    let mended = json!({ "name": "Cloud for Hafen", "product_family_id": other });
    second.patch(&path, mended).expect(200);
    let again = verb(&second, &own, "submit").expect(200);
    assert_eq!(again["product_family_id"], json!(other));
}

#[test]
fn where_an_account_is_the_organization_knows_better_than_a_claim() {
    let world = World::new();
    let program = program(&world, json!({ "countries": ["DE"] }));
    let (_, actor) = partner(&world, "A", &program);
    let account = json!({ "name": "Hafen Logistik", "domain": "a.example", "country": "US" });
    world.admin().post("/v1/accounts", account).expect(201);
    let in_germany = |domain: &str| with(claim(&program, domain), json!({ "country": "DE" }));
    actor
        .post(PATH, in_germany("a.example"))
        .pointer("/country", "outside_territory");
    actor.post(PATH, in_germany("b.example")).expect(201);
}

/// Two partners, their claims to one account, and the path of their conflict.
fn rivals(world: &World) -> ([Actor; 2], [String; 2], String) {
    let program = program(world, json!({ "second_registrant": "queue" }));
    let actors = ["A", "B"].map(|name| partner(world, name, &program).1);
    let claims = [0, 1].map(|place| {
        actors[place]
            .post(PATH, claim(&program, "a.example"))
            .expect(201)
            .id()
    });
    let conflict = world.admin().all("/v1/registration-conflicts")[0]["id"].clone();
    let path = format!("/v1/registration-conflicts/{}", conflict.as_str().unwrap());
    (actors, claims, path)
}

#[test]
fn nobody_wins_an_account_away_from_a_deal_that_is_won() {
    let world = World::new();
    let (_, [one, two], path) = rivals(&world);
    let deal = verb(world.admin(), &one, "approve").expect(200)["deal_id"].clone();
    world.win(deal.as_str().unwrap());
    let decide = format!("{path}/decide");
    let body = |decision: &str| json!({ "decision": decision, "reason": "So it is." });
    let wins = with(body("challenger_wins"), json!({ "winner_registration_id": two }));
    world.admin().post(&decide, wins).refused(409, "wrong_state");
    let kept = world.admin().post(&decide, body("incumbent_keeps")).expect(200);
    assert_eq!(kept["status"], "decided");
    assert_eq!(
        world.admin().get(&format!("{PATH}/{two}")).expect(200)["status"],
        "rejected"
    );
}

/// A challenger that gave up wins nothing, and nobody loses the account to it.
#[test]
fn nobody_wins_by_a_claim_that_was_given_up() {
    let world = World::new();
    let ([_, second], [one, two], path) = rivals(&world);
    verb(world.admin(), &one, "approve").expect(200);
    verb(&second, &two, "withdraw").expect(200);
    let evidence = json!({ "deal_registration_id": two, "evidence": "We met them." });
    second
        .post(&format!("{path}/evidence"), evidence)
        .refused(409, "wrong_state");
    let decide = format!("{path}/decide");
    let wins = json!({ "decision": "challenger_wins", "winner_registration_id": two, "reason": "So it is." });
    world
        .admin()
        .post(&decide, wins)
        .pointer("/winner_registration_id", "wrong_state");
    let status = |id: &str| world.admin().get(&format!("{PATH}/{id}")).expect(200)["status"].clone();
    assert_eq!(
        (status(&one), status(&two)),
        (json!("approved"), json!("withdrawn"))
    );
    let share = json!({ "decision": "co_sell_share", "reason": "Both work on it." });
    world.admin().post(&decide, share).expect(200);
    assert_eq!(second.all("/v1/attributions"), [] as [serde_json::Value; 0]);
}

/// Whoever came first keeps nothing that it took back, and the challenger is not turned down for it.
#[test]
fn nobody_keeps_an_account_by_a_claim_that_was_given_up() {
    let world = World::new();
    let ([first, _], [one, two], path) = rivals(&world);
    verb(&first, &one, "withdraw").expect(200);
    let decide = format!("{path}/decide");
    let keeps = json!({ "decision": "incumbent_keeps", "reason": "So it is." });
    world
        .admin()
        .post(&decide, keeps)
        .pointer("/decision", "wrong_state");
    let wins = json!({ "decision": "challenger_wins", "winner_registration_id": two, "reason": "So it is." });
    world.admin().post(&decide, wins).expect(200);
    verb(world.admin(), &two, "approve").expect(200);
}

#[test]
fn a_deal_without_a_rule_is_won_with_a_warning() {
    let world = World::new();
    let program = world.program(json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.open_deal(&program, "100.00 EUR", &[(&partner, 10_000)]);
    let won = world.admin().act(&format!("/v1/deals/{deal}/win")).expect(200);
    assert_eq!(won["warnings"], json!(["no_rule"]));
    let paying = world.ten_percent(json!({}));
    let partner = world.enrolled("B", &paying);
    let deal = world.open_deal(&paying, "100.00 EUR", &[(&partner, 10_000)]);
    let won = world.admin().act(&format!("/v1/deals/{deal}/win")).expect(200);
    assert_eq!(won["warnings"], json!([]));
    assert_eq!(won["amount"], money("100.00 EUR"));
}
