//! What a run proposes: computed in one statement when it is drafted, and once more when it is approved.

use super::super::domain::PayoutRun;
use super::uuids;
use crate::features::compliance_documents;
use crate::features::payout_methods::PayoutMethodKind;
use crate::kernel::ctx::Scope;
use crate::kernel::gate::GatedStep;
use crate::kernel::id::ProgramId;
use crate::kernel::money::{Money, UNIT_LIMIT};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use uuid::Uuid;

/// The program of a run, or all, and the partners whom it pays: what is payable is narrowed to them.
const OF_RUN: &str = "($4 IS NULL OR x.program_id = $4) AND (cardinality($13) = 0 OR x.partner_id = ANY ($13)) \
    AND x.partner_id <> ALL ($14)";

/// What the rail of a run asks of the account to which the money goes, and what its lines come to that it exchanges.
struct Judgment {
    cases: &'static str,
    column: &'static str,
    join: &'static str,
    quotes: &'static str,
    waits: &'static str,
    at: &'static str,
}

/// No rail is chosen yet, and nothing is exchanged: what waits for a rate is what was to be exchanged as it was earned.
const BEFORE_A_RUN: Judgment = Judgment {
    cases: "",
    column: "",
    join: "",
    quotes: "SELECT NULL::uuid AS id, NULL::text AS currency, NULL::numeric AS amount WHERE false",
    waits: "o.fx_policy = 'at_accrual'",
    at: "$3",
};

/// At $5; a rail that pays by methods of a kind ($6) may take some currencies ($7), countries of banks ($8) and amounts ($9)
/// only.
const OF_A_RUN: Judgment = Judgment {
    cases: "WHEN $6 IS NULL THEN NULL \
            WHEN n.currency <> ALL ($7) THEN 'currency_not_supported' \
            WHEN n.amount > $9 THEN 'amount_not_supported' \
            WHEN t.id IS NULL THEN 'payout_method_missing' \
            WHEN left(t.iban, 2) <> ALL ($8) THEN 'payout_method_not_supported' \
            WHEN t.usable_from > $5 THEN 'payout_method_cooling_off' ",
    column: ", t.id AS payout_method_id",
    join: "LEFT JOIN payout_methods t ON t.kind = $6 AND t.organization_id = $1 AND t.partner_id = n.partner_id \
               AND t.currency = n.currency AND t.status = 'active'",
    quotes: "SELECT * FROM unnest($10, $11, $12) AS q (id, currency, amount)",
    waits: "q.id IS NULL",
    at: "$5",
};

/// What is payable at the cut-off (`$3`) and meets the condition on a line `x`: every line that nobody disputes, and what
/// was taken back, except from a line that waits here itself for its dispute, where both wait, as what a dispute gave waits
/// for the lines on which it did (`raised`, `lines`), the nets per partner, program and currency, and why a net is not paid
/// (`judged`; without a `reason` it is). What waits for a rate is netted apart, in the currency of its invoices (`waits`).
/// `$1` is the organization. Other statements go on from here, so that there is one answer to
/// what is payable.
pub fn payable(condition: &str) -> String {
    judged(condition, &BEFORE_A_RUN)
}

/// The same for a run, with the account to which each net goes.
fn payable_of_run() -> String {
    judged(OF_RUN, &OF_A_RUN)
}

/// What disputes gave on lines that are not approved yet (`raised`), and what followed from that, with where those stand and
/// when their hold ends: it waits with them, and until what follows from money that went back or came in is decided.
const RAISED: &str = "raised AS MATERIALIZED (\
     SELECT d.adjustment_id, max(CASE o.status WHEN 'pending' THEN 'pending' ELSE 'due' END) AS status, \
         max(o.release_at) AS release_at \
     FROM (SELECT id, adjustment_id FROM disputes WHERE organization_id = $1 AND adjustment_id IS NOT NULL \
         UNION ALL SELECT dispute_id, id FROM adjustments WHERE organization_id = $1 AND dispute_id IS NOT NULL) d \
     JOIN dispute_lines l ON l.organization_id = $1 AND l.dispute_id = d.id \
     JOIN commissions o ON o.organization_id = $1 AND o.id = l.commission_id \
         AND (o.status IN ('pending', 'due') OR EXISTS (SELECT FROM adjustments u WHERE u.organization_id = $1 \
             AND u.dispute_id = d.id AND u.status = 'proposed')) \
         AND o.id = ANY (ARRAY(\
             SELECT u.commission_id FROM dispute_lines u \
             JOIN disputes e ON e.organization_id = $1 AND e.id = u.dispute_id AND e.adjustment_id IS NOT NULL \
             WHERE u.organization_id = $1)) \
     GROUP BY d.adjustment_id)";

fn judged(condition: &str, judgment: &Judgment) -> String {
    let minimum = minimum_payout("g", "n.currency");
    let Judgment {
        cases,
        column,
        join,
        quotes,
        waits,
        at,
    } = judgment;
    let closed = closed_before_paying("g", "p.id", at);
    let waits = format!("(o.payout_currency IS NOT NULL AND o.exchange IS NULL AND {waits})");
    format!(
        "WITH {RAISED}, \
         quotes AS MATERIALIZED ({quotes}), \
         lines AS MATERIALIZED (\
             SELECT o.partner_id, o.program_id, coalesce(q.currency, o.owed_currency) AS currency, \
                 o.id AS commission_id, NULL::uuid AS clawback_id, NULL::uuid AS adjustment_id, \
                 coalesce(q.amount, o.owed_amount - o.owed_netted) AS amount, {waits} AS waits \
             FROM (SELECT * FROM commissions x WHERE x.organization_id = $1 AND x.status = 'approved' \
                 AND x.release_at <= $3 AND (x.dispute_id IS NULL OR x.kind = 'credit_note') AND {condition}) o \
             LEFT JOIN quotes q ON q.id = o.id \
             UNION ALL \
             SELECT x.partner_id, x.program_id, coalesce(q.currency, x.owed_currency), NULL, x.id, NULL, \
                 -coalesce(q.amount, x.owed_amount), {waits} \
             FROM clawbacks x \
             JOIN commissions o ON o.organization_id = $1 AND o.id = x.commission_id \
                 AND (o.dispute_id IS NULL OR o.status <> 'approved') \
             LEFT JOIN quotes q ON q.id = x.id \
             WHERE x.organization_id = $1 AND x.status = 'payable' AND x.occurred_at <= $3 AND {condition} \
                 AND coalesce(q.amount, x.owed_amount) <> 0 \
             UNION ALL \
             SELECT x.partner_id, x.program_id, x.currency, NULL, NULL, x.id, x.amount, false \
             FROM adjustments x \
             WHERE x.organization_id = $1 AND x.status = 'approved' AND x.approved_at <= $3 \
                 AND x.id NOT IN (SELECT adjustment_id FROM raised) AND {condition}), \
         nets AS (\
             SELECT partner_id, program_id, currency, waits, sum(amount) AS amount FROM lines \
             GROUP BY partner_id, program_id, currency, waits), \
         judged AS MATERIALIZED (\
             SELECT n.*, row_number() OVER (ORDER BY n.partner_id, n.program_id, n.currency, n.waits) AS place, \
                 CASE WHEN n.waits THEN 'missing_rate' WHEN n.amount <= 0 THEN 'not_positive' \
                     WHEN p.status <> 'approved' THEN 'partner_not_payable' \
                     WHEN c.closed <> '{{}}' THEN 'gate_closed' \
                     WHEN n.amount < {minimum} THEN 'below_minimum' \
                     WHEN n.amount >= {UNIT_LIMIT} THEN 'amount_not_supported' {cases}\
                 END AS reason, c.closed{column} \
             FROM nets n \
             JOIN partners p ON p.organization_id = $1 AND p.id = n.partner_id \
             JOIN programs g ON g.organization_id = $1 AND g.id = n.program_id \
             CROSS JOIN LATERAL (SELECT {closed} AS closed OFFSET 0) c {join}) "
    )
}

/// The gates before paying that are closed to a partner at an instant, looked for where there are any.
pub fn closed_before_paying(program: &str, partner: &str, at: &str) -> String {
    compliance_documents::closed_gates_of(GatedStep::Paying, program, partner, [at, "NULL", "NULL"])
}

/// The least that a program pays out in a currency, or nothing where it says nothing of it.
pub fn minimum_payout(program: &str, currency: &str) -> String {
    format!(
        "(SELECT max((m ->> 'amount')::numeric) FROM jsonb_array_elements({program}.minimum_payouts) m \
         WHERE m ->> 'currency' = {currency})"
    )
}

/// What lines come to that a run exchanges, turned by ninety degrees, as `unnest` wants them.
#[derive(Debug, Clone, Default)]
pub struct Quotes {
    ids: Vec<Uuid>,
    currencies: Vec<&'static str>,
    amounts: Vec<Decimal>,
}

impl Quotes {
    /// What a commission is quoted with, or a clawback of one, by its id.
    pub fn push(&mut self, id: Uuid, amount: Money) {
        self.ids.push(id);
        self.currencies.push(amount.currency().code());
        self.amounts.push(amount.amount());
    }
}

/// Writes the payouts of a drafted run with their lines, and what it carries forward, in one statement.
pub fn propose(tx: &mut Tx<'_>, scope: &Scope, run: &PayoutRun, quotes: &Quotes) -> Result<(), Problem> {
    let reach = run.rail.rail().reach();
    let query = diesel::sql_query(format!(
        "{}, carried AS (\
             INSERT INTO payout_carry_forwards \
                 (organization_id, id, payout_run_id, partner_id, program_id, currency, amount, reason, closed_gates) \
             SELECT $1, ordered_uuid($5, place), $2, partner_id, program_id, currency, amount, reason, \
                 CASE reason WHEN 'gate_closed' THEN closed ELSE '{{}}' END \
             FROM judged WHERE reason IS NOT NULL), \
         paid AS (\
             INSERT INTO payouts (organization_id, id, payout_run_id, partner_id, program_id, status, currency, \
                 amount, payout_method_id, row_version, created_at, updated_at) \
             SELECT $1, ordered_uuid($5, place), $2, partner_id, program_id, 'pending', currency, amount, \
                 payout_method_id, 1, $5, $5 \
             FROM judged WHERE reason IS NULL \
             RETURNING id, partner_id, program_id, currency) \
         INSERT INTO payout_items \
             (organization_id, id, payout_id, partner_id, commission_id, clawback_id, adjustment_id, status, amount) \
         SELECT $1, ordered_uuid($5, \
                 row_number() OVER (ORDER BY p.id, l.commission_id, l.clawback_id, l.adjustment_id)), \
             p.id, l.partner_id, l.commission_id, l.clawback_id, l.adjustment_id, 'proposed', l.amount \
         FROM lines l JOIN paid p USING (partner_id, program_id, currency) WHERE NOT l.waits",
        payable_of_run()
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(run.id.uuid())
    .bind::<Timestamptz, _>(run.cut_off_at)
    .bind::<Nullable<SqlUuid>, _>(run.program_id.map(ProgramId::uuid))
    .bind::<Timestamptz, _>(run.created_at)
    .bind::<Nullable<Text>, _>(reach.method.map(PayoutMethodKind::as_str))
    .bind::<Nullable<Array<Text>>, _>(reach.currencies)
    .bind::<Nullable<Array<Text>>, _>(reach.countries)
    .bind::<Nullable<Numeric>, _>(reach.most)
    .bind::<Array<SqlUuid>, _>(&quotes.ids)
    .bind::<Array<Text>, _>(&quotes.currencies)
    .bind::<Array<Numeric>, _>(&quotes.amounts)
    .bind::<Array<SqlUuid>, _>(uuids(&run.partner_ids))
    .bind::<Array<SqlUuid>, _>(uuids(&run.excluded_partner_ids));
    tx.without_nested_loops(|tx| Ok(Prepared(query).execute(tx.connection())?))?;
    Ok(())
}

#[derive(QueryableByName)]
struct Differences {
    #[diesel(sql_type = BigInt)]
    differences: i64,
    #[diesel(sql_type = Array<Text>)]
    reasons: Vec<String>,
}

/// How many lines of the run's payouts are no longer what was proposed: gone, changed, newly come, or of a payout that
/// would not be made now, or not to the same account; and for which reasons payouts would not be made.
pub fn differences(
    tx: &mut Tx<'_>,
    scope: &Scope,
    run: &PayoutRun,
    quotes: &Quotes,
    now: DateTime<Utc>,
) -> Result<(i64, Vec<String>), Problem> {
    let reach = run.rail.rail().reach();
    let query = diesel::sql_query(format!(
        "{}, payouts_of_run AS (\
             SELECT id, partner_id, program_id, currency, payout_method_id FROM payouts \
             WHERE organization_id = $1 AND payout_run_id = $2), \
         current_lines AS (\
             SELECT p.id AS payout_id, l.commission_id, l.clawback_id, l.adjustment_id, l.amount, j.payout_method_id \
             FROM payouts_of_run p \
             JOIN judged j USING (partner_id, program_id, currency) \
             JOIN lines l USING (partner_id, program_id, currency) \
             WHERE j.reason IS NULL AND NOT l.waits), \
         proposed_lines AS (\
             SELECT i.payout_id, i.commission_id, i.clawback_id, i.adjustment_id, i.amount, p.payout_method_id \
             FROM payouts_of_run p JOIN payout_items i ON i.organization_id = $1 AND i.payout_id = p.id) \
         SELECT count(*) AS differences, (\
             SELECT coalesce(array_agg(DISTINCT CASE j.reason WHEN 'gate_closed' \
                 THEN j.reason || ' (' || array_to_string(j.closed, ', ') || ')' ELSE j.reason END), '{{}}') \
             FROM payouts_of_run p JOIN judged j USING (partner_id, program_id, currency) \
             WHERE j.reason IS NOT NULL AND NOT j.waits) AS reasons \
         FROM (\
             SELECT commission_id, clawback_id, adjustment_id \
             FROM (TABLE current_lines EXCEPT TABLE proposed_lines) come \
             UNION \
             SELECT commission_id, clawback_id, adjustment_id \
             FROM (TABLE proposed_lines EXCEPT TABLE current_lines) gone) different",
        payable_of_run()
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(run.id.uuid())
    .bind::<Timestamptz, _>(run.cut_off_at)
    .bind::<Nullable<SqlUuid>, _>(run.program_id.map(ProgramId::uuid))
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Text>, _>(reach.method.map(PayoutMethodKind::as_str))
    .bind::<Nullable<Array<Text>>, _>(reach.currencies)
    .bind::<Nullable<Array<Text>>, _>(reach.countries)
    .bind::<Nullable<Numeric>, _>(reach.most)
    .bind::<Array<SqlUuid>, _>(&quotes.ids)
    .bind::<Array<Text>, _>(&quotes.currencies)
    .bind::<Array<Numeric>, _>(&quotes.amounts)
    .bind::<Array<SqlUuid>, _>(uuids(&run.partner_ids))
    .bind::<Array<SqlUuid>, _>(uuids(&run.excluded_partner_ids));
    let found: Differences =
        tx.without_nested_loops(|tx| Ok(Prepared(query).get_result(tx.connection())?))?;
    Ok((found.differences, found.reasons))
}
