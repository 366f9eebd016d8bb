//! The reports.

use super::domain::{Figures, GroupBy, Report};
use super::store::{self, ReportFilter};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{PartnerId, ProgramId};
use crate::kernel::money::MoneyError;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use uuid::Uuid;

/// The figures of each group, and one total per currency.
pub fn report(tx: &mut Tx<'_>, ctx: &Ctx, filter: &ReportFilter) -> Result<Report, Problem> {
    let mut rows = store::figures(tx, &ctx.scope, filter)?;
    if filter.group_by == Some(GroupBy::Month) {
        rows = months(rows, filter).map_err(Problem::damaged)?;
    }
    rows.iter_mut()
        .try_for_each(|row| name_key(row, filter.group_by))?;
    let totals = store::figures(
        tx,
        &ctx.scope,
        &ReportFilter {
            group_by: None,
            per_partner: false,
            ..filter.clone()
        },
    )?;
    Ok(Report { rows, totals })
}

/// Months follow one another: balances add up, and the months before the period only carry theirs over.
fn months(rows: Vec<Figures>, filter: &ReportFilter) -> Result<Vec<Figures>, MoneyError> {
    let mut carried: Vec<Figures> = Vec::new();
    let mut shown = Vec::with_capacity(rows.len());
    let first = filter.from.map(|day| day.format("%Y-%m").to_string());
    for mut row in rows {
        let currency = row.earned.currency();
        match carried
            .iter_mut()
            .find(|before| before.earned.currency() == currency)
        {
            Some(before) => {
                row.carry(before)?;
                *before = row.clone();
            }
            None => carried.push(row.clone()),
        }
        if first.as_ref().is_none_or(|first| *first <= row.key) {
            shown.push(row);
        }
    }
    Ok(shown)
}

/// Records are named by their typed ids.
fn name_key(row: &mut Figures, group_by: Option<GroupBy>) -> Result<(), Problem> {
    if row.key.is_empty() {
        return Ok(());
    }
    let uuid = || row.key.parse::<Uuid>().map_err(Problem::damaged);
    row.key = match group_by {
        Some(GroupBy::Program) => ProgramId::from_uuid(uuid()?).to_string(),
        Some(GroupBy::Partner) => PartnerId::from_uuid(uuid()?).to_string(),
        _ => return Ok(()),
    };
    Ok(())
}
