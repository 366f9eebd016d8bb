//! Imports in Postgres, and the records of other rooms as a batch finds and writes them. Every query takes the
//! caller's scope.

pub mod happened;
pub mod references;
pub mod stored;

use super::domain::{Counts, Import, ImportError, ImportStatus};
use super::records::Place;
use super::rows::Rejection;
use super::targets::ImportResource;
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{ImportId, OrganizationId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{import_chunks, import_keys, import_rejections, imports};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Interval, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

/// Which imports a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct ImportFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<ImportStatus>,
    /// What the rows become; empty is all.
    pub resources: Vec<ImportResource>,
    /// Made at or after this instant.
    pub created_at_gte: Option<DateTime<Utc>>,
    /// Made before this instant.
    pub created_at_lt: Option<DateTime<Utc>>,
    /// Oldest first.
    pub oldest_first: bool,
}

/// A refused row as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = import_rejections, check_for_backend(diesel::pg::Pg))]
pub struct KeptRejection {
    /// The physical line on which the row starts.
    pub line: i64,
    /// The column's heading; empty when it is about the whole row.
    pub column_name: String,
    /// A stable code.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = imports, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct ImportRow {
    organization_id: Uuid,
    id: Uuid,
    resource: String,
    status: String,
    mapping: Value,
    dry_run: bool,
    atomic: bool,
    file_name: Option<String>,
    file_bytes: i64,
    file_hash: Vec<u8>,
    rows_read: i64,
    rows_created: i64,
    rows_updated: i64,
    rows_unchanged: i64,
    rows_rejected: i64,
    bytes_read: i64,
    next_line: i64,
    error_code: Option<String>,
    error_detail: Option<String>,
    created_by: Option<Uuid>,
    created_by_type: Option<String>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One import.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: ImportId) -> Result<Option<Import>, Problem> {
    let row: Option<ImportRow> = imports::table
        .filter(imports::organization_id.eq(scope.organization_id.uuid()))
        .filter(imports::id.eq(id.uuid()))
        .select(ImportRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(Import::try_from).transpose()
}

/// One import, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: ImportId) -> Result<Option<Import>, Problem> {
    let row: Option<ImportRow> = imports::table
        .filter(imports::organization_id.eq(scope.organization_id.uuid()))
        .filter(imports::id.eq(id.uuid()))
        .select(ImportRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Import::try_from).transpose()
}

/// A page of imports.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &ImportFilter,
    page: &PageRequest,
) -> Result<Page<Import>, Problem> {
    let mut query = imports::table
        .filter(imports::organization_id.eq(scope.organization_id.uuid()))
        .select(ImportRow::as_select())
        .into_boxed();
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(imports::status.eq_any(statuses));
    }
    if !filter.resources.is_empty() {
        let resources: Vec<&str> = filter.resources.iter().map(|one| one.as_str()).collect();
        query = query.filter(imports::resource.eq_any(resources));
    }
    if let Some(instant) = filter.created_at_gte {
        query = query.filter(imports::created_at.ge(instant));
    }
    if let Some(instant) = filter.created_at_lt {
        query = query.filter(imports::created_at.lt(instant));
    }
    query = match (filter.oldest_first, page.after.clone()) {
        (false, None) => query.order(imports::id.desc()),
        (false, Some(last)) => query.filter(imports::id.lt(last.id)).order(imports::id.desc()),
        (true, None) => query.order(imports::id.asc()),
        (true, Some(last)) => query.filter(imports::id.gt(last.id)).order(imports::id.asc()),
    };
    let rows: Vec<ImportRow> = page.rows_of(query).load(tx.connection())?;
    let imports = rows
        .into_iter()
        .map(Import::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(imports, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new import.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, import: &Import) -> Result<(), Problem> {
    let row = ImportRow::of(scope, import);
    Prepared(diesel::insert_into(imports::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed import, unless somebody else changed it since it was read as `before`; says whether it did.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, before: &Import, import: &Import) -> Result<bool, Problem> {
    let row = ImportRow::of(scope, import);
    let target = imports::table
        .filter(imports::organization_id.eq(scope.organization_id.uuid()))
        .filter(imports::id.eq(import.id.uuid()))
        .filter(imports::row_version.eq(before.row_version));
    let changed = diesel::update(target).set(row).execute(tx.connection())?;
    Ok(changed == 1)
}

/// Says until when the worker may be trusted to be at it; `None` puts the import down for the next worker.
pub fn lease(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ImportId,
    until: Option<DateTime<Utc>>,
) -> Result<(), Problem> {
    let target = imports::table
        .filter(imports::organization_id.eq(scope.organization_id.uuid()))
        .filter(imports::id.eq(id.uuid()));
    Prepared(diesel::update(target).set(imports::leased_until.eq(until))).execute(tx.connection())?;
    Ok(())
}

#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Interval)]
    clock_offset: TimeDelta,
}

/// Takes the next import that waits for a worker, of any organization; with it, how far the organization's clock is ahead.
pub fn claim(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    lease_seconds: i64,
) -> Result<Option<(OrganizationId, ImportId, TimeDelta)>, Problem> {
    let query = sql_query(
        "SELECT organization_id, id, clock_offset_of(organization_id) AS clock_offset \
         FROM claim_import($1, $2 * interval '1 second')",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(lease_seconds);
    let claimed: Option<Claimed> = Prepared(query).get_result(connection).optional()?;
    Ok(claimed.map(|row| {
        (
            OrganizationId::from_uuid(row.organization_id),
            ImportId::from_uuid(row.id),
            row.clock_offset,
        )
    }))
}

/// Removes the pieces of uploads that were cut off before this instant.
pub fn discard_cut_off(connection: &mut PgConnection, before: DateTime<Utc>) -> Result<(), Problem> {
    let oldest = ImportId::new(before).uuid();
    let query = sql_query("SELECT discard_cut_off_uploads($1)").bind::<SqlUuid, _>(oldest);
    Prepared(query).execute(connection)?;
    Ok(())
}

/// Ends every lease: for whoever knows that no worker is left that could hold one.
pub fn release_all(connection: &mut PgConnection) -> Result<(), Problem> {
    sql_query("SELECT release_imports()").execute(connection)?;
    Ok(())
}

/// Tells the planner what the tables hold after a large import.
pub fn refresh_statistics(connection: &mut PgConnection) -> Result<(), Problem> {
    sql_query("SELECT refresh_statistics()").execute(connection)?;
    Ok(())
}

/// Keeps a piece of a file.
pub fn keep_chunk(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ImportId,
    position: i32,
    content: &[u8],
) -> Result<(), Problem> {
    let values = (
        import_chunks::organization_id.eq(scope.organization_id.uuid()),
        import_chunks::import_id.eq(id.uuid()),
        import_chunks::position.eq(position),
        import_chunks::content.eq(content),
    );
    Prepared(diesel::insert_into(import_chunks::table).values(values)).execute(tx.connection())?;
    Ok(())
}

/// A piece of a file.
pub fn chunk(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ImportId,
    position: i32,
) -> Result<Option<Vec<u8>>, Problem> {
    Ok(import_chunks::table
        .filter(import_chunks::organization_id.eq(scope.organization_id.uuid()))
        .filter(import_chunks::import_id.eq(id.uuid()))
        .filter(import_chunks::position.eq(position))
        .select(import_chunks::content)
        .first(tx.connection())
        .optional()?)
}

/// Removes what was kept for the work alone: the pieces of the file and the keys it named.
pub fn discard_file(tx: &mut Tx<'_>, scope: &Scope, id: ImportId) -> Result<(), Problem> {
    let pieces = import_chunks::table
        .filter(import_chunks::organization_id.eq(scope.organization_id.uuid()))
        .filter(import_chunks::import_id.eq(id.uuid()));
    Prepared(diesel::delete(pieces)).execute(tx.connection())?;
    discard_keys(tx, scope, id)
}

/// Removes the pieces of an upload that no import came to own.
pub fn discard_orphan(tx: &mut Tx<'_>, scope: &Scope, id: ImportId) -> Result<(), Problem> {
    if find(tx, scope, id)?.is_none() {
        discard_file(tx, scope, id)?;
    }
    Ok(())
}

/// Forgets the keys that the file named.
pub fn discard_keys(tx: &mut Tx<'_>, scope: &Scope, id: ImportId) -> Result<(), Problem> {
    let keys = import_keys::table
        .filter(import_keys::organization_id.eq(scope.organization_id.uuid()))
        .filter(import_keys::import_id.eq(id.uuid()));
    Prepared(diesel::delete(keys)).execute(tx.connection())?;
    Ok(())
}

#[derive(QueryableByName)]
struct NewKey {
    #[diesel(sql_type = Text)]
    external_id: String,
}

/// Notes the keys of a batch and gives back those that the file had not named before it.
pub fn note_keys(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ImportId,
    keys: &[&str],
) -> Result<Vec<String>, Problem> {
    let query = sql_query(
        "INSERT INTO import_keys (organization_id, import_id, external_id) \
         SELECT $1, $2, key FROM unnest($3) AS key ON CONFLICT DO NOTHING RETURNING external_id",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Array<Text>, _>(keys);
    let rows: Vec<NewKey> = Prepared(query).load(tx.connection())?;
    Ok(rows.into_iter().map(|row| row.external_id).collect())
}

/// As much of a heading as is kept, in characters.
const COLUMN_LIMIT: usize = 255;

/// Keeps the refused rows of a batch.
pub fn keep_rejections(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ImportId,
    rejections: &[Rejection],
) -> Result<(), Problem> {
    if rejections.is_empty() {
        return Ok(());
    }
    let lines: Vec<i64> = rejections
        .iter()
        .map(|one| i64::try_from(one.line).unwrap_or(i64::MAX))
        .collect();
    let columns: Vec<String> = rejections
        .iter()
        .map(|one| one.column.chars().take(COLUMN_LIMIT).collect())
        .collect();
    let codes: Vec<&str> = rejections.iter().map(|one| one.code).collect();
    let messages: Vec<&str> = rejections.iter().map(|one| one.message.as_str()).collect();
    let query = sql_query(
        "INSERT INTO import_rejections (organization_id, import_id, line, column_name, code, message) \
         SELECT $1, $2, r.* FROM unnest($3, $4, $5, $6) AS r ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Array<BigInt>, _>(lines)
    .bind::<Array<Text>, _>(columns)
    .bind::<Array<Text>, _>(codes)
    .bind::<Array<Text>, _>(messages);
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

/// Forgets the refused rows of an import that starts anew.
pub fn discard_rejections(tx: &mut Tx<'_>, scope: &Scope, id: ImportId) -> Result<(), Problem> {
    let rejections = import_rejections::table
        .filter(import_rejections::organization_id.eq(scope.organization_id.uuid()))
        .filter(import_rejections::import_id.eq(id.uuid()));
    Prepared(diesel::delete(rejections)).execute(tx.connection())?;
    Ok(())
}

/// What separates the parts of a rejection's place in the order; no code and no heading of a valid cell holds it.
const BETWEEN: char = '\u{1f}';

/// A page of the refused rows, in the order of the file.
pub fn rejections(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ImportId,
    page: &PageRequest,
) -> Result<Page<KeptRejection>, Problem> {
    use import_rejections::{code, column_name, line};
    let mut query = import_rejections::table
        .filter(import_rejections::organization_id.eq(scope.organization_id.uuid()))
        .filter(import_rejections::import_id.eq(id.uuid()))
        .select(KeptRejection::as_select())
        .order((line.asc(), column_name.asc(), code.asc()))
        .into_boxed();
    if let Some(after) = &page.after {
        let mut parts = after.key.splitn(3, BETWEEN);
        let last_line: i64 = parts
            .next()
            .unwrap_or_default()
            .parse()
            .map_err(Problem::damaged)?;
        let (last_code, last_column) = (
            parts.next().unwrap_or_default().to_owned(),
            parts.next().unwrap_or_default().to_owned(),
        );
        let same_column = column_name.eq(last_column.clone()).and(code.gt(last_code));
        let same_line = line
            .eq(last_line)
            .and(column_name.gt(last_column).or(same_column));
        query = query.filter(line.gt(last_line).or(same_line));
    }
    let rows: Vec<KeptRejection> = page.rows_of(query).load(tx.connection())?;
    Ok(page.page(rows, |last| Position {
        key: format!("{}{BETWEEN}{}{BETWEEN}{}", last.line, last.code, last.column_name),
        id: id.uuid(),
    }))
}

impl ImportRow {
    fn of(scope: &Scope, import: &Import) -> Self {
        let Import { counts, next, .. } = import;
        let error = import.error.as_ref();
        Self {
            organization_id: scope.organization_id.uuid(),
            id: import.id.uuid(),
            resource: import.resource.as_str().to_owned(),
            status: import.status.as_str().to_owned(),
            mapping: import.mapping.clone(),
            dry_run: import.dry_run,
            atomic: import.atomic,
            file_name: import.file_name.clone(),
            file_bytes: import.file_bytes,
            file_hash: import.file_hash.clone(),
            rows_read: counts.read,
            rows_created: counts.created,
            rows_updated: counts.updated,
            rows_unchanged: counts.unchanged,
            rows_rejected: counts.rejected,
            bytes_read: i64::try_from(next.offset).unwrap_or(i64::MAX),
            next_line: i64::try_from(next.line).unwrap_or(i64::MAX),
            error_code: error.map(|error| error.code.clone()),
            error_detail: error.map(|error| error.detail.clone()),
            created_by: import.created_by.map(ActorId::uuid),
            created_by_type: import.created_by.map(|by| by.kind().to_owned()),
            started_at: import.started_at,
            finished_at: import.finished_at,
            row_version: import.row_version,
            created_at: import.created_at,
            updated_at: import.updated_at,
        }
    }
}

impl TryFrom<ImportRow> for Import {
    type Error = Problem;

    fn try_from(row: ImportRow) -> Result<Self, Problem> {
        let error = row.error_code.map(|code| ImportError {
            code,
            detail: row.error_detail.unwrap_or_default(),
        });
        Ok(Self {
            id: ImportId::from_uuid(row.id),
            resource: ImportResource::from_str(&row.resource).map_err(Problem::damaged)?,
            status: ImportStatus::from_str(&row.status).map_err(Problem::damaged)?,
            mapping: row.mapping,
            dry_run: row.dry_run,
            atomic: row.atomic,
            file_name: row.file_name,
            file_bytes: row.file_bytes,
            file_hash: row.file_hash,
            counts: Counts {
                read: row.rows_read,
                created: row.rows_created,
                updated: row.rows_updated,
                unchanged: row.rows_unchanged,
                rejected: row.rows_rejected,
            },
            next: Place {
                offset: u64::try_from(row.bytes_read).map_err(Problem::damaged)?,
                line: u64::try_from(row.next_line).map_err(Problem::damaged)?,
            },
            error,
            created_by: ActorId::of_columns(row.created_by_type.as_deref(), row.created_by),
            started_at: row.started_at,
            finished_at: row.finished_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Starts what [`take_back`] undoes.
pub fn start_piece(tx: &mut Tx<'_>) -> Result<(), Problem> {
    Ok(tx.connection().batch_execute("SAVEPOINT import")?)
}

/// Undoes everything since [`start_piece`], with what was flushed of its events.
pub fn take_back(tx: &mut Tx<'_>) -> Result<(), Problem> {
    Ok(tx.connection().batch_execute("ROLLBACK TO SAVEPOINT import")?)
}
