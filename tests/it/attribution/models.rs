//! Models side by side, for one deal and added up, on a deal that can be reckoned by hand.

use super::Shared;
use crate::world::{Reply, texts};
use chrono::TimeDelta;
use copartner::kernel::attribution::AttributionModel;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

impl Shared {
    /// The maker sourced the deal and the rival influenced it: one touch of the maker, two of the rival, and one of the
    /// maker after the win.
    fn touched() -> Self {
        let stage = Self::new();
        stage.world.credit(&stage.deal, &stage.maker, "sourced", 10_000);
        let admin = stage.world.admin();
        for (partner, at) in [
            (&stage.maker, "2026-01-02T10:00:00Z"),
            (&stage.rival, "2026-01-03T10:00:00Z"),
            (&stage.rival, "2026-01-04T10:00:00Z"),
            (&stage.maker, "2026-02-04T10:00:00Z"),
        ] {
            stage.touch(admin, partner, "meeting", at);
        }
        stage.world.win(&stage.deal);
        stage
    }

    fn models(&self, query: &str) -> Reply {
        let path = format!("/v1/deals/{}/attribution?{query}", self.deal);
        self.world.admin().get(&path).expect(200)
    }

    fn report(&self, query: &str) -> Reply {
        let path = format!("/v1/reports/attribution?{query}");
        self.world.admin().get(&path).expect(200)
    }

    /// The maker's and the rival's part of a pool: basis points and amount.
    fn parts(&self, reply: &Reply, pool: &str) -> [Option<(u64, String)>; 2] {
        let pools = reply["pools"].as_array().unwrap();
        let pool = pools.iter().find(|one| one["pool"] == pool).unwrap();
        let credits = pool["credits"].as_array().unwrap();
        [&self.maker, &self.rival].map(|partner| {
            let part = credits.iter().find(|one| one["partner_id"] == partner.as_str())?;
            let amount = part["amount"]["amount"].as_str().unwrap().to_owned();
            Some((part["share_basis_points"].as_u64().unwrap(), amount))
        })
    }
}

fn part(basis_points: u64, amount: &str) -> Option<(u64, String)> {
    Some((basis_points, amount.to_owned()))
}

#[test]
fn each_model_shares_a_deal_out_as_by_hand() {
    let stage = Shared::touched();
    for (model, maker, rival) in [
        ("full_credit", part(10_000, "1000.00"), part(10_000, "1000.00")),
        ("first_touch", part(10_000, "1000.00"), None),
        ("last_touch", None, part(10_000, "1000.00")),
        ("linear", part(3_333, "333.30"), part(6_667, "666.70")),
        ("position_based", part(4_000, "400.00"), part(6_000, "600.00")),
    ] {
        let reply = stage.models(&format!("model={model}"));
        assert_eq!(
            stage.parts(&reply, "sourced_or_influenced"),
            [maker, rival],
            "{model}"
        );
        assert_eq!(
            stage.parts(&reply, "sourced"),
            [part(10_000, "1000.00"), None],
            "{model}"
        );
        assert_eq!(
            stage.parts(&reply, "influenced"),
            [None, part(10_000, "1000.00")],
            "{model}"
        );
    }
    let decay = stage.parts(&stage.models("model=time_decay"), "sourced_or_influenced");
    let [Some((maker, _)), Some((rival, _))] = decay else {
        panic!("{decay:?}");
    };
    assert_eq!(maker + rival, 10_000);
    // 2^(-2/30) of 2^(-2/30) + 2^(-1/30) + 1.
    assert_eq!(maker, 3_257);
    let all = stage.models("");
    assert_eq!(
        all["pools"].as_array().unwrap().len(),
        3 * AttributionModel::ALL.len()
    );
    let confirmed = all["confirmed"].as_array().unwrap();
    assert_eq!(texts(confirmed, "role"), ["influenced", "sourced"]);
}

#[test]
fn a_touch_of_nobody_who_is_confirmed_changes_nothing_and_a_credit_without_touches_counts_as_one() {
    let stage = Shared::touched();
    let before = stage.models("model=linear")["pools"].clone();
    let stranger = stage.world.partner("Stranger");
    stage.touch(stage.world.admin(), &stranger, "demo", "2026-01-01T00:00:00Z");
    assert_eq!(stage.models("model=linear")["pools"], before);
    let untouched = Shared::new();
    let reply = untouched.models("model=linear");
    assert_eq!(
        untouched.parts(&reply, "influenced"),
        [None, part(10_000, "1000.00")]
    );
    assert_eq!(reply["pools"][0]["credits"][0]["touches"], 1);
}

#[test]
fn the_past_is_as_it_was() {
    let stage = Shared::touched();
    let then = stage.world.clock.now();
    let now = stage.world.pass(TimeDelta::days(1));
    let path = format!("/v1/attributions?partner_id={}", stage.rival);
    let credit = stage.world.admin().all(&path)[0]["id"].clone();
    let correct = |share: u32| {
        let path = format!("/v1/attributions/{}/correct", credit.as_str().unwrap());
        let body = json!({ "reason": "Agreed.", "share_basis_points": share });
        stage.world.admin().post_once(&path, body).expect(200);
    };
    correct(4_000);
    let later = stage.world.pass(TimeDelta::days(1));
    correct(0);
    let shares = |as_of: &str| {
        let reply = stage.models(&format!("as_of={as_of}"));
        texts(reply["confirmed"].as_array().unwrap(), "share_basis_points")
    };
    let at = |instant: chrono::DateTime<chrono::Utc>| shares(&instant.to_rfc3339().replace("+00:00", "Z"));
    assert_eq!(at(then), ["10000", "10000"]);
    assert_eq!(at(now), ["4000", "10000"]);
    assert_eq!(at(later), ["10000"]);
    assert!(at(then - TimeDelta::days(1)).is_empty());
}

#[test]
fn sourced_and_influenced_are_never_added_up_and_their_union_counts_once() {
    let stage = Shared::touched();
    stage.world.pay(
        &stage.world.invoice(&stage.deal, "USD", &["1000.00"]),
        "500.00 USD",
    );
    let field = |reply: &Reply, name: &str| texts(reply["rows"].as_array().unwrap(), name);
    for (model, either, revenue) in [
        ("full_credit", ["1000.00", "1000.00"], ["500.00", "500.00"]),
        ("linear", ["333.30", "666.70"], ["166.65", "333.35"]),
        ("position_based", ["400.00", "600.00"], ["200.00", "300.00"]),
    ] {
        let reply = stage.report(&format!("model={model}"));
        let order = texts(reply["rows"].as_array().unwrap(), "group_label");
        assert_eq!(order, ["Maker", "Rival"], "{model}");
        assert_eq!(field(&reply, "sourced_pipeline"), ["1000.00", "0.00"], "{model}");
        assert_eq!(
            field(&reply, "influenced_pipeline"),
            ["0.00", "1000.00"],
            "{model}"
        );
        assert_eq!(field(&reply, "sourced_or_influenced_pipeline"), either, "{model}");
        assert_eq!(field(&reply, "sourced_or_influenced_revenue"), revenue, "{model}");
        let totals = reply["totals"].as_array().unwrap();
        assert_eq!(texts(totals, "deals"), ["1"]);
        for name in [
            "sourced_pipeline",
            "influenced_pipeline",
            "sourced_or_influenced_pipeline",
        ] {
            assert_eq!(texts(totals, name), ["1000.00"], "{model} {name}");
        }
        assert_eq!(
            texts(totals, "sourced_or_influenced_revenue"),
            ["500.00"],
            "{model}"
        );
        for group_by in ["program", "motion", "month", "region", "tier"] {
            let reply = stage.report(&format!("model={model}&group_by={group_by}&until_on=2026-02-01"));
            assert_eq!(
                field(&reply, "sourced_or_influenced_pipeline"),
                ["1000.00"],
                "{model} by {group_by}"
            );
        }
    }
    let own = stage.report(&format!(
        "model=linear&partner_id={}&group_by=program",
        stage.maker
    ));
    assert_eq!(field(&own, "sourced_or_influenced_pipeline"), ["333.30"]);
    assert!(field(&stage.report("from_on=2026-02-01"), "sourced_pipeline") == ["0.00", "0.00"]);
    let csv = stage.report("model=linear&format=csv");
    assert_eq!(csv.raw().lines().count(), 3);
    assert!(
        csv.raw()
            .starts_with("group_key,group_label,currency,deals,sourced_pipeline,")
    );
    assert!(
        csv.raw()
            .contains("Maker,USD,1,1000.00,0.00,333.30,500.00,0.00,166.65"),
        "{}",
        csv.raw()
    );
}

#[test]
fn models_are_for_nobody_but_the_organization() {
    let stage = Shared::touched();
    let path = format!("/v1/deals/{}/attribution", stage.deal);
    let maker = stage.world.full_partner_key(&stage.maker);
    for path in [path.as_str(), "/v1/reports/attribution"] {
        maker.get(path).refused(403, "permission_denied");
    }
    let other = stage.world.second_organization();
    other.admin.get(&path).refused(404, "not_found");
    assert_eq!(
        other.admin.get("/v1/reports/attribution").expect(200)["rows"],
        Value::from(Vec::<Value>::new())
    );
}
