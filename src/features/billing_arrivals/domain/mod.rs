//! What becomes of a fact of billing that arrived.

mod fact;

pub use fact::{
    CreditNoteFact, Fact, FactKind, InvoiceFact, InvoiceVoidFact, Known, Met, PaymentFact, Reference,
    RefundFact, ReinstatementFact, Resource,
};

use crate::kernel::ctx::ActorId;
use crate::kernel::id::BillingArrivalId;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::subject;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most invalid fields that a refusal keeps.
const MOST_ERRORS: usize = 100;

word_enum! {
    /// Where a billing arrival stands.
    ArrivalStatus, "billing arrival status" {
        /// It awaits something that is not there yet.
        Parked = "parked",
        /// It was applied.
        Applied = "applied",
        /// What it awaited is there, and it was refused.
        Refused = "refused",
        /// Somebody took it back.
        Withdrawn = "withdrawn",
    }
}

impl ArrivalStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Parked | Self::Refused => &["retry", "withdraw"],
            Self::Applied | Self::Withdrawn => &[],
        }
    }
}

/// Why a fact was refused, as its caller would have been told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable code.
    pub code: String,
    /// What happened, for a person.
    pub detail: String,
    /// The invalid fields.
    pub errors: Vec<RefusedField>,
}

/// An invalid field of a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedField {
    /// Where it is in the fact as it was sent.
    pub pointer: String,
    /// A stable code.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let field = |error: FieldProblem| RefusedField {
            pointer: error.pointer,
            code: error.code,
            message: error.message,
        };
        let advice = || problem.code.advice().to_owned();
        Self {
            code: problem.code.name().to_owned(),
            detail: problem.detail.clone().unwrap_or_else(advice),
            errors: problem.errors.into_iter().take(MOST_ERRORS).map(field).collect(),
        }
    }
}

/// A fact to be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewArrival {
    /// The caller's key for it.
    pub external_id: String,
    /// What it says.
    pub fact: Fact,
}

/// A fact of billing, as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BillingArrival {
    /// Its id.
    pub id: BillingArrivalId,
    /// The caller's key for it, and for the record that it makes.
    pub external_id: String,
    /// What it says.
    pub fact: Fact,
    /// Where it stands.
    pub status: ArrivalStatus,
    /// Why it was withdrawn.
    pub status_reason: Option<String>,
    /// What is not there yet.
    pub awaits: Option<Reference>,
    /// The record that it made or changed.
    pub record_id: Option<String>,
    /// Why it was refused.
    pub problem: Option<Refusal>,
    /// Who told of it.
    pub created_by: Option<ActorId>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl BillingArrival {
    /// A fact that arrived and awaits this.
    pub fn arrive(new: NewArrival, awaits: Reference, by: Option<ActorId>, now: DateTime<Utc>) -> Self {
        Self {
            id: BillingArrivalId::new(now),
            external_id: new.external_id,
            fact: new.fact,
            status: ArrivalStatus::Parked,
            status_reason: None,
            awaits: Some(awaits),
            record_id: None,
            problem: None,
            created_by: by,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// It made or changed this record.
    pub fn applied(self, record_id: Uuid, now: DateTime<Utc>) -> Self {
        let record_id = subject::id_text(self.fact.kind().noun(), record_id);
        Self {
            record_id: Some(record_id),
            ..self.moved(ArrivalStatus::Applied, now)
        }
    }

    /// It awaits this.
    pub fn parked(self, awaits: Reference, now: DateTime<Utc>) -> Self {
        Self {
            awaits: Some(awaits),
            ..self.moved(ArrivalStatus::Parked, now)
        }
    }

    /// What it awaited is there, and it cannot be applied.
    pub fn refused(self, problem: Problem, now: DateTime<Utc>) -> Self {
        Self {
            problem: Some(problem.into()),
            ..self.moved(ArrivalStatus::Refused, now)
        }
    }

    /// Takes it back; why it was refused stays readable.
    pub fn withdraw(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.allow("withdraw")?;
        let problem = self.problem.clone();
        Ok(Self {
            status_reason: Some(reason),
            problem,
            ..self.moved(ArrivalStatus::Withdrawn, now)
        })
    }

    /// Refused where the state does not allow this verb.
    pub fn allow(&self, verb: &str) -> Result<(), Problem> {
        let moves = self.status.moves();
        if moves.contains(&verb) {
            return Ok(());
        }
        Err(Problem::wrong_state(verb, self.status.as_str(), moves))
    }

    /// Refused where another fact has the key.
    pub fn same_as(&self, told: &Fact) -> Result<(), Problem> {
        if self.fact == *told {
            return Ok(());
        }
        let message = "This key was told with other content before.";
        Err(Problem {
            errors: vec![FieldProblem::new("/external_id", "taken", message)],
            ..Problem::new(Code::ExternalIdTaken).because(format!("{} says something else.", self.id))
        })
    }

    fn moved(self, status: ArrivalStatus, now: DateTime<Utc>) -> Self {
        Self {
            status,
            awaits: None,
            problem: None,
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::money::{Currency, Money};

    fn payment(amount: &str) -> Fact {
        Fact::Payment(PaymentFact {
            invoice: "in_1".to_owned(),
            amount: Money::parse(amount, Currency::from_code("USD").unwrap()).unwrap(),
            paid_at: "2026-03-02T09:30:00Z".parse().unwrap(),
        })
    }

    fn parked() -> BillingArrival {
        let new = NewArrival {
            external_id: "ch_1".to_owned(),
            fact: payment("10.00"),
        };
        let (awaits, _) = new.fact.references();
        BillingArrival::arrive(new, awaits, None, "2026-03-02T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_fact_reads_back_as_it_was_written() {
        let told = payment("10.00");
        let written = serde_json::to_value(&told).unwrap();
        assert_eq!(written["kind"], "payment");
        assert_eq!(serde_json::from_value::<Fact>(written).unwrap(), told);
    }

    #[test]
    fn the_same_amount_is_the_same_fact_and_another_one_is_not() {
        assert!(parked().same_as(&payment("10")).is_ok());
        let refused = parked().same_as(&payment("10.01")).unwrap_err();
        assert_eq!(refused.code, Code::ExternalIdTaken);
    }

    #[test]
    fn what_is_applied_or_withdrawn_is_settled() {
        let now: DateTime<Utc> = "2026-03-02T11:00:00Z".parse().unwrap();
        let refused = parked().refused(Problem::not_found(), now);
        assert!(refused.allow("retry").is_ok());
        let withdrawn = refused.withdraw("Never mind.".to_owned(), now).unwrap();
        assert!(withdrawn.problem.is_some() && withdrawn.row_version == 3);
        let applied = parked().applied(Uuid::nil(), now);
        assert_eq!(applied.awaits, None);
        for arrival in [applied, withdrawn] {
            assert!(arrival.allow("retry").is_err());
            assert!(arrival.withdraw("No.".to_owned(), now).is_err());
        }
    }
}
