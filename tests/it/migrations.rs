//! The migrations lead up, down to nothing, and up again to the same schema.

use crate::world::{Cluster, Database, names};
use copartner::platform::db::migrate;
use diesel::connection::SimpleConnection;

/// What diesel itself keeps.
const DIESELS_OWN: &str = "__diesel_schema_migrations";

fn up(database: &Database) -> usize {
    migrate::run(&database.url("postgres")).unwrap().len()
}

/// Everything in the schema `public` that is not diesel's and does not belong to an extension.
fn left(database: &Database) -> Vec<String> {
    let query = format!(
        "SELECT 'relation ' || relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace \
             AND relname NOT LIKE '{DIESELS_OWN}%' \
         UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace \
         UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace \
             AND typname NOT LIKE '%{DIESELS_OWN}' \
         UNION ALL SELECT 'extension ' || extname FROM pg_extension WHERE extname <> 'plpgsql' \
         UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger \
         UNION ALL SELECT 'grant on public' FROM pg_namespace, aclexplode(nspacl) \
             WHERE nspname = 'public' AND grantee = 'copartner_service'::regrole ORDER BY 1"
    );
    names(&mut database.owner(), &query)
}

#[test]
fn up_down_and_up_again_is_the_same() {
    // The shared template was migrated before, so that the role exists, as it does on a server in use.
    let database = Cluster::shared().empty_database();
    assert!(up(&database) > 5);
    let first = database.schema();
    assert!(first.contains("CREATE TABLE public.partners"));
    migrate::revert_all(&database.url("postgres")).unwrap();
    assert_eq!(left(&database), Vec::<String>::new());
    up(&database);
    assert!(
        without_secrets(&first) == without_secrets(&database.schema()),
        "the schema is another now"
    );
    assert_eq!(
        migrate::pending(&database.url("postgres")).unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(up(&database), 0);
}

/// Newer versions of `pg_dump` put a random word into each dump.
fn without_secrets(dump: &str) -> String {
    let lines = dump.lines();
    let kept = lines.filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
    kept.collect::<Vec<_>>().join("\n")
}

#[test]
fn two_that_start_at_once_migrate_once() {
    let database = Cluster::shared().empty_database();
    let ran: usize = std::thread::scope(|scope| {
        let several = [(); 4].map(|()| scope.spawn(|| up(&database)));
        several.into_iter().map(|one| one.join().unwrap()).sum()
    });
    let all = names(
        &mut database.owner(),
        &format!("SELECT version AS name FROM {DIESELS_OWN}"),
    );
    assert_eq!(ran, all.len());
    assert_eq!(
        migrate::pending(&database.url("postgres")).unwrap(),
        Vec::<String>::new()
    );
}

#[test]
fn what_a_migration_leaves_behind_is_seen() {
    let database = Cluster::shared().empty_database();
    let leave = "CREATE TABLE left_table (id int); CREATE TYPE left_type AS ENUM ('a'); \
        CREATE FUNCTION left_function() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE EXTENSION btree_gist";
    database.owner().batch_execute(leave).unwrap();
    let left = left(&database);
    for name in [
        "relation left_table",
        "type left_type",
        "function left_function",
        "extension btree_gist",
    ] {
        assert!(left.iter().any(|one| one == name), "{name} in {left:?}");
    }
}
