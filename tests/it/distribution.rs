//! Who is above a partner sees what it does, unless it is hidden: down, never sideways, never up. It is held twice, and
//! each of the two alone is tried: the policies by SQL without any filter, the filters with the policies off.

use crate::world::{Actor, World, money, names};
use diesel::connection::SimpleConnection;
use diesel::{RunQueryDsl, sql_query};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::thread;

/// What is seen downwards. Every record's `external_id` is the name of the partner that it belongs to.
const SHOWN: [&str; 7] = [
    "partners",
    "programs",
    "enrollments",
    "accounts",
    "deals",
    "attributions",
    "referrals",
];
/// What is about money or people, and stays with the partner.
const KEPT: [&str; 7] = [
    "commissions",
    "clawbacks",
    "ledger-entries",
    "payouts",
    "events",
    "users",
    "api-keys",
];

/// Partners, each with one record of every kind.
struct Channel {
    world: World,
    callers: BTreeMap<&'static str, Actor>,
    /// The ids of records by kind and partner.
    ids: BTreeMap<(&'static str, &'static str), String>,
}

impl Channel {
    /// `top` above `middle` above `bottom`, `side` beside `bottom`, and `rival` above `foreign`.
    fn new() -> Self {
        let mut channel = Self {
            world: World::new(),
            callers: BTreeMap::new(),
            ids: BTreeMap::new(),
        };
        for (name, parent) in [
            ("top", None),
            ("middle", Some("top")),
            ("bottom", Some("middle")),
            ("side", Some("middle")),
            ("rival", None),
            ("foreign", Some("rival")),
        ] {
            channel.furnish(name, parent);
        }
        channel
    }

    fn id(&self, kind: &'static str, name: &'static str) -> &str {
        &self.ids[&(kind, name)]
    }

    fn make(&mut self, kind: &'static str, name: &'static str, mut body: Value) -> String {
        body["external_id"] = json!(name);
        let path = format!("/v1/{kind}");
        let id = self.world.admin().post(&path, body).expect(201).id();
        self.ids.insert((kind, name), id.clone());
        id
    }

    fn furnish(&mut self, name: &'static str, parent: Option<&'static str>) {
        let mut body = json!({ "name": name });
        if let Some(parent) = parent {
            body["parent_id"] = json!(self.id("partners", parent));
        }
        let partner = self.make("partners", name, body);
        let approve = format!("/v1/partners/{partner}/approve");
        self.world.admin().act(&approve).expect(200);
        let program = json!({ "name": name, "motion": "reseller", "commission_approval": "automatic" });
        let program = self.make("programs", name, program);
        self.world.rule(&program, "0.1", json!({}));
        let body = json!({ "partner_id": partner, "program_id": program });
        let enrollment = self.make("enrollments", name, body);
        let activate = format!("/v1/enrollments/{enrollment}/activate");
        self.world.admin().act(&activate).expect(200);
        let account = self.make("accounts", name, json!({ "name": name }));
        let deal = json!({
            "name": name, "account_id": account, "program_id": program, "partner_id": partner,
            "amount": money("100.00 EUR")
        });
        let deal = self.make("deals", name, deal);
        let credit = json!({
            "deal_id": deal, "partner_id": partner, "role": "sourced", "share_basis_points": 10_000, "confirm": true
        });
        self.make("attributions", name, credit);
        let lead = json!({ "partner_id": partner, "program_id": program, "company_name": name });
        self.make("referrals", name, lead);
        let caller = self.world.full_partner_key(&partner);
        self.callers.insert(name, caller);
    }

    /// Whose records of a kind a partner's caller is shown: by the list, and by asking for each one.
    #[track_caller]
    fn shown(&self, who: &str, kind: &'static str) -> Vec<String> {
        let caller = &self.callers[who];
        let own_keys = |record: Value| record["external_id"].as_str().map(str::to_owned);
        let listed: BTreeSet<String> = caller
            .all(&format!("/v1/{kind}"))
            .into_iter()
            .filter_map(own_keys)
            .collect();
        for ((_, name), id) in self.ids.iter().filter(|((of, _), _)| *of == kind) {
            let reply = caller.get(&format!("/v1/{kind}/{id}"));
            if listed.contains(*name) {
                reply.expect(200);
            } else {
                reply.refused(404, "not_found");
            }
        }
        listed.into_iter().collect()
    }

    /// Whose records of a table a statement without any filter finds in the scope of this partner.
    fn by_policy(&self, who: &'static str, kind: &str) -> Vec<String> {
        let uuid = format!(
            "SELECT id::text AS name FROM partners WHERE external_id = '{who}' AND organization_id = '{}'",
            self.world.home.id.uuid()
        );
        let uuid = names(&mut self.world.database().owner(), &uuid).join("");
        let mut service = self.world.database().service_role();
        let settings = format!(
            "SELECT set_config('copartner.organization_id', '{}', false), \
             set_config('copartner.partner_id', '{uuid}', false)",
            self.world.home.id.uuid()
        );
        service.batch_execute(&settings).unwrap();
        let query = format!("SELECT external_id AS name FROM {kind} ORDER BY 1");
        names(&mut service, &query)
    }

    /// Fails unless the partner sees these partners' records of these kinds, by the service and by the policies.
    #[track_caller]
    fn sees(&self, who: &'static str, kinds: &[&'static str], whose: &[&str]) {
        for kind in kinds {
            let mut expected = whose.to_vec();
            expected.sort_unstable();
            assert_eq!(self.shown(who, kind), expected, "{who} is shown {kind}");
            assert_eq!(
                self.by_policy(who, kind),
                expected,
                "{who} sees {kind} by the policies"
            );
        }
    }

    fn change(&self, kind: &'static str, name: &'static str, body: Value) {
        let path = format!("/v1/{kind}/{}", self.id(kind, name));
        self.world.admin().patch(&path, body).expect(200);
    }

    fn everybody_sees_what_they_should(&self) {
        self.sees("top", &SHOWN, &["top", "middle", "bottom", "side"]);
        self.sees("middle", &SHOWN, &["middle", "bottom", "side"]);
        self.sees("bottom", &SHOWN, &["bottom"]);
        self.sees("side", &SHOWN, &["side"]);
        self.sees("rival", &SHOWN, &["rival", "foreign"]);
        self.sees("foreign", &SHOWN, &["foreign"]);
    }
}

#[test]
fn it_is_seen_down_and_not_sideways_and_not_up() {
    Channel::new().everybody_sees_what_they_should();
}

#[test]
fn the_filters_hold_it_without_the_policies() {
    let channel = Channel::new();
    let mut owner = channel.world.database().owner();
    for table in SHOWN.iter().chain(&["partner_descendants"]) {
        owner
            .batch_execute(&format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"))
            .unwrap();
    }
    let shown = |who: &str, whose: &[&str]| {
        for kind in SHOWN {
            assert_eq!(channel.shown(who, kind), whose, "{who} is shown {kind}");
        }
    };
    shown("top", &["bottom", "middle", "side", "top"]);
    shown("bottom", &["bottom"]);
    shown("rival", &["foreign", "rival"]);
    channel.change("deals", "bottom", json!({ "hidden_from_parent": true }));
    channel.change("partners", "side", json!({ "hidden_from_parent": true }));
    for kind in ["deals", "accounts", "attributions"] {
        assert_eq!(channel.shown("middle", kind), ["middle"], "{kind}");
    }
    assert_eq!(channel.shown("middle", "partners"), ["bottom", "middle"]);
}

#[test]
fn a_hidden_partner_hides_all_of_it_from_all_above() {
    let channel = Channel::new();
    channel.change("partners", "bottom", json!({ "hidden_from_parent": true }));
    channel.sees("top", &SHOWN, &["top", "middle", "side"]);
    channel.sees("middle", &SHOWN, &["middle", "side"]);
    channel.sees("bottom", &SHOWN, &["bottom"]);
    // What is below somebody hidden would betray it.
    channel.change("partners", "bottom", json!({ "hidden_from_parent": false }));
    channel.change("partners", "middle", json!({ "hidden_from_parent": true }));
    channel.sees("top", &SHOWN, &["top"]);
    channel.sees("middle", &SHOWN, &["middle", "bottom", "side"]);
    channel.change("partners", "middle", json!({ "hidden_from_parent": false }));
    channel.everybody_sees_what_they_should();
}

#[test]
fn a_hidden_deal_hides_its_credits_and_its_account() {
    let channel = Channel::new();
    let hidden = ["deals", "accounts", "attributions"];
    channel.change("deals", "bottom", json!({ "hidden_from_parent": true }));
    for above in ["top", "middle"] {
        let all = channel.shown(above, "partners");
        let rest: Vec<&str> = all
            .iter()
            .map(String::as_str)
            .filter(|name| *name != "bottom")
            .collect();
        channel.sees(above, &hidden, &rest);
    }
    assert!(channel.shown("top", "enrollments").contains(&"bottom".to_owned()));
    channel.sees("bottom", &hidden, &["bottom"]);
    // Whoever has credit for it sees the deal, hidden or not; the others' credits stay hidden.
    let credit = json!({
        "deal_id": channel.id("deals", "bottom"), "partner_id": channel.id("partners", "top"), "role": "influenced",
        "share_basis_points": 100
    });
    channel.world.admin().post("/v1/attributions", credit).expect(201);
    let path = format!("/v1/deals/{}", channel.id("deals", "bottom"));
    channel.callers["top"].get(&path).expect(200);
    channel.callers["middle"].get(&path).refused(404, "not_found");
    let path = format!("/v1/attributions/{}", channel.id("attributions", "bottom"));
    channel.callers["top"].get(&path).refused(404, "not_found");
    channel.change("deals", "bottom", json!({ "hidden_from_parent": false }));
    channel.callers["middle"].get(&path).expect(200);
}

#[test]
fn a_hidden_lead_is_the_partners_own_and_so_is_one_that_became_a_hidden_deal() {
    let channel = Channel::new();
    let admin = channel.world.admin();
    let (top, bottom) = (&channel.callers["top"], &channel.callers["bottom"]);
    let lead = |more: Value| {
        let mut body = json!({ "program_id": channel.id("programs", "bottom"), "company_name": "Hansa" });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        bottom.post("/v1/referrals", body).expect(201).id()
    };
    let path = |id: &str| format!("/v1/referrals/{id}");
    let [hidden, kept] = [(); 2].map(|()| lead(json!({ "hidden_from_parent": true })));
    bottom.get(&path(&hidden)).expect(200);
    for above in ["middle", "top", "side"] {
        let caller = &channel.callers[above];
        caller.get(&path(&hidden)).refused(404, "not_found");
        caller
            .get(&format!("{}/history", path(&hidden)))
            .refused(404, "not_found");
        let withdraw = format!("{}/withdraw", path(&hidden));
        caller.post(&withdraw, json!({})).refused(404, "not_found");
    }
    // What is seen from above is moved by its partner alone.
    let shown = lead(json!({}));
    let history = top.get(&format!("{}/history", path(&shown))).expect(200);
    assert_eq!(history.data().len(), 1);
    let withdraw = format!("{}/withdraw", path(&shown));
    top.post(&withdraw, json!({})).refused(403, "permission_denied");
    let listed = top.all(&format!(
        "/v1/referrals?partner_id={}",
        channel.id("partners", "bottom")
    ));
    assert!(listed.iter().any(|one| one["id"] == shown.as_str()));
    assert!(listed.iter().all(|one| one["id"] != hidden.as_str()));
    // The deal of a hidden lead is hidden too; and a deal that is hidden later takes its lead along.
    for id in [&hidden, &shown] {
        admin.act(&format!("{}/accept", path(id))).expect(200);
        let body = json!({ "amount": money("100.00 EUR") });
        admin.post(&format!("{}/convert", path(id)), body).expect(200);
    }
    let deal = |id: &str| admin.get(&path(id)).text("/deal_id").to_owned();
    top.get(&format!("/v1/deals/{}", deal(&hidden)))
        .refused(404, "not_found");
    top.get(&format!("/v1/deals/{}", deal(&shown))).expect(200);
    top.get(&path(&shown)).expect(200);
    let hide = json!({ "hidden_from_parent": true });
    admin
        .patch(&format!("/v1/deals/{}", deal(&shown)), hide)
        .expect(200);
    top.get(&path(&shown)).refused(404, "not_found");
    let mut owner = channel.world.database().owner();
    let off = "ALTER TABLE referrals DISABLE ROW LEVEL SECURITY; ALTER TABLE referral_moves DISABLE ROW LEVEL SECURITY";
    owner.batch_execute(off).unwrap();
    for id in [&hidden, &shown, &kept] {
        top.get(&path(id)).refused(404, "not_found");
        top.get(&format!("{}/history", path(id)))
            .refused(404, "not_found");
        bottom.get(&path(id)).expect(200);
    }
}

#[test]
fn a_credit_alone_shows_a_deal_to_those_above() {
    let channel = Channel::new();
    let credit = json!({
        "deal_id": channel.id("deals", "foreign"), "partner_id": channel.id("partners", "bottom"),
        "role": "influenced", "share_basis_points": 100
    });
    let credit = channel
        .world
        .admin()
        .post("/v1/attributions", credit)
        .expect(201)
        .id();
    let path = format!("/v1/deals/{}", channel.id("deals", "foreign"));
    for above in ["bottom", "middle", "top"] {
        channel.callers[above].get(&path).expect(200);
    }
    channel.callers["side"].get(&path).refused(404, "not_found");
    channel.callers["rival"]
        .get(&format!("/v1/attributions/{credit}"))
        .refused(404, "not_found");
    let reject = format!("/v1/attributions/{credit}/reject");
    let reason = json!({ "reason": "Nothing was done." });
    channel.world.admin().post(&reject, reason).expect(200);
    for above in ["bottom", "middle", "top"] {
        channel.callers[above].get(&path).refused(404, "not_found");
    }
}

#[test]
fn a_move_counts_at_the_next_request() {
    let channel = Channel::new();
    let parent = |name| json!({ "parent_id": channel.id("partners", name) });
    channel.change("partners", "middle", parent("foreign"));
    channel.sees("top", &SHOWN, &["top"]);
    let moved = ["rival", "foreign", "middle", "bottom", "side"];
    channel.sees("rival", &SHOWN, &moved);
    channel.sees("foreign", &SHOWN, &moved[1..]);
    channel.change("partners", "bottom", json!({ "parent_id": null }));
    channel.sees("rival", &SHOWN, &["rival", "foreign", "middle", "side"]);
    channel.sees("bottom", &SHOWN, &["bottom"]);
}

#[test]
fn money_and_people_are_not_seen_from_above() {
    let channel = Channel::new();
    let world = &channel.world;
    for name in ["bottom", "middle"] {
        let deal = channel.id("deals", name);
        world.win(deal);
        let invoice = world.invoice(deal, "EUR", &["100.00"]);
        let payment = world.pay(&invoice, "100.00 EUR");
        world.refund(&payment, "10.00 EUR");
        let email = format!("{name}@example.com");
        let user = json!({ "name": name, "email": email, "partner_id": channel.id("partners", name), "role_ids": [] });
        world.admin().post("/v1/users", user).expect(201);
    }
    world.work();
    let finance = world.finance();
    world.processing_run(&finance);
    world.work();
    let bottom = channel.id("partners", "bottom");
    for kind in KEPT {
        let path = format!("/v1/{kind}");
        let own = channel.callers["bottom"].all(&path);
        assert!(!own.is_empty(), "{kind} of its own");
        for above in ["middle", "top"] {
            let shown = Value::from(channel.callers[above].all(&path)).to_string();
            assert!(!shown.contains(bottom), "{above} is shown {kind}: {shown}");
            for record in &own {
                let one = format!("{path}/{}", record["id"].as_str().unwrap());
                assert_ne!(channel.callers[above].get(&one).status, 200, "{above} gets {one}");
            }
        }
    }
    let path = format!("/v1/balances?partner_id={bottom}");
    assert!(!channel.callers["bottom"].get(&path).expect(200).data().is_empty());
    assert!(channel.callers["top"].get(&path).expect(200).data().is_empty());
}

#[test]
fn what_is_seen_is_not_to_be_changed() {
    let channel = Channel::new();
    for kind in SHOWN {
        let path = format!("/v1/{kind}/{}", channel.id(kind, "bottom"));
        let reply = channel.callers["top"].patch(&path, json!({ "external_id": "mine" }));
        // Of credits a partner may change its own claims, and those below it are not there for that.
        match kind {
            "attributions" => reply.refused(404, "not_found"),
            _ => reply.refused(403, "permission_denied"),
        };
    }
    assert_eq!(channel.by_policy("top", "deals").len(), 4);
    let mut service = channel.world.database().service_role();
    let settings = format!(
        "SELECT set_config('copartner.organization_id', '{}', false)",
        channel.world.home.id.uuid()
    );
    service.batch_execute(&settings).unwrap();
    let top = "SELECT id::text AS name FROM partners WHERE external_id = 'top'";
    let top = names(&mut service, top).join("");
    service
        .batch_execute(&format!(
            "SELECT set_config('copartner.partner_id', '{top}', false)"
        ))
        .unwrap();
    for kind in SHOWN {
        let change = format!("UPDATE {kind} SET external_id = 'mine' WHERE external_id = 'bottom'");
        let refusal = sql_query(change).execute(&mut service).unwrap_err().to_string();
        assert!(refusal.contains("row-level security"), "{kind}: {refusal}");
    }
    let refusal = sql_query("DELETE FROM partner_descendants").execute(&mut service);
    assert!(refusal.unwrap_err().to_string().contains("permission denied"));
}

/// A chain of partners, each below the one before; their ids.
fn chain(world: &World, length: usize) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for level in 0..length {
        let mut body = json!({ "name": format!("Level {level}") });
        if let Some(parent) = ids.last() {
            body["parent_id"] = json!(parent);
        }
        ids.push(world.admin().post("/v1/partners", body).expect(201).id());
    }
    ids
}

fn place(world: &World, id: &str, parent: &str) -> crate::world::Reply {
    let body = json!({ "parent_id": parent });
    world.admin().patch(&format!("/v1/partners/{id}"), body)
}

#[test]
fn five_levels_are_enough() {
    let world = World::new();
    let long = chain(&world, 5);
    let short = chain(&world, 2);
    let body = json!({ "name": "Sixth", "parent_id": long[4] });
    let reply = world.admin().post("/v1/partners", body);
    reply
        .refused(422, "validation_failed")
        .pointer("/parent_id", "too_many_levels");
    place(&world, &short[0], &long[2]).expect(200);
    let too_deep = place(&world, &short[0], &long[3]);
    too_deep
        .refused(422, "validation_failed")
        .pointer("/parent_id", "too_many_levels");
    place(&world, &long[0], &short[1])
        .refused(422, "validation_failed")
        .pointer("/parent_id", "below_itself");
}

/// Each of the two is allowed, both together are not: the second must see the first.
#[test]
fn two_moves_at_once_do_not_exceed_the_levels() {
    let world = World::new();
    for round in 0..8 {
        let [upper, middle, lower] = [2, 2, 2].map(|length| chain(&world, length));
        let replies = thread::scope(|scope| {
            let first = scope.spawn(|| place(&world, &lower[0], &middle[1]));
            let second = scope.spawn(|| place(&world, &middle[0], &upper[1]));
            [first.join().unwrap(), second.join().unwrap()]
        });
        let done = replies.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(done, 1, "round {round}: {replies:?}");
    }
}

/// Three that are placed in a ring at once: however they meet, one is refused, and nobody is below itself.
#[test]
fn three_moves_at_once_make_no_circle() {
    let world = World::new();
    for round in 0..8 {
        let ids = [1, 1, 1].map(|length| chain(&world, length).remove(0));
        let replies = thread::scope(|scope| {
            let moves = [(0, 1), (1, 2), (2, 0)].map(|(one, other)| {
                let (world, ids) = (&world, &ids);
                scope.spawn(move || place(world, &ids[one], &ids[other]))
            });
            moves.map(|one| one.join().unwrap())
        });
        let done = replies.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(done, 2, "round {round}: {replies:?}");
    }
    let circles = "SELECT partner_id::text AS name FROM partner_descendants WHERE partner_id = descendant_id";
    assert_eq!(names(&mut world.database().owner(), circles), [""; 0]);
}
