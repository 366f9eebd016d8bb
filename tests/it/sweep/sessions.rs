//! Behind the queries: with the scope of a partner and no other condition, Postgres shows nothing of its rival.

use super::sight::ids_in;
use super::stage::{Principal, Stage};
use crate::world::{World, count, names};
use copartner::kernel::id::PartnerId;
use diesel::connection::SimpleConnection;
use diesel::{PgConnection, RunQueryDsl, sql_query};
use std::collections::BTreeSet;

/// The tables of which a partner sees rows, and whose.
const OPEN: [(&str, &str); 52] = [
    ("accounts", "the customers of the deals that it sees"),
    ("adjustments", "its own, once they are approved"),
    ("api_keys", "its own"),
    (
        "attributions",
        "its own, and those below it for deals that are not hidden",
    ),
    ("authentication_events", "those about itself"),
    ("clawbacks", "its own"),
    ("clicks", "those by its links"),
    ("commissions", "its own"),
    ("compliance_documents", "its own"),
    (
        "deal_registrations",
        "its own, and those below it that are not hidden",
    ),
    (
        "deal_rules",
        "those of its programs, and of those of partners below it",
    ),
    (
        "deals",
        "those that it, or anyone below it, made or has credit for",
    ),
    ("dispute_comments", "what is said to it about its disputes"),
    ("dispute_lines", "those of its disputes"),
    ("disputes", "its own"),
    ("enrollments", "its own, and those below it"),
    ("events", "those about itself"),
    ("identities", "those of its people"),
    ("identity_providers", "its own"),
    ("ledger_entries", "its own"),
    ("organizations", "the one that it works with"),
    ("partner_contacts", "its own"),
    ("partner_descendants", "who is below it, if anyone is"),
    ("partners", "itself, and those below it"),
    ("payout_items", "its own, once they are no mere proposal"),
    ("payout_methods", "its own"),
    ("payouts", "its own, once they are on their way"),
    ("pipeline_stages", "the same for all"),
    ("product_families", "the same for all"),
    (
        "program_terms",
        "those of its programs, and of those of partners below it",
    ),
    ("programs", "those that it, or anyone below it, is enrolled in"),
    ("referral_links", "its own"),
    ("referral_moves", "those of the referrals that it sees"),
    ("referrals", "its own, and those below it that are not hidden"),
    ("refresh_tokens", "those of its sessions"),
    (
        "registration_comments",
        "what is said to partners about the registrations that it sees",
    ),
    ("registration_conflict_parties", "its own sides"),
    (
        "registration_extensions",
        "those of the registrations that it sees",
    ),
    ("roles", "those that are for partners"),
    ("seen_conflicts", "its own side of those in which it is a party"),
    ("sessions", "its own"),
    ("statement_lines", "those of its own"),
    ("statement_signatures", "those of its own"),
    ("statements", "its own"),
    ("terms_acceptances", "its own"),
    (
        "tier_ladders",
        "those of its programs, and of those of partners below it",
    ),
    ("tier_moves", "its own"),
    ("tier_standings", "its own"),
    (
        "tiers",
        "those of its programs, and of those of partners below it",
    ),
    ("touchpoints", "its own"),
    ("user_roles", "what its people hold"),
    ("users", "its people"),
];

/// The tables of which a partner changes the rows that it sees, and whose they are.
const WRITABLE: [(&str, &str); 14] = [
    ("api_keys", "its own"),
    ("attributions", "its own claims"),
    ("idempotency_keys", "those of the very caller"),
    ("identities", "those of its people"),
    ("identity_providers", "its own"),
    ("partner_contacts", "its own"),
    ("payout_methods", "its own"),
    ("referral_links", "its own"),
    ("referrals", "its own, submitted or withdrawn"),
    ("refresh_tokens", "those of its sessions"),
    ("sessions", "its own"),
    ("touchpoints", "its own"),
    ("user_roles", "what its people hold"),
    ("users", "its people"),
];

/// Tables that hold nothing once the work is done, and why.
const EMPTY: [(&str, &str); 3] = [
    ("import_chunks", "a file that is loaded is forgotten"),
    ("import_keys", "they go with the file"),
    (
        "unsealed_audit_events",
        "entries wait here only until they are sealed",
    ),
];

fn tables(owner: &mut PgConnection) -> Vec<String> {
    let query = "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace \
        AND relkind IN ('r', 'p') AND relname <> '__diesel_schema_migrations' ORDER BY 1";
    names(owner, query)
}

/// The ids as Postgres writes them; the prefix says nothing there.
pub(super) fn uuids(ids: &BTreeSet<String>) -> Vec<String> {
    let uuid = |id: &String| {
        let (_, rest) = id.rsplit_once('_').unwrap();
        let id: PartnerId = format!("{}_{rest}", PartnerId::PREFIX).parse().unwrap();
        id.uuid().to_string()
    };
    ids.iter().map(uuid).collect()
}

/// A session of the service's role in the scope of the caller's key.
pub(super) fn session(world: &World, principal: &Principal) -> PgConnection {
    let own = |prefix: &str| {
        let ids = principal.own[prefix].iter().cloned().collect();
        uuids(&ids).remove(0)
    };
    let (partner, mut owner) = (own("ptn"), world.database().owner());
    let key = format!(
        "SELECT concat_ws(' ', organization_id, id) AS name FROM api_keys WHERE partner_id = '{partner}'"
    );
    let found = names(&mut owner, &key).remove(0);
    let (organization, key) = found.split_once(' ').unwrap();
    let mut service = world.database().service_role();
    let enter = format!(
        "SELECT set_config('copartner.organization_id', '{organization}', false), \
         set_config('copartner.partner_id', '{partner}', false), set_config('copartner.api_key_id', '{key}', false)"
    );
    service.batch_execute(&enter).unwrap();
    service
}

#[test]
fn a_partners_session_holds_no_row_of_anybody_else() {
    let stage = Stage::new();
    let mut all = tables(&mut stage.world.database().owner());
    // A view shows of a table what its policy does not.
    all.push("seen_conflicts".to_owned());
    all.sort();
    for principal in stage.principals.iter().filter(|one| one.is_partner) {
        let mut service = session(&stage.world, principal);
        let foreign = uuids(&principal.foreign.ids);
        let mut open = Vec::new();
        for table in &all {
            let query = format!("SELECT to_jsonb(t)::text AS name FROM {table} t");
            let Ok(rows) = seen(&mut service, &query) else {
                continue;
            };
            if !rows.is_empty() {
                open.push(table.as_str());
            }
            for row in rows {
                let mut known = foreign
                    .iter()
                    .chain(&principal.foreign.marks)
                    .chain(&principal.foreign.ids);
                let met = known.find(|secret| row.contains(secret.as_str()));
                assert_eq!(met, None, "{} meets it in {table}: {row}", principal.name);
            }
        }
        let is_above = principal.own["ptn"].len() > 1;
        let listed = OPEN.iter().map(|(table, _)| *table);
        let listed: Vec<&str> = listed
            .filter(|table| is_above || *table != "partner_descendants")
            .collect();
        assert_eq!(open, listed, "what {} sees", principal.name);
    }
}

/// The rows, unless the role may not even ask.
fn seen(service: &mut PgConnection, query: &str) -> Result<Vec<String>, ()> {
    service.batch_execute("BEGIN").unwrap();
    let may = sql_query(format!("EXPLAIN {query}")).execute(service).is_ok();
    let rows = if may { Ok(names(service, query)) } else { Err(()) };
    service.batch_execute("ROLLBACK").unwrap();
    rows
}

#[test]
fn a_partners_session_changes_no_row_of_anybody_else() {
    let stage = Stage::new();
    let mut owner = stage.world.database().owner();
    let all = tables(&mut owner);
    for principal in stage.principals.iter().filter(|one| one.is_partner) {
        let mut service = session(&stage.world, principal);
        for table in &all {
            let filled = count(&mut owner, &format!("SELECT count(*) AS count FROM {table}"));
            let is_empty = EMPTY.iter().any(|(empty, _)| empty == table);
            assert_eq!(filled == 0, is_empty, "{table} holds {filled} rows");
            let own = seen(
                &mut service,
                &format!("SELECT to_jsonb(t)::text AS name FROM {table} t"),
            );
            let own = own.map_or(0, |rows| rows.len());
            for statement in [
                format!("UPDATE {table} SET organization_id = organization_id"),
                format!("DELETE FROM {table}"),
                format!("INSERT INTO {table} SELECT * FROM {table} LIMIT 1"),
            ] {
                service.batch_execute("BEGIN").unwrap();
                let done = sql_query(&statement).execute(&mut service).unwrap_or(0);
                service.batch_execute("ROLLBACK").unwrap();
                if WRITABLE.iter().any(|(open, _)| open == table) {
                    assert!(done <= own, "{}: {done} by {statement}", principal.name);
                } else {
                    assert_eq!(done, 0, "{}: {statement}", principal.name);
                }
            }
        }
    }
}

#[test]
fn an_id_within_a_row_would_be_found() {
    let ids = ids_in("{\"partner_id\":\"ptn_01j9zq4y8k7m5n3p2r1s0t6v4w\",\"n\":1}").collect::<Vec<_>>();
    assert_eq!(ids, ["ptn_01j9zq4y8k7m5n3p2r1s0t6v4w"]);
}
