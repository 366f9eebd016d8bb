//! What partners have reached, counted for a whole batch in one query. It reads what partners do not, so that it is asked
//! by the organization's scope only.

use super::domain::{Figure, Span, SpanFigures, StandingMetric, TierLadder};
use crate::kernel::ctx::Scope;
use crate::kernel::id::PartnerId;
use crate::kernel::money::{Currency, Money, Rounding};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::str::FromStr;
use uuid::Uuid;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Integer)]
    place: i32,
    #[diesel(sql_type = Text)]
    metric: String,
    #[diesel(sql_type = Nullable<Text>)]
    currency: Option<String>,
    #[diesel(sql_type = Numeric)]
    value: Decimal,
}

/// Spans, and the partners' shares of the program's deals: the largest where a partner has several roles in a deal.
const SOURCES: &str = "WITH spans AS (SELECT * FROM unnest($4, $5, $6) AS w (place, starts_at, ends_at)), \
    credits AS (\
        SELECT a.partner_id, a.deal_id, max(a.share_basis_points) AS share FROM attributions a \
        JOIN deals d ON d.organization_id = $1 AND d.id = a.deal_id AND d.program_id = $2 \
        WHERE a.organization_id = $1 AND a.partner_id = ANY($3) AND a.status = 'confirmed' GROUP BY 1, 2) ";

/// The select of a metric, which gives partner, span, metric, currency and value. Money counts up to what an amount can be:
/// no tier asks for more.
const fn select(metric: StandingMetric) -> &'static str {
    match metric {
        StandingMetric::PaidRevenue => {
            "SELECT c.partner_id, w.place, 'paid_revenue' AS metric, p.currency, least(999999999999999, round( \
                 sum((p.amount - p.refunded_amount) * i.net_amount * c.share / (i.total_amount * 10000)), 4)) AS value \
             FROM credits c JOIN invoices i ON i.organization_id = $1 AND i.deal_id = c.deal_id \
             JOIN payments p ON p.organization_id = $1 AND p.invoice_id = i.id \
             JOIN spans w ON p.paid_at >= w.starts_at AND p.paid_at < w.ends_at GROUP BY 1, 2, 4"
        }
        StandingMetric::WonRevenue => {
            "SELECT c.partner_id, w.place, 'won_revenue' AS metric, d.currency, \
                 least(999999999999999, round(sum(d.amount * c.share / 10000), 4)) AS value \
             FROM credits c JOIN deals d ON d.organization_id = $1 AND d.id = c.deal_id AND d.status = 'won' \
             JOIN spans w ON d.won_at >= w.starts_at AND d.won_at < w.ends_at GROUP BY 1, 2, 4"
        }
        StandingMetric::WonDeals => {
            "SELECT c.partner_id, w.place, 'won_deals' AS metric, NULL::text AS currency, count(*)::numeric AS value \
             FROM credits c JOIN deals d ON d.organization_id = $1 AND d.id = c.deal_id AND d.status = 'won' \
             JOIN spans w ON d.won_at >= w.starts_at AND d.won_at < w.ends_at GROUP BY 1, 2"
        }
        StandingMetric::AcceptedReferrals => {
            "SELECT r.partner_id, w.place, 'accepted_referrals' AS metric, NULL::text AS currency, \
                 count(*)::numeric AS value \
             FROM referrals r JOIN referral_moves m ON m.organization_id = $1 AND m.referral_id = r.id \
                 AND m.status = 'accepted' \
             JOIN spans w ON m.moved_at >= w.starts_at AND m.moved_at < w.ends_at \
             WHERE r.organization_id = $1 AND r.program_id = $2 AND r.partner_id = ANY($3) \
                 AND r.status IN ('accepted', 'converted') GROUP BY 1, 2"
        }
        StandingMetric::ApprovedRegistrations => {
            "SELECT g.partner_id, w.place, 'approved_registrations' AS metric, NULL::text AS currency, \
                 count(*)::numeric AS value \
             FROM deal_registrations g \
             JOIN spans w ON g.decided_at >= w.starts_at AND g.decided_at < w.ends_at \
             WHERE g.organization_id = $1 AND g.program_id = $2 AND g.partner_id = ANY($3) \
                 AND g.status IN ('approved', 'converted', 'lost', 'expired') GROUP BY 1, 2"
        }
        StandingMetric::Certifications => {
            "SELECT c.partner_id, w.place, 'certifications' AS metric, NULL::text AS currency, \
                 count(DISTINCT lower(c.name))::numeric AS value \
             FROM compliance_documents c \
             JOIN programs g ON g.organization_id = $1 AND g.id = $2 \
             JOIN spans w ON c.valid_from < (w.ends_at AT TIME ZONE g.time_zone)::date \
                 AND (c.valid_until IS NULL OR c.valid_until >= (w.starts_at AT TIME ZONE g.time_zone)::date) \
                 AND (c.revoked_at IS NULL OR c.revoked_at >= w.ends_at) \
             WHERE c.organization_id = $1 AND c.partner_id = ANY($3) AND c.kind = 'certification' \
                 AND c.verified_at IS NOT NULL GROUP BY 1, 2"
        }
    }
}

/// What each of these partners has reached in each span, of all that the ladder counts; in the order of the spans.
pub fn figures(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ladder: &TierLadder,
    spans: &[Span],
    partners: &[PartnerId],
) -> Result<HashMap<PartnerId, Vec<SpanFigures>>, Problem> {
    let counted = ladder.counted();
    let rows = load(tx, scope, ladder, spans, partners, &counted)?;
    let mut found: HashMap<(PartnerId, usize), Vec<Figure>> = HashMap::new();
    for row in rows {
        let figure = row.figure()?;
        let place = usize::try_from(row.place).map_err(Problem::damaged)?;
        let key = (PartnerId::from_uuid(row.partner_id), place);
        found.entry(key).or_default().push(figure);
    }
    let of = |partner: PartnerId| {
        let of_span = |(place, span): (usize, &Span)| {
            let figures = found.get(&(partner, place)).map_or(&[][..], Vec::as_slice);
            SpanFigures {
                starts_on: span.starts_on,
                ends_on: span.ends_on,
                figures: counted
                    .iter()
                    .map(|wanted| counted_of(figures, *wanted))
                    .collect(),
            }
        };
        spans.iter().enumerate().map(of_span).collect()
    };
    Ok(partners.iter().map(|partner| (*partner, of(*partner))).collect())
}

fn load(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ladder: &TierLadder,
    spans: &[Span],
    partners: &[PartnerId],
    counted: &[(StandingMetric, Option<Currency>)],
) -> Result<Vec<Row>, Problem> {
    let mut metrics: Vec<StandingMetric> = counted.iter().map(|(metric, _)| *metric).collect();
    metrics.dedup();
    if metrics.is_empty() || partners.is_empty() {
        return Ok(Vec::new());
    }
    let selects: Vec<&str> = metrics.into_iter().map(select).collect();
    let partners: Vec<Uuid> = partners.iter().map(|id| id.uuid()).collect();
    let places: Vec<i32> = (0..).take(spans.len()).collect();
    let starts: Vec<DateTime<Utc>> = spans.iter().map(|span| span.period.from).collect();
    let ends: Vec<DateTime<Utc>> = spans.iter().map(|span| span.period.to).collect();
    let query = sql_query(format!("{SOURCES}{}", selects.join(" UNION ALL ")))
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<SqlUuid, _>(ladder.program_id.uuid())
        .bind::<Array<SqlUuid>, _>(partners)
        .bind::<Array<Integer>, _>(places)
        .bind::<Array<Timestamptz>, _>(starts)
        .bind::<Array<Timestamptz>, _>(ends);
    Ok(Prepared(query).load(tx.connection())?)
}

/// The figure of what is counted; zero where there is none.
fn counted_of(figures: &[Figure], (metric, currency): (StandingMetric, Option<Currency>)) -> Figure {
    let mut found = figures.iter();
    let found = found.find(|one| (one.metric, one.currency) == (metric, currency));
    found.copied().unwrap_or(Figure {
        metric,
        currency,
        value: Decimal::ZERO,
    })
}

impl Row {
    fn figure(&self) -> Result<Figure, Problem> {
        let metric = StandingMetric::from_str(&self.metric).map_err(Problem::damaged)?;
        let currency = match &self.currency {
            Some(code) => Some(Currency::from_code(code).map_err(Problem::damaged)?),
            None => None,
        };
        let value = match currency {
            Some(currency) => Money::rounded(self.value, currency, Rounding::HalfUp)
                .map_err(Problem::damaged)?
                .amount(),
            None => self.value.normalize(),
        };
        Ok(Figure {
            metric,
            currency,
            value,
        })
    }
}
