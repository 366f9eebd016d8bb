//! Pipeline stages in Postgres. Every query takes the caller's scope.

use super::domain::PipelineStage;
use crate::kernel::ctx::Scope;
use crate::kernel::id::PipelineStageId;
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::schema::pipeline_stages;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

/// Which pipeline stages a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct PipelineStageFilter {
    /// The caller's key.
    pub external_id: Option<String>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: PipelineStageOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PipelineStageOrder {
    /// As the stages follow one another.
    #[default]
    Position,
    /// As the stages follow one another, backwards.
    PositionDescending,
    /// Newest first. Ids are made from the time, so that their order is that of creation.
    Newest,
    /// Oldest first.
    Oldest,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = pipeline_stages, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct PipelineStageRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    name: String,
    position: i32,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One pipeline stage.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: PipelineStageId) -> Result<Option<PipelineStage>, Problem> {
    let row: Option<PipelineStageRow> = pipeline_stages::table
        .filter(pipeline_stages::organization_id.eq(scope.organization_id.uuid()))
        .filter(pipeline_stages::id.eq(id.uuid()))
        .select(PipelineStageRow::as_select())
        .first(tx.connection())
        .optional()?;
    Ok(row.map(PipelineStage::from))
}

/// One pipeline stage, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: PipelineStageId) -> Result<Option<PipelineStage>, Problem> {
    let row: Option<PipelineStageRow> = pipeline_stages::table
        .filter(pipeline_stages::organization_id.eq(scope.organization_id.uuid()))
        .filter(pipeline_stages::id.eq(id.uuid()))
        .select(PipelineStageRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    Ok(row.map(PipelineStage::from))
}

/// A page of pipeline stages.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &PipelineStageFilter,
    page: &PageRequest,
) -> Result<Page<PipelineStage>, Problem> {
    let mut query = pipeline_stages::table
        .filter(pipeline_stages::organization_id.eq(scope.organization_id.uuid()))
        .select(PipelineStageRow::as_select())
        .into_boxed();
    if let Some(external_id) = &filter.external_id {
        query = query.filter(pipeline_stages::external_id.eq(external_id));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(pipeline_stages::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(pipeline_stages::updated_at.lt(instant));
    }
    query = match (filter.order, page.after.clone()) {
        (PipelineStageOrder::Newest, None) => query.order(pipeline_stages::id.desc()),
        (PipelineStageOrder::Newest, Some(last)) => query
            .filter(pipeline_stages::id.lt(last.id))
            .order(pipeline_stages::id.desc()),
        (PipelineStageOrder::Oldest, None) => query.order(pipeline_stages::id.asc()),
        (PipelineStageOrder::Oldest, Some(last)) => query
            .filter(pipeline_stages::id.gt(last.id))
            .order(pipeline_stages::id.asc()),
        (PipelineStageOrder::Position, None) => {
            query.order((pipeline_stages::position.asc(), pipeline_stages::id.asc()))
        }
        (PipelineStageOrder::Position, Some(last)) => query
            .filter(pipeline_stages::position.gt(position_of(&last)?))
            .order((pipeline_stages::position.asc(), pipeline_stages::id.asc())),
        (PipelineStageOrder::PositionDescending, None) => {
            query.order((pipeline_stages::position.desc(), pipeline_stages::id.desc()))
        }
        (PipelineStageOrder::PositionDescending, Some(last)) => query
            .filter(pipeline_stages::position.lt(position_of(&last)?))
            .order((pipeline_stages::position.desc(), pipeline_stages::id.desc())),
    };
    let rows: Vec<PipelineStageRow> = page.rows_of(query).load(tx.connection())?;
    let stages = rows.into_iter().map(PipelineStage::from).collect();
    Ok(page.page(stages, |last: &PipelineStage| Position {
        key: last.position.to_string(),
        id: last.id.uuid(),
    }))
}

/// Writes a new pipeline stage.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, stage: &PipelineStage) -> Result<(), Problem> {
    let row = PipelineStageRow::of(scope, stage);
    Prepared(diesel::insert_into(pipeline_stages::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed pipeline stage.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, stage: &PipelineStage) -> Result<(), Problem> {
    let row = PipelineStageRow::of(scope, stage);
    let target = pipeline_stages::table
        .filter(pipeline_stages::organization_id.eq(scope.organization_id.uuid()))
        .filter(pipeline_stages::id.eq(stage.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// The position of the stage that a page ends with; it is unique, so that the id has no tie to break.
fn position_of(last: &Position) -> Result<i32, Problem> {
    last.key.parse().map_err(|_| Problem::new(Code::InvalidCursor))
}

impl PipelineStageRow {
    fn of(scope: &Scope, stage: &PipelineStage) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: stage.id.uuid(),
            external_id: stage.external_id.clone(),
            name: stage.name.clone(),
            position: stage.position,
            row_version: stage.row_version,
            created_at: stage.created_at,
            updated_at: stage.updated_at,
        }
    }
}

impl From<PipelineStageRow> for PipelineStage {
    fn from(row: PipelineStageRow) -> Self {
        Self {
            id: PipelineStageId::from_uuid(row.id),
            external_id: row.external_id,
            name: row.name,
            position: row.position,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
