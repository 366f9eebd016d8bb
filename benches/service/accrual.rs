//! Accrual of commissions by the service's own code against one SQL statement on a copy of the same database.

use super::Fault;
use super::stage::Stage;
use copartner::app::bootstrap;
use copartner::flows::accrual;
use copartner::kernel::ctx::Ctx;
use copartner::kernel::id::{OrganizationId, PaymentId};
use copartner::platform::clock::{Clock, SystemClock};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Payments in one transaction, as the importer takes them.
const BATCH: usize = 5_000;
/// The database in which the service works.
pub const SERVICE: &str = "accrual_by_service";
const STATEMENT: &str = "accrual_by_statement";

/// Terms that payments are accrued under, and the same in SQL.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// What they are called.
    pub name: &'static str,
    formula: &'static str,
    /// What the amount of a payment is worked out from, besides the payment itself.
    counted: &'static str,
    amount: &'static str,
    /// Keeps how far the partners have come.
    standings: &'static str,
}

/// An eighth, rounded once and shared.
pub const PERCENTAGE: Terms = Terms {
    name: "percentage",
    formula: r#"{"type": "percentage", "rate": "0.1250"}"#,
    counted: "(v.formula ->> 'rate')::numeric AS rate",
    amount: "round(round(round(net * rate, 2) * share / 10000, 2) * paid_after / total_amount, 2)",
    standings: "",
};

/// By marginal tiers over what a partner sold in a quarter.
pub const TIERED: Terms = Terms {
    name: "tiered",
    formula: r#"{"type": "tiered", "currency": "GBP", "tier_mode": "marginal", "tier_scope": "quarter",
        "tier_metric": "net_paid_base", "tiers": [{"from": "0", "rate": "0.0500"}, {"from": "10000", "rate": "0.0625"},
        {"from": "100000", "rate": "0.0750"}]}"#,
    counted: "date_trunc('quarter', p.paid_at AT TIME ZONE 'Europe/London')::date AS quarter, \
        sum(l.net_amount) OVER (PARTITION BY a.partner_id, date_trunc('quarter', p.paid_at AT TIME ZONE 'Europe/London') \
            ORDER BY p.paid_at, p.invoice_id, l.position ROWS UNBOUNDED PRECEDING) AS volume",
    amount: "round(0.05 * least(volume, 10000) + 0.0625 * greatest(least(volume, 100000) - 10000, 0) \
            + 0.075 * greatest(volume - 100000, 0), 2) \
        - round(0.05 * least(volume - net, 10000) + 0.0625 * greatest(least(volume - net, 100000) - 10000, 0) \
            + 0.075 * greatest(volume - net - 100000, 0), 2)",
    standings: "stood AS (\
        INSERT INTO commission_standings (organization_id, commission_rule_id, partner_id, currency, period, volume, units, \
            exact, posted, row_version, created_at, updated_at) \
        SELECT '{organization}', rule_id, partner_id, currency, 'quarter:' || quarter, sum(net), count(*), 0, sum(amount), 1, \
            now(), now() \
        FROM source GROUP BY rule_id, partner_id, currency, quarter), ",
};

/// What both came to.
#[derive(Debug)]
pub struct Accrued {
    /// Which payments they were.
    pub name: &'static str,
    /// How many lines each wrote.
    pub lines: u64,
    /// How long the service took.
    pub service: Duration,
    /// How long the statement took.
    pub statement: Duration,
}

/// An organization in whose database everything was accrued by the service.
#[derive(Debug)]
pub struct Books {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The secret of its first key.
    pub key: String,
}

/// Accrues this many payments twice, checks that both wrote the same, and leaves nothing behind.
pub fn compare(stage: &Stage, name: &'static str, payments: u64, terms: Terms) -> Result<Accrued, Fault> {
    let (accrued, _) = measure(stage, name, (payments, 0), terms)?;
    clear(stage)?;
    Ok(accrued)
}

/// The same, and leaves the database of the service, with so many open invoices besides, to be gone on from.
pub fn measure(
    stage: &Stage,
    name: &'static str,
    (payments, open): (u64, u64),
    terms: Terms,
) -> Result<(Accrued, Books), Fault> {
    let books = load(stage, (payments, open), terms)?;
    let organization_id = books.organization_id;
    let service = by_service(stage, organization_id)?;
    let statement = include_str!("accrual.sql")
        .replace("{counted}", terms.counted)
        .replace("{amount}", terms.amount)
        .replace("{standings}", terms.standings)
        .replace("{organization}", &organization_id.uuid().to_string())
        .replace("{explanation}", &usual_explanation(stage)?);
    stage.run(STATEMENT, "CHECKPOINT")?;
    let started = Instant::now();
    stage.run(STATEMENT, &statement)?;
    let by_statement = started.elapsed();
    let (one, other) = (written(stage, SERVICE)?, written(stage, STATEMENT)?);
    if one != other {
        return Err(format!("{name}: the service wrote {one:?} and the statement {other:?}").into());
    }
    let (one, other) = (
        mean_explanation(stage, SERVICE)?,
        mean_explanation(stage, STATEMENT)?,
    );
    if !is_about(one, other) {
        return Err(
            format!("{name}: explanations have {one} characters, those of the statement {other}").into(),
        );
    }
    let accrued = Accrued {
        name,
        lines: stage.count(SERVICE, "commissions")?,
        service,
        statement: by_statement,
    };
    Ok((accrued, books))
}

/// Drops both databases.
pub fn clear(stage: &Stage) -> Result<(), Fault> {
    for database in [SERVICE, STATEMENT] {
        stage.run(
            "postgres",
            &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
        )?;
    }
    Ok(())
}

/// Drops the database of the statement, which nothing goes on from.
pub fn clear_statement(stage: &Stage) -> Result<(), Fault> {
    stage.run("postgres", &format!("DROP DATABASE {STATEMENT} WITH (FORCE)"))
}

/// Two databases with the same payments.
fn load(stage: &Stage, (payments, open): (u64, u64), terms: Terms) -> Result<Books, Fault> {
    stage.migrated(SERVICE)?;
    let founded = bootstrap::organization(
        &stage.door(SERVICE),
        "Bench",
        // Its clock can be moved on to the end of a month.
        bootstrap::OrganizationMode::Sandbox,
        SystemClock.now(),
    )?;
    let sql = include_str!("payments.sql")
        .replace("{organization}", &founded.organization_id.uuid().to_string())
        .replace("{terms}", terms.name)
        .replace("{formula}", terms.formula)
        .replace("{open}", &open.to_string())
        .replace("{payments}", &payments.to_string());
    stage.run(SERVICE, &sql)?;
    stage.run(SERVICE, "VACUUM ANALYZE")?;
    stage.run("postgres", &disconnected(SERVICE))?;
    stage.run(
        "postgres",
        &format!("CREATE DATABASE {STATEMENT} TEMPLATE {SERVICE}"),
    )?;
    stage.run(SERVICE, "CHECKPOINT")?;
    Ok(Books {
        organization_id: founded.organization_id,
        key: founded.secret.text,
    })
}

/// A database can be copied only while nobody is connected to it.
fn disconnected(database: &str) -> String {
    format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{database}'")
}

fn by_service(stage: &Stage, organization_id: OrganizationId) -> Result<Duration, Fault> {
    let door = stage.door(SERVICE);
    let payments: Vec<PaymentId> = stage
        .texts(
            SERVICE,
            "SELECT id::text AS value FROM payments ORDER BY paid_at, id",
        )?
        .iter()
        .map(|text| Ok(PaymentId::from_uuid(text.parse::<Uuid>()?)))
        .collect::<Result<_, Fault>>()?;
    let started = Instant::now();
    for batch in payments.chunks(BATCH) {
        let ctx = Ctx::system(organization_id, SystemClock.now());
        door.write_now(&ctx, |tx| accrual::of_payments(tx, &ctx, batch))?;
    }
    Ok(started.elapsed())
}

/// Counts and sums of everything that accrual writes.
fn written(stage: &Stage, database: &str) -> Result<Vec<String>, Fault> {
    stage.texts(
        database,
        "SELECT 'lines ' || count(*) || ' ' || sum(amount) AS value FROM commissions \
         UNION ALL SELECT 'entries ' || count(*) || ' ' || sum(amount) FROM ledger_entries \
         UNION ALL SELECT concat_ws(' ', 'standings', count(*), sum(volume), sum(posted)) FROM commission_standings \
         UNION ALL SELECT 'events ' || count(*) FROM events WHERE type = 'commission.accrued' \
         ORDER BY 1",
    )
}

/// The mean length of an explanation, in characters. The statement writes one line's explanation for all lines, so that
/// the lengths differ by as much as the figures in them do.
fn mean_explanation(stage: &Stage, database: &str) -> Result<u64, Fault> {
    let sql = "SELECT avg(length(explanation::text))::bigint::text AS value FROM commissions";
    let found = stage.texts(database, sql)?;
    Ok(found.first().ok_or("nothing was earned")?.parse()?)
}

/// Whether two lengths differ by no more than a fiftieth.
fn is_about(one: u64, other: u64) -> bool {
    one.abs_diff(other) * 50 <= one.max(other)
}

/// An explanation of about the usual length.
fn usual_explanation(stage: &Stage) -> Result<String, Fault> {
    let sql = format!(
        "SELECT explanation::text AS value FROM commissions ORDER BY abs(length(explanation::text) - {}) LIMIT 1",
        mean_explanation(stage, SERVICE)?
    );
    let found = stage.texts(SERVICE, &sql)?.pop();
    found.ok_or_else(|| "nothing was earned".into())
}
