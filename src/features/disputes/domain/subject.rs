//! What can be disputed, and for which reasons.

use crate::kernel::problem::Problem;
use crate::kernel::subject;
use crate::kernel::word::word_enum;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

word_enum! {
    /// What a dispute is about, by the noun of the record.
    SubjectType, "disputed subject" {
        /// That a registration was rejected or revoked, or has expired.
        DealRegistration = "deal_registration",
        /// How a conflict between claims was decided.
        RegistrationConflict = "registration_conflict",
        /// That a claim of credit was rejected, or that its share is too small.
        Attribution = "attribution",
        /// What commissions come to.
        Commission = "commission",
        /// A commission on a deal that is missing.
        Deal = "deal",
        /// That a partner was moved to a lower tier.
        TierMove = "tier_move",
    }
}

impl SubjectType {
    /// Whether it is about an amount of money.
    pub const fn is_money(self) -> bool {
        matches!(self, Self::Commission | Self::Deal)
    }
}

word_enum! {
    /// Why something is disputed.
    DisputeReason, "dispute reason" {
        /// The partner came first.
        FirstToRegister = "first_to_register",
        /// What the partner brought forward was not looked at.
        EvidenceOverlooked = "evidence_overlooked",
        /// The program's rules say otherwise.
        RulesMisapplied = "rules_misapplied",
        /// The organization answered too late.
        AnsweredTooLate = "answered_too_late",
        /// The partner did what it claims credit for.
        CreditOverlooked = "credit_overlooked",
        /// The share is too small.
        ShareTooLow = "share_too_low",
        /// The amount is too small.
        AmountTooLow = "amount_too_low",
        /// What was taken back should not have been.
        WronglyClawedBack = "wrongly_clawed_back",
        /// There should be a commission, and there is none.
        CommissionMissing = "commission_missing",
        /// The statement says it.
        Other = "other",
    }
}

impl DisputeReason {
    /// Whether it can be the reason to dispute this.
    pub const fn fits(self, subject: SubjectType) -> bool {
        match self {
            Self::FirstToRegister | Self::AnsweredTooLate => matches!(
                subject,
                SubjectType::DealRegistration | SubjectType::RegistrationConflict
            ),
            Self::EvidenceOverlooked => !subject.is_money(),
            Self::RulesMisapplied | Self::Other => true,
            Self::CreditOverlooked | Self::ShareTooLow => matches!(subject, SubjectType::Attribution),
            Self::AmountTooLow | Self::WronglyClawedBack => matches!(subject, SubjectType::Commission),
            Self::CommissionMissing => subject.is_money(),
        }
    }
}

/// The id of a record that can be disputed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisputedId {
    /// What it is.
    pub subject_type: SubjectType,
    /// The id without its kind.
    pub id: Uuid,
}

impl DisputedId {
    /// The id of a kind, as the database keeps both.
    pub fn of_columns(subject_type: &str, id: Uuid) -> Result<Self, Problem> {
        Ok(Self {
            subject_type: SubjectType::from_str(subject_type).map_err(Problem::damaged)?,
            id,
        })
    }
}

impl fmt::Display for DisputedId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&subject::id_text(self.subject_type.as_str(), self.id))
    }
}

impl Serialize for DisputedId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DisputedId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = subject::parse(&text).and_then(|(noun, id)| {
            let subject_type = SubjectType::from_str(noun).ok()?;
            Some(Self { subject_type, id })
        });
        parsed.ok_or_else(|| serde::de::Error::custom("the id of something that can be disputed is needed"))
    }
}

impl utoipa::PartialSchema for DisputedId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^(att|cnf|com|deal|reg|tmv)_[0-9a-z]{10,60}$"))
            .max_length(Some(64))
            .description(Some(
                "The id of what is disputed: a deal registration, a registration conflict, an attribution, a commission, \
                 a deal on which a commission is missing, or a move to a lower tier.",
            ))
            .examples([serde_json::json!("com_01j9zq4y8k7m5n3p2r1s0t6v4w")])
            .into()
    }
}

impl utoipa::ToSchema for DisputedId {}
