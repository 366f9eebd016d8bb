//! Which role may call which operation, as a table that is committed, so that a change of rights shows in a diff.

use crate::world::operations;
use copartner::kernel::permission::Permission;
use copartner::kernel::role::BuiltInRole;
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
