//! What Postgres says about the schema: the laws of tenancy, names and rights that no review can overlook.
//!
//! Each law is a query whose rows are the faults; `the_laws_fire` shows every one of them a table that breaks it.

mod never_hit;

use crate::world::{Cluster, Names, names};
use copartner::kernel::problem::Code;
use copartner::platform::db::error::problem_of;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use never_hit::NEVER_HIT;

/// Keys that do not start with the organization, and why.
const KEYS_BEFORE_THE_TENANT: &[(&str, &str)] = &[
    (
        "api_keys_secret_hash_key",
        "a caller is known by the key's hash before the organization is known",
    ),
    (
        "api_keys_previous_secret_hash_key",
        "so is a caller with the secret before",
    ),
    (
        "api_keys_admission_key",
        "the organization is told by the admission",
    ),
    (
        "refresh_tokens_token_hash_key",
        "a session is known by its refresh token before the organization is known",
    ),
];

/// Tables that nobody ever changes, besides the sequencer that numbers events.
const APPEND_ONLY: &[&str] = &[
    "audit_events",
    "audit_links",
    "authentication_events",
    "events",
    "invoice_lines",
    "ledger_entries",
    "payout_carry_forwards",
];

/// A law: what it demands, and the query for what breaks it.
struct Law {
    demands: &'static str,
    faults: &'static str,
    /// A statement after which the law is broken.
    broken_by: &'static str,
}

const TABLES: &str = "tables AS (SELECT oid, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace \
    AND relkind IN ('r', 'p') AND relname <> '__diesel_schema_migrations')";

const LAWS: &[Law] = &[
    Law {
        demands: "every table has a primary key that starts with the organization",
        faults: "SELECT relname::text AS name FROM tables t WHERE NOT EXISTS (SELECT FROM pg_index i \
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0] \
            WHERE i.indrelid = t.oid AND i.indisprimary AND a.attname = 'organization_id')",
        broken_by: "CREATE TABLE bad (id uuid, CONSTRAINT bad_pk PRIMARY KEY (id))",
    },
    Law {
        demands: "every unique or excluding index starts with the organization",
        faults: "SELECT c.relname::text AS name FROM pg_index i JOIN tables t ON t.oid = i.indrelid \
            JOIN pg_class c ON c.oid = i.indexrelid \
            LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0] \
            WHERE (i.indisunique OR i.indisexclusion) AND a.attname IS DISTINCT FROM 'organization_id'",
        broken_by: "CREATE UNIQUE INDEX bad_name_key ON partners (name, organization_id)",
    },
    Law {
        demands: "every foreign key between tables starts with the organization on both sides",
        faults: "SELECT k.conname::text AS name FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid \
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] \
            JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1] \
            WHERE k.contype = 'f' AND (a.attname <> 'organization_id' OR b.attname <> 'organization_id')",
        broken_by: "ALTER TABLE accounts ADD CONSTRAINT accounts_name_key UNIQUE (name); \
            ALTER TABLE partners ADD CONSTRAINT bad_fk FOREIGN KEY (name) REFERENCES accounts (name)",
    },
    Law {
        demands: "every constraint has a name of ours: _pk, _key, _fk or _check by its kind",
        faults: "SELECT k.conname::text AS name FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid \
            WHERE k.contype IN ('p', 'u', 'x', 'f', 'c') AND (k.conname !~ CASE k.contype \
                WHEN 'p' THEN '_pk$' WHEN 'u' THEN '_key$' WHEN 'x' THEN '_key$' WHEN 'f' THEN '_fk$' \
                ELSE '_check$' END \
                OR k.contype = 'f' AND k.conname ~ '_id_fk$' OR NOT starts_with(k.conname, t.relname || '_'))",
        broken_by: "ALTER TABLE partners ADD CHECK (name <> ''), ADD CHECK (name <> 'x')",
    },
    Law {
        demands: "every index has a name of ours: _pk, _key or _index",
        faults: "SELECT c.relname::text AS name FROM pg_index i JOIN tables t ON t.oid = i.indrelid \
            JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname !~ '_(pk|key|index)$' \
            OR (c.relname ~ '_key$') <> ((i.indisunique OR i.indisexclusion) AND NOT i.indisprimary)",
        broken_by: "CREATE INDEX ON partners (organization_id, country)",
    },
    Law {
        demands: "every foreign key's columns lead some index of its table",
        faults: "SELECT k.conname::text AS name FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid \
            WHERE k.contype = 'f' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid \
                AND (SELECT array_agg(n ORDER BY n) FROM unnest((i.indkey::int2[])[0:cardinality(k.conkey) - 1]) n) \
                    = (SELECT array_agg(n ORDER BY n) FROM unnest(k.conkey) n))",
        broken_by: "ALTER TABLE accounts ADD bad_id uuid, ADD CONSTRAINT accounts_bad_fk \
            FOREIGN KEY (organization_id, bad_id) REFERENCES partners (organization_id, id)",
    },
    Law {
        demands: "row-level security is on for every table, and each has a policy",
        faults: "SELECT relname::text AS name FROM tables t WHERE NOT (SELECT relrowsecurity FROM pg_class c \
            WHERE c.oid = t.oid) OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid)",
        broken_by: "ALTER TABLE partners DISABLE ROW LEVEL SECURITY",
    },
    Law {
        demands: "every policy asks for the organization",
        faults: "SELECT p.polname || ' on ' || t.relname AS name FROM pg_policy p JOIN tables t ON t.oid = p.polrelid \
            WHERE p.polcmd <> 'a' \
                AND coalesce(pg_get_expr(p.polqual, p.polrelid), '') !~ 'organization_id = .*FROM caller\\)' \
            OR p.polcmd = 'a' AND p.polwithcheck IS NULL \
            OR p.polwithcheck IS NOT NULL \
                AND pg_get_expr(p.polwithcheck, p.polrelid) !~ 'organization_id = .*FROM caller\\)'",
        broken_by: "CREATE POLICY bad ON partners USING (true)",
    },
    Law {
        demands: "the service's role owns nothing",
        faults: "SELECT c.relname::text AS name FROM pg_class c WHERE c.relowner = 'copartner_service'::regrole \
            UNION ALL SELECT p.proname::text FROM pg_proc p WHERE p.proowner = 'copartner_service'::regrole \
            UNION ALL SELECT n.nspname::text FROM pg_namespace n WHERE n.nspowner = 'copartner_service'::regrole \
            UNION ALL SELECT d.datname::text FROM pg_database d WHERE d.datdba = 'copartner_service'::regrole",
        broken_by: "GRANT CREATE ON SCHEMA public TO copartner_service; \
            ALTER TABLE partners OWNER TO copartner_service",
    },
    Law {
        demands: "the service's role may not create, nor truncate, nor set triggers",
        faults: "SELECT t.relname || ' ' || a.privilege_type AS name FROM tables t, pg_class c, \
            aclexplode(c.relacl) a WHERE c.oid = t.oid AND a.grantee IN (0, 'copartner_service'::regrole) \
            AND a.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') \
            UNION ALL SELECT 'create in public' WHERE has_schema_privilege('copartner_service', 'public', 'CREATE')",
        broken_by: "GRANT TRUNCATE ON partners TO copartner_service",
    },
    Law {
        demands: "functions that act with the owner's rights fix their search path, or say of every table, type and \
            function where it lives",
        faults: r"SELECT p.proname::text AS name FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
            AND p.prosecdef AND NOT coalesce(array_to_string(p.proconfig, ' '), '') ~ 'search_path='
            AND (p.prosrc ~ '(FROM|JOIN|INSERT INTO|UPDATE)\s+(?!public\.)[a-z]' OR p.prosrc ~ '::(?!pg_catalog\.)'
                OR p.prosrc ~ '(?<![.a-z_])(?!nullif\M|coalesce\M)[a-z_]+\(')",
        broken_by: "CREATE FUNCTION bad() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM partners'",
    },
    Law {
        demands: "instants have a time zone, and money is no float",
        faults: "SELECT t.relname || '.' || a.attname AS name FROM tables t JOIN pg_attribute a \
            ON a.attrelid = t.oid WHERE a.attnum > 0 AND NOT a.attisdropped AND a.atttypid IN \
            ('timestamp'::regtype, 'float4'::regtype, 'float8'::regtype, 'money'::regtype, 'json'::regtype, \
            'bpchar'::regtype, 'varchar'::regtype)",
        broken_by: "ALTER TABLE partners ADD bad double precision",
    },
];

fn broken(connection: &mut PgConnection, law: &Law) -> Names {
    names(connection, &format!("WITH {TABLES} {}", law.faults))
}

#[test]
fn the_laws_hold() {
    let database = Cluster::shared().database();
    let mut owner = database.owner();
    for law in LAWS {
        let mut found = broken(&mut owner, law);
        found.retain(|name| !KEYS_BEFORE_THE_TENANT.iter().any(|(known, _)| known == name));
        assert_eq!(found, Names::new(), "{}", law.demands);
    }
}

#[test]
fn the_laws_fire() {
    let database = Cluster::shared().database();
    let mut owner = database.owner();
    for law in LAWS {
        let before = broken(&mut owner, law).len();
        let outcome: Result<(), diesel::result::Error> = owner.transaction(|owner| {
            owner.batch_execute(law.broken_by)?;
            assert!(broken(owner, law).len() > before, "not seen: {}", law.broken_by);
            Err(diesel::result::Error::RollbackTransaction)
        });
        assert_eq!(
            outcome,
            Err(diesel::result::Error::RollbackTransaction),
            "{}",
            law.broken_by
        );
    }
}

#[test]
fn the_exceptions_are_still_there() {
    let database = Cluster::shared().database();
    let mut owner = database.owner();
    for (name, _) in KEYS_BEFORE_THE_TENANT {
        let query = format!("SELECT relname::text AS name FROM pg_class WHERE relname = '{name}'");
        assert_eq!(names(&mut owner, &query), [*name]);
    }
}

#[test]
fn the_services_role_is_a_humble_one() {
    let database = Cluster::shared().database();
    let mut owner = database.owner();
    let query = "SELECT rolname::text AS name FROM pg_roles WHERE rolname = 'copartner_service' \
        AND NOT (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication) AND NOT EXISTS \
        (SELECT FROM pg_auth_members m WHERE m.member = pg_roles.oid)";
    assert_eq!(names(&mut owner, query), ["copartner_service"]);
}

#[test]
fn append_only_tables_grant_no_change() {
    let database = Cluster::shared().database();
    let query = "SELECT table_name || ' ' || privilege AS name FROM unnest($$TABLES$$::text[]) AS table_name, \
        unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS privilege \
        WHERE has_table_privilege('copartner_service', table_name, privilege) \
        OR privilege = 'UPDATE' AND has_any_column_privilege('copartner_service', table_name, 'UPDATE')";
    let query = query.replace("$$TABLES$$", &format!("'{{{}}}'", APPEND_ONLY.join(",")));
    let mut owner = database.owner();
    assert_eq!(names(&mut owner, &query), Names::new());
    owner
        .batch_execute("GRANT UPDATE (reason) ON audit_events TO copartner_service")
        .unwrap();
    assert_eq!(names(&mut owner, &query), ["audit_events UPDATE"]);
}

/// The code that a violation of this constraint is answered with.
fn code_of(connection: &mut PgConnection, constraint: &str) -> Code {
    let raise = format!(
        "DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '23514', CONSTRAINT = '{constraint}'; END $$"
    );
    let error = sql_query(raise).execute(connection).unwrap_err();
    problem_of(error).code
}

#[test]
fn every_constraint_that_a_request_can_hit_has_a_code() {
    let database = Cluster::shared().database();
    let mut owner = database.owner();
    let patterns: Vec<String> = NEVER_HIT
        .iter()
        .map(|(pattern, _)| format!("'{}'", pattern.replace('_', "\\_")))
        .collect();
    let hit = |inverse: &str| {
        format!(
            "WITH {TABLES} SELECT name FROM (\
                 SELECT k.conname::text AS name FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid \
                 WHERE k.contype IN ('p', 'u', 'x', 'f', 'c') \
                 UNION SELECT c.relname::text FROM pg_index i JOIN tables t ON t.oid = i.indrelid \
                 JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indisunique) constraints \
             WHERE {inverse} (name LIKE ANY (ARRAY[{}])) ORDER BY 1",
            patterns.join(", ")
        )
    };
    let constraints = names(&mut owner, &hit("NOT"));
    assert!(constraints.len() > 20, "{constraints:?}");
    let without: Names = constraints
        .into_iter()
        .filter(|constraint| code_of(&mut owner, constraint) == Code::InternalError)
        .collect();
    assert_eq!(
        without,
        Names::new(),
        "violations that would be answered with 500"
    );
    assert_eq!(code_of(&mut owner, "unheard_of_check"), Code::InternalError);
    let all = names(&mut owner, &hit("name IS NOT NULL OR"));
    for (pattern, _) in NEVER_HIT {
        let parts: Vec<&str> = pattern.split('%').collect();
        let is_used = all.iter().any(|name| match parts.as_slice() {
            [whole] => name == whole,
            [start, end] => name.starts_with(start) && name.ends_with(end),
            _ => panic!("{pattern} has more than one %"),
        });
        assert!(is_used, "no constraint is like {pattern}");
    }
}
