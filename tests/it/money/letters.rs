//! Statements as letters, and their signatures, checked by what is published alone.

use crate::serve::{Folder, Running, copartner};
use crate::world::{Actor, Pdf, World, count};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

const PATH: &str = "/v1/statements";

fn at(world: &World, instant: &str) {
    world.clock.set(instant.parse().unwrap());
}

fn issue(world: &World, month: &str) -> i64 {
    let issued = world.admin().post(PATH, json!({ "month": month })).expect(200);
    issued["issued_count"].as_i64().unwrap()
}

/// A world with one statement of January; its id.
fn issued() -> (World, String, String) {
    let world = World::new();
    at(&world, "2027-01-10T09:00:00Z");
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("Nordlicht Łódź 北京 Ακρόπολη", &program);
    world.sale(&program, &partner, "12345.60 USD");
    at(&world, "2027-02-01T00:00:00Z");
    assert_eq!(issue(&world, "2027-01"), 1);
    let id = world.admin().all(PATH)[0]["id"].as_str().unwrap().to_owned();
    (world, id, partner)
}

fn file(actor: &Actor, id: &str, format: &str) -> Vec<u8> {
    let path = format!("{PATH}/{id}/file?format={format}");
    actor.get(&path).expect(200).bytes().to_vec()
}

fn keys(world: &World) -> JwkSet {
    let path = format!("/v1/issuers/{}/jwks.json", world.home.id);
    serde_json::from_value(world.nobody().get(&path).expect(200).body).unwrap()
}

/// Whether a detached signature is that of a text by one of these keys, as any library has it.
fn is_signed(text: &[u8], detached: &str, keys: &JwkSet) -> bool {
    let token = detached.replace("..", &format!(".{}.", URL_SAFE_NO_PAD.encode(text)));
    let named = decode_header(&token).unwrap().kid.unwrap();
    let Some(key) = keys.find(&named) else {
        return false;
    };
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    decode::<Value>(&token, &DecodingKey::from_jwk(key).unwrap(), &rules).is_ok()
}

fn signature(actor: &Actor, id: &str) -> String {
    let found = actor.get(&format!("{PATH}/{id}")).expect(200);
    found.text("/statement/signature").to_owned()
}

#[test]
fn a_statement_is_signed_and_the_key_stays_when_another_one_signs() {
    let (mut world, id, partner) = issued();
    let text = file(world.admin(), &id, "text");
    let first = signature(world.admin(), &id);
    assert!(is_signed(&text, &first, &keys(&world)));
    assert_eq!(
        world.admin().all(PATH)[0]["signature"],
        json!(first),
        "the list tells it too"
    );
    for position in [0, text.len() / 2, text.len() - 1] {
        let mut changed = text.clone();
        changed[position] ^= 1;
        assert!(
            !is_signed(&changed, &first, &keys(&world)),
            "byte {position} changed"
        );
    }
    // Another process has another key, and so has the same one a quarter later.
    world.restart();
    at(&world, "2027-02-10T09:00:00Z");
    let program = world.admin().all("/v1/programs")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.sale(&program, &partner, "100.00 USD");
    at(&world, "2027-03-01T00:00:00Z");
    assert_eq!(issue(&world, "2027-02"), 1);
    at(&world, "2027-06-10T09:00:00Z");
    world.sale(&program, &partner, "100.00 USD");
    at(&world, "2027-07-01T00:00:00Z");
    assert_eq!(issue(&world, "2027-06"), 1);
    at(&world, "2029-07-01T00:00:00Z");
    let published = keys(&world);
    assert_eq!(published.keys.len(), 3);
    let own = world.full_partner_key(&partner);
    for statement in own.all(PATH) {
        let id = statement["id"].as_str().unwrap();
        let signature = statement["signature"].as_str().unwrap();
        assert!(is_signed(&file(&own, id, "text"), signature, &published));
    }
    assert_eq!(file(world.admin(), &id, "text"), text);
    assert_eq!(signature(world.admin(), &id), first);
    let private = "SELECT count(*) AS count FROM statement_keys WHERE public_key ? 'd'";
    assert_eq!(count(&mut world.database().owner(), private), 0);
    world.books_balance();
}

/// The text says whom it is for and what came before, so that all of it is signed.
#[test]
fn the_text_names_the_parties_as_they_were_and_the_hash_before() {
    let (world, id, partner) = issued();
    let before = file(world.admin(), &id, "text");
    let pdf = file(world.admin(), &id, "pdf");
    let text: Value = serde_json::from_slice(&before).unwrap();
    assert_eq!(text["partner_name"], "Nordlicht Łódź 北京 Ακρόπολη");
    assert_eq!(text["previous_hash"], Value::Null);
    let deal = world.admin().all("/v1/deals")[0].clone();
    assert_eq!(text["lines"][0]["reference"], deal["name"]);
    world
        .admin()
        .patch(&format!("/v1/partners/{partner}"), json!({ "name": "Südlicht" }))
        .expect(200);
    world
        .admin()
        .patch("/v1/organization", json!({ "name": "Somebody else" }))
        .expect(200);
    let path = format!("/v1/deals/{}", deal["id"].as_str().unwrap());
    world
        .admin()
        .patch(&path, json!({ "name": "Called otherwise" }))
        .expect(200);
    assert_eq!(file(world.admin(), &id, "text"), before);
    assert_eq!(file(world.admin(), &id, "pdf"), pdf);
    world.books_balance();
}

#[test]
fn a_letter_says_what_the_statement_says() {
    let (world, id, partner) = issued();
    let reply = world
        .admin()
        .get(&format!("{PATH}/{id}/file?format=pdf"))
        .expect(200);
    assert_eq!(reply.header("content-type"), "application/pdf");
    let pdf = Pdf::read(reply.bytes());
    let pages = pdf.pages();
    assert_eq!(pages.len(), 1);
    let said = pages[0].join("\n");
    let found = world.admin().get(&format!("{PATH}/{id}")).expect(200);
    let hash = found.text("/statement/hash");
    let commission = found.text("/lines/0/source_id");
    let deal = found.text("/lines/0/reference");
    for part in [
        found.text("/organization_name"),
        "Commission statement",
        &partner,
        "2027-01-01 to 2027-01-31",
        "USD",
        "Opening balance",
        "Closing balance",
        "1,234.56",
        "Commission earned",
        commission,
        deal,
        hash,
        "Page 1 of 1",
    ] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    // The name is cut where the font changes, and nothing of it is lost.
    assert!(
        said.replace('\n', "").contains("Nordlicht Łódź 北京 Ακρόπολη"),
        "{said}"
    );
    let signature = signature(world.admin(), &id);
    assert!(said.replace('\n', "").contains(&signature), "{said}");
    let fonts = pdf.fonts();
    assert_eq!(
        fonts,
        ["LiberationSans", "LiberationSans-Bold", "DroidSansFallback"]
    );
    assert!(
        reply.bytes().len() < 120_000,
        "only the letters that occur are embedded"
    );
}

#[test]
fn letters_that_no_font_has_are_spelled_and_said_to_be() {
    let world = World::new();
    at(&world, "2027-01-10T09:00:00Z");
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("شركة النور", &program);
    world.sale(&program, &partner, "10.00 USD");
    at(&world, "2027-02-01T00:00:00Z");
    issue(&world, "2027-01");
    let id = world.admin().all(PATH)[0]["id"].as_str().unwrap().to_owned();
    let said = Pdf::read(&file(world.admin(), &id, "pdf")).pages()[0].join("\n");
    assert!(said.contains("* Spelled in Latin letters"), "{said}");
    let found = world.admin().get(&format!("{PATH}/{id}")).expect(200);
    assert_eq!(found["partner_name"], "شركة النور");
}

fn post(owner: &mut PgConnection, partner: &str, program: &str, lines: usize) {
    let [partner, program] = [partner, program].map(|id| copartner::kernel::subject::parse(id).unwrap().1);
    let insert = format!(
        "INSERT INTO ledger_entries (organization_id, id, kind, source_id, step, debit_account, credit_account, \
             partner_id, program_id, currency, amount, occurred_at, recorded_at) \
         SELECT p.organization_id, gen_random_uuid(), 'accrual', gen_random_uuid(), 0, 'commission_expense', 'held', \
             '{partner}', '{program}', 'USD', n::numeric / 100, t, t \
         FROM partners p, generate_series(1, {lines}) n, LATERAL (SELECT '2027-01-05'::timestamptz + n * '1 minute'::interval AS t) at \
         WHERE p.id = '{partner}'"
    );
    owner.batch_execute(&insert).unwrap();
}

#[test]
fn a_long_letter_carries_its_balance_from_page_to_page() {
    let world = World::new();
    at(&world, "2027-02-01T00:00:00Z");
    let program = world.program(json!({}));
    let partner = world.enrolled("A", &program);
    post(&mut world.database().owner(), &partner, &program, 1_000);
    issue(&world, "2027-01");
    let id = world.admin().all(PATH)[0]["id"].as_str().unwrap().to_owned();
    let pages = Pdf::read(&file(world.admin(), &id, "pdf")).pages();
    assert!((30..50).contains(&pages.len()), "{}", pages.len());
    let after = |page: &[String], words: &str| {
        let at = page.iter().position(|said| said == words)?;
        Some(page[at + 1].clone())
    };
    for (number, page) in (1..).zip(&pages) {
        assert!(page.contains(&format!("Page {number} of {}", pages.len())));
        if number < pages.len() {
            assert!(
                page.iter().any(|said| said == "Amount"),
                "page {number} has no header"
            );
        }
    }
    for pair in pages.windows(2) {
        // After the last line only the proof follows.
        if let Some(brought) = after(&pair[1], "Brought forward") {
            assert_eq!(after(&pair[0], "Carried forward"), Some(brought));
        }
    }
    let carried = pages
        .iter()
        .filter(|page| after(page, "Carried forward").is_some());
    assert!(carried.count() >= pages.len() - 2);
    // 1,000 lines of 0.01, 0.02, .. come to 5,005.00.
    let said = pages.concat();
    assert_eq!(said.iter().filter(|said| *said == "5,005.00").count(), 3);
    assert_eq!(
        said.iter().filter(|said| *said == "Commission earned").count(),
        1_000
    );
}

/// A process of its own over the same database, and the same one after a restart.
#[test]
fn every_process_gives_the_same_bytes() {
    let (mut world, id, _) = issued();
    let formats = ["csv", "text", "pdf"];
    let here: Vec<Vec<u8>> = formats
        .iter()
        .map(|format| file(world.admin(), &id, format))
        .collect();
    let folder = Folder::new("letters");
    let database = world.database();
    let mut command = copartner(folder.path());
    command
        .env("DATABASE_URL", database.url("copartner_service"))
        .env("DATABASE_OWNER_URL", database.url("postgres"))
        .env("COPARTNER_DATABASE_CONNECTIONS", "4");
    let there = Running::run(&mut command);
    let key = world.admin().token().unwrap().to_owned();
    for (format, here) in formats.iter().zip(&here) {
        let path = format!("{PATH}/{id}/file?format={format}");
        assert_eq!(&body(&there, &path, &key), here, "{format}");
    }
    there.signal("-INT");
    there.ended();
    world.restart();
    let again: Vec<Vec<u8>> = formats
        .iter()
        .map(|format| file(world.admin(), &id, format))
        .collect();
    assert_eq!(here, again);
}

/// The body of an answer, which is as long as its header says.
fn body(running: &Running, path: &str, key: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(&running.address).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n",
        running.address
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    answer.split_off(end + 4)
}

/// Whoever may write to the database behind the service's back is found out.
#[test]
fn a_change_behind_the_services_back_is_found() {
    let forged = "replace(document, '1234.5600', '1234.5700')";
    for (change, found) in [
        (
            format!(
                "UPDATE statements SET earned = earned + 0.01, closing = closing + 0.01, document = {forged}, \
                 hash = encode(sha256(convert_to({forged}, 'UTF8')), 'hex')"
            ),
            vec![
                "statements say what the journal says",
                "statements close with what is owed",
                "statements are signed",
            ],
        ),
        (
            "DELETE FROM statement_signatures".to_owned(),
            vec!["statements are signed"],
        ),
        (
            "UPDATE statement_signatures SET signature = reverse(split_part(signature, '..', 1)) || '..' \
             || split_part(signature, '..', 2)"
                .to_owned(),
            vec!["statements are signed"],
        ),
        (
            "UPDATE statements SET document = replace(document, '北京', '南京'), \
             hash = encode(sha256(convert_to(replace(document, '北京', '南京'), 'UTF8')), 'hex')"
                .to_owned(),
            vec!["statements are signed"],
        ),
    ] {
        let (world, _, _) = issued();
        world.books_balance();
        let mut owner = world.database().owner();
        let refused = owner.batch_execute(&change).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{change}: {refused}");
        owner
            .batch_execute(&format!("SET session_replication_role = replica; {change}"))
            .unwrap();
        let findings =
            copartner::app::ledger_check::all(&world.db, "2027-02-02T00:00:00Z".parse().unwrap()).unwrap();
        let broken: Vec<&str> = findings
            .iter()
            .flat_map(|one| &one.faults)
            .map(|fault| fault.check)
            .collect();
        assert_eq!(broken, found, "{change}");
    }
}

/// What was issued before statements were signed: it has no names in its text and no signature until the next issue.
#[test]
fn what_was_issued_before_is_signed_with_the_next_issue() {
    let (world, id, _) = issued();
    let bare =
        "(document::jsonb - '{organization_id,organization_name,partner_name,previous_hash}'::text[])::text";
    world
        .database()
        .owner()
        .batch_execute(&format!(
            "SET session_replication_role = replica; DELETE FROM statement_signatures; DELETE FROM statement_keys; \
             UPDATE statements SET document = {bare}, hash = encode(sha256(convert_to({bare}, 'UTF8')), 'hex')"
        ))
        .unwrap();
    world.books_balance();
    let found = world.admin().get(&format!("{PATH}/{id}")).expect(200);
    assert_eq!(found["statement"]["signature"], Value::Null);
    assert_eq!(found["partner_name"], Value::Null);
    let said = Pdf::read(&file(world.admin(), &id, "pdf")).pages()[0].join("\n");
    assert!(said.contains("(detached JWS, RFC 7515): none"), "{said}");
    assert_eq!(issue(&world, "2027-01"), 0);
    let text = file(world.admin(), &id, "text");
    assert!(is_signed(&text, &signature(world.admin(), &id), &keys(&world)));
    world.books_balance();
}

/// Nothing is issued without its signature, whatever the service does.
#[test]
fn a_statement_without_a_signature_is_not_committed() {
    let (world, _, _) = issued();
    let copied = "INSERT INTO statements SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(), \
         'month', '2027-02-01', 'number', 2, 'opening', s.closing, 'closing', s.closing + s.earned, \
         'previous_hash', s.hash, 'ends_at', s.issued_at, \
         'hash', encode(sha256(convert_to(s.hash || s.document, 'UTF8')), 'hex')))).* FROM statements s";
    let refused = world
        .database()
        .owner()
        .batch_execute(copied)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("is not signed"), "{refused}");
}

/// The example that the README names, by an implementation of Ed25519 that shares nothing with the service's.
#[test]
fn the_example_verifies_a_statement_and_refuses_another_key() {
    let (world, id, partner) = issued();
    let own = world.full_partner_key(&partner);
    let run = || {
        Command::new("python3")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/examples/statements/verify.py"
            ))
            .args([&format!("http://{}", own.address()), &id])
            .env("COPARTNER_KEY", own.token().unwrap())
            .output()
    };
    let Ok(first) = run() else {
        let note = "SKIPPED letters::the_example_verifies_a_statement_and_refuses_another_key: no python3; \
                    examples/statements/verify.py was NOT run";
        writeln!(std::io::stderr(), "\n{note}").unwrap();
        return;
    };
    let said = String::from_utf8_lossy(&first.stdout).into_owned();
    assert!(
        first.status.success() && said.contains("closes with 1234.5600"),
        "{first:?}"
    );
    let other = "UPDATE statement_keys SET public_key = jsonb_set(public_key, '{x}', \
         to_jsonb('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'::text))";
    world
        .database()
        .owner()
        .batch_execute(&format!("SET session_replication_role = replica; {other}"))
        .unwrap();
    let second = run().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        !second.status.success() && said.contains("not that of the text"),
        "{second:?}"
    );
}

/// A hash is over the hash before and the text, and the text names the hash before.
#[test]
fn a_chain_cannot_be_cut_and_joined() {
    let (world, id, partner) = issued();
    let first = world.admin().get(&format!("{PATH}/{id}")).expect(200);
    at(&world, "2027-02-10T09:00:00Z");
    let program = world.admin().all("/v1/programs")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.sale(&program, &partner, "100.00 USD");
    at(&world, "2027-03-01T00:00:00Z");
    issue(&world, "2027-02");
    let second = world.admin().all(PATH)[0].clone();
    let text = file(world.admin(), second["id"].as_str().unwrap(), "text");
    let named: Value = serde_json::from_slice(&text).unwrap();
    let before = first.text("/statement/hash");
    assert_eq!(named["previous_hash"], json!(before));
    let hash = Sha256::new().chain_update(before).chain_update(&text).finalize();
    assert_eq!(second["hash"], json!(format!("{hash:x}")));
}
