//! A registration and the deal that it is about: a direct deal becomes the partner's, and what is hidden hides its deal.

use super::{PATH, claim, partner, program, with};
use crate::world::{Actor, World, money};
use serde_json::{Value, json};

/// A distributor, its reseller, and both their callers; the reseller takes part in the program.
fn tree(world: &World, program: &str) -> [(String, Actor); 2] {
    let above = partner(world, "Distributor", program);
    let below = partner(world, "Reseller", program);
    let path = format!("/v1/partners/{}", below.0);
    world
        .admin()
        .patch(&path, json!({ "parent_id": above.0 }))
        .expect(200);
    [above, below]
}

/// A deal of the organization's own with the claim's account.
fn direct(world: &World, registration: &str) -> String {
    let claimed = world.admin().get(&format!("{PATH}/{registration}")).expect(200);
    let body = json!({
        "name": "From the CRM", "account_id": claimed["account_id"], "amount": money("100.00 EUR")
    });
    world.admin().post("/v1/deals", body).expect(201).id()
}

fn approve(world: &World, id: &str, deal: &str) -> crate::world::Reply {
    let body = json!({ "deal_id": deal });
    world.admin().post(&format!("{PATH}/{id}/approve"), body)
}

/// What a caller finds of a registration, its deal and the credit for it.
fn seen(actor: &Actor, id: &str, deal: &str) -> [bool; 3] {
    [
        actor.get(&format!("{PATH}/{id}")).status == 200,
        actor.get(&format!("/v1/deals/{deal}")).status == 200,
        !actor.all(&format!("/v1/attributions?deal_id={deal}")).is_empty(),
    ]
}

#[test]
fn a_hidden_registration_hides_the_deal_that_it_is_linked_to() {
    let world = World::new();
    let program = program(&world, json!({}));
    let [(_, above), (_, below)] = tree(&world, &program);
    for hidden in [false, true] {
        let domain = format!("{hidden}.example");
        let body = with(
            claim(&program, &domain),
            json!({ "hidden_from_parent": hidden, "account_name": domain }),
        );
        let id = below.post(PATH, body).expect(201).id();
        let deal = direct(&world, &id);
        approve(&world, &id, &deal).expect(200);
        assert_eq!(seen(&above, &id, &deal), [!hidden; 3]);
        assert_eq!(seen(&below, &id, &deal), [true; 3]);
    }
}

#[test]
fn a_registration_that_is_hidden_later_hides_its_deal() {
    let world = World::new();
    let program = program(&world, json!({}));
    let [(_, above), (_, below)] = tree(&world, &program);
    let id = below.post(PATH, claim(&program, "a.example")).expect(201).id();
    let made = world.admin().act(&format!("{PATH}/{id}/approve")).expect(200);
    let deal = made.text("/deal_id").to_owned();
    assert_eq!(seen(&above, &id, &deal), [true; 3]);
    let path = format!("{PATH}/{id}");
    below
        .patch(&path, json!({ "hidden_from_parent": true }))
        .expect(200);
    assert_eq!(seen(&above, &id, &deal), [false; 3]);
    let told = format!("/v1/deals/{deal}");
    world
        .admin()
        .patch(&told, json!({ "hidden_from_parent": false }))
        .expect(200);
    // To say again what is so changes nothing.
    below
        .patch(&path, json!({ "hidden_from_parent": true }))
        .expect(200);
    assert_eq!(above.get(&told).status, 200);
    world
        .admin()
        .patch(&told, json!({ "hidden_from_parent": true }))
        .expect(200);
    // To show the registration is not to show the deal.
    below
        .patch(&path, json!({ "hidden_from_parent": false }))
        .expect(200);
    assert_eq!(seen(&above, &id, &deal), [true, false, false]);
    let deal = format!("/v1/deals/{deal}");
    world
        .admin()
        .patch(&deal, json!({ "hidden_from_parent": false }))
        .expect(200);
    assert_eq!(above.get(&deal).status, 200);
}

#[test]
fn a_direct_deal_that_is_linked_earns_as_the_partners() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let (seller, actor) = partner(&world, "A", &program);
    let id = actor.post(PATH, claim(&program, "a.example")).expect(201).id();
    let deal = direct(&world, &id);
    approve(&world, &id, &deal).expect(200);
    let path = format!("/v1/deals/{deal}");
    let linked = world.admin().get(&path).expect(200);
    assert_eq!(
        (&linked["program_id"], &linked["partner_id"]),
        (&json!(program), &json!(seller))
    );
    assert_eq!(actor.get(&path).expect(200)["partner_id"], json!(seller));
    let won = world.admin().act(&format!("{path}/win")).expect(200);
    assert_eq!(won["warnings"], json!([]));
}

#[test]
fn a_deal_of_another_program_is_not_this_ones() {
    let world = World::new();
    let [one, other] = [program(&world, json!({})), program(&world, json!({}))];
    let (seller, actor) = partner(&world, "A", &one);
    let id = actor.post(PATH, claim(&one, "a.example")).expect(201).id();
    let claimed = world.admin().get(&format!("{PATH}/{id}")).expect(200);
    let mut body = json!({
        "name": "Elsewhere", "account_id": claimed["account_id"], "program_id": other, "amount": money("100.00 EUR")
    });
    let deal = world.admin().post("/v1/deals", body.clone()).expect(201).id();
    approve(&world, &id, &deal)
        .refused(422, "validation_failed")
        .pointer("/deal_id", "not_of_program");
    let after = world.admin().get(&format!("{PATH}/{id}")).expect(200);
    assert_eq!(
        (&after["status"], &after["deal_id"]),
        (&json!("submitted"), &Value::Null)
    );
    body["program_id"] = json!(one);
    let deal = world.admin().post("/v1/deals", body).expect(201).id();
    approve(&world, &id, &deal).expect(200);
    let linked = world.admin().get(&format!("/v1/deals/{deal}")).expect(200);
    assert_eq!(linked["partner_id"], json!(seller));
}

#[test]
fn a_deal_that_is_linked_is_no_rival_any_more() {
    let world = World::new();
    let program = program(&world, json!({ "second_registrant": "queue" }));
    let (_, actor) = partner(&world, "A", &program);
    // Once the deal comes after the claim, once before it.
    for comes_first in [false, true] {
        let name = format!("Hafen {comes_first}");
        let body = with(
            claim(&program, &format!("{comes_first}.example")),
            json!({ "account_name": name }),
        );
        let id = if comes_first {
            let draft = with(body, json!({ "draft": true }));
            let id = actor.post(PATH, draft).expect(201).id();
            direct(&world, &id);
            actor.act(&format!("{PATH}/{id}/submit")).expect(200);
            id
        } else {
            let id = actor.post(PATH, body).expect(201).id();
            direct(&world, &id);
            id
        };
        let open = || world.admin().all("/v1/registration-conflicts?status=open");
        let conflict = open()[0].clone();
        assert_eq!((open().len(), &conflict["kind"]), (1, &json!("deal")));
        approve(&world, &id, conflict["deal_id"].as_str().unwrap()).expect(200);
        assert_eq!(open(), [] as [Value; 0]);
        let path = format!("/v1/registration-conflicts/{}", conflict["id"].as_str().unwrap());
        assert_eq!(world.admin().get(&path).expect(200)["decision"], "dismissed");
        let after = actor.get(&format!("{PATH}/{id}")).expect(200);
        assert_eq!(after["status"], "approved");
    }
}

#[test]
fn what_others_have_at_stake_in_a_deal_is_still_decided() {
    let world = World::new();
    let program = program(&world, json!({ "second_registrant": "queue" }));
    let [first, second] = ["A", "B"].map(|name| partner(&world, name, &program).1);
    let families = ["Fleet", "Harbour"].map(|name| {
        let body = json!({ "name": name });
        world.admin().post("/v1/product-families", body).expect(201).id()
    });
    let draft = |actor: &Actor, family: &str| {
        let more = json!({ "draft": true, "product_family_id": family });
        actor
            .post(PATH, with(claim(&program, "a.example"), more))
            .expect(201)
            .id()
    };
    let (one, other) = (draft(&first, &families[0]), draft(&second, &families[1]));
    let deal = direct(&world, &one);
    for (actor, id) in [(&first, &one), (&second, &other)] {
        actor.act(&format!("{PATH}/{id}/submit")).expect(200);
    }
    let open = || world.admin().all("/v1/registration-conflicts?status=open");
    let before = open();
    approve(&world, &one, &deal).expect(200);
    assert_eq!(open(), before);
}

#[test]
fn a_deal_that_went_to_somebody_else_is_not_hidden_by_whom_it_left() {
    let world = World::new();
    let program = program(&world, json!({}));
    let [(_, above), (_, below)] = tree(&world, &program);
    let id = below.post(PATH, claim(&program, "a.example")).expect(201).id();
    let deal = direct(&world, &id);
    let keyed = json!({ "external_id": "CRM-1" });
    let path = format!("/v1/deals/{deal}");
    world.admin().patch(&path, keyed).expect(200);
    approve(&world, &id, &deal).expect(200);
    let other = world.enrolled("Other", &program);
    let admin = world.admin();
    admin
        .patch(
            &format!("/v1/partners/{other}"),
            json!({ "external_id": "OTHER" }),
        )
        .expect(200);
    let column = |name: &str| json!({ "column": name });
    let mapping = json!({ "fields": {
        "external_id": column("id"), "account": column("account"), "partner": column("partner"),
        "program": column("program"), "amount": column("amount"), "currency": { "constant": "EUR" }
    } });
    let account = admin.get(&path).expect(200)["account_id"].clone();
    let account = format!("/v1/accounts/{}", account.as_str().unwrap());
    admin.patch(&account, json!({ "external_id": "ACC" })).expect(200);
    let before = admin.get(&path).expect(200);
    let load = |partner: &str| {
        let csv = format!("id,account,partner,program,amount\nCRM-1,ACC,{partner},,100.00\n");
        let done = crate::imports::load(&world, "deals", &mapping, &[], csv);
        assert_eq!(done["counts"]["rejected"], 0, "{}", done.raw());
    };
    // What a file leaves empty stays as it is.
    load("");
    let after = admin.get(&path).expect(200);
    assert_eq!(
        (&after["partner_id"], &after["program_id"]),
        (&before["partner_id"], &before["program_id"])
    );
    load("OTHER");
    assert_eq!(admin.get(&path).expect(200)["partner_id"], json!(other));
    let mine = format!("{PATH}/{id}");
    below
        .patch(&mine, json!({ "hidden_from_parent": true }))
        .expect(200);
    assert_eq!(admin.get(&path).expect(200)["hidden_from_parent"], json!(false));
    assert_eq!(above.get(&mine).status, 404);
}
