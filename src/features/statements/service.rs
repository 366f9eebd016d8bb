//! Issuing and reading statements.

use super::domain::{Statement, StatementMonth, WrittenStatement};
use super::store::{self, StatementFilter};
use crate::features::organizations;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::StatementId;
use crate::kernel::problem::Problem;
use crate::kernel::time::YearMonth;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use crate::platform::tokens::seals::Seal;
use std::collections::HashMap;
use uuid::Uuid;

/// Issues the statements of a month that is over, and of all months before it that have none yet: one for each partner
/// and currency in which something was posted. Tells how many there are. What is not signed yet is signed as well.
pub fn issue(tx: &mut Tx<'_>, ctx: &Ctx, month: YearMonth, seal: &Seal) -> Result<usize, Problem> {
    let zone = organizations::get(tx, ctx)?.time_zone;
    let last = StatementMonth { month, zone };
    last.require_over(ctx.now)?;
    store::lock(tx, &ctx.scope)?;
    let Some(earliest) = store::earliest_unstated(tx, &ctx.scope)? else {
        sign(tx, ctx, seal)?;
        return Ok(0);
    };
    let month = YearMonth::of(earliest, zone).map_err(Problem::damaged)?;
    let mut issued = 0;
    for at in (StatementMonth { month, zone }).until(last.month) {
        let made = store::issue(tx, &ctx.scope, at, ctx.now)?;
        let mut signatures = sign(tx, ctx, seal)?;
        for statement in made {
            let statement = Statement {
                signature: signatures.remove(&statement.id.uuid()),
                ..statement
            };
            let subject = Subject {
                kind: "statement",
                id: statement.id.uuid(),
            };
            let change = Change::created("statement.issued", subject, &statement);
            tx.record(ctx, change.for_partner(Some(statement.partner_id.uuid())));
            issued += 1;
        }
    }
    Ok(issued)
}

/// Signs what is not signed yet. The key's public half is kept with the first signature: a transaction that comes to
/// nothing leaves no key behind that signed nothing.
fn sign(tx: &mut Tx<'_>, ctx: &Ctx, seal: &Seal) -> Result<HashMap<Uuid, String>, Problem> {
    let (mut signed, mut last) = (HashMap::new(), None);
    loop {
        let texts = store::unsigned(tx, &ctx.scope, last)?;
        let Some(end) = texts.last() else {
            return Ok(signed);
        };
        last = Some(end.id.uuid());
        let signatures = texts.iter().map(|unsigned| seal.sign(unsigned.text.as_bytes()));
        let signatures: Vec<String> = signatures.collect::<Result<_, _>>()?;
        store::keep_key(tx, &ctx.scope, seal.id(), seal.public_half(), seal.made_at())?;
        store::sign(tx, &ctx.scope, seal.id(), &texts, &signatures)?;
        signed.extend(texts.iter().map(|text| text.id.uuid()).zip(signatures));
    }
}

/// A statement as it was written down, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: StatementId) -> Result<WrittenStatement, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// The text over which the hash and the signature of a statement are, if the caller may see it.
pub fn text(tx: &mut Tx<'_>, ctx: &Ctx, id: StatementId) -> Result<String, Problem> {
    store::text(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the statements that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &StatementFilter,
    page: &PageRequest,
) -> Result<Page<Statement>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}
