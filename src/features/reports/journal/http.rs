//! The journal as a file.

use super::dto::{JournalQuery, written};
use super::service;
use crate::kernel::id::LedgerEntryId;
use crate::kernel::permission::can;
use crate::platform::web::problem::Refusal;
use crate::platform::web::{Filter, Granted, Piece};
use actix_web::{HttpResponse, get};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operation.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(export_journal);
}

/// Export the journal
///
/// Every entry that was recorded in a period, in the order in which they were recorded, as a file that goes out while it is
/// read. An entry belongs to the day on which it was recorded, as on statements, so that periods that follow one another
/// hold each entry once and a period that is over never changes. CSV has two rows for each entry, a debit and a credit,
/// for a spreadsheet or a bookkeeping system; NDJSON has an object for each entry with its lines. Names that a spreadsheet
/// would take for a formula begin with an apostrophe in CSV. An answer that fails midway breaks off without its end. A
/// partner's own caller gets its own entries.
#[utoipa::path(tag = "Reports", operation_id = "exportJournal", params(JournalQuery),
    responses((status = 200, description = "The entries.", content((String = "text/csv",
        example = json!("entry_id,line,recorded_at,occurred_at,kind,source_id,partner_id,partner_name,program_id,program_name,account,debit,credit,currency\r\nled_01j9zq4y8k7m5n3p2r1s0t6v4w,1,2026-03-01T08:00:01.000000Z,2026-03-01T08:00:00.000000Z,accrual,com_01j9zq4y8k7m5n3p2r1s0t6v4w,ptn_01j9zq4y8k7m5n3p2r1s0t6v4w,Nordlicht Consulting,prg_01j9zq4y8k7m5n3p2r1s0t6v4w,Referral Europe,commission_expense,125.00,,USD\r\n")),
        (String = "application/x-ndjson",
        example = json!("{\"entry_id\":\"led_01j9zq4y8k7m5n3p2r1s0t6v4w\"}\n"))))),
    extensions(("x-required-permission" = json!("ledger:read"))))]
#[get("/v1/reports/journal")]
async fn export_journal(
    who: Granted<can::LedgerRead>,
    query: Filter<JournalQuery>,
) -> Result<HttpResponse, Refusal> {
    let days = query.days()?;
    let format = query.format;
    who.pieces(
        format.file(),
        None,
        move |tx, ctx, after: &Option<LedgerEntryId>| {
            let (entries, next) = service::entries(tx, ctx, days, *after)?;
            Ok(Piece {
                bytes: written(&entries, format, after.is_none())?,
                next: next.map(Some),
            })
        },
    )
    .await
}
