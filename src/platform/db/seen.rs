//! Whose rows a partner's caller sees: the first of the two places where that is held. The other is the policies.

use crate::kernel::ctx::Scope;
use crate::kernel::id::PartnerId;
use diesel::expression::{AppearsOnTable, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use uuid::Uuid;

/// Whether a column names the caller's partner, or one below it that is not hidden from it.
///
/// The partners are one array, made once for the statement, so that an index on the column is of use.
#[derive(Debug, Clone, Copy)]
pub struct Seen<Column> {
    column: Column,
    organization_id: Uuid,
    partner_id: Uuid,
}

impl<Column> Seen<Column> {
    /// The condition for a caller of a partner; nothing for one of the organization itself, who sees all partners.
    pub fn partners(scope: &Scope, column: Column) -> Option<Self> {
        scope.partner_id.map(|own| Self::by(scope, own, column))
    }

    /// The condition for a caller of this partner.
    pub fn by(scope: &Scope, own: PartnerId, column: Column) -> Self {
        Self {
            column,
            organization_id: scope.organization_id.uuid(),
            partner_id: own.uuid(),
        }
    }
}

impl<Column: Expression> Expression for Seen<Column> {
    type SqlType = Bool;
}

impl<Column, Source> AppearsOnTable<Source> for Seen<Column>
where
    Self: Expression,
    Column: AppearsOnTable<Source>,
{
}

impl<Column, Source> SelectableExpression<Source> for Seen<Column>
where
    Self: AppearsOnTable<Source>,
    Column: SelectableExpression<Source>,
{
}

impl<Column> ValidGrouping<()> for Seen<Column> {
    type IsAggregate = is_aggregate::No;
}

impl<Column: QueryId> QueryId for Seen<Column> {
    type QueryId = Seen<Column::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = Column::HAS_STATIC_QUERY_ID;
}

impl<Column: QueryFragment<Pg>> QueryFragment<Pg> for Seen<Column> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(pass.reborrow())?;
        pass.push_sql(" = ANY (ARRAY(SELECT ");
        pass.push_bind_param::<SqlUuid, _>(&self.partner_id)?;
        pass.push_sql(
            " UNION ALL SELECT descendant_id FROM partner_descendants WHERE NOT hidden AND organization_id = ",
        );
        pass.push_bind_param::<SqlUuid, _>(&self.organization_id)?;
        pass.push_sql(" AND partner_id = ");
        pass.push_bind_param::<SqlUuid, _>(&self.partner_id)?;
        pass.push_sql("))");
        Ok(())
    }
}
