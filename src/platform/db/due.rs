//! Steps that the service takes by itself, each at its organization's clock; and where time has made work for the worker.

use super::prepared::Prepared;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::OrganizationId;
use crate::kernel::problem::Problem;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Interval, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = Interval)]
    clock_offset: TimeDelta,
}

/// The organizations that this function of the database finds to have something due while the machine's clock shows
/// this instant, each as the circumstances of a step at its own clock. The function adds `organizations.clock_offset` to
/// the instant by itself. Asked outside any scope, for the worker, which serves all organizations.
pub fn due(
    connection: &mut PgConnection,
    function: &'static str,
    wall_now: DateTime<Utc>,
) -> Result<Vec<Ctx>, Problem> {
    let query = sql_query(format!(
        "SELECT organization_id, clock_offset_of(organization_id) AS clock_offset FROM {function}($1) AS organization_id"
    ));
    let rows: Vec<Row> = Prepared(query.bind::<Timestamptz, _>(wall_now)).load(connection)?;
    Ok(rows.iter().map(|row| row.step(wall_now)).collect())
}

/// A step of the service itself in this organization, at its own clock. Asked outside any scope.
pub fn step_in(
    connection: &mut PgConnection,
    organization_id: OrganizationId,
    wall_now: DateTime<Utc>,
) -> Result<Ctx, Problem> {
    let query = sql_query("SELECT $1 AS organization_id, clock_offset_of($1) AS clock_offset");
    let row: Row = Prepared(query.bind::<SqlUuid, _>(organization_id.uuid())).get_result(connection)?;
    Ok(row.step(wall_now))
}

impl Row {
    fn step(&self, wall_now: DateTime<Utc>) -> Ctx {
        let organization_id = OrganizationId::from_uuid(self.organization_id);
        Ctx::system(organization_id, wall_now).ahead_by(self.clock_offset)
    }
}
