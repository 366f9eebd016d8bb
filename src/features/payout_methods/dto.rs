//! Payout methods on the wire.

use super::domain::{Details, NewPayoutMethod, PayoutMethod, PayoutMethodKind, PayoutMethodStatus};
use super::store::PayoutMethodFilter;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::iban::{Iban, masked};
use crate::kernel::id::{PartnerId, PayoutMethodId};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::Fields;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A payout method to propose.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PayoutMethodCreate, examples(json!({"partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "currency": "EUR", "kind": "bank_account", "account_holder": "Nordlicht Consulting GmbH", "iban": "DE89 3704 0044 0532 0130 00", "bic": "COBADEFFXXX"})))]
#[serde(deny_unknown_fields)]
pub struct NewPayoutMethodBody {
    /// The partner who is paid. A partner's own caller need not name it.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// The currency in which the partner is paid by it, ISO 4217.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$", example = "EUR")]
    pub currency: String,
    /// What it is: manual (by a written instruction), bank_account, or stripe (to a connected account).
    pub kind: PayoutMethodKind,
    /// For `manual`: what the person who pays needs to know, such as a reference.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "By check, to the address on the invoice."
    )]
    pub instruction: Option<String>,
    /// For `bank_account`: whose account it is.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Nordlicht Consulting GmbH"
    )]
    pub account_holder: Option<String>,
    /// For `bank_account`: its number, with or without spaces.
    #[schema(
        nullable = false,
        min_length = 15,
        max_length = 42,
        pattern = "^[A-Z]{2}[0-9]{2}[A-Z0-9 ]+$",
        example = "DE89 3704 0044 0532 0130 00"
    )]
    pub iban: Option<String>,
    /// For `bank_account`, if you know it: the bank (BIC).
    #[schema(
        nullable = false,
        max_length = 11,
        pattern = "^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$",
        example = "COBADEFFXXX"
    )]
    pub bic: Option<String>,
    /// For `stripe`: the partner's connected account.
    #[schema(
        nullable = false,
        max_length = 64,
        pattern = "^acct_[A-Za-z0-9]{8,59}$",
        example = "acct_1MTfjCQ9PRzxEwkZ"
    )]
    pub stripe_account: Option<String>,
}

/// Without what must not be logged.
impl fmt::Debug for NewPayoutMethodBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NewPayoutMethodBody")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl NewPayoutMethodBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewPayoutMethod, Problem> {
        let mut fields = Fields::new();
        let currency = fields.currency("/currency", &self.currency);
        let details = match self.kind {
            PayoutMethodKind::Manual => self.manual(&mut fields),
            PayoutMethodKind::BankAccount => self.bank_account(&mut fields),
            PayoutMethodKind::Stripe => self.stripe(&mut fields),
        };
        let terms = currency.zip(details).map(|(currency, details)| NewPayoutMethod {
            partner_id: self.partner_id,
            currency,
            details,
        });
        fields.finish(terms)
    }

    fn manual(&self, fields: &mut Fields) -> Option<Details> {
        for (pointer, field) in [
            ("/account_holder", &self.account_holder),
            ("/iban", &self.iban),
            ("/bic", &self.bic),
            ("/stripe_account", &self.stripe_account),
        ] {
            refuse_foreign(fields, pointer, field);
        }
        let instruction = needed(fields, "/instruction", &self.instruction)?;
        Some(Details::Manual { instruction })
    }

    fn bank_account(&self, fields: &mut Fields) -> Option<Details> {
        refuse_foreign(fields, "/instruction", &self.instruction);
        refuse_foreign(fields, "/stripe_account", &self.stripe_account);
        let account_holder = needed(fields, "/account_holder", &self.account_holder);
        let iban = needed(fields, "/iban", &self.iban)
            .and_then(|iban| fields.keep("/iban", "invalid_iban", iban.parse::<Iban>()));
        Some(Details::BankAccount {
            account_holder: account_holder?,
            iban: iban?,
            bic: self.bic.clone(),
        })
    }

    fn stripe(&self, fields: &mut Fields) -> Option<Details> {
        for (pointer, field) in [
            ("/instruction", &self.instruction),
            ("/account_holder", &self.account_holder),
            ("/iban", &self.iban),
            ("/bic", &self.bic),
        ] {
            refuse_foreign(fields, pointer, field);
        }
        let account = needed(fields, "/stripe_account", &self.stripe_account)?;
        Some(Details::Stripe { account })
    }
}

fn needed(fields: &mut Fields, pointer: &str, field: &Option<String>) -> Option<String> {
    let message = "This kind of payout method needs it.";
    fields.require(field.is_some(), pointer, "missing", message);
    field.clone()
}

fn refuse_foreign(fields: &mut Fields, pointer: &str, field: &Option<String>) {
    let message = "This kind of payout method does not have it.";
    fields.require(field.is_none(), pointer, "not_of_this_kind", message);
}

/// A payout method: how a partner is paid in a currency. Of an account number only the country and the last four
/// characters are ever shown, of a Stripe account the last four.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PayoutMethod, examples(json!({"id": "pym_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "currency": "EUR", "kind": "bank_account", "instruction": null, "account_holder": "Nordlicht Consulting GmbH", "masked_iban": "DE****3000", "bic": "COBADEFFXXX", "masked_stripe_account": null, "status": "active", "status_reason": null, "created_by": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "confirmed_by": "usr_01j9zq4y8k7m5n3p2r1s0t6v4x", "confirmed_at": "2026-03-02T09:30:00Z", "usable_from": "2026-03-05T09:30:00Z", "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-02T09:30:00Z"})))]
pub struct PayoutMethodView {
    /// Its id.
    pub id: PayoutMethodId,
    /// The partner who is paid.
    pub partner_id: PartnerId,
    /// The currency in which the partner is paid by it, ISO 4217.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$")]
    pub currency: String,
    /// What it is: manual, bank_account or stripe.
    pub kind: PayoutMethodKind,
    /// What the person who pays needs to know; of a manual one.
    #[schema(required, max_length = 1000)]
    pub instruction: Option<String>,
    /// Whose account it is; of a bank account.
    #[schema(required, max_length = 255)]
    pub account_holder: Option<String>,
    /// The country and the last four characters of the account number; of a bank account.
    #[schema(required, max_length = 16, pattern = r"^[A-Z]{2}\*{4}[A-Z0-9]{4}$")]
    pub masked_iban: Option<String>,
    /// The bank; of a bank account.
    #[schema(required, max_length = 11)]
    pub bic: Option<String>,
    /// The last four characters of the connected account; of a Stripe account.
    #[schema(required, max_length = 16, pattern = r"^\*{4}[A-Za-z0-9]{4}$")]
    pub masked_stripe_account: Option<String>,
    /// Where it stands: proposed, active, replaced, refused or withdrawn.
    pub status: PayoutMethodStatus,
    /// Why it was refused.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// Who proposed it.
    pub created_by: ActorId,
    /// Who confirmed it.
    #[schema(required)]
    pub confirmed_by: Option<ActorId>,
    /// When it was confirmed.
    #[schema(required)]
    pub confirmed_at: Option<DateTime<Utc>>,
    /// From when on the partner may be paid by it: the cooling-off time after it was confirmed.
    #[schema(required)]
    pub usable_from: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<PayoutMethod> for PayoutMethodView {
    fn from(method: PayoutMethod) -> Self {
        let kind = method.details.kind();
        let mut masked_stripe_account = None;
        let (instruction, account_holder, masked_iban, bic) = match method.details {
            Details::Manual { instruction } => (Some(instruction), None, None, None),
            Details::BankAccount {
                account_holder,
                iban,
                bic,
            } => (None, Some(account_holder), Some(iban.masked()), bic),
            Details::Stripe { account } => {
                masked_stripe_account = Some(masked(&account));
                (None, None, None, None)
            }
        };
        Self {
            id: method.id,
            partner_id: method.partner_id,
            currency: method.currency.code().to_owned(),
            kind,
            instruction,
            account_holder,
            masked_iban,
            bic,
            masked_stripe_account,
            status: method.status,
            status_reason: method.status_reason,
            created_by: method.created_by,
            confirmed_by: method.confirmed_by,
            confirmed_at: method.confirmed_at,
            usable_from: method.usable_from,
            created_at: method.created_at,
            updated_at: method.updated_at,
        }
    }
}

page_of!(PayoutMethodPage, PayoutMethodView, "payout methods");

/// What a list of payout methods is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PayoutMethodsQuery {
    /// Only methods of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only methods in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 5)]
    pub status: Vec<PayoutMethodStatus>,
    /// Only methods in this currency, ISO 4217.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$")]
    pub currency: Option<String>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl PayoutMethodsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> PayoutMethodFilter {
        PayoutMethodFilter {
            statuses: self.status.clone(),
            partner_id: self.partner_id,
            currency: self.currency.clone(),
        }
    }
}

/// The payout method that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PayoutMethodPath {
    /// The payout method.
    pub payout_method_id: PayoutMethodId,
}
