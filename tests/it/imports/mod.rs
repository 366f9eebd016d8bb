//! Files become records: row by row, with every mistake named, and twice is as good as once.

mod rows;
mod rules;
mod uploads;

use crate::world::{Actor, Reply, World, texts};
use serde_json::{Value, json};

const BOUNDARY: &str = "a-boundary-that-no-file-has";
const ACCOUNTS: &str = "account_ref,name\nA-1,Stadtwerke\nA-2,Hafen\n";

/// The mapping of a resource from columns of the same name as the fields, with some other than that.
pub fn mapping(columns: &[&str], others: Value) -> Value {
    let column = |name: &&str| ((*name).to_owned(), json!({ "column": name }));
    let mut fields: serde_json::Map<String, Value> = columns.iter().map(column).collect();
    fields.extend(others.as_object().unwrap().clone());
    json!({ "fields": fields })
}

fn account_mapping() -> Value {
    mapping(&["name"], json!({ "external_id": { "column": "account_ref" } }))
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
pub fn load(
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
