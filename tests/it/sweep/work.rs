//! What the clock could tell: a foreign id costs Postgres a handful of pages more than a missing one, and no scan, no
//! wait and no round trip. The time itself is never asserted; the work that it is made of is.

use super::sessions::{session, uuids};
use super::stage::Stage;
use crate::world::names;
use diesel::connection::SimpleConnection;
use std::collections::BTreeSet;

/// Tables whose records a partner may ask for by id.
const ASKED_FOR: [&str; 12] = [
    "accounts",
    "attributions",
    "commissions",
    "deals",
    "enrollments",
    "identity_providers",
    "partners",
    "payouts",
    "referral_links",
    "referrals",
    "sessions",
    "users",
];
/// Pages of eight kilobytes, in memory: a row, and a look into each index that says whose it is. The missing id may end on
/// another leaf of the index, which is a page more for it now and then.
const MOST_PAGES_APART: i64 = 24;
const PAGES: &str = "CREATE FUNCTION pg_temp.pages(query text) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE plan json;
    BEGIN
        EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ' || query INTO plan;
        RETURN (plan->0->'Plan'->>'Shared Hit Blocks')::bigint + (plan->0->'Plan'->>'Shared Read Blocks')::bigint;
    END $$";

#[test]
fn a_foreign_id_is_hardly_more_work_than_a_missing_one() {
    let stage = Stage::new();
    let mut owner = stage.world.database().owner();
    let mut compared = BTreeSet::new();
    for principal in stage.principals.iter().filter(|one| one.is_partner) {
        let mut service = session(&stage.world, principal);
        service.batch_execute(PAGES).unwrap();
        let foreign = format!("'{{{}}}'", uuids(&principal.foreign.ids).join(","));
        for table in ASKED_FOR {
            let query =
                format!("SELECT id::text AS name FROM {table} WHERE id = ANY ({foreign}::uuid[]) LIMIT 3");
            for id in names(&mut owner, &query) {
                let mut pages = |id: &str| {
                    let asked = format!(
                        "SELECT * FROM {table} WHERE organization_id = \
                         current_setting(''copartner.organization_id'')::uuid AND id = ''{id}''"
                    );
                    let query = format!("SELECT pg_temp.pages('{asked}')::text AS name");
                    names(&mut service, &query).remove(0).parse::<i64>().unwrap()
                };
                // The first look of a session fills its own memory.
                pages(&id);
                let (there, missing) = (pages(&id), pages("01940000-0000-7000-8000-000000000000"));
                let more = there - missing;
                assert!(
                    (-MOST_PAGES_APART..=MOST_PAGES_APART).contains(&more),
                    "{} in {table}: {there} pages for a foreign id, {missing} for a missing one",
                    principal.name
                );
                compared.insert(table);
            }
        }
    }
    assert_eq!(compared, BTreeSet::from(ASKED_FOR));
}
