//! Reading the journal, a piece at a time.

use super::store::{self, JournalEntry, Recorded};
use crate::features::organizations;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::LedgerEntryId;
use crate::kernel::problem::Problem;
use crate::kernel::time::start_of_day;
use crate::platform::db::Tx;
use chrono::NaiveDate;

/// The first day of a period, and the day after its last.
pub type Days = (Option<NaiveDate>, Option<NaiveDate>);

/// The next entries that were recorded on these days of the organization, and after which of them to read on.
pub fn entries(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    (from, until): Days,
    after: Option<LedgerEntryId>,
) -> Result<(Vec<JournalEntry>, Option<LedgerEntryId>), Problem> {
    let zone = organizations::get(tx, ctx)?.time_zone;
    let recorded = Recorded {
        from: from.map(|day| start_of_day(day, zone)),
        until: until.map(|day| start_of_day(day, zone)),
    };
    let entries = store::entries(tx, &ctx.scope, &recorded, after)?;
    let is_full = entries.len() >= store::PIECE;
    let next = entries.last().filter(|_| is_full).map(|last| last.id);
    Ok((entries, next))
}
