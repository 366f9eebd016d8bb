//! The service is killed at every step of money, and Postgres under load. After the restart the books are those of a run
//! that nobody interrupted.
//!
//! A step is caught in the act by a lock on a table that it is about to write: it is seen to wait for the lock, and then
//! the process is killed. Nothing sleeps.

mod postgres;
mod service;

use crate::world::{World, names};

/// The books without what differs between two runs of one story: ids and instants.
const BOOKS: &[(&str, &str)] = &[
    (
        "the journal",
        "SELECT concat_ws(' ', e.kind, e.step, e.debit_account, e.credit_account, n.name, g.name, e.currency, e.amount) \
             AS name FROM ledger_entries e JOIN partners n ON n.id = e.partner_id JOIN programs g ON g.id = e.program_id \
         ORDER BY 1",
    ),
    (
        "commissions",
        "SELECT concat_ws(' ', n.name, c.kind, c.component, c.status, c.currency, c.amount, c.reversed_amount, \
                 c.explanation->>'amount') AS name FROM commissions c JOIN partners n ON n.id = c.partner_id ORDER BY 1",
    ),
    (
        "how far partners have come",
        "SELECT concat_ws(' ', n.name, s.period, s.volume, s.units, s.exact, s.posted, s.corrected) AS name \
         FROM commission_standings s JOIN partners n ON n.id = s.partner_id ORDER BY 1",
    ),
    (
        "payments",
        "SELECT concat_ws(' ', i.status, p.amount, p.cumulative_amount) AS name \
         FROM payments p JOIN invoices i ON i.id = p.invoice_id ORDER BY 1",
    ),
    (
        "payouts",
        "SELECT concat_ws(' ', r.status, n.name, p.status, p.currency, p.amount, count(i.id)) AS name \
         FROM payouts p JOIN payout_runs r ON r.id = p.payout_run_id JOIN partners n ON n.id = p.partner_id \
         LEFT JOIN payout_items i ON i.payout_id = p.id GROUP BY r.status, n.name, p.status, p.currency, p.amount \
         ORDER BY 1",
    ),
    (
        "what was told",
        "SELECT concat_ws(' ', type, count(*)) AS name FROM events \
         WHERE subject_type IN ('payment', 'invoice', 'commission', 'payout', 'payout_run') GROUP BY type ORDER BY 1",
    ),
    (
        "what is in the audit trail",
        "SELECT concat_ws(' ', action, count(*)) AS name FROM audit_events \
         WHERE subject_type IN ('payment', 'invoice', 'commission', 'payout', 'payout_run') GROUP BY action ORDER BY 1",
    ),
];

/// Everything that two runs of one story have in common, by what it is.
fn books(world: &World) -> Vec<(&'static str, Vec<String>)> {
    let mut owner = world.database().owner();
    let books = BOOKS
        .iter()
        .map(|(what, query)| (*what, names(&mut owner, query)));
    books.collect()
}
