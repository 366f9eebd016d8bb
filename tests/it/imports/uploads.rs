//! The file as a whole: its shape, its size, and who may send it.

use super::{ACCOUNTS, account_mapping, counts, load, mapping, rejections, upload};
use crate::world::{World, count, texts};
use copartner::app::worker::Worker;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

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
        (
            "unterminated_quote",
            "account_ref,name\nA-1,x\nA-2,\"cut of".as_bytes().to_vec(),
        ),
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
fn a_file_with_another_delimiter_is_told_how_to_say_so() {
    let world = World::new();
    let file = "account_ref;name\nC-1;One, two\n";
    let import = load(&world, "accounts", &account_mapping(), &[], file);
    let detail = import["error"]["detail"].as_str().unwrap();
    let hint = "All of its first line is one column; if ';' separates them, say so in `delimiter`.";
    assert!(detail.ends_with(hint), "{detail}");
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
fn an_import_whose_worker_is_gone_is_taken_up_again() {
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
    let taken = format!(
        "SELECT count(*) AS count FROM claim_import('{}', interval '1 day')",
        world.clock.now()
    );
    assert_eq!(count(&mut world.database().owner(), &taken), 1);
    world.work();
    assert_eq!(world.admin().get(&path).expect(200)["status"], "running");
    Worker::take_over(&world.db).unwrap();
    world.work();
    assert_eq!(world.admin().get(&path).expect(200)["status"], "succeeded");
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
fn an_import_of_a_sandbox_is_told_in_its_time_and_leased_in_the_real_one() {
    let world = World::sandbox();
    let body = json!({ "until_at": "2027-03-02T09:00:00Z" });
    let advance = "/v1/organization/clock/advance";
    world.admin().post(advance, body).expect(200);
    let queued = upload(
        world.admin(),
        "accounts",
        &account_mapping(),
        &[],
        ACCOUNTS.as_bytes(),
    )
    .expect(202);
    let claim = "SELECT count(*) AS count FROM claim_import('2026-03-02T09:00:00Z', interval '2 minutes')";
    assert_eq!(count(&mut world.database().owner(), claim), 1);
    // Whoever took it is gone; before the lease is over in real time nobody else takes it.
    world.work();
    assert_eq!(world.admin().get(queued.header("location"))["status"], "running");
    world.pass(chrono::TimeDelta::seconds(121));
    world.work();
    let import = world.admin().get(queued.header("location")).expect(200);
    assert_eq!(import["status"], "succeeded");
    assert_eq!(import["created_at"], "2027-03-02T09:00:00Z");
    assert_eq!(import["started_at"], "2027-03-02T09:00:00Z");
    assert_eq!(import["finished_at"], "2027-03-02T09:02:01Z");
    let accounts = world.admin().all("/v1/accounts");
    assert_eq!(texts(&accounts, "created_at"), ["2027-03-02T09:02:01Z"; 2]);
}
