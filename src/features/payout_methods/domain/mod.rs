//! What a payout method is and how it moves.

#[cfg(test)]
mod tests;

use crate::kernel::ctx::ActorId;
use crate::kernel::iban::{Iban, masked};
use crate::kernel::id::{PartnerId, PayoutMethodId};
use crate::kernel::money::Currency;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::word::word_enum;
use chrono::{DateTime, TimeDelta, Utc};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::fmt;

word_enum! {
    /// Where a payout method stands.
    PayoutMethodStatus, "payout method status" {
        /// Nobody has confirmed it.
        Proposed = "proposed",
        /// A second person confirmed it; it is in force.
        Active = "active",
        /// Another one was confirmed in its place.
        Replaced = "replaced",
        /// It was not confirmed.
        Refused = "refused",
        /// It was taken back, or out of force.
        Withdrawn = "withdrawn",
    }
}

impl PayoutMethodStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Proposed => &["confirm", "refuse", "withdraw"],
            Self::Active => &["withdraw"],
            Self::Replaced | Self::Refused | Self::Withdrawn => &[],
        }
    }
}

word_enum! {
    /// What a payout method is.
    PayoutMethodKind, "payout method kind" {
        /// A person pays by a written instruction.
        Manual = "manual",
        /// To a bank account.
        BankAccount = "bank_account",
        /// To a connected account at Stripe.
        Stripe = "stripe",
    }
}

/// A bank account, as a rail needs to know it. It prints masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankAccount {
    /// Whose it is.
    pub holder: String,
    /// Its number.
    pub iban: Iban,
    /// The bank.
    pub bic: Option<String>,
}

/// Where the money goes. It serializes and prints masked.
#[derive(Clone, PartialEq, Eq)]
pub enum Details {
    /// By a written instruction.
    Manual {
        /// What the person who pays needs to know, such as a reference.
        instruction: String,
    },
    /// To a bank account.
    BankAccount {
        /// Whose account it is.
        account_holder: String,
        /// Its number.
        iban: Iban,
        /// The bank.
        bic: Option<String>,
    },
    /// To a connected account at Stripe.
    Stripe {
        /// Its id, `acct_...`.
        account: String,
    },
}

impl Details {
    /// What they are of.
    pub const fn kind(&self) -> PayoutMethodKind {
        match self {
            Self::Manual { .. } => PayoutMethodKind::Manual,
            Self::BankAccount { .. } => PayoutMethodKind::BankAccount,
            Self::Stripe { .. } => PayoutMethodKind::Stripe,
        }
    }
}

impl Serialize for Details {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", &self.kind())?;
        match self {
            Self::Manual { instruction } => {
                map.serialize_entry("masked_instruction", &masked(instruction))?
            }
            Self::BankAccount {
                account_holder,
                iban,
                bic,
            } => {
                map.serialize_entry("masked_account_holder", &masked(account_holder))?;
                map.serialize_entry("masked_iban", &iban.masked())?;
                map.serialize_entry("bic", bic)?;
            }
            Self::Stripe { account } => {
                map.serialize_entry("masked_stripe_account", &masked(account))?;
            }
        }
        map.end()
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind().as_str())
    }
}

/// A payout method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PayoutMethod {
    /// Its id.
    pub id: PayoutMethodId,
    /// Who is paid.
    pub partner_id: PartnerId,
    /// In which currency.
    pub currency: Currency,
    /// Where the money goes.
    #[serde(flatten)]
    pub details: Details,
    /// Where it stands.
    pub status: PayoutMethodStatus,
    /// Why it was refused.
    pub status_reason: Option<String>,
    /// Who proposed it.
    pub created_by: ActorId,
    /// Who confirmed it.
    pub confirmed_by: Option<ActorId>,
    /// When it was confirmed.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// From when on money may go there: the cooling-off time after it was confirmed.
    pub usable_from: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new payout method is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayoutMethod {
    /// Who is paid; a partner's caller need not say.
    pub partner_id: Option<PartnerId>,
    /// In which currency.
    pub currency: Currency,
    /// Where the money goes.
    pub details: Details,
}

impl PayoutMethod {
    /// A proposal, which nobody is paid by.
    pub fn propose(
        partner_id: PartnerId,
        currency: Currency,
        details: Details,
        created_by: ActorId,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: PayoutMethodId::new(now),
            partner_id,
            currency,
            details,
            status: PayoutMethodStatus::Proposed,
            status_reason: None,
            created_by,
            confirmed_by: None,
            confirmed_at: None,
            usable_from: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Puts it in force, usable after the cooling-off time; whoever proposed it cannot.
    pub fn confirm(
        self,
        confirmed_by: ActorId,
        cooling_off: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        match self.status {
            PayoutMethodStatus::Proposed if confirmed_by == self.created_by => {
                Err(Problem::new(Code::SecondPersonRequired))
            }
            PayoutMethodStatus::Proposed => Ok(Self {
                confirmed_by: Some(confirmed_by),
                confirmed_at: Some(now),
                usable_from: Some(now + cooling_off),
                ..self.moved(PayoutMethodStatus::Active, None, now)
            }),
            _ => Err(self.refusal("confirm")),
        }
    }

    /// Does not put it in force.
    pub fn refuse(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PayoutMethodStatus::Proposed => Ok(self.moved(PayoutMethodStatus::Refused, Some(reason), now)),
            _ => Err(self.refusal("refuse")),
        }
    }

    /// Takes a proposal back, or a method out of force.
    pub fn withdraw(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PayoutMethodStatus::Proposed | PayoutMethodStatus::Active => {
                Ok(self.moved(PayoutMethodStatus::Withdrawn, None, now))
            }
            _ => Err(self.refusal("withdraw")),
        }
    }

    /// Makes room for another one that is confirmed.
    pub fn replace(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PayoutMethodStatus::Active => Ok(self.moved(PayoutMethodStatus::Replaced, None, now)),
            _ => Err(self.refusal("replace")),
        }
    }

    fn moved(self, status: PayoutMethodStatus, status_reason: Option<String>, now: DateTime<Utc>) -> Self {
        Self {
            status,
            status_reason,
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    fn refusal(&self, verb: &str) -> Problem {
        Problem::wrong_state(verb, self.status.as_str(), self.status.moves())
    }
}
