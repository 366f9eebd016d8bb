//! What a touchpoint is and how it moves.

use crate::kernel::id::{DealId, PartnerId, TouchpointId};
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;

word_enum! {
    /// What the partner did.
    TouchpointKind, "touchpoint kind" {
        /// It introduced people to one another.
        Introduction = "introduction",
        /// It met the customer.
        Meeting = "meeting",
        /// It showed the product.
        Demo = "demo",
        /// It helped with procurement.
        ProcurementHelp = "procurement_help",
        /// The customer came by a link of the partner's.
        Click = "click",
        /// It worked on the implementation.
        Implementation = "implementation",
        /// It opened the door to a customer that the vendor could not reach.
        OpenedTheDoor = "opened_the_door",
        /// It confirmed to the customer that the case is worth it.
        ValidatedTheCase = "validated_the_case",
        /// It carried the purchase through procurement.
        SupportedProcurement = "supported_procurement",
        /// It removed what the lawyers had stopped at.
        UnblockedLegal = "unblocked_legal",
        /// It brought the implementation to its end.
        Implemented = "implemented",
    }
}

word_enum! {
    /// Where a touchpoint stands.
    TouchpointStatus, "touchpoint status" {
        /// It is evidence.
        Recorded = "recorded",
        /// It was a mistake.
        Voided = "voided",
    }
}

/// The moves of a touchpoint: from where, by which verb, to where.
pub const MOVES: &[(TouchpointStatus, &str, TouchpointStatus)] =
    &[(TouchpointStatus::Recorded, "void", TouchpointStatus::Voided)];

impl TouchpointStatus {
    /// The verbs that this state allows.
    pub fn moves(self) -> Vec<&'static str> {
        let own = MOVES.iter().filter(|(from, _, _)| *from == self);
        let mut verbs: Vec<_> = own.map(|(_, verb, _)| *verb).collect();
        verbs.dedup();
        verbs
    }
}

word_enum! {
    /// Who recorded a touchpoint.
    Recorder, "recorder" {
        /// Somebody of the organization.
        Organization = "organization",
        /// Somebody of the partner.
        Partner = "partner",
    }
}

/// Dated evidence of a partner for a deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Touchpoint {
    /// Its id.
    pub id: TouchpointId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The deal.
    pub deal_id: DealId,
    /// The partner.
    pub partner_id: PartnerId,
    /// What the partner did.
    pub kind: TouchpointKind,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// With whom at the customer.
    pub contact: Option<String>,
    /// What there is to say about it.
    pub note: Option<String>,
    /// Where more is to be found.
    pub link: Option<String>,
    /// Who recorded it.
    pub recorded_by: Recorder,
    /// Where it stands.
    pub status: TouchpointStatus,
    /// Why it was voided.
    pub status_reason: Option<String>,
    /// When it was voided.
    pub voided_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new touchpoint is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTouchpoint {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The deal.
    pub deal_id: DealId,
    /// The partner; a partner's caller need not name its own.
    pub partner_id: Option<PartnerId>,
    /// What the partner did.
    pub kind: TouchpointKind,
    /// When; none is now.
    pub occurred_at: Option<DateTime<Utc>>,
    /// With whom at the customer.
    pub contact: Option<String>,
    /// What there is to say about it.
    pub note: Option<String>,
    /// Where more is to be found.
    pub link: Option<String>,
}

impl Touchpoint {
    /// Records what the partner did.
    pub fn record(
        new: NewTouchpoint,
        partner_id: PartnerId,
        recorded_by: Recorder,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        let NewTouchpoint {
            external_id,
            deal_id,
            partner_id: _,
            kind,
            occurred_at,
            contact,
            note,
            link,
        } = new;
        let occurred_at = occurred_at.map_or(now, |instant| instant.trunc_subsecs(6));
        if occurred_at > now {
            return Err(Problem::field(
                "/occurred_at",
                "in_future",
                "The instant is in the future; it may be now or earlier.",
            ));
        }
        Ok(Self {
            id: TouchpointId::new(now),
            external_id,
            deal_id,
            partner_id,
            kind,
            occurred_at,
            contact,
            note,
            link,
            recorded_by,
            status: TouchpointStatus::Recorded,
            status_reason: None,
            voided_at: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// It was a mistake.
    pub fn void(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            TouchpointStatus::Recorded => Ok(Self {
                status: TouchpointStatus::Voided,
                status_reason: Some(reason),
                voided_at: Some(now),
                row_version: self.row_version + 1,
                updated_at: now,
                ..self
            }),
            status @ TouchpointStatus::Voided => {
                Err(Problem::wrong_state("void", status.as_str(), &status.moves()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::problem::Code;
    use chrono::TimeDelta;

    fn now() -> DateTime<Utc> {
        "2026-03-02T09:30:00Z".parse().unwrap()
    }

    fn recorded_at(occurred_at: Option<DateTime<Utc>>) -> Result<Touchpoint, Problem> {
        let new = NewTouchpoint {
            external_id: None,
            deal_id: DealId::new(now()),
            partner_id: None,
            kind: TouchpointKind::Demo,
            occurred_at,
            contact: None,
            note: None,
            link: None,
        };
        Touchpoint::record(new, PartnerId::new(now()), Recorder::Partner, now())
    }

    #[test]
    fn nothing_has_happened_in_the_future() {
        assert_eq!(recorded_at(None).unwrap().occurred_at, now());
        assert!(recorded_at(Some(now())).is_ok());
        let problem = recorded_at(Some(now() + TimeDelta::microseconds(1))).unwrap_err();
        assert_eq!(problem.errors.first().unwrap().code, "in_future");
    }

    #[test]
    fn it_is_voided_once() {
        let voided = recorded_at(None)
            .unwrap()
            .void("Another deal".to_owned(), now())
            .unwrap();
        assert_eq!((voided.status, voided.row_version), (TouchpointStatus::Voided, 2));
        let problem = voided.void("Again".to_owned(), now()).unwrap_err();
        assert_eq!(problem.code, Code::WrongState);
    }
}
