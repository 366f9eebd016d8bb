//! What Postgres refuses whoever asks, and what the check of the books finds.

use super::{adjusted, propose, small};
use crate::world::World;
use copartner::app::ledger_check;
use copartner::platform::clock::Clock;
use diesel::connection::SimpleConnection;
use diesel::{RunQueryDsl, sql_query};

#[test]
fn postgres_holds_what_the_service_holds() {
    let (world, program, partner) = small();
    adjusted(&world, &partner, &program, "5.00 USD");
    propose(world.admin(), &partner, &program, "6.00 USD");
    let mut service = world.database().service_role();
    let scope = format!(
        "SELECT set_config('copartner.organization_id', '{}', false), set_config('copartner.partner_id', '', false), \
         set_config('copartner.api_key_id', '', false)",
        world.home.id.uuid()
    );
    service.batch_execute(&scope).unwrap();
    let approve = |person: &str, of: &str| {
        format!(
            "UPDATE adjustments SET status = 'approved', approved_by = {person}, approved_by_type = {of}, \
             approved_at = now() WHERE status = 'proposed'"
        )
    };
    let copied = "INSERT INTO payout_items SELECT organization_id, gen_random_uuid(), payout_id, partner_id, \
        commission_id, clawback_id, 'live', amount, adjustment_id FROM payout_items WHERE adjustment_id IS NOT NULL";
    world.processing_run(&world.finance());
    let statements = [
        (approve("created_by", "created_by_type"), "adjustments_second_person_check"),
        (approve("created_by", "'user'"), "adjustments_second_person_check"),
        ("UPDATE adjustments SET status = 'approved' WHERE status = 'proposed'".to_owned(), "adjustments_approval_check"),
        ("UPDATE adjustments SET amount = 600".to_owned(), "never change"),
        ("UPDATE adjustments SET created_by = gen_random_uuid()".to_owned(), "never change"),
        ("UPDATE adjustments SET partner_id = gen_random_uuid()".to_owned(), "never change"),
        ("UPDATE adjustments SET approved_by = gen_random_uuid() WHERE status = 'in_payout'".to_owned(), "never change"),
        ("UPDATE adjustments SET status = 'refused' WHERE status = 'in_payout'".to_owned(), "cannot move from in_payout"),
        ("UPDATE adjustments SET status = 'paid', approved_by = gen_random_uuid(), approved_by_type = 'user', \
            approved_at = now() WHERE status = 'proposed'".to_owned(), "cannot move from proposed to paid"),
        ("DELETE FROM adjustments".to_owned(), "permission denied"),
        (copied.to_owned(), "payout_items_live_adjustment_key"),
        ("INSERT INTO ledger_entries SELECT organization_id, gen_random_uuid(), 'adjustment_up', gen_random_uuid(), 0, \
            'payable', 'adjustment_expense', partner_id, program_id, currency, amount, occurred_at, recorded_at \
            FROM ledger_entries LIMIT 1".to_owned(), "ledger_entries_accounts_check"),
        ("INSERT INTO ledger_entries SELECT organization_id, gen_random_uuid(), kind, source_id, step, debit_account, \
            credit_account, partner_id, program_id, currency, amount, occurred_at, recorded_at FROM ledger_entries \
            WHERE kind = 'adjustment_up'".to_owned(), "ledger_entries_source_key"),
    ];
    for (statement, words) in statements {
        service.batch_execute("BEGIN").unwrap();
        let outcome = sql_query(&statement).execute(&mut service);
        service.batch_execute("ROLLBACK").unwrap();
        let message = outcome.expect_err(&statement).to_string();
        assert!(message.contains(words), "{statement}: {message}");
    }
    world.books_balance();
    // A good approval passes the rules of the table, and the check of the books misses its entry.
    assert_eq!(
        sql_query(approve("gen_random_uuid()", "'user'")).execute(&mut service),
        Ok(1)
    );
    assert!(faults(&world)[0].starts_with("adjustments agree with their postings"));
}

/// What the check of the books finds.
fn faults(world: &World) -> Vec<String> {
    let findings = ledger_check::all(&world.db, world.clock.now()).unwrap();
    let faults = findings.iter().flat_map(|finding| &finding.faults);
    faults.map(ToString::to_string).collect()
}

#[test]
fn the_check_names_an_adjustment_that_the_books_do_not_have() {
    let breaks = [
        (
            "DELETE FROM ledger_entries WHERE kind = 'adjustment_up'",
            "adjustments agree with their postings",
        ),
        (
            "UPDATE ledger_entries SET amount = 6 WHERE kind = 'adjustment_up'",
            "adjustments agree with their postings",
        ),
        (
            "UPDATE adjustments SET amount = 6",
            "adjustments agree with their postings",
        ),
        (
            "UPDATE adjustments SET status = 'proposed'",
            "adjustments agree with their postings",
        ),
        (
            "UPDATE adjustments SET status = 'paid'",
            "adjustments agree with their postings",
        ),
        (
            "INSERT INTO ledger_entries SELECT organization_id, gen_random_uuid(), kind, source_id, 1, debit_account, \
            credit_account, partner_id, program_id, currency, amount, occurred_at, recorded_at FROM ledger_entries",
            "adjustments agree with their postings",
        ),
        (
            "UPDATE ledger_entries SET source_id = gen_random_uuid()",
            "entries have a source",
        ),
        (
            "UPDATE ledger_entries SET kind = 'adjustment_down'",
            "entries have a source",
        ),
    ];
    for (statement, check) in breaks {
        let (world, program, partner) = small();
        let id = adjusted(&world, &partner, &program, "5.00 USD");
        assert_eq!(faults(&world), [] as [String; 0]);
        let mut owner = world.database().owner();
        owner
            .batch_execute(&format!(
                "SET session_replication_role = replica; \
            ALTER TABLE adjustments DROP CONSTRAINT adjustments_approval_check; \
            ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_accounts_check; {statement}"
            ))
            .unwrap();
        let faults = faults(&world);
        let is_named = |fault: &String| {
            fault.starts_with(check) && (check.starts_with("entries") || fault.contains(&id))
        };
        assert!(faults.iter().any(is_named), "{statement}: {faults:#?}");
    }
}
