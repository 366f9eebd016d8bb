//! What the database refuses whoever asks, so that no mistake of the service can bend the books.

use crate::world::World;
use diesel::connection::SimpleConnection;
use diesel::{PgConnection, RunQueryDsl, sql_query};
use serde_json::json;

/// A paid commission, one that was taken back in part, a draft rule beside the active one, and a run that is approved.
fn busy() -> World {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    world.paid_run(&world.finance());
    world.refund(&payment, "50.00 USD");
    world.sale(&program, &partner, "500.00 USD");
    world.processing_run(&world.finance());
    world
}

/// The tables' owner, and the role of the service within the organization.
fn roles(world: &World) -> [(&'static str, PgConnection); 2] {
    let mut service = world.database().service_role();
    let scope = format!(
        "SELECT set_config('copartner.organization_id', '{}', false), set_config('copartner.partner_id', '', false), \
         set_config('copartner.api_key_id', '', false)",
        world.home.id.uuid()
    );
    service.batch_execute(&scope).unwrap();
    [("owner", world.database().owner()), ("service", service)]
}

/// Both roles must be refused, with one of these words, and there must be a row that the statement is about.
#[track_caller]
fn refused(world: &World, statement: &str, words: &[&str]) {
    for (role, mut connection) in roles(world) {
        connection.batch_execute("BEGIN").unwrap();
        match sql_query(statement).execute(&mut connection) {
            Ok(rows) => panic!("the {role} could do it to {rows} rows: {statement}"),
            Err(error) => {
                let message = error.to_string();
                let is_known = words.iter().any(|word| message.contains(word));
                assert!(is_known, "{role}, {statement}: {message}");
            }
        }
        connection.batch_execute("ROLLBACK").unwrap();
    }
}

const DENIED: &str = "permission denied";

#[test]
fn what_was_posted_is_never_changed() {
    let world = busy();
    let statements = [
        (
            "UPDATE commissions SET amount = amount + 1",
            "an earned line never changes",
        ),
        (
            "UPDATE commissions SET partner_id = gen_random_uuid()",
            "an earned line never changes",
        ),
        (
            "UPDATE commissions SET explanation = '{}'",
            "an earned line never changes",
        ),
        ("DELETE FROM commissions", "append-only"),
        ("UPDATE clawbacks SET amount = 0.01", "append-only"),
        ("DELETE FROM clawbacks", "append-only"),
        ("UPDATE refunds SET amount = amount + 1", "a refund never changes"),
        (
            "UPDATE refunds SET reinstated_amount = -1",
            "a refund never changes",
        ),
        (
            "UPDATE refunds SET reinstated_amount = amount + 0.01",
            "refunds_reinstated_check",
        ),
        ("DELETE FROM refunds", "a refund never changes"),
        ("UPDATE ledger_entries SET amount = 1", "append-only"),
        (
            "UPDATE ledger_entries SET partner_id = gen_random_uuid()",
            "append-only",
        ),
        ("DELETE FROM ledger_entries", "append-only"),
        ("UPDATE audit_events SET reason = 'x'", "append-only"),
        ("DELETE FROM audit_events", "append-only"),
        ("UPDATE events SET data = '{}'", "append-only"),
        ("DELETE FROM events", "append-only"),
        (
            "UPDATE commission_rule_versions SET hold_days = 1",
            "an active commission rule version never changes",
        ),
        (
            "UPDATE commission_rule_versions SET formula = '{}'",
            "an active commission rule version never changes",
        ),
        ("DELETE FROM commission_rule_versions", "append-only"),
        ("UPDATE invoice_lines SET net_amount = 1", "append-only"),
        (
            "UPDATE payouts SET amount = amount + 1",
            "the terms of a payout never change",
        ),
        ("DELETE FROM payouts", "the terms of a payout never change"),
    ];
    for (statement, words) in statements {
        refused(&world, statement, &[words, DENIED]);
    }
    world.books_balance();
}

#[test]
fn nothing_goes_back_where_it_came_from() {
    let world = busy();
    let statements = [
        (
            "UPDATE commissions SET status = 'pending' WHERE status = 'paid'",
            "cannot move from paid to pending",
        ),
        (
            "UPDATE commissions SET status = 'due' WHERE status = 'paid'",
            "cannot move from paid to due",
        ),
        (
            "UPDATE commission_rule_versions SET status = 'draft'",
            "cannot move from active to draft",
        ),
        (
            "UPDATE payouts SET status = 'processing' WHERE status = 'paid'",
            "cannot move from paid to processing",
        ),
        (
            "UPDATE payouts SET status = 'cancelled' WHERE status = 'paid'",
            "cannot move from paid to cancelled",
        ),
    ];
    for (statement, words) in statements {
        refused(&world, statement, &[words]);
    }
    world.books_balance();
}

#[test]
fn an_entry_moves_a_positive_amount_between_the_accounts_of_its_kind() {
    let world = busy();
    let insert = |kind: &str, debit: &str, credit: &str, amount: &str| {
        format!(
            "INSERT INTO ledger_entries SELECT organization_id, gen_random_uuid(), '{kind}', gen_random_uuid(), 0, \
             '{debit}', '{credit}', partner_id, program_id, currency, {amount}, occurred_at, recorded_at \
             FROM ledger_entries WHERE kind = 'payout_paid'"
        )
    };
    let unbalanced = ["ledger_entries_accounts_check"];
    refused(
        &world,
        &insert("accrual", "held", "commission_expense", "1"),
        &unbalanced,
    );
    refused(
        &world,
        &insert("accrual", "commission_expense", "payable", "1"),
        &unbalanced,
    );
    refused(
        &world,
        &insert("payout_paid", "in_payout", "in_payout", "1"),
        &unbalanced,
    );
    refused(
        &world,
        &insert("gift", "payable", "payout_clearing", "1"),
        &unbalanced,
    );
    let amount = ["ledger_entries_amount_check"];
    refused(
        &world,
        &insert("accrual", "commission_expense", "held", "0"),
        &amount,
    );
    refused(
        &world,
        &insert("accrual", "commission_expense", "held", "-1"),
        &amount,
    );
    let twice = "INSERT INTO ledger_entries SELECT organization_id, gen_random_uuid(), kind, source_id, step, \
        debit_account, credit_account, partner_id, program_id, currency, amount, occurred_at, recorded_at \
        FROM ledger_entries";
    refused(&world, twice, &["ledger_entries_source_key"]);
    world.books_balance();
}

#[test]
fn shares_of_a_role_are_at_most_the_whole() {
    let world = busy();
    let another = |basis_points: &str| {
        format!(
            "INSERT INTO attributions SELECT organization_id, gen_random_uuid(), NULL, deal_id, p.id, role, \
             {basis_points}, allocation_rank + 1, a.status, a.status_reason, confirmed_at, settled_at, a.row_version, \
             a.created_at, a.updated_at \
             FROM attributions a JOIN partners p USING (organization_id) WHERE p.id <> a.partner_id"
        )
    };
    world.partner("B");
    refused(&world, &another("1"), &["exceed 10000 basis points"]);
    refused(&world, &another("0"), &["attributions_share_check"]);
    let too_much = "UPDATE attributions SET share_basis_points = 10001";
    refused(&world, too_much, &["attributions_share_check"]);
    world.books_balance();
}

#[test]
fn a_line_is_in_one_living_payout() {
    let world = busy();
    let again = "INSERT INTO payout_items SELECT i.organization_id, gen_random_uuid(), p.id, i.partner_id, \
        i.commission_id, NULL, 'live', i.amount \
        FROM payout_items i JOIN payouts p USING (organization_id) \
        WHERE i.commission_id IS NOT NULL AND i.status = 'live' AND p.id <> i.payout_id";
    refused(&world, again, &["payout_items_live_commission_key"]);
    let taken = "INSERT INTO payout_items SELECT i.organization_id, gen_random_uuid(), i.payout_id, i.partner_id, \
        NULL, i.clawback_id, 'live', i.amount FROM payout_items i WHERE i.clawback_id IS NOT NULL";
    refused(&world, taken, &["payout_items_live_clawback_key"]);
    let own_run = "UPDATE payout_runs SET approved_by = created_by";
    refused(&world, own_run, &["payout_runs_second_person_check"]);
    let own_hand = "UPDATE payout_runs SET approved_by = drafter_secret_makers[1]";
    refused(&world, own_hand, &["payout_runs_second_hand_check"]);
    world.books_balance();
}

#[test]
fn versions_of_a_rule_do_not_overlap() {
    let world = busy();
    let overlapping = "INSERT INTO commission_rule_versions SELECT organization_id, gen_random_uuid(), \
        commission_rule_id, version + 1, status, formula, motions, roles, partner_ids, product_family_ids, currencies, \
        priority, hold_days, effective_from + interval '1 day', effective_to, terms_hash, activated_at, retired_at, \
        row_version, created_at, updated_at FROM commission_rule_versions";
    refused(&world, overlapping, &["commission_rule_versions_period_key"]);
    world.books_balance();
}
