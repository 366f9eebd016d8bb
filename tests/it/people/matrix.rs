//! Which role may call which operation, as a table that is committed, so that a change of rights shows in a diff.

use crate::world::operations;
use copartner::kernel::permission::Permission;
use copartner::kernel::role::BuiltInRole;
use serde_json::json;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const PLACE: &str = "tests/it/people/roles_and_operations.txt";

/// One line for each operation, one column for each role: `x` where the role holds a permission that suffices.
fn matrix() -> String {
    let mut table = format!("{:<34}", "operation");
    for role in BuiltInRole::ALL {
        write!(table, " {role}").unwrap();
    }
    table.push('\n');
    for operation in operations().iter().filter(|operation| !operation.is_public) {
        write!(table, "{:<34}", operation.id).unwrap();
        for role in BuiltInRole::ALL {
            let mut needed = operation.permissions.iter();
            let holds = |name: &&str| role.holds(Permission::from_name(name).unwrap());
            let mark = if operation.permissions.is_empty() || needed.any(holds) {
                'x'
            } else {
                '.'
            };
            write!(table, " {mark:^width$}", width = role.as_str().len()).unwrap();
        }
        table.push('\n');
    }
    table
}

#[test]
fn the_committed_table_is_what_roles_may_do() {
    let written = matrix();
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(PLACE);
    let committed = fs::read_to_string(&place).unwrap_or_default();
    if committed != written {
        let beside = std::env::temp_dir().join("roles_and_operations.txt");
        fs::write(&beside, &written).unwrap();
        let differs = written.lines().find(|line| !committed.contains(line));
        panic!(
            "the rights of roles changed, first at {differs:?}; if that is meant, copy {} to {PLACE}",
            beside.display()
        );
    }
}

/// The rows of the committed table: an operation with the roles that may call it.
fn rows() -> Vec<(String, Vec<&'static str>)> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(PLACE);
    let table = fs::read_to_string(place).unwrap();
    let mut rows = table.lines().map(str::split_whitespace);
    let roles: Vec<&str> = rows.next().unwrap().skip(1).collect();
    assert_eq!(
        roles,
        BuiltInRole::ALL
            .iter()
            .map(|role| role.as_str())
            .collect::<Vec<_>>()
    );
    let row = |mut cells: std::str::SplitWhitespace<'_>| {
        let operation = cells.next().unwrap().to_owned();
        let marked = BuiltInRole::ALL
            .iter()
            .zip(cells)
            .filter(|(_, mark)| *mark == "x");
        (operation, marked.map(|(role, _)| role.as_str()).collect())
    };
    rows.map(row).collect()
}

/// Who reads the document reads there what the table says, as a list and as a sentence.
#[test]
fn the_document_names_the_roles_of_the_committed_table() {
    let rows = rows();
    let operations = operations();
    let secured = operations.iter().filter(|operation| !operation.is_public);
    assert_eq!(secured.count(), rows.len());
    for (id, roles) in rows {
        let operation = operations.iter().find(|operation| operation.id == id).unwrap();
        assert_eq!(operation.described["x-roles"], json!(roles), "{id}");
        let description = operation.described["description"].as_str().unwrap();
        let sentence = description.lines().last().unwrap();
        let permissions = operation
            .permissions
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>();
        assert!(sentence.contains(&permissions.join(", ")), "{id}: {sentence}");
        let held: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
        let is_told = if roles.len() == BuiltInRole::ALL.len() {
            sentence.ends_with("every built-in role may call it.")
        } else {
            sentence.ends_with(&format!("held by {}.", held.join(", ")))
        };
        assert!(is_told, "{id}: {sentence}");
    }
    let public = operations.iter().filter(|operation| operation.is_public);
    assert!(
        public
            .clone()
            .all(|operation| operation.described.get("x-roles").is_none())
    );
    assert!(public.count() > 0);
}
