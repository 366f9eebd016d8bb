//! Texts that mean something to somebody else: to Postgres, to a pattern, to a spreadsheet.

use super::{demanded, with_body};
use crate::world::{Operation, World, document, names, operations, resolve};
use rust_decimal::Decimal;
use serde_json::{Value, json};

const TEXTS: [&str; 13] = [
    "' OR '1'='1",
    "'; DROP TABLE partners; --",
    "\" OR \"\"=\"",
    "1) UNION SELECT NULL, NULL--",
    "') OR pg_sleep(9) IS NULL --",
    "$1",
    "\\",
    "%",
    "_",
    "%%%_",
    "E'\\x27'",
    "{{7*7}}${7*7}",
    "<script>alert(1)</script>",
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Whether any text will do.
fn is_free_text(schema: &'static Value) -> bool {
    let schema = resolve(schema);
    let pattern = schema["pattern"].as_str().unwrap_or_default();
    schema["type"] == "string" && schema["enum"].is_null() && pattern.contains("[^\\x00]")
}

/// Fingerprints of everything that is stored, so that nothing can go or change unnoticed. When a key was last used is
/// told by the service itself now and then.
fn stored(world: &World) -> Vec<String> {
    let tables = "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace \
        AND relkind IN ('r', 'p') ORDER BY 1";
    let mut owner = world.database().owner();
    let all = names(&mut owner, tables);
    let content = |table: &String| {
        let rows = format!(
            "SELECT '{table} ' || coalesce(md5(string_agg(r::text, '' ORDER BY r::text)), '') AS name \
             FROM (SELECT to_jsonb(t) - 'last_used_at' AS r FROM {table} t) rows"
        );
        names(&mut owner, &rows).remove(0)
    };
    all.iter().map(content).collect()
}

#[test]
fn sql_in_a_query_finds_nothing() {
    let world = World::new();
    world.partner("Nordlicht");
    world.account();
    world.ten_percent(json!({ "external_id": "terms" }));
    world.work();
    let before = stored(&world);
    let mut tried = 0;
    for operation in operations() {
        for name in operation.query_names() {
            let parameter = operation.query_parameter(name).unwrap();
            let takes_any = is_free_text(&parameter["schema"]);
            for text in TEXTS {
                let path = format!("{}?{name}={}", operation.path_to_nothing(), encoded(text));
                let reply = operation.ask(world.admin(), &path).send();
                let what = format!("{} {name}={text}: {}", operation.id, reply.raw());
                if takes_any || reply.status == 200 {
                    assert_eq!(reply.status, 200, "{what}");
                    assert_eq!(reply.data(), &[] as &[Value], "{what}");
                    tried += 1;
                } else {
                    assert!([404, 422].contains(&reply.status), "{what}");
                }
            }
        }
    }
    assert!(tried > 100, "only {tried}");
    assert_eq!(stored(&world), before);
}

/// Operations that answer a question and keep nothing of it.
const KEEP_NOTHING: [&str; 1] = ["matchAccount"];

/// What a body may look like, each with its example: of a union, every member.
fn shapes(operation: &Operation) -> Vec<(&'static Value, &'static Value)> {
    let schema = resolve(operation.body_schema().unwrap());
    let Some(members) = schema["discriminator"]["mapping"].as_object() else {
        return vec![(schema, operation.example_body().unwrap())];
    };
    let named = |name: &str| document().pointer(name.trim_start_matches('#')).unwrap();
    let members = members.values().map(|name| named(name.as_str().unwrap()));
    members.map(|member| (member, &member["examples"][0])).collect()
}

#[test]
fn sql_in_a_body_is_a_text_like_any_other() {
    let world = World::new();
    let mut kept = 0;
    let bodies = with_body().into_iter().flat_map(|operation| {
        let shapes = shapes(&operation);
        shapes
            .into_iter()
            .map(move |(schema, example)| (operation.id, schema, example))
    });
    let known = operations();
    for (id, schema, example) in bodies {
        let operation = known.iter().find(|operation| operation.id == id).unwrap();
        for (field, of_field) in schema["properties"].as_object().unwrap() {
            if !is_free_text(of_field) {
                continue;
            }
            for text in TEXTS {
                let mut body = example.clone();
                if let Some(key) = body.get_mut("external_id") {
                    *key = json!(format!("{field} {text}"));
                }
                body[field] = json!(text);
                let ask = world.admin().ask(&operation.method, &operation.path_to_nothing());
                let reply = demanded(operation, ask).json(&body).send();
                assert!(
                    reply.status < 500,
                    "{} {field}={text}: {}",
                    operation.id,
                    reply.raw()
                );
                if reply.status < 300 && !KEEP_NOTHING.contains(&operation.id) {
                    assert_eq!(reply[field], text, "{}", operation.id);
                    kept += 1;
                }
            }
        }
    }
    assert!(kept > 50, "only {kept}");
}

#[test]
fn no_cell_of_a_report_is_a_formula() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let starts = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"];
    for start in starts {
        let partner = world.enrolled(
            &format!("{start}HYPERLINK(\"http://evil.example\",\"x,y\")"),
            &program,
        );
        world.sale(&program, &partner, "100.00 USD");
    }
    let plain = world.enrolled("Nordlicht, \"the\" partner", &program);
    let payment = world.sale(&program, &plain, "100.00 USD");
    world.refund(&payment, "40.00 USD");
    let report = world
        .admin()
        .get("/v1/reports/partner-performance?format=csv&from_on=2026-03-01")
        .expect(200);
    let mut reader = csv::Reader::from_reader(report.raw().as_bytes());
    let columns = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), starts.len() + 1);
    let mut quoted = 0;
    for row in &rows {
        for (name, cell) in columns.iter().zip(row) {
            let is_text = name.starts_with("group") || name == "currency";
            if is_text {
                assert!(
                    !starts.iter().any(|start| cell.starts_with(start)),
                    "{name}: {cell}"
                );
                quoted += usize::from(cell.starts_with('\''));
            } else {
                cell.parse::<Decimal>()
                    .unwrap_or_else(|_| panic!("{name}: {cell}"));
            }
        }
    }
    assert_eq!(quoted, starts.len());
    assert!(report.raw().contains("\"Nordlicht, \"\"the\"\" partner\""));
}
