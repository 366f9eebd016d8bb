//! Files become records: row by row, with every mistake named, and twice is as good as once.

use crate::world::{Actor, Reply, World, count, money, texts};
use serde_json::{Value, json};

const BOUNDARY: &str = "a-boundary-that-no-file-has";
const ACCOUNTS: &str = "account_ref,name\nA-1,Stadtwerke\nA-2,Hafen\n";

/// The mapping of a resource from columns of the same name as the fields, with some other than that.
fn mapping(columns: &[&str], others: Value) -> Value {
    let column = |name: &&str| ((*name).to_owned(), json!({ "column": name }));
    let mut fields: serde_json::Map<String, Value> = columns.iter().map(column).collect();
    fields.extend(others.as_object().unwrap().clone());
    json!({ "fields": fields })
}

fn account_mapping() -> Value {
    mapping(&["name"], json!({ "external_id": { "column": "account_ref" } }))
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

/// Uploads a file and does nothing more.
fn upload(actor: &Actor, resource: &str, mapping: &Value, options: &[(&str, &str)], file: &[u8]) -> Reply {
    let mapping = mapping.to_string();
    let parts = [("resource", resource), ("mapping", mapping.as_str())];
    let mut form = Vec::new();
    for (name, text) in parts.iter().chain(options) {
        let part =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
        form.extend_from_slice(part.as_bytes());
    }
    let head =
        "Content-Disposition: form-data; name=\"file\"; filename=\"rows.csv\"\r\nContent-Type: text/csv";
    form.extend_from_slice(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").as_bytes());
    form.extend_from_slice(file);
    form.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    actor.ask("POST", "/v1/imports").bytes(&content_type, form).send()
}

/// Uploads a file and lets the worker load it; the import as it ended.
#[track_caller]
fn load(
    world: &World,
    resource: &str,
    mapping: &Value,
    options: &[(&str, &str)],
    file: impl AsRef<[u8]>,
) -> Reply {
    let queued = upload(world.admin(), resource, mapping, options, file.as_ref()).expect(202);
    assert_eq!(queued["status"], "queued");
    world.work();
    world.admin().get(queued.header("location")).expect(200)
}

/// What became of the rows: created, updated, unchanged, rejected.
fn counts(import: &Reply) -> [i64; 4] {
    ["created", "updated", "unchanged", "rejected"].map(|name| import["counts"][name].as_i64().unwrap())
}

/// The rejected rows as `line column code`.
fn rejections(world: &World, import: &Reply) -> Vec<String> {
    let path = format!("/v1/imports/{}/rejections", import.id());
    let rejected = world.admin().all(&path);
    let [lines, columns, codes] = ["line", "column", "code"].map(|field| texts(&rejected, field));
    let rows = lines.iter().zip(columns).zip(codes);
    rows.map(|((line, column), code)| format!("{line} {column} {code}"))
        .collect()
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
    rounding["fields"]["amount"]["rounding"] = json!("half_up");
    let rounded = load(
        &world,
        "deals",
        &rounding,
        &[],
        file.lines()
            .take(1)
            .chain(file.lines().skip(3).take(1))
            .collect::<Vec<_>>()
            .join("\n"),
    );
    assert_eq!(counts(&rounded), [1, 0, 0, 0]);
    let deal = world.admin().all("/v1/deals?external_id=D-3");
    assert_eq!(texts(&deal, "amount"), ["10.01"]);
}

#[test]
fn files_come_in_many_shapes() {
    let world = World::new();
    let mut file =
        b"\xef\xbb\xbf\"account_ref\",name\r\n\"B-1\",\"Two\nlines, \"\"quoted\"\"\"\r\n\r\n".to_vec();
    file.extend_from_slice(b"B-2,\xff\xfe\r\n B-3 , Fine \r\nB-4,last without a break");
    let import = load(&world, "accounts", &account_mapping(), &[], file);
    assert_eq!(counts(&import), [3, 0, 0, 1]);
    assert_eq!(rejections(&world, &import), ["5 name invalid_encoding"]);
    let accounts = world.admin().all("/v1/accounts?sort=created_at");
    assert_eq!(texts(&accounts, "external_id"), ["B-1", "B-3", "B-4"]);
    assert_eq!(
        texts(&accounts, "name"),
        ["Two\nlines, \"quoted\"", "Fine", "last without a break"]
    );
    let mut semicolons = account_mapping();
    semicolons["delimiter"] = json!(";");
    let import = load(
        &world,
        "accounts",
        &semicolons,
        &[],
        "account_ref;name\nC-1;One, two\n",
    );
    assert_eq!(counts(&import), [1, 0, 0, 0]);
}

#[test]
fn a_file_that_does_not_fit_its_mapping_fails() {
    let world = World::new();
    let utf16: Vec<u8> = ACCOUNTS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let files = [
        ("missing_column", "account_ref,nam\nA-1,x\n".as_bytes().to_vec()),
        (
            "duplicate_column",
            "account_ref,name,name\nA-1,x,y\n".as_bytes().to_vec(),
        ),
        ("empty_file", Vec::new()),
        ("invalid_encoding", utf16),
    ];
    for (code, file) in files {
        let import = load(&world, "accounts", &account_mapping(), &[], file);
        assert_eq!(
            (&import["status"], &import["error"]["code"]),
            (&json!("failed"), &json!(code))
        );
    }
    assert_eq!(world.admin().all("/v1/accounts"), [] as [Value; 0]);
}

#[test]
fn an_import_takes_the_rights_to_what_its_rows_write() {
    let world = World::new();
    let deny = |permissions: &[&str], resource: &str, mapping: &Value, lacks: &str| {
        let refused = upload(
            &world.key(permissions),
            resource,
            mapping,
            &[],
            ACCOUNTS.as_bytes(),
        );
        let refused = refused.refused(403, "permission_denied");
        assert!(refused.text("/detail").contains(lacks), "{}", refused.raw());
    };
    deny(
        &["imports:write"],
        "accounts",
        &account_mapping(),
        "accounts:write",
    );
    let partners = mapping(&["name"], json!({ "external_id": { "column": "account_ref" } }));
    let mut approved = partners.clone();
    approved["fields"]["status"] = json!({ "constant": "approved" });
    deny(
        &["imports:write", "accounts:write"],
        "partners",
        &partners,
        "partners:write",
    );
    deny(
        &["imports:write", "partners:write"],
        "partners",
        &approved,
        "partners:review",
    );
    let allowed = world.key(&["imports:write", "accounts:write"]);
    upload(&allowed, "accounts", &account_mapping(), &[], ACCOUNTS.as_bytes()).expect(202);
    world.work();
    assert_eq!(world.admin().all("/v1/accounts").len(), 2);
    let chunks =
        "SELECT count(*) AS count FROM import_chunks WHERE import_id NOT IN (SELECT id FROM imports)";
    assert_eq!(count(&mut world.database().owner(), chunks), 0);
}

#[test]
fn a_form_that_cannot_be_read_names_every_mistake() {
    let world = World::new();
    let odd =
        json!({ "fields": { "amount": { "column": "x" }, "name": { "column": "a", "constant": "b" } } });
    let refused = upload(world.admin(), "accounts", &odd, &[("dry_run", "maybe")], b"x\n");
    let refused = refused
        .refused(422, "validation_failed")
        .pointer("/dry_run", "wrong_type");
    assert!(
        refused["errors"].as_array().unwrap().len() >= 3,
        "{}",
        refused.raw()
    );
    upload(world.admin(), "wishes", &odd, &[], b"x\n")
        .refused(422, "validation_failed")
        .pointer("/resource", "unknown_value");
    world
        .admin()
        .post("/v1/imports", json!({}))
        .refused(415, "unsupported_media_type");
}

#[test]
fn a_canceled_import_leaves_no_record_and_no_file() {
    let world = World::new();
    let queued = upload(
        world.admin(),
        "accounts",
        &account_mapping(),
        &[],
        ACCOUNTS.as_bytes(),
    )
    .expect(202);
    let path = queued.header("location").to_owned();
    let canceled = world.admin().act(&format!("{path}/cancel")).expect(200);
    assert_eq!(canceled["status"], "canceled");
    world.work();
    assert_eq!(world.admin().get(&path).expect(200)["status"], "canceled");
    world
        .admin()
        .act(&format!("{path}/cancel"))
        .refused(409, "wrong_state");
    assert_eq!(world.admin().all("/v1/accounts"), [] as [Value; 0]);
    let mut owner = world.database().owner();
    for table in ["import_chunks", "import_keys"] {
        let left = format!("SELECT count(*) AS count FROM {table}");
        assert_eq!(count(&mut owner, &left), 0, "{table}");
    }
}

#[test]
fn a_file_has_a_largest_size() {
    let world = World::new();
    let fits = format!("account_ref,name\nA-1,{}\n", "x".repeat(200));
    upload(
        world.admin(),
        "accounts",
        &account_mapping(),
        &[],
        fits.as_bytes(),
    )
    .expect(202);
    let over = vec![b'a'; 16 * 1024 * 1024 + 1];
    upload(world.admin(), "accounts", &account_mapping(), &[], &over).refused(413, "body_too_large");
    assert_eq!(world.admin().all("/v1/imports").len(), 1);
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
