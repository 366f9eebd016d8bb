//! The stored explanations of lines.

use crate::kernel::commission::Explanation;
use crate::kernel::ctx::Scope;
use crate::kernel::exchange::LineExchange;
use crate::kernel::id::CommissionId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use crate::platform::db::schema::commissions;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Jsonb, Nullable};
use std::collections::HashMap;
use uuid::Uuid;

/// The lines of the scope.
fn of_scope(scope: &Scope) -> commissions::BoxedQuery<'static, diesel::pg::Pg> {
    let mut query = commissions::table
        .filter(commissions::organization_id.eq(scope.organization_id.uuid()))
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(commissions::partner_id.eq(partner_id.uuid()));
    }
    query
}

/// The stored explanation of one line, and of its exchange, if it was exchanged.
pub fn explanation(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: CommissionId,
) -> Result<Option<(Explanation, Option<LineExchange>)>, Problem> {
    let exchange = sql::<Nullable<Jsonb>>("commissions.exchange");
    let query = of_scope(scope)
        .filter(commissions::id.eq(id.uuid()))
        .select((commissions::explanation, exchange));
    let stored: Option<(serde_json::Value, Option<serde_json::Value>)> =
        query.first(tx.connection()).optional()?;
    let Some((explanation, exchange)) = stored else {
        return Ok(None);
    };
    let exchange = exchange.map(serde_json::from_value).transpose();
    Ok(Some((
        serde_json::from_value(explanation).map_err(Problem::damaged)?,
        exchange.map_err(Problem::damaged)?,
    )))
}

/// The stored explanations of lines.
pub fn explanations(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[CommissionId],
) -> Result<HashMap<CommissionId, Explanation>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let query = of_scope(scope)
        .filter(commissions::id.eq_any(ids))
        .select((commissions::id, commissions::explanation));
    let stored: Vec<(Uuid, serde_json::Value)> = query.load(tx.connection())?;
    let read = |(id, value)| {
        let explanation = serde_json::from_value(value).map_err(Problem::damaged)?;
        Ok((CommissionId::from_uuid(id), explanation))
    };
    stored.into_iter().map(read).collect()
}
