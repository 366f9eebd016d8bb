//! Accounts on the wire.

use super::domain::{Account, AccountPatch, NewAccount, normalized};
use super::store::{AccountFilter, AccountOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::AccountId;
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// An account to create.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = AccountCreate, examples(json!({"name": "Hafen Logistik", "external_id": "crm-acc-88", "domain": "hafen-logistik.example", "country": "DE"})))]
#[serde(deny_unknown_fields)]
pub struct NewAccountBody {
    /// Your own key for the account; unique among your accounts.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-acc-88"
    )]
    pub external_id: Option<String>,
    /// Its name.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Hafen Logistik"
    )]
    pub name: String,
    /// Its internet domain; kept in lower case.
    #[schema(
        nullable = false,
        max_length = 253,
        pattern = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
        example = "hafen-logistik.example"
    )]
    pub domain: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    #[schema(nullable = false, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: Option<String>,
}

impl NewAccountBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> NewAccount {
        let Self {
            external_id,
            name,
            domain,
            country,
        } = self.clone();
        NewAccount {
            external_id,
            name,
            domain,
            country,
        }
    }
}

/// Changes of an account: absent leaves a field as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = AccountUpdate, min_properties = 1, examples(json!({"name": "Hafen Logistik SE", "country": null})))]
#[serde(deny_unknown_fields)]
pub struct PatchAccountBody {
    /// Your own key for the account.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "crm-acc-88")]
    pub external_id: Patch<String>,
    /// Its name.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Hafen Logistik"
    )]
    pub name: Option<String>,
    /// Its internet domain; kept in lower case.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 253, pattern = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", example = "hafen-logistik.example")]
    pub domain: Patch<String>,
    /// Its country, ISO 3166-1 alpha-2.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: Patch<String>,
}

impl PatchAccountBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> AccountPatch {
        let Self {
            external_id,
            name,
            domain,
            country,
        } = self.clone();
        AccountPatch {
            external_id,
            name,
            domain,
            country,
        }
    }
}

/// An account: an end customer company.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Account, examples(json!({"id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "crm-acc-88", "name": "Hafen Logistik", "domain": "hafen-logistik.example", "country": "DE", "merged_into_id": null, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// Its name.
    #[schema(max_length = 255, example = "Hafen Logistik")]
    pub name: String,
    /// Its internet domain, in lower case.
    #[schema(required, max_length = 253)]
    pub domain: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    #[schema(required, max_length = 2)]
    pub country: Option<String>,
    /// The account that it was merged into, which its keys and whatever is written for it lead to.
    #[schema(required)]
    pub merged_into_id: Option<AccountId>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            external_id: account.external_id,
            name: account.name,
            domain: account.domain,
            country: account.country,
            merged_into_id: account.merged_into_id,
            created_at: account.created_at,
            updated_at: account.updated_at,
        }
    }
}

page_of!(AccountPage, AccountView, "accounts");

/// The order of a list of accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum AccountSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
    /// By name.
    #[serde(rename = "name")]
    Name,
    /// By name, backwards.
    #[serde(rename = "-name")]
    NameDescending,
}

/// What a list of accounts is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccountsQuery {
    /// Only the account with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only accounts with this internet domain, in upper or lower case.
    #[param(
        min_length = 1,
        max_length = 253,
        pattern = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
    )]
    pub domain: Option<String>,
    /// Only accounts with this text in their name, in upper or lower case.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub q: Option<String>,
    /// Only what came to be at or after this instant.
    pub created_at_gte: Option<DateTime<Utc>>,
    /// Only what came to be before this instant.
    pub created_at_lt: Option<DateTime<Utc>>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: AccountSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl AccountsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> AccountFilter {
        AccountFilter {
            external_id: self.external_id.clone(),
            domain: self.domain.clone().map(normalized),
            name_contains: self.q.clone(),
            created_at_gte: self.created_at_gte,
            created_at_lt: self.created_at_lt,
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: match self.sort {
                AccountSort::Newest => AccountOrder::Newest,
                AccountSort::Oldest => AccountOrder::Oldest,
                AccountSort::Name => AccountOrder::Name,
                AccountSort::NameDescending => AccountOrder::NameDescending,
            },
        }
    }
}

/// The account that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AccountPath {
    /// The account.
    pub account_id: AccountId,
}
