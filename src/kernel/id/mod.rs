//! Typed ids: `ptn_01j9zq4y8k7m5n3p2r1s0t6v4w` outside, a UUIDv7 inside.
//!
//! The text is a TypeID: a prefix that names the type, an underscore, and the 128 bits as 26
//! characters of lower-case Crockford base32. An id of one type cannot stand where another is asked.

mod generate;
#[cfg(test)]
mod tests;
mod typeid;

use thiserror::Error;

/// Why a text is not an id of the type that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdError {
    /// The text does not start with the prefix of the type and an underscore.
    #[error("expected an id that starts with `{expected}_`")]
    WrongPrefix {
        /// The prefix of the type that was asked for.
        expected: &'static str,
    },
    /// What follows the prefix is not 26 characters long.
    #[error("expected 26 characters after the prefix")]
    WrongLength,
    /// A character is outside the alphabet, or the value does not fit in 128 bits.
    #[error("expected lower-case Crockford base32 of at most 128 bits")]
    NotBase32,
}

macro_rules! typed_id {
    ($name:ident, $prefix:literal, $description:literal) => {
        #[doc = concat!("The id of: ", $description)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// The prefix that names this type in the text form.
            pub const PREFIX: &'static str = $prefix;

            /// Makes an id for the instant `now`. Ids made in a row in one process sort in that order.
            pub fn new(now: chrono::DateTime<chrono::Utc>) -> Self {
                Self(generate::uuid_at(now))
            }

            /// The least id that can be made for an instant of this millisecond: older ids are below it.
            pub fn least_at(instant: chrono::DateTime<chrono::Utc>) -> Self {
                Self(generate::least_uuid_at(instant))
            }

            /// Takes an id that was stored before.
            pub const fn from_uuid(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }

            /// The 128 bits, as they are stored.
            pub const fn uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                typeid::write(formatter, Self::PREFIX, self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                typeid::read(text, Self::PREFIX).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::kernel::word::deserialize_text(deserializer, concat!("an id `", $prefix, "_...`"))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                typeid::schema(Self::PREFIX, concat!("The id of: ", $description))
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

typed_id!(
    OrganizationId,
    "org",
    "An organization, the vendor that runs partner programs."
);
typed_id!(ApiKeyId, "key", "An API key.");
typed_id!(UserId, "usr", "A user, one person.");
typed_id!(
    IdentityProviderId,
    "idp",
    "An identity provider, where people come from."
);
typed_id!(
    SessionId,
    "ses",
    "A session, what a credential was exchanged for."
);
typed_id!(
    AuthenticationEventId,
    "aue",
    "An authentication event: who came in, or was refused."
);
typed_id!(RoleId, "role", "A role, a set of permissions.");
typed_id!(ProgramId, "prg", "A partner program.");
typed_id!(ProductFamilyId, "pfm", "A product family.");
typed_id!(PipelineStageId, "stg", "A stage of the pipeline.");
typed_id!(PartnerId, "ptn", "A partner.");
typed_id!(PartnerContactId, "pct", "A contact, somebody at a partner.");
typed_id!(
    ComplianceDocumentId,
    "cdo",
    "A document that a partner has on file."
);
typed_id!(EnrollmentId, "enr", "An enrollment of a partner in a program.");
typed_id!(ProgramTermsId, "trm", "A version of a program's terms.");
typed_id!(TermsAcceptanceId, "tac", "An acceptance of a program's terms.");
typed_id!(TierMoveId, "tmv", "A move of an enrollment from tier to tier.");
typed_id!(AccountId, "acc", "An account, the end customer's company.");
typed_id!(AccountMatchId, "acm", "A pair of accounts that may be one.");
typed_id!(AccountMergeId, "acg", "A merge of two accounts.");
typed_id!(DealId, "deal", "A deal.");
typed_id!(
    TouchpointId,
    "tch",
    "A touchpoint, dated evidence of a partner for a deal."
);
typed_id!(
    AttributionId,
    "att",
    "An attribution, the credit of one partner for one deal in one role."
);
typed_id!(ReferralId, "ref", "A referral, a lead that a partner hands over.");
typed_id!(ReferralLinkId, "rln", "A link that a partner passes on.");
typed_id!(ClickId, "clk", "A visitor who came by a link.");
typed_id!(
    DealRegistrationId,
    "reg",
    "A deal registration, a partner's claim to an account."
);
typed_id!(RegistrationCommentId, "rcm", "A comment on a deal registration.");
typed_id!(
    RegistrationExtensionId,
    "rex",
    "An extension of a deal registration, asked for with evidence."
);
typed_id!(
    RegistrationConflictId,
    "cnf",
    "A conflict of several claims to one account."
);
typed_id!(
    ExchangeRateId,
    "fxr",
    "A rate of exchange between two currencies on a day."
);
typed_id!(InvoiceId, "inv", "An invoice.");
typed_id!(InvoiceLineId, "inl", "A line of an invoice.");
typed_id!(PaymentId, "pay", "A payment of an invoice.");
typed_id!(RefundId, "rfd", "A refund of a payment.");
typed_id!(CreditNoteId, "crn", "A credit note.");
typed_id!(BillingArrivalId, "bar", "A fact of billing, as it arrived.");
typed_id!(CommissionRuleId, "rule", "A commission rule.");
typed_id!(CommissionRuleVersionId, "rlv", "A version of a commission rule.");
typed_id!(CommissionId, "com", "A commission, one earned line.");
typed_id!(BacktestId, "bkt", "A back-test of a commission rule.");
typed_id!(ClawbackId, "clw", "A clawback of a commission.");
typed_id!(
    AdjustmentId,
    "adj",
    "An adjustment, an amount that a person gives or takes."
);
typed_id!(DisputeId, "dsp", "A dispute of a decision or an amount.");
typed_id!(DisputeCommentId, "dcm", "A comment on a dispute.");
typed_id!(StatementId, "stm", "A statement of a partner in a currency.");
typed_id!(LedgerEntryId, "led", "An entry of the ledger.");
typed_id!(PayoutMethodId, "pym", "A payout method, how a partner is paid.");
typed_id!(PayoutRunId, "run", "A payout run.");
typed_id!(PayoutId, "pyt", "A payout to one partner in one currency.");
typed_id!(PayoutItemId, "pyi", "A commission in a payout.");
typed_id!(
    PayoutCarryForwardId,
    "pcf",
    "An amount that a payout run left for a later one."
);
typed_id!(EventId, "evt", "An event.");
typed_id!(AuditEventId, "aud", "An audit event.");
typed_id!(ImportId, "imp", "An import.");
typed_id!(RequestId, "req", "A request to this service.");
