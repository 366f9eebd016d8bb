//! What a session is.

use crate::features::authentication_events::Bearer;
use crate::kernel::ctx::{Actor, Ctx};
use crate::kernel::id::{ApiKeyId, IdentityProviderId, PartnerId, SessionId, UserId};
use crate::kernel::permission::Permission;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::word::word_enum;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

/// For how long a refresh token is good.
pub const REFRESH_IS_GOOD_FOR: TimeDelta = TimeDelta::days(14);
/// The longest that a session can be refreshed.
const LONGEST_SESSION: TimeDelta = TimeDelta::days(30);

word_enum! {
    /// Why a session was revoked.
    RevokedBecause, "reason for a revocation" {
        /// Somebody revoked it.
        Revoked = "revoked",
        /// Its bearer logged out.
        LoggedOut = "logged_out",
        /// The key that it was made with got another secret, or the identity provider was changed.
        CredentialChanged = "credential_changed",
        /// One of its refresh tokens came a second time.
        RefreshTokenReused = "refresh_token_reused",
    }
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The partner to which it is confined.
    pub partner_id: Option<PartnerId>,
    /// The key that it was made with.
    pub api_key_id: Option<ApiKeyId>,
    /// The user whose it is.
    pub user_id: Option<UserId>,
    /// The provider that vouched for the user.
    pub identity_provider_id: Option<IdentityProviderId>,
    /// What it is narrowed to; `None` for all that its bearer may do.
    pub permissions: Option<Vec<String>>,
    /// Whether the user proved itself by a second factor.
    pub second_factor: bool,
    /// The network address that it was made from.
    pub address: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Why it was revoked.
    pub revoked_because: Option<RevokedBecause>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new session is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// The partner to which it is confined.
    pub partner_id: Option<PartnerId>,
    /// What it is narrowed to.
    pub permissions: Option<Vec<Permission>>,
    /// For how long an access token is good.
    pub access: TimeDelta,
    /// Whether there are refresh tokens.
    pub refreshable: bool,
}

impl NewSession {
    /// Refuses what would be more than the caller, or too long for a browser of somebody else.
    pub fn check(&self, ctx: &Ctx) -> Result<(), Problem> {
        if ctx.session_id.is_some() {
            let detail = "A session is made with an API key or with a token of an identity provider, not with a session.";
            return Err(Problem::new(Code::PermissionDenied).because(detail));
        }
        let mut faults = Vec::new();
        let is_lent = self.partner_id.is_some() && ctx.scope.partner_id.is_none();
        if is_lent && self.refreshable {
            let message = "A session that is lent to a partner ends with its access token.";
            faults.push(FieldProblem::new("/refreshable", "not_for_partners", message));
        }
        let may_hold = |permission: &Permission| {
            ctx.holds(*permission) && (self.partner_id.is_none() || permission.open_to_partners())
        };
        for (place, permission) in self.permissions.iter().flatten().enumerate() {
            if !may_hold(permission) {
                let message = "You do not hold this permission, or partners may not.";
                faults.push(FieldProblem::new(
                    format!("/permissions/{place}"),
                    "not_held",
                    message,
                ));
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::fields(faults))
        }
    }
}

impl Session {
    /// A new session of the caller.
    pub fn open(ctx: &Ctx, new: &NewSession) -> Self {
        let (api_key_id, user_id) = match ctx.actor {
            Actor::ApiKey(id) => (Some(id), None),
            Actor::User(id) => (None, Some(id)),
            Actor::System => (None, None),
        };
        let names = |permissions: &Vec<Permission>| {
            let names = permissions.iter().map(|permission| permission.name().to_owned());
            names.collect()
        };
        let length = if new.refreshable {
            LONGEST_SESSION
        } else {
            new.access
        };
        Self {
            id: SessionId::new(ctx.wall_now),
            partner_id: ctx.scope.partner_id.or(new.partner_id),
            api_key_id,
            user_id,
            identity_provider_id: ctx.identity_provider_id,
            permissions: new.permissions.as_ref().map(names),
            second_factor: ctx.second_factor,
            address: ctx.address.clone(),
            revoked_at: None,
            revoked_because: None,
            expires_at: ctx
                .key_ends_at
                .map_or(ctx.wall_now + length, |end| end.min(ctx.wall_now + length)),
            row_version: 1,
            created_at: ctx.wall_now,
            updated_at: ctx.wall_now,
        }
    }

    /// Whether it is neither revoked nor at its end.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// Ends it before its time.
    pub fn revoke(self, because: RevokedBecause, now: DateTime<Utc>) -> Result<Self, Problem> {
        if self.revoked_at.is_some() {
            return Err(Problem::wrong_state("revoke", "revoked", &[]));
        }
        Ok(Self {
            revoked_at: Some(now),
            revoked_because: Some(because),
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        })
    }

    /// Whose it is, for the login history.
    pub fn bearer(&self) -> Bearer {
        Bearer {
            session_id: self.id,
            partner_id: self.partner_id,
            api_key_id: self.api_key_id,
            user_id: self.user_id,
            identity_provider_id: self.identity_provider_id,
        }
    }

    /// The id of the key or the user that bears it, as its tokens say it.
    pub fn subject(&self) -> String {
        let key = self.api_key_id.map(|id| id.to_string());
        key.or_else(|| self.user_id.map(|id| id.to_string()))
            .unwrap_or_default()
    }
}

/// A refresh token that was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its number within the session.
    pub number: i32,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// Whether it was exchanged already.
    pub is_used: bool,
}
