//! Account matching over HTTP: what is found, by which keys, for whom, and that the keys follow the accounts.

mod decisions;

use crate::imports::load;
use crate::world::{Actor, World, count};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

/// What was matched: for each its account's name, whether it is certain, and the reasons.
fn matched(who: &Actor, candidate: Value) -> Vec<(String, bool, Vec<String>)> {
    let reply = who.post("/v1/accounts/match", candidate).expect(200);
    let matches = reply.body["matches"].as_array().unwrap();
    let told = matches.iter().map(|found| {
        let reasons = found["reasons"].as_array().unwrap().iter();
        let reasons = reasons.map(|reason| reason.as_str().unwrap().to_owned());
        let name = found["account"]["name"].as_str().unwrap().to_owned();
        (name, found["certain"].as_bool().unwrap(), reasons.collect())
    });
    told.collect()
}

/// The names of what was matched with certainty.
fn certain(who: &Actor, candidate: Value) -> Vec<String> {
    let told = matched(who, candidate).into_iter();
    told.filter(|found| found.1).map(|found| found.0).collect()
}

fn account(world: &World, body: Value) -> String {
    world.admin().post("/v1/accounts", body).expect(201).id()
}

#[test]
fn equal_keys_decide_and_similar_names_are_for_a_person() {
    let world = World::new();
    let hafen =
        json!({ "name": "Hafen Logistik GmbH", "domain": "www.Hafen.example", "external_id": "crm-7" });
    account(&world, hafen);
    account(&world, json!({ "name": "Nordwind Reederei AG", "country": "DE" }));
    account(
        &world,
        json!({ "name": "Seemann Holding trading as Leuchtturm", "domain": "gmail.com" }),
    );
    let admin = world.admin();
    for (candidate, expected) in [
        (
            json!({ "website": "https://shop.hafen.example/de" }),
            "Hafen Logistik GmbH",
        ),
        (
            json!({ "email": "ines@mail.hafen.example" }),
            "Hafen Logistik GmbH",
        ),
        (
            json!({ "external_id": "crm-7", "name": "Anything" }),
            "Hafen Logistik GmbH",
        ),
        (json!({ "name": "HAFEN-LOGISTIK" }), "Hafen Logistik GmbH"),
        (
            json!({ "name": "nordwind reederei", "country": "DE" }),
            "Nordwind Reederei AG",
        ),
        (
            json!({ "name": "Leuchtturm" }),
            "Seemann Holding trading as Leuchtturm",
        ),
        (
            json!({ "name": "Leuchtturm", "email": "x@gmail.com" }),
            "Seemann Holding trading as Leuchtturm",
        ),
    ] {
        assert_eq!(certain(admin, candidate.clone()), [expected], "{candidate}");
    }
    for (candidate, expected, reason) in [
        (
            json!({ "name": "Hafn Logistik" }),
            "Hafen Logistik GmbH",
            "similar_spelling",
        ),
        (
            json!({ "name": "Nordwind Reederei", "country": "FR" }),
            "Nordwind Reederei AG",
            "other_country",
        ),
        (
            json!({ "name": "Nordwind Reederei GmbH" }),
            "Nordwind Reederei AG",
            "other_legal_form",
        ),
        (
            json!({ "name": "Hafen Logistik", "website": "other.example" }),
            "Hafen Logistik GmbH",
            "other_domain",
        ),
        (
            json!({ "name": "Walfisch", "website": "hafen.example" }),
            "Hafen Logistik GmbH",
            "other_name",
        ),
    ] {
        let found = matched(admin, candidate.clone());
        let [(name, is_certain, reasons)] = found.as_slice() else {
            panic!("{candidate}: {found:?}");
        };
        assert!(
            name == expected && !is_certain && reasons.iter().any(|one| one == reason),
            "{candidate}: {found:?}"
        );
    }
    for unknown in [
        json!({ "name": "Walfisch Tiefsee" }),
        json!({ "email": "seemann@gmail.com" }),
        json!({ "website": "co.uk" }),
        json!({ "external_id": "crm-8" }),
        json!({ "name": "' OR true -- %_\\" }),
        json!({ "name": "😀 ﷺ \u{202e}!" }),
        json!({ "name": "Ж".repeat(255) }),
    ] {
        assert_eq!(matched(admin, unknown.clone()), [], "{unknown}");
    }
    let country = json!({ "country": "DE" });
    admin
        .post("/v1/accounts/match", country)
        .refused(422, "validation_failed")
        .pointer("/name", "required");
    admin
        .post("/v1/accounts/match", json!({}))
        .refused(422, "validation_failed");
}

#[test]
fn several_of_one_name_are_not_decided_by_it() {
    let world = World::new();
    account(&world, json!({ "name": "Palmgarten" }));
    assert_eq!(
        certain(world.admin(), json!({ "name": "Palmgarten" })),
        ["Palmgarten"]
    );
    account(&world, json!({ "name": "Palmgarten (Bremen)" }));
    assert_eq!(
        certain(world.admin(), json!({ "name": "Palmgarten" })),
        [] as [&str; 0]
    );
    assert_eq!(matched(world.admin(), json!({ "name": "Palmgarten" })).len(), 2);
}

#[test]
fn keys_follow_the_account_whoever_writes_it() {
    let world = World::new();
    let admin = world.admin();
    let id = account(
        &world,
        json!({ "name": "Hafen Logistik", "domain": "hafen.example" }),
    );
    let path = format!("/v1/accounts/{id}");
    admin
        .patch(
            &path,
            json!({ "name": "Walfisch Tiefsee", "domain": "wal.example" }),
        )
        .expect(200);
    assert_eq!(matched(admin, json!({ "name": "Hafen Logistik" })), []);
    assert_eq!(matched(admin, json!({ "website": "hafen.example" })), []);
    assert_eq!(
        certain(admin, json!({ "website": "wal.example" })),
        ["Walfisch Tiefsee"]
    );

    let fields = json!({
        "external_id": { "column": "id" }, "name": { "column": "name" }, "domain": { "column": "domain" }
    });
    let mapping = json!({ "fields": fields });
    let import = |file: &str| load(&world, "accounts", &mapping, &[], file);
    import("id,name,domain\nA,Leuchtturm GmbH,\nB,Nordwind,nordwind.example\n");
    assert_eq!(
        certain(admin, json!({ "name": "leuchtturm" })),
        ["Leuchtturm GmbH"]
    );
    import("id,name,domain\nB,Südwind,suedwind.example\n");
    assert_eq!(matched(admin, json!({ "website": "nordwind.example" })), []);
    assert_eq!(certain(admin, json!({ "name": "Sudwind" })), ["Südwind"]);

    let mut owner = world.database().owner();
    owner
        .batch_execute(
            "UPDATE accounts SET name = 'Seestern' WHERE external_id = 'B';
             INSERT INTO accounts SELECT organization_id, gen_random_uuid(), 'C', 'Muschelkalk', NULL, NULL, 1, now(), now()
             FROM accounts WHERE external_id = 'B'",
        )
        .unwrap();
    assert_eq!(matched(admin, json!({ "name": "Muschelkalk" })), []);
    world.work();
    assert_eq!(certain(admin, json!({ "name": "Muschelkalk" })), ["Muschelkalk"]);
    assert_eq!(certain(admin, json!({ "name": "Seestern" })), ["Seestern"]);
    assert_eq!(matched(admin, json!({ "name": "Südwind" })), []);
    let unmade = "SELECT count(*) AS count FROM account_match_keys WHERE key_version = 0";
    assert_eq!(count(&mut owner, unmade), 0);
}

/// Four hundred companies with a word in common, and as many with another.
const NAMESAKES: &str = "INSERT INTO accounts (organization_id, id, name, row_version, created_at, updated_at) \
        SELECT o.organization_id, gen_random_uuid(), w.word || ' ' || translate(n::text, '0123456789', 'abcdefghij'), 1, now(), \
            now() \
        FROM (SELECT organization_id FROM accounts LIMIT 1) o, unnest(ARRAY['Konstantinopel', 'Reederei']) w (word), \
            generate_series(1, 400) n; \
    UPDATE account_match_keys k SET core = lower(a.name), name_key = replace(lower(a.name), ' ', ''), compared = true, \
        key_version = (SELECT max(key_version) FROM account_match_keys) \
    FROM accounts a WHERE a.id = k.account_id AND k.key_version = 0";

#[test]
fn a_word_that_very_many_have_is_no_way_to_find_one_of_them() {
    let world = World::new();
    let id = account(&world, json!({ "name": "Konstantinopel Reederei" }));
    let partner = world.partner("Nordlicht");
    let deal = json!({
        "name": "Deal", "account_id": id, "partner_id": partner, "opened_on": "2026-01-02",
        "amount": { "amount": "1.00", "currency": "EUR" }
    });
    world.admin().post("/v1/deals", deal).expect(201);
    let partners = world.full_partner_key(&partner);
    let (one_slip, two_slips) = (
        json!({ "name": "Konstantinopel Reederey GmbH" }),
        json!({ "name": "Konstantinopel Rederey GmbH" }),
    );
    for candidate in [&one_slip, &two_slips] {
        assert_eq!(matched(world.admin(), candidate.clone()).len(), 1, "{candidate}");
    }
    world.database().owner().batch_execute(NAMESAKES).unwrap();
    assert_eq!(matched(world.admin(), two_slips.clone()), []);
    assert_eq!(matched(world.admin(), one_slip).len(), 1);
    // Two such words together are no longer what very many have.
    let both = matched(world.admin(), json!({ "name": "Konstantinopel Reederei Nord" }));
    assert_eq!(both.len(), 1, "{both:?}");
    // The same own words are found, however many have the word.
    account(&world, json!({ "name": "Konstantinopel Deutschland" }));
    let same = matched(world.admin(), json!({ "name": "Konstantinopel" }));
    assert_eq!(same.len(), 1, "{same:?}");
    // Among the few that a partner sees, the word tells enough.
    assert_eq!(matched(&partners, two_slips).len(), 1);
}

#[test]
fn keys_of_another_making_are_made_anew() {
    let world = World::new();
    account(&world, json!({ "name": "Hafen Logistik" }));
    let mut owner = world.database().owner();
    owner
        .batch_execute("UPDATE account_match_keys SET name_key = 'old', core = 'old', key_version = 0")
        .unwrap();
    assert_eq!(matched(world.admin(), json!({ "name": "Hafen Logistik" })), []);
    world.work();
    assert_eq!(
        certain(world.admin(), json!({ "name": "Hafen Logistik" })),
        ["Hafen Logistik"]
    );
}

#[test]
fn nobody_is_told_of_accounts_beyond_their_sight() {
    let world = World::new();
    let secret = json!({ "name": "Geheim Werke", "domain": "geheim.example", "external_id": "crm-1" });
    account(&world, secret);
    let open = account(
        &world,
        json!({ "name": "Offen Werke", "domain": "offen.example", "external_id": "crm-2" }),
    );
    let partner = world.partner("Nordlicht");
    let deal = json!({
        "name": "Deal", "account_id": open, "partner_id": partner, "opened_on": "2026-01-02",
        "amount": { "amount": "1.00", "currency": "EUR" }
    });
    world.admin().post("/v1/deals", deal).expect(201);
    let partners = world.full_partner_key(&partner);
    let stranger = world.full_partner_key(&world.partner("Fremd"));
    let foreign = world.second_organization();
    for candidate in [
        json!({ "name": "Geheim Werke" }),
        json!({ "name": "Geheim Werk" }),
        json!({ "website": "geheim.example" }),
        json!({ "external_id": "crm-1" }),
    ] {
        assert_eq!(matched(world.admin(), candidate.clone()).len(), 1, "{candidate}");
        for who in [&partners, &stranger, &foreign.admin] {
            let reply = who.post("/v1/accounts/match", candidate.clone()).expect(200);
            assert_eq!(reply.body, json!({ "matches": [] }), "{candidate}");
        }
    }
    let known = json!({ "name": "Offen Werke", "website": "offen.example" });
    assert_eq!(certain(&partners, known.clone()), ["Offen Werke"]);
    assert_eq!(matched(&stranger, known.clone()), []);
    assert_eq!(matched(&foreign.admin, known), []);
}
