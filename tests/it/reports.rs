//! What the reports add up, on a small world that can be added up by hand.

use crate::world::{Actor, Reply, World, money, names, texts};
use chrono::TimeDelta;
use copartner::kernel::money::Currency;
use serde_json::{Value, json};

/// Two programs and two partners. In January, A and B share a deal of 1,000 (A sourced it, B delivered it); in February
/// A alone sells 500 through the other program and gets 100 of it back. January's commissions are paid.
struct Small {
    world: World,
    programs: [String; 2],
    partners: [String; 2],
}

fn small() -> Small {
    let world = World::new();
    let finance = world.finance();
    let first = world.ten_percent(json!({ "name": "First" }));
    let second = world.ten_percent(json!({ "name": "=Second", "motion": "referral" }));
    let a = world.enrolled("A", &first);
    let b = world.enrolled("B", &first);
    let body = json!({ "partner_id": a, "program_id": second });
    let enrollment = world.admin().post("/v1/enrollments", body).expect(201).id();
    world
        .admin()
        .act(&format!("/v1/enrollments/{enrollment}/activate"))
        .expect(200);
    let deal = world.open_deal(&first, "1000.00 USD", &[(&a, 10_000)]);
    world.credit(&deal, &b, "delivered", 10_000);
    world.win(&deal);
    world.pay(&world.invoice(&deal, "USD", &["1000.00"]), "1000.00 USD");
    world.paid_run(&finance);
    world.clock.set("2026-04-10T09:00:00Z".parse().unwrap());
    let payment = world.sale(&second, &a, "500.00 USD");
    world.refund(&payment, "100.00 USD");
    world.books_balance();
    Small {
        world,
        programs: [first, second],
        partners: [a, b],
    }
}

fn program_summary(actor: &Actor, query: &str) -> Reply {
    actor
        .get(&format!("/v1/reports/program-summary?{query}"))
        .expect(200)
}

fn partner_performance(actor: &Actor, query: &str) -> Reply {
    actor
        .get(&format!("/v1/reports/partner-performance?{query}"))
        .expect(200)
}

/// A field of each row, by the key of the row.
fn by_key(rows: &Value, field: &str) -> Vec<(String, String)> {
    let rows = rows.as_array().unwrap();
    texts(rows, "group_key")
        .into_iter()
        .zip(texts(rows, field))
        .collect()
}

#[test]
fn programs_are_summed_up() {
    let Small {
        world,
        programs: [first, second],
        ..
    } = small();
    let report = program_summary(world.admin(), "");
    let figures = |field: &str, one: &str, other: &str| {
        let expected = [
            (first.clone(), one.to_owned()),
            (second.clone(), other.to_owned()),
        ];
        let mut found = by_key(&report["rows"], field);
        found.sort_by_key(|(key, _)| *key != first);
        assert_eq!(found, expected, "{field}");
    };
    figures("deals_won", "1", "1");
    figures("net_revenue", "1000.00", "400.00");
    figures("sourced_revenue", "1000.00", "400.00");
    figures("delivered_revenue", "1000.00", "0.00");
    figures("influenced_revenue", "0.00", "0.00");
    figures("commission_earned", "200.00", "50.00");
    figures("commission_clawed_back", "0.00", "10.00");
    figures("commission_net", "200.00", "40.00");
    figures("commission_paid", "200.00", "0.00");
    figures("commission_approved", "0.00", "40.00");
    figures("open_balance", "0.00", "40.00");
}

#[test]
fn a_shared_deal_counts_for_each_partner_and_once_in_the_total() {
    let Small {
        world,
        partners: [a, b],
        ..
    } = small();
    let report = partner_performance(world.admin(), "");
    let mut revenue = by_key(&report["rows"], "net_revenue");
    revenue.sort_by_key(|(key, _)| *key != a);
    assert_eq!(
        revenue,
        [
            (a.clone(), "1400.00".to_owned()),
            (b.clone(), "1000.00".to_owned())
        ]
    );
    let totals = report["totals"].as_array().unwrap();
    assert_eq!(texts(totals, "net_revenue"), ["1400.00"]);
    assert_eq!(texts(totals, "deals_won"), ["2"]);
    assert_eq!(texts(totals, "commission_earned"), ["250.00"]);
    let own = partner_performance(world.admin(), &format!("partner_id={b}"));
    assert_eq!(
        by_key(&own["rows"], "commission_earned"),
        [(b.clone(), "100.00".to_owned())]
    );
    assert_eq!(
        texts(own["totals"].as_array().unwrap(), "net_revenue"),
        ["1000.00"]
    );
}

#[test]
fn months_carry_their_balances_on() {
    let Small { world, .. } = small();
    let report = program_summary(world.admin(), "group_by=month");
    let figures = |field: &str| {
        let rows = by_key(&report["rows"], field);
        rows.into_iter()
            .map(|(month, figure)| format!("{month} {figure}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(figures("deals_won"), ["2026-01 2", "2026-03 0", "2026-04 0"]);
    assert_eq!(
        figures("net_revenue"),
        ["2026-01 0.00", "2026-03 1000.00", "2026-04 400.00"]
    );
    assert_eq!(
        figures("commission_paid"),
        ["2026-01 0.00", "2026-03 200.00", "2026-04 0.00"]
    );
    assert_eq!(
        figures("open_balance"),
        ["2026-01 0.00", "2026-03 0.00", "2026-04 40.00"]
    );
    let april = program_summary(
        world.admin(),
        "group_by=month&from_on=2026-04-01&until_on=2026-05-01",
    );
    assert_eq!(
        by_key(&april["rows"], "net_revenue"),
        [("2026-04".to_owned(), "400.00".to_owned())]
    );
    let empty = world
        .admin()
        .get("/v1/reports/program-summary?from_on=2026-04-01&until_on=2026-04-01");
    empty
        .refused(422, "validation_failed")
        .pointer("?until_on", "empty_period");
}

#[test]
fn a_report_comes_as_csv_that_no_spreadsheet_takes_for_a_formula() {
    let Small {
        world,
        programs: [_, second],
        ..
    } = small();
    let csv = program_summary(world.admin(), &format!("format=csv&program_id={second}"));
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let expected = format!(
        "group_key,group_label,currency,deals_won,net_revenue,sourced_revenue,influenced_revenue,delivered_revenue,\
         commission_earned,commission_clawed_back,commission_net,commission_paid,commission_held,commission_due,\
         commission_approved,commission_in_payout,open_balance,adjusted,written_off,reseller_margin,exchanged\r\n\
         {second},'=Second,USD,1,400.00,400.00,0.00,0.00,50.00,10.00,40.00,0.00,0.00,0.00,40.00,0.00,40.00,0.00,0.00,0.00,0.00\r\n"
    );
    assert_eq!(csv.raw(), expected);
}

#[test]
fn a_report_of_nothing_is_empty() {
    let world = World::new();
    let report = program_summary(world.admin(), "");
    assert_eq!((&report["rows"], &report["totals"]), (&json!([]), &json!([])));
    let partner = world.partner("A");
    let key = world.full_partner_key(&partner);
    key.get("/v1/reports/program-summary")
        .refused(403, "permission_denied");
}

/// Sums may be larger than a single amount can be.
#[test]
fn sums_are_wider_than_single_amounts() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partners = ["A", "B"].map(|name| world.enrolled(name, &program));
    for partner in &partners {
        world.sale(&program, partner, "900000000000000.01 USD");
    }
    let summed = "1800000000000000.02";
    let found = program_summary(world.admin(), "");
    assert_eq!(found["rows"][0]["net_revenue"]["amount"], summed);
    assert_eq!(found["totals"][0]["net_revenue"]["amount"], summed);
    let found = partner_performance(world.admin(), "");
    assert_eq!(found["rows"][0]["net_revenue"]["amount"], "900000000000000.01");
    assert_eq!(found["totals"][0]["net_revenue"]["amount"], summed);
    for group_by in ["month", "program", "partner"] {
        let path = format!("/v1/reports/attribution?group_by={group_by}");
        let found = world.admin().get(&path).expect(200);
        let total = &found["totals"][0];
        assert_eq!(total["sourced_revenue"]["amount"], summed, "{group_by}");
        assert_eq!(total["sourced_pipeline"]["amount"], summed, "{group_by}");
    }
    let months = program_summary(world.admin(), "group_by=month");
    let last = months["rows"].as_array().unwrap().last().unwrap();
    assert_eq!(last["net_revenue"]["amount"], summed);
}

#[test]
fn a_resellers_margin_is_reported_and_nobody_is_paid_it() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [buyer, helper] = ["Buyer", "Helper"].map(|name| world.enrolled(name, &program));
    let deal = world.open_deal(&program, "800.00 USD", &[(&buyer, 10_000)]);
    world.credit(&deal, &helper, "influenced", 10_000);
    world.win(&deal);
    let bill = |lines: Value| {
        let body = json!({ "deal_id": deal, "currency": "USD", "issued_on": "2026-01-06", "lines": lines });
        world.admin().post("/v1/invoices", body)
    };
    bill(json!([{ "net": "800.00", "list": "799.99" }]))
        .refused(422, "validation_failed")
        .pointer("/lines/0/list", "below_net");
    let invoice = bill(json!([
        { "net": "800.00", "tax": "160.00", "list": "1000.00" },
        { "net": "200.00", "tax": "40.00" },
    ]))
    .expect(201);
    assert_eq!(invoice["lines"][0]["list_amount"], money("1000.00 USD"));
    let payment = world.pay(&invoice.id(), "600.00 USD");
    let margins = |path: &str| -> Vec<(String, String)> {
        let report = world.admin().get(path).expect(200);
        let rows = report["rows"].as_array().unwrap().iter();
        rows.map(|row| {
            let text = |pointer: &str| row.pointer(pointer).unwrap().as_str().unwrap().to_owned();
            (text("/group_label"), text("/reseller_margin/amount"))
        })
        .collect()
    };
    let summary = "/v1/reports/program-summary";
    // Half of the invoice was paid, and with it half of the 200.00 by which it is below the list.
    assert_eq!(margins(summary), [("Program".to_owned(), "100.00".to_owned())]);
    let mut by_partner = margins("/v1/reports/partner-performance");
    by_partner.sort();
    assert_eq!(
        by_partner,
        [
            ("Buyer".to_owned(), "100.00".to_owned()),
            ("Helper".to_owned(), "0.00".to_owned())
        ]
    );
    // What it earns, it earns on what was paid, and not on the list price.
    let buyers = world.lines(&format!("partner_id={buyer}"));
    assert_eq!(texts(&buyers, "amount"), ["40.00", "10.00"]);
    world.refund(&payment, "300.00 USD");
    assert_eq!(margins(summary), [("Program".to_owned(), "50.00".to_owned())]);
    world.books_balance();
}

#[test]
fn months_add_up_to_the_whole_where_a_net_amount_is_paid_in_parts() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    for (currency, net, total, parts) in [
        ("EUR", "100.00", "119.00", ["39.66", "39.67", "39.67"]),
        ("JPY", "100", "119", ["40", "40", "39"]),
        ("KWD", "100.000", "119.000", ["39.666", "39.667", "39.667"]),
    ] {
        let deal = world.open_deal(&program, &format!("{net} {currency}"), &[(&partner, 10_000)]);
        world.win(&deal);
        let line = json!({ "net": net, "tax": tax(total, net), "description": "Fleet" });
        let body =
            json!({ "deal_id": deal, "currency": currency, "issued_on": "2026-03-02", "lines": [line] });
        let invoice = world.admin().post("/v1/invoices", body).expect(201).id();
        for part in parts {
            world.pass(TimeDelta::days(31));
            world.pay(&invoice, &format!("{part} {currency}"));
        }
        let query = format!("group_by=month&currency={currency}");
        let report = program_summary(world.admin(), &query);
        let months = by_key(&report["rows"], "net_revenue");
        let sum: rust_decimal::Decimal = months
            .iter()
            .map(|(_, month)| month.parse::<rust_decimal::Decimal>().unwrap())
            .sum();
        assert_eq!(sum.to_string(), net, "{months:?}");
        assert_eq!(report["totals"][0]["net_revenue"]["amount"], net);
    }
}

fn tax(total: &str, net: &str) -> String {
    let of = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
    (of(total) - of(net)).to_string()
}

/// Postgres counts the decimals of each currency as the service does.
#[test]
fn postgres_knows_how_many_decimals_a_currency_has() {
    let world = World::new();
    let letters = || 'A'..='Z';
    let codes = letters()
        .flat_map(|a| letters().flat_map(move |b| letters().map(move |c| String::from_iter([a, b, c]))));
    let known: Vec<Currency> = codes.filter_map(|code| Currency::from_code(&code).ok()).collect();
    assert!(known.len() > 150, "{}", known.len());
    let ours: Vec<String> = known
        .iter()
        .map(|currency| format!("{currency} {}", currency.exponent()))
        .collect();
    let list: Vec<&str> = known.iter().map(|currency| currency.code()).collect();
    let query = format!(
        "SELECT concat(code, ' ', decimals_of(code)) AS name FROM unnest('{{{}}}'::text[]) WITH ORDINALITY AS c (code, place) \
         ORDER BY place",
        list.join(",")
    );
    assert_eq!(names(&mut world.database().owner(), &query), ours);
}
