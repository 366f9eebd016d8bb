//! What waits for the caller, in one statement: one branch for each kind of action that the caller may do, each with the
//! first rows by their deadline.
//!
//! In every branch `$1` is the organization, `$2` the caller's partner, `$3` the present, `$4` who answers for the caller,
//! `$5` who may know the caller's secret, `$6` and `$7` the defaults of deal rules: days before the end of a protection,
//! and extensions.

use super::domain::{Finding, MOST_ACTIONS, NextActionKind as Kind};
use crate::features::deal_rules;
use crate::kernel::ctx::Scope;
use crate::kernel::id::PartnerId;
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

/// Who asks, where a second person is needed.
#[derive(Debug, Clone)]
pub struct Asker {
    /// The person, or the key that belongs to nobody.
    pub responsible: Option<Uuid>,
    /// Who may know the secret that the caller came with.
    pub secret_makers: Vec<Uuid>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = SqlUuid)]
    subject_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    target_id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    detail: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    other: Option<String>,
    #[diesel(sql_type = BigInt)]
    figure: i64,
    #[diesel(sql_type = Nullable<Numeric>)]
    amount: Option<Decimal>,
    #[diesel(sql_type = Nullable<Text>)]
    currency: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    since: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    due_at: Option<DateTime<Utc>>,
}

/// The columns of a claim that its own partner reads.
const OWN_CLAIM: &str = "r.id AS subject_id, r.id AS target_id, r.claim ->> 'account_name' AS name, r.reason AS detail, \
    NULL AS other, 0::bigint AS figure, NULL::numeric AS amount, NULL AS currency";

/// Whether the partner of the claim takes part in its program at this moment.
const TAKES_PART: &str = "EXISTS (SELECT FROM enrollments e WHERE e.organization_id = $1 AND e.partner_id = $2 \
    AND e.program_id = r.program_id AND e.status = 'active')";

/// The states of a claim that is no claim any more.
const GIVEN_UP: &str = "('rejected', 'withdrawn', 'converted', 'lost', 'expired', 'revoked')";

/// The columns of a claim that the organization reads.
const CLAIM: &str = "r.id AS subject_id, r.id AS target_id, r.claim ->> 'account_name' AS name, NULL AS detail, \
    p.name AS other, 0::bigint AS figure, r.amount, r.currency, coalesce(r.submitted_at, r.created_at) AS since, \
    r.respond_by AS due_at";

/// The columns of an enrollment in which its partner has done nothing yet.
const IDLE: &str = "SELECT e.id AS subject_id, e.id AS target_id, g.name, NULL AS detail, NULL AS other, \
        0::bigint AS figure, NULL::numeric AS amount, NULL AS currency, coalesce(e.activated_at, e.created_at) AS since, \
        NULL::timestamptz AS due_at \
    FROM enrollments e JOIN programs g ON g.organization_id = $1 AND g.id = e.program_id \
    JOIN partners p ON p.organization_id = $1 AND p.id = e.partner_id AND p.status = 'approved' \
    WHERE e.organization_id = $1 AND e.partner_id = $2 AND e.status = 'active'";

/// That neither the caller made it, nor anybody who may know the caller's secret, nor anybody whose secret the caller may
/// know.
fn of_somebody_else(author: &str, makers: &str) -> String {
    format!("{author} IS DISTINCT FROM $4 AND {author} <> ALL ($5) AND ($4 IS NULL OR $4 <> ALL ({makers}))")
}

/// The rows of one kind.
fn branch(kind: Kind) -> String {
    match kind {
        Kind::ResubmitRegistration => format!(
            "SELECT {OWN_CLAIM}, r.updated_at AS since, NULL::timestamptz AS due_at FROM deal_registrations r \
             WHERE r.organization_id = $1 AND r.partner_id = $2 AND r.status = 'action_required' AND {TAKES_PART}"
        ),
        // What a conflict keeps a draft would be refused again.
        Kind::SubmitDraft => format!(
            "SELECT {OWN_CLAIM}, r.created_at AS since, NULL::timestamptz AS due_at FROM deal_registrations r \
             WHERE r.organization_id = $1 AND r.partner_id = $2 AND r.status = 'draft' AND {TAKES_PART} \
                 AND NOT EXISTS (SELECT FROM registration_conflict_parties y \
                     WHERE y.organization_id = $1 AND y.deal_registration_id = r.id)"
        ),
        Kind::GiveEvidence => format!(
            "SELECT c.id AS subject_id, c.id AS target_id, r.claim ->> 'account_name' AS name, \
                 NULL AS detail, NULL AS other, 0::bigint AS figure, NULL::numeric AS amount, NULL AS currency, \
                 y.joined_at AS since, c.respond_by AS due_at \
             FROM registration_conflict_parties y \
             JOIN seen_conflicts c ON c.organization_id = $1 AND c.id = y.registration_conflict_id AND c.status = 'open' \
             JOIN deal_registrations r ON r.organization_id = $1 AND r.id = y.deal_registration_id \
                 AND r.status NOT IN {GIVEN_UP} \
             WHERE y.organization_id = $1 AND y.partner_id = $2 AND y.evidence IS NULL"
        ),
        Kind::ExtendProtection => "SELECT r.id AS subject_id, r.id AS target_id, r.claim ->> 'account_name' AS name, \
                 NULL AS detail, NULL AS other, u.allowed - x.granted AS figure, NULL::numeric AS amount, \
                 NULL AS currency, r.protected_from AS since, r.protected_until AS due_at \
             FROM deal_registrations r \
             CROSS JOIN LATERAL (SELECT coalesce(max(u.extensions_allowed), $7)::bigint AS allowed, \
                     coalesce(max(d.days), $6) AS days \
                 FROM deal_rules u LEFT JOIN LATERAL unnest(u.reminder_days) AS d (days) ON true \
                 WHERE u.organization_id = $1 AND u.program_id = r.program_id) u \
             CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE x.status = 'approved') AS granted, \
                     coalesce(bool_or(x.status = 'requested'), false) AS asked \
                 FROM registration_extensions x \
                 WHERE x.organization_id = $1 AND x.deal_registration_id = r.id) x \
             WHERE r.organization_id = $1 AND r.partner_id = $2 AND r.status = 'approved' AND r.protected_until > $3 \
                 AND r.protected_until <= $3 + make_interval(days => u.days) AND NOT x.asked AND x.granted < u.allowed"
            .to_owned(),
        Kind::AcceptTerms => "SELECT e.id AS subject_id, t.id AS target_id, g.name, t.version AS detail, \
                 e.terms_version AS other, 0::bigint AS figure, NULL::numeric AS amount, NULL AS currency, \
                 t.created_at AS since, NULL::timestamptz AS due_at \
             FROM enrollments e JOIN programs g ON g.organization_id = $1 AND g.id = e.program_id \
             JOIN LATERAL (SELECT t.id, t.version, t.created_at FROM program_terms t \
                 WHERE t.organization_id = $1 AND t.program_id = e.program_id ORDER BY t.number DESC LIMIT 1) t ON true \
             WHERE e.organization_id = $1 AND e.partner_id = $2 AND e.status <> 'ended' \
                 AND NOT EXISTS (SELECT FROM terms_acceptances y WHERE y.organization_id = $1 \
                     AND y.enrollment_id = e.id AND y.program_terms_id = t.id)"
            .to_owned(),
        // Before earning, what is for some product families or countries only is asked for when it is needed.
        Kind::HandInDocument => "SELECT e.id AS subject_id, e.id AS target_id, g.name, c.closed AS detail, \
                 NULL AS other, 0::bigint AS figure, NULL::numeric AS amount, NULL AS currency, \
                 coalesce(e.activated_at, e.created_at) AS since, NULL::timestamptz AS due_at \
             FROM enrollments e \
             JOIN programs g ON g.organization_id = $1 AND g.id = e.program_id AND g.gates <> '[]' \
             CROSS JOIN LATERAL (SELECT string_agg(DISTINCT one, ', ') AS closed \
                 FROM unnest(ARRAY['registering', 'accruing', 'paying']) AS s (step) \
                 CROSS JOIN LATERAL unnest(closed_gates($1, g.id, $2, s.step, $3, NULL, NULL)) AS one \
                 WHERE NOT EXISTS (SELECT FROM compliance_documents d WHERE d.organization_id = $1 \
                     AND d.partner_id = $2 AND d.status = 'submitted' \
                     AND (d.valid_until IS NULL OR d.valid_until >= ($3 AT TIME ZONE g.time_zone)::date) \
                     AND lower(one) IN (d.kind, d.kind || ': ' || lower(d.name)))) c \
             WHERE e.organization_id = $1 AND e.partner_id = $2 AND e.status = 'active' AND c.closed IS NOT NULL"
            .to_owned(),
        Kind::AddPayoutMethod => "SELECT $2 AS subject_id, $2 AS target_id, c.owed_currency AS name, NULL AS detail, \
                 NULL AS other, count(*) AS figure, sum(c.owed_amount - c.owed_reversed) AS amount, \
                 c.owed_currency AS currency, \
                 min(c.earned_at) AS since, NULL::timestamptz AS due_at \
             FROM commissions c \
             WHERE c.organization_id = $1 AND c.partner_id = $2 AND c.status IN ('due', 'approved') \
                 AND (c.payout_currency IS NULL OR c.exchange IS NOT NULL) \
                 AND NOT EXISTS (SELECT FROM payout_methods m WHERE m.organization_id = $1 AND m.partner_id = $2 \
                     AND m.currency = c.owed_currency AND m.status IN ('proposed', 'active')) \
             GROUP BY c.owed_currency HAVING sum(c.owed_amount - c.owed_reversed) > 0"
            .to_owned(),
        // Until the partner names another way, or is paid after all.
        Kind::MendPayoutMethod => "SELECT o.id AS subject_id, o.id AS target_id, o.currency AS name, \
                 o.status_reason AS detail, NULL AS other, 0::bigint AS figure, o.amount, o.currency, \
                 o.updated_at AS since, NULL::timestamptz AS due_at \
             FROM payouts o \
             WHERE o.organization_id = $1 AND o.partner_id = $2 AND o.status IN ('failed', 'returned') \
                 AND NOT EXISTS (SELECT FROM payout_methods m WHERE m.organization_id = $1 AND m.partner_id = $2 \
                     AND m.currency = o.currency AND m.created_at > o.updated_at) \
                 AND NOT EXISTS (SELECT FROM payouts n WHERE n.organization_id = $1 AND n.partner_id = $2 \
                     AND n.currency = o.currency AND n.created_at > o.created_at \
                     AND n.status IN ('processing', 'paid', 'failed', 'returned'))"
            .to_owned(),
        Kind::SubmitFirstReferral => format!(
            "{IDLE} AND g.motion = 'referral' AND NOT EXISTS (SELECT FROM referrals r WHERE r.organization_id = $1 \
                 AND r.partner_id = $2 AND r.program_id = e.program_id)"
        ),
        Kind::RegisterFirstDeal => format!(
            "{IDLE} AND g.motion IN ('reseller', 'co_sell') AND NOT EXISTS (SELECT FROM deal_registrations r \
                 WHERE r.organization_id = $1 AND r.partner_id = $2 AND r.program_id = e.program_id)"
        ),
        Kind::MakeFirstLink => format!(
            "{IDLE} AND g.motion = 'affiliate' AND NOT EXISTS (SELECT FROM referral_links r \
                 WHERE r.organization_id = $1 AND r.partner_id = $2 AND r.program_id = e.program_id \
                 AND r.status = 'active')"
        ),
        Kind::AddContact => "SELECT p.id AS subject_id, p.id AS target_id, p.name, NULL AS detail, NULL AS other, \
                 0::bigint AS figure, NULL::numeric AS amount, NULL AS currency, \
                 coalesce(p.approved_at, p.created_at) AS since, NULL::timestamptz AS due_at \
             FROM partners p WHERE p.organization_id = $1 AND p.id = $2 AND p.status = 'approved' \
                 AND NOT EXISTS (SELECT FROM partner_contacts c WHERE c.organization_id = $1 AND c.partner_id = $2)"
            .to_owned(),
        Kind::AnswerDispute => "SELECT d.id AS subject_id, d.id AS target_id, d.subject_type AS name, \
                 d.status_reason AS detail, NULL AS other, 0::bigint AS figure, NULL::numeric AS amount, \
                 NULL AS currency, d.updated_at AS since, NULL::timestamptz AS due_at \
             FROM disputes d WHERE d.organization_id = $1 AND d.partner_id = $2 AND d.status = 'needs_information'"
            .to_owned(),
        _ => branch_of_the_organization(kind),
    }
}

fn branch_of_the_organization(kind: Kind) -> String {
    let claims = |status: &str| {
        format!(
            "SELECT {CLAIM} FROM deal_registrations r \
             JOIN partners p ON p.organization_id = $1 AND p.id = r.partner_id \
             WHERE r.organization_id = $1 AND r.status = '{status}'"
        )
    };
    match kind {
        Kind::ReviewRegistration => claims("submitted"),
        Kind::AnswerReferral => "SELECT r.id AS subject_id, r.id AS target_id, r.company_name AS name, NULL AS detail, \
                 p.name AS other, 0::bigint AS figure, r.amount, r.currency, r.created_at AS since, \
                 r.respond_by AS due_at \
             FROM referrals r JOIN partners p ON p.organization_id = $1 AND p.id = r.partner_id \
             WHERE r.organization_id = $1 AND r.status = 'submitted' AND r.expires_at > $3"
            .to_owned(),
        Kind::DecideConflict => format!(
            "SELECT c.id AS subject_id, c.id AS target_id, a.name, NULL AS detail, NULL AS other, \
                 (SELECT count(*) FROM registration_conflict_parties y LEFT JOIN deal_registrations r \
                     ON r.organization_id = $1 AND r.id = y.deal_registration_id AND r.status IN {GIVEN_UP} \
                     WHERE y.organization_id = $1 AND y.registration_conflict_id = c.id AND r.id IS NULL) AS figure, NULL::numeric AS amount, NULL AS currency, \
                 c.created_at AS since, c.respond_by AS due_at \
             FROM registration_conflicts c JOIN accounts a ON a.organization_id = $1 AND a.id = c.account_id \
             WHERE c.organization_id = $1 AND c.status = 'open'"
        ),
        Kind::ReviewDispute => disputes("d.created_at", "d.status = 'open'"),
        // Whoever made the disputed decision decides nothing about it, nor does whoever found what is owed.
        Kind::DecideDispute => disputes(
            "d.updated_at",
            &format!(
                "d.status = 'in_review' AND EXISTS (SELECT FROM dispute_reviews w WHERE w.organization_id = $1 \
                     AND w.dispute_id = d.id AND (w.contested_by IS NULL OR {}) AND (d.currency IS NULL OR {}))",
                of_somebody_else("w.contested_by", "'{}'::uuid[]"),
                of_somebody_else("w.reviewed_by", "w.reviewer_secret_makers")
            ),
        ),
        Kind::AnswerExtension => "SELECT x.id AS subject_id, x.id AS target_id, r.claim ->> 'account_name' AS name, \
                 NULL AS detail, p.name AS other, 0::bigint AS figure, NULL::numeric AS amount, NULL AS currency, \
                 x.created_at AS since, x.respond_by AS due_at \
             FROM registration_extensions x \
             JOIN deal_registrations r ON r.organization_id = $1 AND r.id = x.deal_registration_id \
                 AND r.status = 'approved' \
             JOIN partners p ON p.organization_id = $1 AND p.id = r.partner_id \
             WHERE x.organization_id = $1 AND x.status = 'requested'"
            .to_owned(),
        // On a deal that is won nothing is confirmed, nor beyond the whole, nor for a partner that is out.
        Kind::ConfirmCredit => "SELECT a.id AS subject_id, a.id AS target_id, d.name, a.role AS detail, \
                 p.name AS other, a.share_basis_points::bigint AS figure, NULL::numeric AS amount, NULL AS currency, \
                 a.created_at AS since, NULL::timestamptz AS due_at \
             FROM attributions a JOIN deals d ON d.organization_id = $1 AND d.id = a.deal_id AND d.status = 'open' \
             JOIN partners p ON p.organization_id = $1 AND p.id = a.partner_id AND p.status = 'approved' \
             WHERE a.organization_id = $1 AND a.status = 'claimed' AND a.share_basis_points <= 10000 - \
                 (SELECT coalesce(sum(x.share_basis_points), 0) FROM attributions x WHERE x.organization_id = $1 \
                     AND x.deal_id = a.deal_id AND x.role = a.role AND x.status = 'confirmed')"
            .to_owned(),
        Kind::ReviewPartner => "SELECT p.id AS subject_id, p.id AS target_id, p.name, NULL AS detail, NULL AS other, \
                 0::bigint AS figure, NULL::numeric AS amount, NULL AS currency, p.created_at AS since, \
                 NULL::timestamptz AS due_at \
             FROM partners p WHERE p.organization_id = $1 AND p.status = 'applied'"
            .to_owned(),
        Kind::ActivateEnrollment => "SELECT e.id AS subject_id, e.id AS target_id, g.name, NULL AS detail, \
                 p.name AS other, 0::bigint AS figure, NULL::numeric AS amount, NULL AS currency, \
                 e.created_at AS since, NULL::timestamptz AS due_at \
             FROM enrollments e JOIN programs g ON g.organization_id = $1 AND g.id = e.program_id \
             JOIN partners p ON p.organization_id = $1 AND p.id = e.partner_id AND p.status = 'approved' \
             WHERE e.organization_id = $1 AND e.status = 'applied'"
            .to_owned(),
        Kind::VerifyDocument => "SELECT d.id AS subject_id, d.id AS target_id, d.name, d.kind AS detail, \
                 p.name AS other, 0::bigint AS figure, NULL::numeric AS amount, NULL AS currency, \
                 d.created_at AS since, NULL::timestamptz AS due_at \
             FROM compliance_documents d JOIN partners p ON p.organization_id = $1 AND p.id = d.partner_id \
             WHERE d.organization_id = $1 AND d.status = 'submitted'"
            .to_owned(),
        Kind::DecideMatch => "SELECT m.id AS subject_id, m.id AS target_id, a.name, NULL AS detail, b.name AS other, \
                 m.score::bigint AS figure, NULL::numeric AS amount, NULL AS currency, m.created_at AS since, \
                 NULL::timestamptz AS due_at \
             FROM account_matches m JOIN accounts a ON a.organization_id = $1 AND a.id = m.account_id \
             JOIN accounts b ON b.organization_id = $1 AND b.id = m.other_account_id \
             WHERE m.organization_id = $1 AND m.status = 'suggested'"
            .to_owned(),
        Kind::ApproveCommissions
        | Kind::DraftPayoutRun
        | Kind::ApprovePayoutRun
        | Kind::ProcessPayoutRun
        | Kind::SettlePayoutRun
        | Kind::ConfirmPayoutMethod
        | Kind::ApproveAdjustment => branch_of_money(kind),
        _ => claims("in_review"),
    }
}

fn disputes(since: &str, condition: &str) -> String {
    format!(
        "SELECT d.id AS subject_id, d.id AS target_id, d.subject_type AS name, NULL AS detail, p.name AS other, \
             0::bigint AS figure, d.claimed_amount AS amount, d.currency, {since} AS since, d.respond_by AS due_at \
         FROM disputes d JOIN partners p ON p.organization_id = $1 AND p.id = d.partner_id \
         WHERE d.organization_id = $1 AND {condition}"
    )
}

fn branch_of_money(kind: Kind) -> String {
    let runs = |since: &str, condition: &str| {
        format!(
            "SELECT r.id AS subject_id, r.id AS target_id, coalesce(r.external_id, to_char(r.cut_off_at, 'YYYY-MM-DD')) \
                 AS name, NULL AS detail, NULL AS other, (SELECT count(*) FROM payouts o WHERE o.organization_id = $1 \
                     AND o.payout_run_id = r.id AND (r.status = 'processing') = (o.status = 'processing')) AS figure, \
                 NULL::numeric AS amount, NULL AS currency, \
                 {since} AS since, NULL::timestamptz AS due_at \
             FROM payout_runs r WHERE r.organization_id = $1 AND {condition}"
        )
    };
    let lines = |status: &str, since: &str, condition: &str| {
        format!(
            "SELECT g.id AS subject_id, g.id AS target_id, g.name, NULL AS detail, NULL AS other, count(*) AS figure, \
                 NULL::numeric AS amount, NULL AS currency, min({since}) AS since, NULL::timestamptz AS due_at \
             FROM commissions c JOIN programs g ON g.organization_id = $1 AND g.id = c.program_id \
             WHERE c.organization_id = $1 AND c.status = '{status}' AND c.dispute_id IS NULL AND {condition} \
             GROUP BY g.id, g.name"
        )
    };
    match kind {
        Kind::ApproveCommissions => lines(
            "due",
            "c.release_at",
            "c.release_at <= $3 AND g.commission_approval = 'manual'",
        ),
        // What a run left below the least amount waits for more, and what is taken back is nothing to pay.
        Kind::DraftPayoutRun => lines(
            "approved",
            "c.updated_at",
            "c.owed_amount > c.owed_netted AND NOT EXISTS (SELECT FROM payout_runs r WHERE r.organization_id = $1 AND r.status <> 'cancelled' \
                 AND (r.program_id IS NULL OR r.program_id = c.program_id) AND r.created_at >= c.updated_at \
                 AND (cardinality(r.partner_ids) = 0 OR c.partner_id = ANY (r.partner_ids)) \
                 AND c.partner_id <> ALL (r.excluded_partner_ids))",
        ),
        // What the service pays itself it settles itself, but for what it cannot find out.
        Kind::SettlePayoutRun => runs(
            "coalesce(r.processed_at, r.updated_at)",
            "r.status = 'processing' AND NOT EXISTS (SELECT FROM payouts o \
                 JOIN payout_transfers t ON t.organization_id = $1 AND t.payout_id = o.id \
                 WHERE o.organization_id = $1 AND o.payout_run_id = r.id AND t.status IN ('queued', 'sent'))",
        ),
        Kind::ApprovePayoutRun => {
            let of_another = of_somebody_else("r.created_by", "r.drafter_secret_makers");
            runs("r.created_at", &format!("r.status = 'draft' AND {of_another}"))
        }
        Kind::ProcessPayoutRun => runs("coalesce(r.approved_at, r.updated_at)", "r.status = 'approved'"),
        Kind::ConfirmPayoutMethod => format!(
            "SELECT m.id AS subject_id, m.id AS target_id, m.currency AS name, NULL AS detail, p.name AS other, \
                 0::bigint AS figure, NULL::numeric AS amount, NULL AS currency, m.created_at AS since, \
                 NULL::timestamptz AS due_at \
             FROM payout_methods m JOIN partners p ON p.organization_id = $1 AND p.id = m.partner_id \
             WHERE m.organization_id = $1 AND m.status = 'proposed' AND {}",
            of_somebody_else("m.created_by", "m.author_secret_makers")
        ),
        _ => format!(
            "SELECT j.id AS subject_id, j.id AS target_id, j.reason_code AS name, NULL AS detail, p.name AS other, \
                 0::bigint AS figure, j.amount, j.currency, j.created_at AS since, NULL::timestamptz AS due_at \
             FROM adjustments j JOIN partners p ON p.organization_id = $1 AND p.id = j.partner_id \
             WHERE j.organization_id = $1 AND j.status = 'proposed' AND {}",
            of_somebody_else("j.created_by", "j.author_secret_makers")
        ),
    }
}

/// What waits for the caller, of each of these kinds the first.
pub fn find(
    tx: &mut Tx<'_>,
    scope: &Scope,
    kinds: &[Kind],
    asker: &Asker,
    now: DateTime<Utc>,
) -> Result<Vec<Finding>, Problem> {
    let branches: Vec<String> = kinds
        .iter()
        .map(|kind| {
            format!(
                "(SELECT '{kind}' AS kind, found.* FROM ({}) found ORDER BY due_at, since, subject_id LIMIT {MOST_ACTIONS})",
                branch(*kind)
            )
        })
        .collect();
    let query = sql_query(branches.join(" UNION ALL "))
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Nullable<SqlUuid>, _>(scope.partner_id.map(PartnerId::uuid))
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<SqlUuid>, _>(asker.responsible)
        .bind::<Array<SqlUuid>, _>(&asker.secret_makers)
        .bind::<Integer, _>(deal_rules::FIRST_REMINDER_DAYS)
        .bind::<Integer, _>(deal_rules::EXTENSIONS_ALLOWED);
    let rows: Vec<Row> = Prepared(query).load(tx.connection())?;
    rows.into_iter().map(Finding::try_from).collect()
}

impl TryFrom<Row> for Finding {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        let amount = match (row.amount, row.currency) {
            (Some(amount), Some(currency)) => {
                let currency = Currency::from_code(&currency).map_err(Problem::damaged)?;
                // A sum beyond what an amount may be is left unsaid.
                Money::new(amount, currency).ok()
            }
            _ => None,
        };
        Ok(Self {
            kind: Kind::from_str(&row.kind).map_err(Problem::damaged)?,
            subject_id: row.subject_id,
            target_id: row.target_id,
            name: row.name,
            detail: row.detail,
            other: row.other,
            figure: row.figure,
            amount,
            since: row.since,
            due_at: row.due_at,
        })
    }
}
