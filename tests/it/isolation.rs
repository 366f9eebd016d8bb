//! Nobody sees another tenant's records: not over HTTP, and not even when a query forgets to ask for the scope.

use crate::world::{Actor, Database, Operation, Reply, World, count, names, operations};
use diesel::connection::SimpleConnection;
use diesel::{PgConnection, RunQueryDsl, sql_query};
use serde_json::{Value, json};
use uuid::Uuid;

/// Every table of a tenant.
fn tables(connection: &mut PgConnection) -> Vec<String> {
    let query = "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace \
        AND relkind IN ('r', 'p') AND relname <> '__diesel_schema_migrations' ORDER BY 1";
    names(connection, query)
}

/// Puts a row of this organization into every table, by the catalog: whatever type a column has, some value of it.
/// Constraints and triggers are out of force meanwhile; here only the policies matter.
fn fill(database: &Database, organization: Uuid) {
    let mut owner = database.owner();
    owner
        .batch_execute("SET session_replication_role = replica")
        .unwrap();
    for table in tables(&mut owner) {
        let checks = format!(
            "SELECT conname::text AS name FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'c'"
        );
        for check in names(&mut owner, &checks) {
            owner
                .batch_execute(&format!("ALTER TABLE {table} DROP CONSTRAINT {check}"))
                .unwrap();
        }
        let columns = format!(
            "SELECT format('%I', attname) AS name FROM pg_attribute WHERE attrelid = '{table}'::regclass \
             AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = '' AND attnotnull \
             AND attname <> 'organization_id' ORDER BY attnum"
        );
        let values = format!(
            "SELECT CASE WHEN attndims > 0 THEN '''{{}}''' ELSE CASE atttypid::regtype::text \
                 WHEN 'uuid' THEN 'gen_random_uuid()' WHEN 'text' THEN quote_literal('x') \
                 WHEN 'jsonb' THEN '''{{}}''' WHEN 'bytea' THEN 'sha256(gen_random_uuid()::text::bytea)' \
                 WHEN 'boolean' THEN 'false' WHEN 'date' THEN 'current_date' \
                 WHEN 'interval' THEN '''0''' WHEN 'timestamp with time zone' THEN 'now()' ELSE '1' END END AS name \
             FROM pg_attribute WHERE attrelid = '{table}'::regclass \
             AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = '' AND attnotnull \
             AND attname <> 'organization_id' ORDER BY attnum"
        );
        let columns = names(&mut owner, &columns);
        let values = names(&mut owner, &values);
        let list = |first: &str, rest: &[String]| {
            let all = std::iter::once(first.to_owned()).chain(rest.iter().cloned());
            all.collect::<Vec<_>>().join(", ")
        };
        let insert = format!(
            "INSERT INTO {table} ({}) SELECT {} \
             WHERE NOT EXISTS (SELECT FROM {table} WHERE organization_id = '{organization}')",
            list("organization_id", &columns),
            list(&format!("'{organization}'"), &values)
        );
        owner
            .batch_execute(&insert)
            .unwrap_or_else(|error| panic!("{insert}: {error}"));
    }
}

/// What a session of the service's role sees and can do to the rows of an organization.
struct Reach {
    seen: i64,
    changed: usize,
    deleted: usize,
}

fn reach(connection: &mut PgConnection, table: &str, organization: Uuid) -> Reach {
    let seen = format!("SELECT count(*) AS count FROM {table} WHERE organization_id = '{organization}'");
    let mut attempt = |statement: String| {
        // Where the role has no such right at all, it can do nothing either.
        connection.batch_execute("SAVEPOINT attempt").unwrap();
        let done = sql_query(statement).execute(connection);
        connection.batch_execute("ROLLBACK TO attempt").unwrap();
        done.unwrap_or(0)
    };
    let changed = attempt(format!(
        "UPDATE {table} SET organization_id = organization_id WHERE organization_id = '{organization}'"
    ));
    let deleted = attempt(format!(
        "DELETE FROM {table} WHERE organization_id = '{organization}'"
    ));
    Reach {
        seen: count(connection, &seen),
        changed,
        deleted,
    }
}

fn enter(connection: &mut PgConnection, organization: &str, partner: &str, api_key: &str) {
    let settings = format!(
        "SELECT set_config('copartner.organization_id', '{organization}', false), \
         set_config('copartner.partner_id', '{partner}', false), \
         set_config('copartner.api_key_id', '{api_key}', false)"
    );
    connection.batch_execute(&settings).unwrap();
}

#[test]
fn the_policies_stand_when_a_query_forgets_the_scope() {
    let world = World::new();
    let other = world.second_organization();
    let (mine, theirs) = (world.home.id.uuid(), other.id.uuid());
    fill(world.database(), mine);
    let mut owner = world.database().owner();
    let mut service = world.database().service_role();
    for table in tables(&mut owner) {
        let there = format!("SELECT count(*) AS count FROM {table} WHERE organization_id = '{mine}'");
        assert!(count(&mut owner, &there) > 0, "{table} was not filled");
        service.batch_execute("BEGIN").unwrap();
        for scope in [theirs.to_string(), String::new(), Uuid::nil().to_string()] {
            enter(&mut service, &scope, "", "");
            let reach = reach(&mut service, &table, mine);
            assert_eq!(
                (reach.seen, reach.changed, reach.deleted),
                (0, 0, 0),
                "{table} in the scope `{scope}`"
            );
        }
        service.batch_execute("ROLLBACK").unwrap();
    }
}

#[test]
fn nothing_can_be_written_into_another_organization() {
    let world = World::new();
    let other = world.second_organization();
    fill(world.database(), world.home.id.uuid());
    let mut owner = world.database().owner();
    let mut service = world.database().service_role();
    enter(&mut service, &other.id.uuid().to_string(), "", "");
    for table in tables(&mut owner) {
        let copy = format!(
            "CREATE TEMPORARY TABLE stolen AS SELECT * FROM {table} WHERE organization_id = '{}' LIMIT 1; \
             GRANT SELECT ON stolen TO copartner_service",
            world.home.id.uuid()
        );
        owner
            .batch_execute(&format!("DROP TABLE IF EXISTS stolen; {copy}"))
            .unwrap();
        let columns = format!(
            "SELECT string_agg(format('%I', attname), ', ') AS name FROM pg_attribute \
             WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''"
        );
        let columns = names(&mut owner, &columns).join("");
        let row = format!("SELECT to_jsonb(s)::text AS name FROM (SELECT {columns} FROM stolen) s");
        let row = names(&mut owner, &row).join("").replace('\'', "''");
        let insert = format!(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, '{row}')"
        );
        let refusal = sql_query(insert).execute(&mut service).unwrap_err().to_string();
        assert!(
            refusal.contains("row-level security") || refusal.contains("permission denied"),
            "{table}: {refusal}"
        );
    }
}

#[test]
fn a_partners_scope_sees_only_its_own() {
    let world = World::new();
    let organization = world.home.id.uuid();
    let (own, foreign) = (world.partner("Nordlicht"), world.partner("Südwind"));
    fill(world.database(), organization);
    let actor = world.full_partner_key(&own);
    let ids = "SELECT unnest(ARRAY[partner_id, id])::text AS name FROM api_keys WHERE partner_id IS NOT NULL";
    let ids = names(&mut world.database().owner(), ids);
    let mut service = world.database().service_role();
    enter(&mut service, &organization.to_string(), &ids[0], &ids[1]);
    assert_eq!(
        names(&mut service, "SELECT name FROM api_keys"),
        ["A partner's key"]
    );
    assert_eq!(names(&mut service, "SELECT name FROM partners"), ["Nordlicht"]);
    // What a partner may see of a filled organization: the organization, and what is common to all partners.
    let open = [
        "organizations",
        "api_keys",
        "partners",
        "roles",
        "product_families",
        "pipeline_stages",
        "events",
    ];
    for table in tables(&mut world.database().owner()) {
        let seen = count(&mut service, &format!("SELECT count(*) AS count FROM {table}"));
        assert!(
            seen == 0 || open.contains(&table.as_str()),
            "{table} shows {seen} rows"
        );
    }
    let foreign_events =
        "SELECT count(*) AS count FROM events WHERE partner_id IS DISTINCT FROM scope_partner()";
    assert_eq!(count(&mut service, foreign_events), 0);
    for statement in [
        "UPDATE partners SET name = 'Mine'",
        "INSERT INTO product_families (organization_id, id, name, row_version, created_at, updated_at) \
         VALUES (scope_organization(), gen_random_uuid(), 'x', 1, now(), now())",
    ] {
        let refusal = sql_query(statement)
            .execute(&mut service)
            .unwrap_err()
            .to_string();
        assert!(refusal.contains("row-level security"), "{statement}: {refusal}");
    }
    assert_eq!(actor.get("/v1/partners").expect(200).data().len(), 1);
    actor.get(&format!("/v1/partners/{own}")).expect(200);
    actor
        .get(&format!("/v1/partners/{foreign}"))
        .refused(404, "not_found");
}

/// The operations whose path names exactly one record.
fn about_one_record() -> Vec<Operation> {
    let all = operations().into_iter();
    all.filter(|operation| operation.path_names().len() == 1)
        .collect()
}

/// The body without what differs from request to request.
fn shape(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    body
}

/// Records of a list, asked for with the permissions of an admin.
fn listed(admin: &Actor, path: &str) -> Vec<String> {
    let reply = admin.get(path);
    let data = reply.body["data"].as_array().cloned().unwrap_or_default();
    let ids = data.iter().filter_map(|record| record["id"].as_str());
    ids.map(str::to_owned).collect()
}

/// What can be made with the document's own examples, until nothing more can be: so a new resource takes part here
/// as soon as its example can be created.
fn populate(admin: &Actor) {
    for operation in operations() {
        if operation.method == "POST" && operation.path_names().is_empty() && operation.takes_json() {
            operation.ask(admin, operation.path).send();
        }
    }
}

#[test]
fn a_foreign_id_is_answered_like_a_missing_one() {
    let world = World::new();
    let stranger = world.second_organization();
    world.partner("Nordlicht");
    populate(world.admin());
    let mut tried = 0;
    for operation in about_one_record() {
        let (collection, _) = operation.path.split_once("/{").unwrap();
        let missing = operation
            .ask(&stranger.admin, &operation.path_to_nothing())
            .send();
        for id in listed(world.admin(), collection).iter().take(1) {
            let (start, rest) = operation.path.split_once('{').unwrap();
            let (_, end) = rest.split_once('}').unwrap();
            let path = format!("{start}{id}{end}");
            let foreign = operation
                .ask(&stranger.admin, &path)
                .send()
                .refused(404, "not_found");
            assert_eq!(shape(&foreign), shape(&missing), "{}", operation.id);
            assert_eq!(foreign.status, missing.status, "{}", operation.id);
            tried += 1;
        }
    }
    assert!(tried >= 5, "only {tried} operations could be tried");
}

#[test]
fn lists_show_nothing_of_another_organization() {
    let world = World::new();
    let stranger = world.second_organization();
    world.partner("Nordlicht");
    populate(world.admin());
    world.work();
    for operation in operations() {
        let is_list = operation.method == "GET" && operation.query_names().contains(&"cursor");
        if !is_list || !operation.path_names().is_empty() {
            continue;
        }
        let mine = listed(world.admin(), operation.path);
        let theirs = listed(&stranger.admin, operation.path);
        assert!(mine.iter().all(|id| !theirs.contains(id)), "{}", operation.id);
    }
}

#[test]
fn a_foreign_id_in_a_body_is_an_unknown_reference() {
    let world = World::new();
    let stranger = world.second_organization();
    let parent = world.partner("Nordlicht");
    stranger
        .admin
        .post("/v1/partners", json!({ "name": "Below", "parent_id": parent }))
        .refused(422, "validation_failed")
        .pointer("/parent_id", "unknown_reference");
    let key = json!({ "name": "Key", "permissions": ["deals:read"], "partner_id": parent });
    stranger
        .admin
        .post("/v1/api-keys", key)
        .refused(422, "validation_failed")
        .pointer("/partner_id", "unknown_reference");
}
