//! The service itself cannot touch the trail.

use super::busy;
use diesel::connection::SimpleConnection;

#[test]
fn the_services_role_cannot_touch_the_trail() {
    let world = busy();
    let mut service = world.database().service_role();
    let id = world.home.id.uuid();
    service
        .batch_execute(&format!("SET copartner.organization_id = '{id}'"))
        .unwrap();
    for statement in [
        "UPDATE audit_events SET reason = 'other'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "INSERT INTO audit_links SELECT organization_id, position + 1000, gen_random_uuid(), previous_hash, hash, \
         sealed_at FROM audit_links",
        "UPDATE audit_links SET position = position + 1000",
        "DELETE FROM audit_links",
        "TRUNCATE audit_links",
        "INSERT INTO unsealed_audit_events SELECT organization_id, written_order, id FROM audit_events",
        "UPDATE unsealed_audit_events SET written_order = 0",
        "DELETE FROM unsealed_audit_events",
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
    ] {
        let refusal = service.batch_execute(statement).unwrap_err().to_string();
        let is_refused = refusal.contains("permission denied") || refusal.contains("must be owner");
        assert!(is_refused, "{statement}: {refusal}");
    }
    let mut owner = world.database().owner();
    for statement in ["UPDATE audit_links SET hash = hash", "DELETE FROM audit_links"] {
        let refusal = owner.batch_execute(statement).unwrap_err().to_string();
        assert!(refusal.contains("append-only"), "{statement}: {refusal}");
    }
}
