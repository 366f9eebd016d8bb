//! One organization and what is in it.

use super::super::sight::{look, prefix};
use super::{HIDDEN, KEPT, SHOWN, Secrets};
use crate::world::{AUDIENCE, Actor, ProviderKey, Reply, World, money};
use copartner::kernel::permission::Permission;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One organization while it is being furnished.
pub(super) struct House<'w> {
    pub(super) world: &'w World,
    pub(super) admin: &'w Actor,
    pub(super) letter: &'static str,
    pub(super) program: String,
    pub(super) family: String,
    pub(super) step: String,
    /// What a partner's people hold.
    pub(super) role: String,
}

/// A partner, its key, and what came with it.
pub(super) struct Member {
    pub(super) id: String,
    pub(super) mark: String,
    pub(super) actor: Actor,
    pub(super) secrets: Secrets,
    /// Ids of what comes with a deal that is hidden from those above.
    pub(super) hidden: BTreeSet<String>,
}

impl Member {
    /// What whoever is above this partner must not meet: money, people, and what is hidden.
    pub(super) fn kept(&self) -> Secrets {
        let is_kept = |id: &&String| !SHOWN.contains(&prefix(id)) || self.hidden.contains(*id);
        let marks = [KEPT, HIDDEN].map(|ending| format!("{}{ending}", self.mark));
        let texts = self.secrets.texts.iter();
        let texts = texts.filter(|text| marks.iter().any(|mark| text.contains(mark)));
        Secrets {
            ids: self.secrets.ids.iter().filter(is_kept).cloned().collect(),
            texts: texts.cloned().collect(),
            marks: marks.into(),
            keys: BTreeMap::new(),
        }
    }
}

impl<'w> House<'w> {
    pub(super) fn new(world: &'w World, admin: &'w Actor, letter: &'static str) -> Self {
        let mut house = Self {
            world,
            admin,
            letter,
            program: String::new(),
            family: String::new(),
            step: String::new(),
            role: String::new(),
        };
        let mark = house.mark(0);
        house.program = house.program(&mark);
        house.family = house.make("product-families", &mark, json!({}));
        house.step = house.make("pipeline-stages", &mark, json!({ "position": 10 }));
        for rate in super::rates() {
            house.admin.post("/v1/exchange-rates", rate).expect(201);
        }
        house
            .admin
            .post(
                "/v1/api-keys",
                json!({ "name": mark, "permissions": ["deals:read"] }),
            )
            .expect(201);
        let role = json!({ "name": mark, "for_partners": false, "permissions": ["deals:read"] });
        let role = house.admin.post("/v1/roles", role).expect(201).id();
        let user = house.user(&mark, json!({ "role_ids": [role] }));
        let routes = json!({ "routes": [{ "owner_ids": [user] }] });
        let path = format!("/v1/programs/{}/referral-routes", house.program);
        house.admin.patch(&path, routes).expect(200);
        let key = json!({ "name": mark, "permissions": ["deals:read"], "owner_id": user });
        house.admin.post("/v1/api-keys", key).expect(201);
        house.provider(&mark, json!({}));
        house.admin.post("/v1/sessions", json!({})).expect(201);
        let role = json!({
            "name": format!("{mark} for partners"), "for_partners": true, "permissions": ["deals:read"]
        });
        house.role = house.admin.post("/v1/roles", role).expect(201).id();
        house
    }

    /// A person.
    pub(super) fn user(&self, mark: &str, more: Value) -> String {
        let email = format!("{mark}@foil.example");
        let mut body = json!({ "name": mark, "external_id": format!("{mark}-user"), "email": email });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.admin.post("/v1/users", body).expect(201).id()
    }

    /// Somebody who came from an identity provider of their own.
    pub(super) fn provider(&self, mark: &str, more: Value) -> Actor {
        let key = ProviderKey::ed25519(mark, 7);
        let issuer = format!("https://{mark}.example");
        let mut body = json!({
            "name": mark, "issuer": issuer, "audiences": [AUDIENCE], "jwks": { "keys": [key.public()] }
        });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.admin.post("/v1/identity-providers", body).expect(201);
        let now = self.world.clock.now();
        let token = key.sign(&json!({
            "iss": issuer, "aud": AUDIENCE, "sub": mark, "email": format!("{mark}@foil.example"),
            "email_verified": true, "exp": now.timestamp() + 86_400
        }));
        let actor = self.world.bearer(&token);
        actor.get("/v1/me").expect(200);
        actor
    }

    /// A partner's admin who comes with a token of the partner's identity provider, and may do what its keys may.
    fn signed_in(&self, partner: &str, mark: &str) -> Actor {
        let roles = self.admin.all("/v1/roles");
        let role = roles.iter().find(|role| role["built_in"] == "partner_admin");
        let mark = format!("{mark}-admin");
        let person = json!({ "partner_id": partner, "role_ids": [role.unwrap()["id"]] });
        self.user(&mark, person);
        self.provider(&mark, json!({ "partner_id": partner }))
    }

    pub(super) fn mark(&self, number: usize) -> String {
        format!("foil-{}{number}", self.letter)
    }

    /// Creates a record with a name and a key of its owner's mark; its id.
    #[track_caller]
    pub(super) fn make(&self, resource: &str, mark: &str, more: Value) -> String {
        let mut body =
            json!({ "name": format!("{mark} {resource}"), "external_id": format!("{mark}-{resource}") });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.admin
            .post_once(&format!("/v1/{resource}"), body)
            .expect(201)
            .id()
    }

    /// A program that pays a tenth at once.
    pub(super) fn program(&self, mark: &str) -> String {
        let settings = json!({
            "motion": "reseller", "commission_approval": "automatic", "minimum_payouts": [money("5.00 EUR")]
        });
        let program = self.make("programs", mark, settings);
        let terms = json!({
            "formula": { "type": "percentage", "rate": "0.1" }, "hold_days": 0,
            "limits": { "period_cap": { "period": "year", "amounts": [{ "amount": "1000000.00", "currency": "USD" }] } },
            "effective_from": "2020-01-01T00:00:00Z"
        });
        let rule = json!({ "program_id": program, "terms": terms });
        let rule = self.make("commission-rules", mark, rule);
        let versions = self
            .admin
            .all(&format!("/v1/commission-rule-versions?commission_rule_id={rule}"));
        let version = format!(
            "/v1/commission-rule-versions/{}",
            versions[0]["id"].as_str().unwrap()
        );
        let current = self.admin.get(&version).expect(200);
        let activate = self.admin.ask("POST", &format!("{version}/activate"));
        activate
            .header("If-Match", current.header("etag"))
            .send()
            .expect(200);
        let terms = json!({
            "formula": { "type": "percentage", "rate": "0.2" }, "hold_days": 0, "effective_from": "2030-01-01T00:00:00Z"
        });
        self.admin
            .post(
                &format!("/v1/commission-rules/{rule}/versions"),
                json!({ "terms": terms }),
            )
            .expect(201);
        let terms = json!({ "version": mark, "document_url": format!("https://{mark}.example/terms") });
        let path = format!("/v1/programs/{program}/terms");
        self.admin.post(&path, terms).expect(201);
        let asked = json!({ "key": "why", "label": format!("{mark} asks why"), "type": "text" });
        let rules = json!({ "qualification_fields": [asked] });
        self.admin
            .patch(&format!("/v1/programs/{program}/deal-rules"), rules)
            .expect(200);
        program
    }

    /// A partner with everything that is its own.
    pub(super) fn member(&self, number: usize, parent: Option<&str>) -> Member {
        let before = look(self.admin).ids;
        let mark = self.mark(number);
        let mut body = json!({ "domain": format!("{mark}.example") });
        if let Some(parent) = parent {
            body["parent_id"] = json!(parent);
        }
        let id = self.make("partners", &mark, body);
        self.admin.act(&format!("/v1/partners/{id}/approve")).expect(200);
        for program in [self.program.clone(), self.program(&mark)] {
            let body = json!({
                "partner_id": id, "program_id": program, "tier": mark, "terms_version": mark,
                "external_id": format!("{mark}-{program}")
            });
            let enrollment = self.admin.post("/v1/enrollments", body).expect(201).id();
            self.admin
                .act(&format!("/v1/enrollments/{enrollment}/activate"))
                .expect(200);
            let terms = self.admin.all(&format!("/v1/program-terms?program_id={program}"));
            let accept = format!("/v1/program-terms/{}/accept", terms[0]["id"].as_str().unwrap());
            let body = json!({ "enrollment_id": enrollment });
            self.admin.post(&accept, body).expect(200);
            self.tiers(&program, &enrollment, &mark);
        }
        let people = format!("{mark}{KEPT}");
        let actor = self.key(&id, &people);
        self.user(&people, json!({ "partner_id": id, "role_ids": [self.role] }));
        self.provider(&people, json!({ "partner_id": id }));
        let session = json!({ "refreshable": true });
        actor.post("/v1/sessions", session).expect(201);
        let actor = if number == 2 {
            self.signed_in(&id, &people)
        } else {
            actor
        };
        self.money_by_hand(&id, &people);
        self.referrals(&id, &mark);
        self.links(&id, &people);
        self.contacts(&id, &people);
        self.sale(&mark, &[(&id, "sourced")], "1000.00 USD");
        self.sale(&format!("{mark}-small"), &[(&id, "sourced")], "10.00 EUR");
        self.dispute(&id, &people);
        self.claims(&id, &mark);
        let ask = json!({ "program_id": self.program, "account_domain": format!("{mark}.example") });
        actor.post("/v1/deal-registrations/precheck", ask).expect(200);
        let secret = format!("{mark}{HIDDEN}");
        let above = look(self.admin).ids;
        self.hidden_lead(&id, &secret);
        self.sale(&secret, &[(&id, "sourced")], "20.00 EUR");
        let hidden: BTreeSet<String> = look(self.admin).ids.difference(&above).cloned().collect();
        for deal in hidden.iter().filter(|id| prefix(id) == "deal") {
            let body = json!({ "hidden_from_parent": true });
            self.admin.patch(&format!("/v1/deals/{deal}"), body).expect(200);
        }
        let seen = look(self.admin);
        let secrets = Secrets {
            ids: seen.ids.difference(&before).cloned().collect(),
            marks: BTreeSet::from([mark.clone()]),
            texts: seen
                .texts
                .into_iter()
                .filter(|text| text.contains(&mark))
                .collect(),
            keys: BTreeMap::new(),
        };
        Member {
            id,
            mark,
            actor,
            secrets,
            hidden,
        }
    }

    /// Ways to be paid, and amounts given and taken: of each one that counts and one that is proposed.
    pub(super) fn money_by_hand(&self, partner: &str, mark: &str) {
        let organization = self.admin.get("/v1/organization").expect(200).id();
        let permissions = ["payout_methods:confirm", "adjustments:approve"];
        let second = self
            .world
            .another_hand_in(organization.parse().unwrap(), &permissions);
        for (number, confirmed) in [(1, true), (2, false)] {
            let body = json!({
                "partner_id": partner, "currency": "EUR", "kind": "manual", "instruction": format!("{mark} {number}")
            });
            let method = self.admin.post("/v1/payout-methods", body).expect(201).id();
            let body = json!({
                "external_id": format!("{mark}-adjustment-{number}"), "partner_id": partner,
                "program_id": self.program, "amount": money("-1.00 USD"), "reason_code": "other", "reason": mark
            });
            let adjustment = self.admin.post_once("/v1/adjustments", body).expect(201).id();
            if confirmed {
                second
                    .act(&format!("/v1/payout-methods/{method}/confirm"))
                    .expect(200);
                let approve = format!("/v1/adjustments/{adjustment}/approve");
                second.post_once(&approve, Value::Null).expect(200);
            }
        }
    }

    /// A claim that is protected, with what is said about it and a request for more time, and a draft.
    fn claims(&self, partner: &str, mark: &str) {
        let claim = |number: u32| {
            json!({
                "program_id": self.program, "partner_id": partner, "account_name": mark, "draft": number == 2,
                "account_domain": format!("{mark}-claim-{number}.example"), "amount": money("10.00 USD"),
                "external_id": format!("{mark}-claim-{number}")
            })
        };
        let path = "/v1/deal-registrations";
        self.admin.post(path, claim(2)).expect(201);
        let id = self.admin.post(path, claim(1)).expect(201).id();
        self.admin.act(&format!("{path}/{id}/approve")).expect(200);
        let body = json!({ "evidence": mark });
        self.admin
            .post(&format!("{path}/{id}/extensions"), body)
            .expect(200);
        let body = json!({ "body": mark });
        self.admin
            .post(&format!("{path}/{id}/comments"), body)
            .expect(200);
    }

    /// Claims of all to one account, between which nobody has decided.
    pub(super) fn contest(&self, members: &[Member; 3]) {
        let rules = json!({ "second_registrant": "queue" });
        let path = format!("/v1/programs/{}/deal-rules", self.program);
        self.admin.patch(&path, rules).expect(200);
        for member in members {
            let body = json!({
                "program_id": self.program, "partner_id": member.id, "account_name": member.mark,
                "account_domain": format!("{}-contested.example", self.mark(0)), "amount": money("10.00 USD"),
                "external_id": format!("{}-contested", member.mark), "hidden_from_parent": true
            });
            self.admin.post("/v1/deal-registrations", body).expect(201);
        }
    }

    /// Two accounts that may be one, and two that a person says are: a deal of the one went to the other.
    pub(super) fn twins(&self) {
        let mark = self.mark(0);
        let account = |name: &str| {
            let body = json!({ "name": format!("{mark} {name}") });
            self.admin.post("/v1/accounts", body).expect(201).id()
        };
        account("Hafen Logistik");
        account("Hafn Logistik");
        let (account, survivor) = (account("Leuchtturm"), account("Walfisch"));
        let deal = json!({ "account_id": account, "amount": money("1.00 USD"), "opened_on": "2026-01-02" });
        self.make("deals", &format!("{mark}-moved"), deal);
        let body = json!({ "account_id": account, "survivor_id": survivor, "reason": mark });
        self.admin.post("/v1/account-merges", body).expect(201);
    }

    pub(super) fn key(&self, partner: &str, mark: &str) -> Actor {
        let open = Permission::ALL
            .iter()
            .filter(|permission| permission.open_to_partners());
        let names: Vec<&str> = open.map(|permission| permission.name()).collect();
        let body = json!({ "name": mark, "permissions": names, "partner_id": partner });
        let key = self.admin.post("/v1/api-keys", body).expect(201);
        self.world.bearer(key.text("/secret"))
    }

    /// A deal that is won, invoiced, paid, and partly refunded and credited; another one that is still open.
    pub(super) fn sale(&self, mark: &str, credits: &[(&str, &str)], amount: &str) {
        let account = self.make("accounts", mark, json!({ "domain": format!("{mark}.example") }));
        let mut body = json!({
            "account_id": account, "program_id": self.program, "product_family_id": self.family,
            "stage_id": self.step, "amount": money(amount), "opened_on": "2026-01-02"
        });
        if let [(partner, _)] = credits {
            body["partner_id"] = json!(partner);
        }
        let deal = self.make("deals", mark, body.clone());
        self.make("deals", &format!("{mark}-open"), body);
        let mut given = Vec::new();
        for (partner, role) in credits {
            let touch = json!({
                "deal_id": deal, "partner_id": partner, "kind": "demo", "occurred_at": "2026-01-03T12:00:00Z",
                "contact": mark, "note": mark, "external_id": format!("{mark}-touch-{role}")
            });
            let touch = self.admin.post("/v1/touchpoints", touch).expect(201).id();
            let body = json!({
                "deal_id": deal, "partner_id": partner, "role": role, "share_basis_points": 10_000,
                "confirm": true, "external_id": format!("{mark}-{role}"), "touchpoint_ids": [touch]
            });
            given.push(self.admin.post("/v1/attributions", body).expect(201).id());
        }
        let won = json!({ "won_at": "2026-01-05T12:00:00Z" });
        self.admin.post(&format!("/v1/deals/{deal}/win"), won).expect(200);
        self.bill(mark, &deal, amount);
        // Of what two partners share, the second one's part is corrected, which changes nothing that was earned.
        if let [_, second] = given.as_slice() {
            let body = json!({ "reason": mark, "share_basis_points": 9_999 });
            let path = format!("/v1/attributions/{second}/correct");
            self.admin.post_once(&path, body).expect(200);
        }
    }

    pub(super) fn bill(&self, mark: &str, deal: &str, amount: &str) {
        let (net, currency) = amount.split_once(' ').unwrap();
        let line = json!({ "net": net, "description": mark, "product_family_id": self.family });
        let body = json!({
            "external_id": format!("{mark}-invoice"), "deal_id": deal, "currency": currency,
            "issued_on": "2026-01-06", "lines": [line]
        });
        let invoice = self.admin.post("/v1/invoices", body).expect(201).id();
        let now = self.world.clock.now();
        let most = format!(
            "{}.00 {currency}",
            net.split('.').next().unwrap().parse::<u32>().unwrap() - 5
        );
        let body =
            json!({ "external_id": format!("{mark}-payment"), "amount": money(&most), "paid_at": now });
        let path = format!("/v1/invoices/{invoice}/payments");
        let payment = self.admin.post_once(&path, body).expect(201).id();
        let body = json!({
            "external_id": format!("{mark}-refund"), "kind": "refund", "amount": money(&format!("1.00 {currency}")),
            "refunded_at": now, "reason": mark
        });
        let path = format!("/v1/payments/{payment}/refunds");
        self.admin.post_once(&path, body).expect(201);
        let body = json!({
            "external_id": format!("{mark}-credit-note"), "deal_id": deal, "invoice_id": invoice,
            "amount": money(&format!("2.00 {currency}")), "issued_at": now, "reason": mark
        });
        self.admin.post_once("/v1/credit-notes", body).expect(201);
    }

    /// A run that paid one partner and failed for the other, and the draft of the next.
    pub(super) fn pay_out(&self, members: &[Member; 3]) {
        let names = [
            "payout_runs:read",
            "payout_runs:approve",
            "payout_runs:process",
            "payouts:confirm",
        ];
        let body = json!({ "name": self.mark(0), "permissions": names });
        let key = self.admin.post("/v1/api-keys", body).expect(201);
        let second = self.world.bearer(key.text("/secret"));
        let body = json!({ "name": self.mark(0), "permissions": ["payout_runs:write"] });
        let key = self.admin.post("/v1/api-keys", body).expect(201);
        let first = self.world.bearer(key.text("/secret"));
        let body = |number: u32| {
            json!({
                "external_id": format!("{}-run-{number}", self.mark(0)), "cut_off_at": self.world.clock.now(),
                "rail": "manual"
            })
        };
        let run = first.post_once("/v1/payout-runs", body(1)).expect(201).id();
        for verb in ["approve", "process"] {
            let current = self.admin.get(&format!("/v1/payout-runs/{run}")).expect(200);
            let ask = second.ask("POST", &format!("/v1/payout-runs/{run}/{verb}"));
            ask.header("Idempotency-Key", verb)
                .header("If-Match", current.header("etag"))
                .send()
                .expect(200);
        }
        for payout in self.admin.all(&format!("/v1/payouts?payout_run_id={run}")) {
            let of = |member: &&Member| payout["partner_id"] == member.id.as_str();
            let mark = &members.iter().find(of).unwrap().mark;
            let path = format!("/v1/payouts/{}", payout["id"].as_str().unwrap());
            if payout["partner_id"] == members[0].id.as_str() {
                second
                    .post_once(&format!("{path}/confirm"), json!({ "reference": mark }))
                    .expect(200);
            } else {
                second
                    .post_once(&format!("{path}/fail"), json!({ "reason": mark }))
                    .expect(200);
            }
        }
        self.admin.post_once("/v1/payout-runs", body(2)).expect(201);
    }

    /// A file of which one row is taken and one refused.
    pub(super) fn import(&self) {
        let mark = self.mark(0);
        let file = format!("ref,name\n{mark}-row,{mark}\n{mark}-bad,\n");
        let fields = json!({ "external_id": { "column": "ref" }, "name": { "column": "name" } });
        let queued = import(self.admin, "accounts", &json!({ "fields": fields }), &file);
        queued.expect(202);
    }
}

/// Uploads a file.
pub fn import(actor: &Actor, resource: &str, mapping: &Value, file: &str) -> Reply {
    let part = |name: &str, text: &str| {
        format!("--edge\r\nContent-Disposition: form-data; {name}\r\n\r\n{text}\r\n")
    };
    let form = part("name=\"resource\"", resource)
        + &part("name=\"mapping\"", &mapping.to_string())
        + &part("name=\"file\"; filename=\"rows.csv\"", file)
        + "--edge--\r\n";
    let ask = actor.ask("POST", "/v1/imports");
    ask.bytes("multipart/form-data; boundary=edge", form.into_bytes())
        .send()
}
