//! What holds after every step, found from other sides than those that the service uses.

use super::story::Story;
use crate::world::names;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

/// Each finds what breaks a rule of the contract; nothing, if all is well.
const RULES: &[(&str, &str)] = &[
    (
        "what a partner has is what it earned, less what was taken back, adjusted and paid, as it was exchanged",
        "SELECT concat_ws(' ', partner_id, program_id, currency) AS name FROM ledger_entries \
         GROUP BY partner_id, program_id, currency \
         HAVING sum(CASE WHEN credit_account IN ('held', 'released', 'payable', 'disputed', 'in_payout') \
                 THEN amount ELSE 0 END) \
             - sum(CASE WHEN debit_account IN ('held', 'released', 'payable', 'disputed', 'in_payout') \
                 THEN amount ELSE 0 END) \
             <> sum(CASE WHEN kind IN ('accrual', 'reinstatement', 'adjustment_up', 'write_off', 'payout_returned', 'exchange_in', \
                     'clawback_exchange_in') THEN amount \
                 WHEN kind IN ('clawback', 'credit_note', 'adjustment_down', 'payout_paid', 'exchange_out', \
                     'clawback_exchange_out') THEN -amount ELSE 0 END)",
    ),
    (
        "a line is exchanged once, out of the one currency and into another one",
        "SELECT concat(e.source_id) AS name FROM ledger_entries e LEFT JOIN commissions c ON c.id = e.source_id \
         WHERE e.kind IN ('exchange_out', 'exchange_in') GROUP BY e.source_id, c.exchange \
         HAVING c.exchange IS NULL OR count(*) > 2 OR count(*) <> count(DISTINCT e.kind) \
             OR count(*) <> count(DISTINCT e.currency)",
    ),
    (
        "what was proposed for a corrected credit is what its lines would have kept more, where nothing is exchanged",
        "SELECT concat_ws(' ', t.attribution_id, t.partner_id, t.currency, t.target, a.proposed) AS name \
         FROM (SELECT c.attribution_id, c.partner_id, c.program_id, c.owed_currency AS currency, \
                 sum((c.owed_amount - c.owed_reversed) * (k.share_after - s.share) / s.share) AS target \
             FROM commissions c \
             JOIN LATERAL (SELECT share_after FROM attribution_corrections k WHERE k.attribution_id = c.attribution_id \
                 ORDER BY k.number DESC LIMIT 1) k ON true \
             JOIN LATERAL (SELECT (c.explanation #>> '{entitlement,share,basis_points}')::numeric AS share) s ON true \
             WHERE NOT EXISTS (SELECT FROM commissions x WHERE x.attribution_id = c.attribution_id \
                 AND x.payout_currency IS NOT NULL) \
             GROUP BY 1, 2, 3, 4) t \
         LEFT JOIN (SELECT attribution_id, partner_id, program_id, currency, sum(amount) AS proposed FROM adjustments \
             WHERE status NOT IN ('refused', 'withdrawn') GROUP BY 1, 2, 3, 4) a \
             USING (attribution_id, partner_id, program_id, currency) \
         WHERE abs(t.target - coalesce(a.proposed, 0)) \
             >= CASE t.currency WHEN 'JPY' THEN 1 WHEN 'KWD' THEN 0.001 ELSE 0.01 END",
    ),
    (
        "what was earned is the sum of the lines",
        "SELECT concat_ws(' ', l.partner_id, l.program_id, l.currency, l.earned, l.credited, j.earned, j.credited) AS name \
         FROM (SELECT partner_id, program_id, currency, sum(greatest(amount, 0)) AS earned, \
                 sum(greatest(-amount, 0)) AS credited FROM commissions GROUP BY 1, 2, 3) l \
         LEFT JOIN (SELECT partner_id, program_id, currency, \
                 sum(amount) FILTER (WHERE kind = 'accrual') AS earned, \
                 sum(amount) FILTER (WHERE kind = 'credit_note') AS credited FROM ledger_entries GROUP BY 1, 2, 3) j \
             USING (partner_id, program_id, currency) \
         WHERE l.earned <> coalesce(j.earned, 0) OR l.credited <> coalesce(j.credited, 0)",
    ),
    (
        "what was taken back is the sum of the clawbacks, and never more than was earned",
        "SELECT c.id::text AS name FROM commissions c \
         LEFT JOIN (SELECT commission_id, sum(amount) AS taken FROM clawbacks GROUP BY 1) b ON b.commission_id = c.id \
         WHERE c.kind = 'accrual' AND (c.reversed_amount <> coalesce(b.taken, 0) OR coalesce(b.taken, 0) NOT BETWEEN 0 AND c.amount)",
    ),
    (
        "a payment that went back as a whole leaves nothing of its commissions within the window",
        "SELECT c.id::text AS name FROM commissions c \
         JOIN (SELECT payment_id, sum(amount) AS amount FROM refunds GROUP BY 1) r ON r.payment_id = c.payment_id \
         JOIN payments p ON p.id = c.payment_id JOIN programs g ON g.id = c.program_id \
         WHERE r.amount = p.amount AND g.clawback_window_days IS NULL AND c.reversed_amount <> c.amount",
    ),
    (
        "a payment that came in again as a whole takes nothing of its commissions",
        "SELECT c.id::text AS name FROM commissions c \
         JOIN (SELECT payment_id FROM refunds GROUP BY 1 HAVING sum(amount) = 0) r ON r.payment_id = c.payment_id \
         WHERE c.reversed_amount <> 0",
    ),
    (
        "a commission is paid once",
        "SELECT i.commission_id::text AS name FROM payout_items i JOIN payouts p ON p.id = i.payout_id \
         WHERE i.commission_id IS NOT NULL AND p.status = 'paid' GROUP BY i.commission_id HAVING count(*) > 1",
    ),
    (
        "what is paid out of a payout is the sum of its lines",
        "SELECT p.id::text AS name FROM payouts p JOIN payout_items i ON i.payout_id = p.id \
         GROUP BY p.id, p.amount HAVING sum(i.amount) <> p.amount",
    ),
    (
        "a payout is in the journal as it stands",
        "SELECT p.id::text AS name FROM payouts p LEFT JOIN (SELECT source_id, \
                 sum(CASE kind WHEN 'payout_paid' THEN amount WHEN 'payout_returned' THEN -amount ELSE 0 END) AS paid \
             FROM ledger_entries GROUP BY 1) e ON e.source_id = p.id \
         WHERE coalesce(e.paid, 0) <> CASE p.status WHEN 'paid' THEN p.amount ELSE 0 END",
    ),
    (
        "nobody is paid below zero",
        "SELECT id::text AS name FROM payouts WHERE amount <= 0",
    ),
];

/// Fails if a rule is broken.
pub fn hold(story: &Story) {
    let mut owner = story.world.database().owner();
    for (rule, faults) in RULES {
        let found = names(&mut owner, faults);
        assert_eq!(found, Vec::<String>::new(), "{rule}; after {:?}", story.last());
    }
    the_trial_balance_is_zero(story);
    balances_add_up(story);
    runs_are_their_payouts(story);
}

fn amount(value: &Value) -> Decimal {
    value["amount"].as_str().unwrap().parse().unwrap()
}

fn the_trial_balance_is_zero(story: &Story) {
    let balance = story.world.admin().get("/v1/trial-balance").expect(200);
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for account in balance["accounts"].as_array().unwrap() {
        let currency = account["currency"].as_str().unwrap().to_owned();
        *sums.entry(currency).or_default() += amount(&account["balance"]);
    }
    for (currency, sum) in sums {
        assert_eq!(sum, Decimal::ZERO, "{currency} after {:?}", story.last());
    }
}

fn balances_add_up(story: &Story) {
    for balance in story.world.admin().all("/v1/balances") {
        let of = |field: &str| amount(&balance[field]);
        let owed = of("held") + of("released") + of("payable") + of("disputed") + of("in_payout");
        let known = of("earned") - of("reversed") + of("adjusted") + of("exchanged") - of("paid");
        assert_eq!(owed, known, "{balance} after {:?}", story.last());
        for account in ["held", "released", "disputed", "in_payout"] {
            assert!(of(account) >= Decimal::ZERO, "{balance} after {:?}", story.last());
        }
    }
}

fn runs_are_their_payouts(story: &Story) {
    let Some(run) = story.last_run() else { return };
    let found = story
        .world
        .admin()
        .get(&format!("/v1/payout-runs/{run}"))
        .expect(200);
    let payouts = story
        .world
        .admin()
        .all(&format!("/v1/payouts?payout_run_id={run}"));
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for payout in &payouts {
        let currency = payout["amount"]["currency"].as_str().unwrap().to_owned();
        *sums.entry(currency).or_default() += amount(&payout["amount"]);
    }
    let totals = found["totals"].as_array().unwrap().iter();
    let totals: BTreeMap<String, Decimal> = totals
        .map(|total| (total["currency"].as_str().unwrap().to_owned(), amount(total)))
        .collect();
    assert_eq!(totals, sums, "{} after {:?}", found.raw(), story.last());
}
