//! Which account a converted referral comes to.

use super::{PATH, Stage};
use crate::world::{Reply, money};
use serde_json::{Value, json};

impl Stage {
    /// A lead that was accepted and is converted so.
    #[track_caller]
    fn converted(&self, lead: Value, more: Value) -> Reply {
        let id = self.submit(lead).expect(201).id();
        self.verb(&id, "accept").expect(200);
        let mut body = json!({ "amount": money("100.00 EUR") });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.world.admin().post(&format!("{PATH}/{id}/convert"), body)
    }

    /// The account of the deal that a lead became.
    #[track_caller]
    fn account_of(&self, lead: Value) -> String {
        let converted = self.converted(lead, json!({})).expect(200);
        let path = format!("/v1/deals/{}", converted.text("/deal_id"));
        let deal = self.world.admin().get(&path).expect(200);
        deal.text("/account_id").to_owned()
    }

    fn suggested(&self) -> Vec<Value> {
        self.world.admin().all("/v1/account-matches?status=suggested")
    }
}

#[test]
fn two_spellings_of_one_company_come_to_one_account() {
    let stage = Stage::new();
    let first = json!({ "company_name": "Hafen Logistik GmbH", "country": "DE" });
    let account = stage.account_of(first);
    let known = stage
        .world
        .admin()
        .get(&format!("/v1/accounts/{account}"))
        .expect(200);
    assert_eq!(known["country"], "DE");
    for lead in [
        json!({ "company_name": "HAFEN-LOGISTIK G.m.b.H.", "country": "DE" }),
        json!({ "company_name": "hafen logistik" }),
    ] {
        assert_eq!(stage.account_of(lead), account);
    }
    assert_eq!(stage.world.admin().all("/v1/accounts").len(), 1);
    assert_eq!(stage.world.admin().all("/v1/deals").len(), 3);
    assert!(stage.suggested().is_empty());
}

#[test]
fn a_domain_decides_whatever_the_name_and_an_account_that_was_merged_stands_for_none() {
    let stage = Stage::new();
    let lead = |name: &str, domain: &str| json!({ "company_name": name, "company_domain": domain });
    let account = stage.account_of(lead("Hafen Logistik", "hafen.example"));
    assert_eq!(
        stage.account_of(lead("Seemann Holding", "www.hafen.example")),
        account
    );
    let survivor = stage.account_of(lead("Nordwind Reederei", "nordwind.example"));
    let merge = json!({ "account_id": account, "survivor_id": survivor, "reason": "One company." });
    stage.world.admin().post("/v1/account-merges", merge).expect(201);
    assert_eq!(
        stage.account_of(lead("Hafen Logistik", "hafen.example")),
        survivor
    );
}

#[test]
fn a_company_that_is_merely_alike_is_a_new_account_and_waits_for_a_person() {
    let stage = Stage::new();
    let account = stage.account_of(json!({ "company_name": "Hafen Logistik GmbH", "country": "DE" }));
    let alike = stage.account_of(json!({ "company_name": "Hafen Logistik GmbH", "country": "AT" }));
    assert_ne!(alike, account);
    let pairs = stage.suggested();
    assert_eq!(pairs.len(), 1, "without the worker");
    let mut pair = [&pairs[0]["account_id"], &pairs[0]["other_account_id"]].map(|id| id.as_str().unwrap());
    let mut expected = [account.as_str(), alike.as_str()];
    pair.sort_unstable();
    expected.sort_unstable();
    assert_eq!(pair, expected);
    let other = stage.account_of(json!({ "company_name": "Leuchtturm Werft" }));
    assert_ne!(other, account);
    assert_eq!(stage.suggested().len(), 1);
}

#[test]
fn the_same_deal_of_the_crm_in_two_spellings_is_made_once() {
    let stage = Stage::new();
    let key = json!({ "deal_external_id": "crm-7" });
    let first = json!({ "company_name": "Hafen Logistik GmbH", "company_domain": "hafen.example" });
    stage.converted(first, key.clone()).expect(200);
    stage
        .converted(json!({ "company_name": "HAFEN-LOGISTIK" }), key)
        .refused(409, "external_id_taken");
    let admin = stage.world.admin();
    assert_eq!(
        (admin.all("/v1/deals").len(), admin.all("/v1/accounts").len()),
        (1, 1)
    );
    assert_eq!(admin.all("/v1/attributions").len(), 1);
    assert_eq!(admin.all(&format!("{PATH}?status=accepted")).len(), 1);
}

#[test]
fn a_registration_of_the_same_company_meets_the_deal_of_the_lead() {
    let stage = Stage::new();
    let account = stage.account_of(json!({ "company_name": "Hafen Logistik GmbH" }));
    let rival = stage.world.enrolled("Alster", &stage.program);
    let rival = stage.world.full_partner_key(&rival);
    let body =
        json!({ "program_id": stage.program, "account_name": "Hafen-Logistik", "amount": money("1.00 EUR") });
    rival.post("/v1/deal-registrations", body);
    let claims = stage.world.admin().all("/v1/deal-registrations");
    assert_eq!((claims.len(), &claims[0]["account_id"]), (1, &json!(account)));
}
