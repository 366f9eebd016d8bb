//! A connection that remembers in whose scope it is.

use super::prepared::Prepared;
use crate::kernel::ctx::{Actor, Ctx};
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::sql_types::Text;
use diesel::{Connection, ConnectionError, PgConnection, QueryResult, sql_query};
use std::fmt;
use uuid::Uuid;

/// The settings that the policies read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionScope {
    organization_id: Option<Uuid>,
    partner_id: Option<Uuid>,
    api_key_id: Option<Uuid>,
    user_id: Option<Uuid>,
    session_id: Option<Uuid>,
    identity_provider_id: Option<Uuid>,
    access_version: Option<i64>,
    admission_id: Option<Uuid>,
}

impl SessionScope {
    /// The scope of a step.
    pub fn of(ctx: &Ctx) -> Self {
        let (api_key_id, user_id) = match ctx.actor {
            Actor::ApiKey(id) => (Some(id.uuid()), None),
            Actor::User(id) => (None, Some(id.uuid())),
            Actor::System => (None, None),
        };
        Self {
            organization_id: Some(ctx.scope.organization_id.uuid()),
            partner_id: ctx.scope.partner_id.map(|id| id.uuid()),
            api_key_id,
            user_id,
            session_id: ctx.session_id.map(|id| id.uuid()),
            identity_provider_id: ctx.identity_provider_id.map(|id| id.uuid()),
            access_version: ctx.access_version,
            admission_id: ctx.admission_id,
        }
    }
}

/// A setting's text; empty for what there is none of.
fn setting(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A session and the scope it is in.
pub struct ScopedConnection {
    connection: PgConnection,
    scope: Option<SessionScope>,
    /// Found to be dead where Diesel takes it for alive.
    is_lost: bool,
}

impl fmt::Debug for ScopedConnection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ScopedConnection")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl ScopedConnection {
    /// The connection in this scope; one round trip when the last caller's was another, none when it was the same.
    /// Outside any transaction, so that a rollback cannot bring an older scope back.
    pub fn enter(&mut self, scope: &SessionScope) -> QueryResult<&mut PgConnection> {
        if cfg!(not(feature = "bench-open-doors")) && self.scope.as_ref() != Some(scope) {
            self.scope = None;
            let settings = sql_query(
                "SELECT set_config('copartner.organization_id', $1, false),\
                 set_config('copartner.partner_id', $2, false), set_config('copartner.api_key_id', $3, false), \
                 set_config('copartner.user_id', $4, false), set_config('copartner.access_version', $5, false), \
                 set_config('copartner.session_id', $6, false), \
                 set_config('copartner.identity_provider_id', $7, false), \
                 set_config('copartner.admission_id', $8, false)",
            )
            .bind::<Text, _>(setting(scope.organization_id))
            .bind::<Text, _>(setting(scope.partner_id))
            .bind::<Text, _>(setting(scope.api_key_id))
            .bind::<Text, _>(setting(scope.user_id))
            .bind::<Text, _>(setting(scope.access_version))
            .bind::<Text, _>(setting(scope.session_id))
            .bind::<Text, _>(setting(scope.identity_provider_id))
            .bind::<Text, _>(setting(scope.admission_id));
            Prepared(settings).execute(&mut self.connection)?;
            self.scope = Some(*scope);
        }
        Ok(&mut self.connection)
    }

    /// Whether the session is gone.
    pub fn is_broken(&mut self) -> bool {
        self.is_lost || self.connection.is_broken()
    }

    /// Finds out whether the session is gone, after something on it failed for want of a database. Diesel does not notice
    /// it of every statement that a server was killed at: it would keep the dead connection, and every later statement
    /// would fail on it.
    pub fn examine(&mut self) {
        self.is_lost = self.is_broken() || self.connection.batch_execute("SELECT 1").is_err();
    }

    /// The connection in nobody's scope: it sees no tenant's row.
    pub fn outside(&mut self) -> QueryResult<&mut PgConnection> {
        self.enter(&SessionScope::default())
    }
}

/// How a pool opens its sessions.
#[derive(Debug, Clone)]
pub(super) struct Sessions {
    pub(super) url: String,
    pub(super) read_only: bool,
    /// Whether a statement's plan is made once for any parameters. Lists and reads of one record follow an index
    /// whatever is asked for; to plan them anew for each request takes longer than the reading.
    pub(super) plan_once: bool,
    pub(super) statement_timeout_ms: u32,
}

/// The role that owns nothing and cannot bypass the policies.
pub const SERVICE_ROLE: &str = "copartner_service";

impl ManageConnection for Sessions {
    type Connection = ScopedConnection;
    type Error = ConnectionError;

    fn connect(&self) -> Result<ScopedConnection, ConnectionError> {
        let mut connection = PgConnection::establish(&self.url)?;
        // Behind row-level security the planner takes small queries for large ones, and would compile them for seconds.
        let role = if cfg!(feature = "bench-open-doors") {
            String::new()
        } else {
            format!("SET ROLE {SERVICE_ROLE}; ")
        };
        let settings = format!(
            "SET jit = off; {role}SET application_name = 'copartner'; SET TimeZone = 'UTC'; \
             SET statement_timeout = {}; SET idle_in_transaction_session_timeout = 60000; \
             SET default_transaction_read_only = {}; SET plan_cache_mode = {};",
            self.statement_timeout_ms,
            if self.read_only { "on" } else { "off" },
            if self.plan_once {
                "force_generic_plan"
            } else {
                "auto"
            },
        );
        connection
            .batch_execute(&settings)
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(ScopedConnection {
            connection,
            scope: None,
            is_lost: false,
        })
    }

    fn is_valid(&self, held: &mut ScopedConnection) -> Result<(), ConnectionError> {
        held.connection
            .ping()
            .map_err(ConnectionError::CouldntSetupConfiguration)
    }

    fn has_broken(&self, held: &mut ScopedConnection) -> bool {
        std::thread::panicking() || held.is_broken()
    }
}
