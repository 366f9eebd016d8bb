//! Two organizations with two partners and a reseller below the first of them, and every kind of record that the API
//! can make.
//!
//! Every text of a record carries the mark of whom it belongs to, so that a name that leaks is found as well as an id.

mod house;
mod leads;

pub use house::import;

use super::sight::{Sight, keys_of, look, prefix};
use crate::world::{Actor, Tenant, World};
use copartner::kernel::permission::Permission;
use diesel::{RunQueryDsl, sql_query};
use house::{House, Member};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a caller may know of nobody else: ids, and texts that stand in somebody else's records.
#[derive(Debug, Default, Clone)]
pub struct Secrets {
    /// Ids, as they are written.
    pub ids: BTreeSet<String>,
    /// Marks, of which every text of a record carries one.
    pub marks: BTreeSet<String>,
    /// Keys, names and domains to search for.
    pub texts: BTreeSet<String>,
    /// The callers' own keys of records, by the prefix of the record's id.
    pub keys: BTreeMap<String, BTreeSet<String>>,
}

/// A caller with what belongs to others.
#[derive(Debug)]
pub struct Principal {
    /// Who it is, for messages.
    pub name: &'static str,
    /// The caller.
    pub actor: Actor,
    /// Whether it is a partner's key.
    pub is_partner: bool,
    /// What it must never meet.
    pub foreign: Secrets,
    /// What it may ask for, by the prefix of the id, oldest first.
    pub own: BTreeMap<String, Vec<String>>,
    /// The keys of that.
    pub own_keys: BTreeMap<String, BTreeSet<String>>,
}

/// Everything there is.
#[derive(Debug)]
pub struct Stage {
    /// Where it all is.
    pub world: World,
    /// Two organizations' administrators; of the first a distributor, its reseller and its rival; of the second another
    /// distributor.
    pub principals: Vec<Principal>,
}

/// What a mark ends in where whoever is above must not meet it.
const KEPT: &str = "-kept";
const HIDDEN: &str = "-hidden";
/// The prefixes of what is seen from above.
/// Of touchpoints, a credit names the ids.
const SHOWN: [&str; 12] = [
    "ptn", "prg", "trm", "enr", "acc", "deal", "att", "tch", "ref", "reg", "rcm", "rex",
];

/// Whether a key with everything that its kind may hold can call the operation.
pub fn may_call(principal: &Principal, permissions: &[&str]) -> bool {
    !principal.is_partner
        || permissions
            .iter()
            .all(|name| Permission::from_name(name).is_some_and(Permission::open_to_partners))
}

impl Principal {
    /// The id of a partner's caller's partner.
    pub fn itself(&self) -> String {
        let me = self.actor.get("/v1/me").expect(200);
        me.text("/partner_id").to_owned()
    }
}

impl Stage {
    /// Furnishes both houses.
    pub fn new() -> Self {
        let world = World::new();
        // After every instant in the document's examples, since nothing may be paid in the future; and a month ends
        // before all is done, so that there are statements of it.
        world.clock.set("2026-08-31T20:00:00Z".parse().unwrap());
        let second = world.second_organization();
        let first_house = furnish(&world, &world.home, "a");
        let second_house = furnish(&world, &second, "b");
        world.clock.set("2026-09-01T09:00:00Z".parse().unwrap());
        let (first_members, first_sight) = finish(first_house);
        let (second_members, second_sight) = finish(second_house);
        // The houses pay by hand; what another rail would keep of their payouts is put beside them, and what a correction of
        // credit would take of a cap.
        let transfers = "INSERT INTO payout_transfers (organization_id, payout_id, status, attempts, next_attempt_at, \
             amount_reversed) SELECT organization_id, id, 'queued', 0, now(), 0 FROM payouts";
        let corrections = "INSERT INTO commission_standing_corrections (organization_id, attribution_id, \
             commission_rule_id, partner_id, currency, period, amount, row_version, created_at, updated_at) \
             SELECT s.organization_id, a.id, s.commission_rule_id, s.partner_id, s.currency, s.period, 0, 1, now(), now() \
             FROM commission_standings s JOIN attributions a ON a.organization_id = s.organization_id \
                 AND a.partner_id = s.partner_id";
        for statement in [transfers, corrections] {
            let put = sql_query(statement)
                .execute(&mut world.database().owner())
                .unwrap();
            assert!(put > 0, "{statement}");
        }
        let first = everything(&first_sight, "foil-a");
        let second_house = everything(&second_sight, "foil-b");
        assert!(first.ids.is_disjoint(&second_house.ids));
        let [one, two, below] = &first_members;
        let [three, four, _] = &second_members;
        // A reseller's own record names who is above it, and nothing else does.
        let mut above = one.secrets.clone();
        above.ids.remove(&one.id);
        let admin = world.admin().clone();
        let principals = vec![
            principal("an admin", admin, &[&second_house]),
            principal("another admin", second.admin, &[&first]),
            principal(
                "a distributor",
                one.actor.clone(),
                &[&second_house, &two.secrets, &below.kept()],
            ),
            principal(
                "its rival",
                two.actor.clone(),
                &[&second_house, &one.secrets, &below.secrets],
            ),
            principal(
                "its reseller",
                below.actor.clone(),
                &[&second_house, &above, &two.secrets],
            ),
            principal("a stranger", three.actor.clone(), &[&first, &four.secrets]),
        ];
        Self { world, principals }
    }
}

fn furnish<'w>(world: &'w World, tenant: &'w Tenant, letter: &'static str) -> (House<'w>, [Member; 3]) {
    let house = House::new(world, &tenant.admin, letter);
    let [one, two] = [1, 2].map(|number| house.member(number, None));
    let below = house.member(3, Some(&one.id));
    house.sale(
        &house.mark(0),
        &[(&one.id, "sourced"), (&two.id, "delivered")],
        "500.00 USD",
    );
    let members = [one, two, below];
    house.contest(&members);
    house.twins();
    house.pay_out(&members);
    house.import();
    house.backtest();
    house.arrival();
    world.work();
    (house, members)
}

/// What is there once the month is over.
fn finish((house, mut members): (House<'_>, [Member; 3])) -> ([Member; 3], Sight) {
    let month = json!({ "month": "2026-08" });
    house.admin.post("/v1/statements", month).expect(200);
    house.world.work();
    let sight = look(house.admin);
    // What came later and is about one partner only: commissions of the shared deal, payouts and their items, entries.
    for member in &mut members {
        for record in sight
            .records
            .iter()
            .filter(|record| record["partner_id"] == member.id.as_str())
        {
            member
                .secrets
                .ids
                .extend(record["id"].as_str().map(str::to_owned));
        }
    }
    (members, sight)
}

fn everything(sight: &Sight, mark: &str) -> Secrets {
    Secrets {
        ids: sight.ids.clone(),
        marks: BTreeSet::from([mark.to_owned()]),
        texts: sight
            .texts
            .iter()
            .filter(|text| text.contains(mark))
            .cloned()
            .collect(),
        keys: keys_of(sight),
    }
}

fn principal(name: &'static str, actor: Actor, foreign: &[&Secrets]) -> Principal {
    let mut secrets = Secrets::default();
    for more in foreign {
        secrets.ids.extend(more.ids.iter().cloned());
        secrets.marks.extend(more.marks.iter().cloned());
        secrets.texts.extend(more.texts.iter().cloned());
        secrets.keys.extend(more.keys.clone());
    }
    let sight = look(&actor);
    let mut own: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for id in sight.records.iter().filter_map(|record| record["id"].as_str()) {
        own.entry(prefix(id).to_owned()).or_default().push(id.to_owned());
    }
    own.values_mut().for_each(|ids| ids.sort());
    Principal {
        name,
        is_partner: actor.get("/v1/invoices").status == 403,
        actor,
        foreign: secrets,
        own,
        own_keys: keys_of(&sight),
    }
}

/// Rates of the day on which lines are exchanged, and of the present, between any two of three currencies.
fn rates() -> Vec<Value> {
    let pairs = [
        ("USD", "2026-01-02"),
        ("USD", "2026-03-02"),
        ("GBP", "2026-03-02"),
    ];
    let rate = |(quote, day)| json!({ "base": "EUR", "quote": quote, "valid_on": day, "rate": "1.1" });
    pairs.map(rate).to_vec()
}
