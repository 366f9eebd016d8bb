//! Rows become records, or say what is wrong with them.

use super::{ACCOUNTS, account_mapping, counts, load, mapping, rejections};
use crate::world::{World, count, money, texts};
use serde_json::{Value, json};

fn invoice_mapping() -> Value {
    let columns = [
        "external_id",
        "deal",
        "amount",
        "currency",
        "issued_on",
        "paid_at",
    ];
    mapping(&columns, json!({}))
}

fn deal_mapping() -> Value {
    let columns = [
        "external_id",
        "account",
        "program",
        "amount",
        "currency",
        "status",
        "won_at",
        "sourced_by",
    ];
    mapping(&columns, json!({}))
}

/// The parts of a sale before its invoice: a program, its partner and an account, all by their own keys.
fn ready_to_sell(world: &World) {
    let program = world.ten_percent(json!({ "external_id": "prg" }));
    let fields = json!({ "status": { "constant": "approved" }, "program": { "constant": "prg" } });
    let columns = ["external_id", "name"];
    load(
        world,
        "partners",
        &mapping(&columns, fields),
        &[],
        "external_id,name\nP-1,Nordlicht\n",
    );
    load(world, "accounts", &account_mapping(), &[], ACCOUNTS);
    assert_eq!(
        world
            .admin()
            .all(&format!("/v1/enrollments?program_id={program}"))
            .len(),
        1
    );
}

#[test]
fn files_become_records_and_a_second_time_changes_nothing() {
    let world = World::new();
    let program = world.ten_percent(json!({ "external_id": "prg" }));
    let partners = json!({ "status": { "constant": "approved" }, "program": { "constant": "prg" } });
    let files = [
        (
            "product_families",
            mapping(&["external_id", "name"], json!({})),
            "external_id,name\nF-1,Cloud\n",
        ),
        (
            "partners",
            mapping(&["external_id", "name"], partners),
            "external_id,name\nP-1,Nordlicht\nP-2,Other\n",
        ),
        ("accounts", account_mapping(), ACCOUNTS),
        (
            "deals",
            deal_mapping(),
            "external_id,account,program,amount,currency,status,won_at,sourced_by\n\
             D-1,A-1,prg,100.00,USD,won,2026-01-05,P-1\nD-2,A-2,prg,100,JPY,open,,P-2\n",
        ),
        (
            "invoices",
            invoice_mapping(),
            "external_id,deal,amount,currency,issued_on,paid_at\n\
             I-1,D-1,100.00,USD,2026-01-06,2026-02-01\nI-2,D-1,50.00,USD,2026-01-06,\n",
        ),
    ];
    for (resource, mapping, file) in &files {
        let rows = i64::try_from(file.lines().count() - 1).unwrap();
        let first = load(&world, resource, mapping, &[], file);
        assert_eq!(
            (&first["status"], counts(&first)),
            (&json!("succeeded"), [rows, 0, 0, 0]),
            "{resource}"
        );
    }
    let line = world.line(&format!("program_id={program}"));
    assert_eq!(
        (&line["amount"], &line["earned_at"]),
        (&money("10.00 USD"), &json!("2026-02-01T00:00:00Z"))
    );
    world.books_balance();
    for (resource, mapping, file) in &files {
        let rows = i64::try_from(file.lines().count() - 1).unwrap();
        let again = load(&world, resource, mapping, &[], file);
        assert_eq!(
            (&again["status"], counts(&again)),
            (&json!("succeeded"), [0, 0, rows, 0]),
            "{resource}"
        );
    }
    let renamed = load(
        &world,
        "accounts",
        &account_mapping(),
        &[],
        "account_ref,name\nA-1,Renamed\nA-2,Hafen\n",
    );
    assert_eq!(counts(&renamed), [0, 1, 1, 0]);
    assert_eq!(world.lines("").len(), 1);
    world.books_balance();
}

/// What a line cost, and its price by the list, come with the row and never change.
#[test]
fn invoices_come_with_cost_and_list_price() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let deal = world.open_deal(&program, "100.00 USD", &[]);
    let key = json!({ "external_id": "D-1" });
    world.admin().patch(&format!("/v1/deals/{deal}"), key).expect(200);
    let columns = ["external_id", "deal", "amount", "currency", "issued_on"];
    let plain = mapping(&columns, json!({}));
    let priced = json!({ "cost": { "column": "cost" }, "list": { "column": "list" } });
    let priced = mapping(&columns, priced);
    let file = |key: &str, cost: &str, list: &str| {
        format!(
            "external_id,deal,amount,currency,issued_on,cost,list\n{key},D-1,100.00,USD,2026-01-06,{cost},{list}\n"
        )
    };
    let loaded = |mapping, file: String| load(&world, "invoices", mapping, &[], file);
    let lines = |key: &str| {
        let found = world.admin().all(&format!("/v1/invoices?external_id={key}"));
        let path = format!("/v1/invoices/{}", found[0]["id"].as_str().unwrap());
        let line = world.admin().get(&path).expect(200)["lines"][0].clone();
        (line["cost_amount"].clone(), line["list_amount"].clone())
    };
    assert_eq!(
        counts(&loaded(&priced, file("I-1", "40.00", "125.00"))),
        [1, 0, 0, 0]
    );
    assert_eq!(lines("I-1"), (money("40.00 USD"), money("125.00 USD")));
    assert_eq!(counts(&loaded(&priced, file("I-2", "", ""))), [1, 0, 0, 0]);
    assert_eq!(lines("I-2"), (json!(null), money("100.00 USD")));
    // The same again, with or without the columns.
    for mapping in [&priced, &plain] {
        assert_eq!(counts(&loaded(mapping, file("I-1", "40", "125"))), [0, 0, 1, 0]);
    }
    for (key, cost, list, expected) in [
        ("I-1", "41.00", "125.00", "2 cost immutable_field"),
        ("I-1", "40.00", "", "2 list immutable_field"),
        ("I-3", "-1.00", "125.00", "2 cost negative_amount"),
        ("I-3", "40.00", "99.99", "2 list below_net"),
        ("I-3", "40.001", "125.00", "2 cost too_many_decimals"),
    ] {
        let refused = loaded(&priced, file(key, cost, list));
        assert_eq!(rejections(&world, &refused), [expected]);
    }
}

#[test]
fn territories_of_partners_come_as_lists_of_countries() {
    let world = World::new();
    let columns = ["external_id", "name", "territories"];
    let with = mapping(&columns, json!({}));
    let without = mapping(&columns[..2], json!({}));
    let file = |territories: &str| format!("external_id,name,territories\nP-1,Nordlicht,{territories}\n");
    let known = || world.admin().all("/v1/partners")[0]["territories"].clone();
    for (territories, expected, outcome) in [
        ("DE;AT", json!(["AT", "DE"]), [1, 0, 0, 0]),
        ("\"AT, DE | AT\"", json!(["AT", "DE"]), [0, 0, 1, 0]),
        ("CH", json!(["CH"]), [0, 1, 0, 0]),
        ("CH;Germany", json!(["CH"]), [0, 0, 0, 1]),
        (";", json!(["CH"]), [0, 0, 0, 1]),
        ("", json!([]), [0, 1, 0, 0]),
    ] {
        let done = load(&world, "partners", &with, &[], file(territories));
        assert_eq!((counts(&done), known()), (outcome, expected), "{territories}");
    }
    load(&world, "partners", &with, &[], file("FR"));
    let done = load(
        &world,
        "partners",
        &without,
        &[],
        "external_id,name\nP-1,Nordlicht\n",
    );
    assert_eq!((counts(&done), known()), ([0, 0, 1, 0], json!(["FR"])));
    let refused = load(&world, "partners", &with, &[], file("fr"));
    assert_eq!(rejections(&world, &refused), ["2 territories invalid_format"]);
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let world = World::new();
    let file = format!("{ACCOUNTS}A-3,\n");
    for options in [
        &[("dry_run", "true")][..],
        &[("dry_run", "true"), ("atomic", "true")],
    ] {
        let told = load(&world, "accounts", &account_mapping(), options, &file);
        assert_eq!(counts(&told), [2, 0, 0, 1]);
        assert_eq!(rejections(&world, &told), ["4 name missing"]);
    }
    assert_eq!(world.admin().all("/v1/accounts"), [] as [Value; 0]);
    let events = "SELECT count(*) AS count FROM events WHERE type LIKE 'account%'";
    assert_eq!(count(&mut world.database().owner(), events), 0);
}

#[test]
fn an_atomic_import_takes_all_or_nothing() {
    let world = World::new();
    let atomic = [("atomic", "true")];
    let failed = load(
        &world,
        "accounts",
        &account_mapping(),
        &atomic,
        format!("{ACCOUNTS}A-3,\n"),
    );
    assert_eq!(
        (&failed["status"], &failed["error"]["code"]),
        (&json!("failed"), &json!("rows_rejected"))
    );
    assert_eq!(rejections(&world, &failed), ["4 name missing"]);
    assert_eq!(world.admin().all("/v1/accounts"), [] as [Value; 0]);
    let taken = load(&world, "accounts", &account_mapping(), &atomic, ACCOUNTS);
    assert_eq!(
        (&taken["status"], counts(&taken)),
        (&json!("succeeded"), [2, 0, 0, 0])
    );
    assert_eq!(world.admin().all("/v1/accounts").len(), 2);
}

#[test]
fn a_bad_row_rejects_itself_and_names_its_mistakes() {
    let world = World::new();
    ready_to_sell(&world);
    let file = "external_id,account,program,amount,currency,status,won_at,sourced_by\n\
        D-1,A-1,prg,100.00,USD,open,,P-1\n\
        D-2,A-1,prg,ten,USD,open,,P-1\n\
        D-3,A-1,prg,10.005,USD,open,,P-1\n\
        D-4,A-9,prg,10.00,USD,open,,P-9\n\
        D-1,A-1,prg,200.00,USD,open,,P-1\n\
        D-5,A-1,prg,10.00\n\
        D-6,A-1,prg,10.00,USD,won,2026-02-30,P-1\n\
        D-7,A-1,prg,10.00,QQQ,lost,,P-1\n\
        D-8,A-1,prg,10.00,USD,won,,P-1\n\
        ,A-1,prg,-1,USD,open,,P-1\n\
        D-9,A-1,prg,-1.00,USD,open,,P-1\n";
    let import = load(&world, "deals", &deal_mapping(), &[], file);
    assert_eq!(
        (&import["status"], counts(&import)),
        (&json!("succeeded"), [1, 0, 0, 10])
    );
    let expected = [
        "3 amount invalid_amount",
        "4 amount too_many_decimals",
        "5 account unknown_reference",
        "5 sourced_by unknown_reference",
        "6 external_id duplicate_in_file",
        "7  ragged_row",
        "8 won_at invalid_date",
        "9 currency unknown_currency",
        "9 status unknown_value",
        "10 won_at missing",
        "11 external_id missing",
        "12 amount negative_amount",
    ];
    assert_eq!(rejections(&world, &import), expected);
    let mut rounding = deal_mapping();
    let rows = file.lines().take(1).chain(file.lines().skip(3).take(1));
    let rows = rows.collect::<Vec<_>>().join("\n");
    for (name, expected, amount) in [
        ("half_up", [1, 0, 0, 0], "10.01"),
        ("down", [0, 1, 0, 0], "10.00"),
    ] {
        rounding["fields"]["amount"]["rounding"] = json!(name);
        let rounded = load(&world, "deals", &rounding, &[], rows.clone());
        assert_eq!(counts(&rounded), expected, "{name}");
        let deal = world.admin().all("/v1/deals?external_id=D-3");
        assert_eq!(texts(&deal, "amount"), [amount], "{name}");
    }
}

#[test]
fn an_import_tells_how_far_it_is() {
    let world = World::new();
    let many: String = (0..200)
        .map(|number| format!("M-{number},Name {number}\n"))
        .collect();
    let import = load(
        &world,
        "accounts",
        &account_mapping(),
        &[],
        format!("account_ref,name\n{many}"),
    );
    assert_eq!(counts(&import), [200, 0, 0, 0]);
    assert_eq!(
        import["progress"]["bytes_read"],
        import["progress"]["bytes_total"]
    );
    assert_eq!(import["progress"]["rows_read"], 200);
    let made = "SELECT count(*) AS count FROM events WHERE type = 'account.created'";
    assert_eq!(count(&mut world.database().owner(), made), 200);
}

#[test]
fn a_year_of_two_digits_and_a_dot_for_thousands_are_refused() {
    let world = World::new();
    ready_to_sell(&world);
    let mut mapping = deal_mapping();
    mapping["fields"]["won_at"] = json!({ "column": "won_at", "format": "%d.%m.%Y" });
    let file = "external_id,account,program,amount,currency,status,won_at,sourced_by\n\
        D-1,A-1,prg,100.00,USD,won,03.02.26,P-1\n\
        D-2,A-1,prg,2.500,USD,won,03.02.2026,P-1\n\
        D-3,A-1,prg,2.000,USD,won,03.02.2026,P-1\n\
        D-4,A-1,prg,2500,USD,won,03.02.2026,P-1\n";
    let import = load(&world, "deals", &mapping, &[], file);
    assert_eq!(counts(&import), [1, 0, 0, 3]);
    let expected = [
        "2 won_at invalid_date",
        "3 amount too_many_decimals",
        "4 amount too_many_decimals",
    ];
    assert_eq!(rejections(&world, &import), expected);
}
