//! What a credit is and how it moves.

use crate::kernel::ctx::ActorId;
use crate::kernel::id::{AttributionId, DealId, PartnerId, TouchpointId};
use crate::kernel::motion::Role;
use crate::kernel::patch::Patch;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The whole of one role on one deal, in basis points.
pub const WHOLE_BASIS_POINTS: i64 = 10_000;

word_enum! {
    /// Where a credit stands.
    AttributionStatus, "attribution status" {
        /// Somebody says so.
        Claimed = "claimed",
        /// It counts and earns.
        Confirmed = "confirmed",
        /// It does not count.
        Rejected = "rejected",
    }
}

/// The moves of a credit: from where, by which verb, to where.
pub const MOVES: &[(AttributionStatus, &str, AttributionStatus)] = &[
    (
        AttributionStatus::Claimed,
        "confirm",
        AttributionStatus::Confirmed,
    ),
    (
        AttributionStatus::Claimed,
        "correct",
        AttributionStatus::Confirmed,
    ),
    (AttributionStatus::Claimed, "reject", AttributionStatus::Rejected),
    (
        AttributionStatus::Confirmed,
        "correct",
        AttributionStatus::Confirmed,
    ),
    (
        AttributionStatus::Confirmed,
        "correct",
        AttributionStatus::Rejected,
    ),
];

impl AttributionStatus {
    /// The verbs that this state allows.
    pub fn moves(self) -> Vec<&'static str> {
        let own = MOVES.iter().filter(|(from, _, _)| *from == self);
        let mut verbs: Vec<_> = own.map(|(_, verb, _)| *verb).collect();
        verbs.dedup();
        verbs
    }
}

/// How settled credit was corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Why.
    pub reason: String,
    /// By whom; what was corrected before this was kept names nobody.
    pub author: Option<ActorId>,
    /// Who made the secret of the key that the author came with.
    pub author_secret_makers: Vec<Uuid>,
}

/// Credit of one partner for one deal in one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// Its id.
    pub id: AttributionId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The deal.
    pub deal_id: DealId,
    /// The partner that is credited.
    pub partner_id: PartnerId,
    /// What the partner did.
    pub role: Role,
    /// The partner's share of the role, from 1 to 10,000 basis points.
    pub share_basis_points: i32,
    /// Its place among the credits of the same deal and role, by which ties of a split are settled; never changes.
    pub allocation_rank: i32,
    /// Where it stands.
    pub status: AttributionStatus,
    /// Why it was rejected.
    pub status_reason: Option<String>,
    /// When it was confirmed.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When it was settled by the deal being won.
    pub settled_at: Option<DateTime<Utc>>,
    /// The touchpoints that it rests on, of the same partner for the same deal.
    pub touchpoint_ids: Vec<TouchpointId>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new credit is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttribution {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The deal.
    pub deal_id: DealId,
    /// The partner to credit; a partner's caller need not name its own.
    pub partner_id: Option<PartnerId>,
    /// What the partner did.
    pub role: Role,
    /// The partner's share of the role, from 1 to 10,000 basis points.
    pub share_basis_points: i32,
    /// The touchpoints that it rests on.
    pub touchpoint_ids: Vec<TouchpointId>,
    /// Whether it is confirmed at once.
    pub confirm: bool,
}

/// What may be changed of a credit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributionPatch {
    /// The caller's key for it.
    pub external_id: Patch<String>,
    /// The partner's share; only while claimed.
    pub share_basis_points: Option<i32>,
    /// The touchpoints that it rests on; only while claimed.
    pub touchpoint_ids: Option<Vec<TouchpointId>>,
}

impl Attribution {
    /// Somebody says that this partner has credit.
    pub fn claim(
        new: NewAttribution,
        partner_id: PartnerId,
        allocation_rank: i32,
        now: DateTime<Utc>,
    ) -> Self {
        let NewAttribution {
            external_id,
            deal_id,
            partner_id: _,
            role,
            share_basis_points,
            touchpoint_ids,
            confirm: _,
        } = new;
        Self {
            id: AttributionId::new(now),
            external_id,
            deal_id,
            partner_id,
            role,
            share_basis_points,
            allocation_rank,
            status: AttributionStatus::Claimed,
            status_reason: None,
            confirmed_at: None,
            settled_at: None,
            touchpoint_ids,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The credit with the patch applied.
    pub fn patched(mut self, patch: AttributionPatch, now: DateTime<Utc>) -> Result<Self, Problem> {
        let AttributionPatch {
            external_id,
            share_basis_points,
            touchpoint_ids,
        } = patch;
        let share = share_basis_points.unwrap_or(self.share_basis_points);
        if share != self.share_basis_points && self.status != AttributionStatus::Claimed {
            return Err(self.refuse("change the share"));
        }
        let evidence = touchpoint_ids.unwrap_or_else(|| self.touchpoint_ids.clone());
        if evidence != self.touchpoint_ids && self.status != AttributionStatus::Claimed {
            return Err(self.refuse("change the evidence"));
        }
        self.touchpoint_ids = evidence;
        external_id.apply_to(&mut self.external_id);
        self.share_basis_points = share;
        Ok(self.changed(now))
    }

    /// Lets it count, with this share or the claimed one. `confirmed_basis_points` is what the role's other credits have.
    pub fn confirm(
        mut self,
        share_basis_points: Option<i32>,
        confirmed_basis_points: i64,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        match self.status {
            AttributionStatus::Claimed => {
                self.share_basis_points = share_basis_points.unwrap_or(self.share_basis_points);
                self.fits_beside(confirmed_basis_points)?;
                Ok(Self {
                    status: AttributionStatus::Confirmed,
                    confirmed_at: Some(now),
                    ..self.changed(now)
                })
            }
            AttributionStatus::Confirmed | AttributionStatus::Rejected => Err(self.refuse("confirm")),
        }
    }

    /// Lets a claim count on a deal that is won already, by which it is settled as well; only where the role has no
    /// confirmed credit, because its money was shared out among the others. Or gives settled credit another share, none
    /// at all being a rejection. `confirmed_basis_points` is what the credits of the deal and role have, this one's
    /// included if it counts.
    pub fn correct(
        self,
        share_basis_points: Option<i32>,
        confirmed_basis_points: i64,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        match self.status {
            AttributionStatus::Claimed if share_basis_points == Some(0) => Err(Problem::field(
                "/share_basis_points",
                "no_share",
                "A claim that shall not count is rejected.",
            )),
            AttributionStatus::Claimed if confirmed_basis_points == 0 => Ok(Self {
                settled_at: Some(now),
                ..self.confirm(share_basis_points, 0, now)?
            }),
            AttributionStatus::Claimed => Err(Problem::new(Code::DealSettled).because(format!(
                "The deal is won and the role {} has confirmed credit on it; that split stays as it is.",
                self.role
            ))),
            AttributionStatus::Confirmed if self.settled_at.is_some() => {
                let others = confirmed_basis_points - i64::from(self.share_basis_points);
                self.reshared(share_basis_points, others, reason, now)
            }
            AttributionStatus::Confirmed | AttributionStatus::Rejected => Err(self.refuse("correct")),
        }
    }

    fn reshared(
        mut self,
        share_basis_points: Option<i32>,
        others: i64,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        match share_basis_points {
            Some(0) => {
                self.status = AttributionStatus::Rejected;
                self.status_reason = Some(reason.to_owned());
            }
            Some(share) if share != self.share_basis_points => {
                self.share_basis_points = share;
                self.fits_beside(others)?;
            }
            _ => {
                let message = "Settled credit is corrected to another share, or to 0.";
                return Err(Problem::field("/share_basis_points", "unchanged", message));
            }
        }
        Ok(self.changed(now))
    }

    /// Gives it the share that a dispute finds, whether it was rejected or too little. On a won deal it is settled with
    /// that; what was never settled is so only where the role has no other, because its money was shared out among them.
    /// `others` is what the other credits of the deal and role have.
    pub fn restore(
        mut self,
        share_basis_points: i32,
        others: i64,
        is_won: bool,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        if self.counting_share() == share_basis_points {
            let message = "The credit counts with this share already.";
            return Err(Problem::field("/share_basis_points", "unchanged", message));
        }
        if is_won && self.settled_at.is_none() && others > 0 {
            return Err(Problem::new(Code::DealSettled).because(format!(
                "The deal is won and the role {} has confirmed credit on it; that split stays as it is.",
                self.role
            )));
        }
        self.share_basis_points = share_basis_points;
        self.fits_beside(others)?;
        Ok(Self {
            status: AttributionStatus::Confirmed,
            status_reason: None,
            confirmed_at: self.confirmed_at.or(Some(now)),
            settled_at: self.settled_at.or(is_won.then_some(now)),
            ..self.changed(now)
        })
    }

    /// The share that counts.
    pub const fn counting_share(&self) -> i32 {
        match self.status {
            AttributionStatus::Confirmed => self.share_basis_points,
            AttributionStatus::Claimed | AttributionStatus::Rejected => 0,
        }
    }

    /// Does not let it count.
    pub fn reject(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            AttributionStatus::Claimed => Ok(Self {
                status: AttributionStatus::Rejected,
                status_reason: Some(reason),
                ..self.changed(now)
            }),
            AttributionStatus::Confirmed | AttributionStatus::Rejected => Err(self.refuse("reject")),
        }
    }

    /// Refuses when the share is more than what the others leave, and says how much that is.
    fn fits_beside(&self, confirmed_basis_points: i64) -> Result<(), Problem> {
        let left = (WHOLE_BASIS_POINTS - confirmed_basis_points).max(0);
        if i64::from(self.share_basis_points) <= left {
            return Ok(());
        }
        let role = self.role;
        let message =
            format!("{left} of {WHOLE_BASIS_POINTS} basis points of the role {role} are left on this deal.");
        Err(Problem {
            errors: vec![FieldProblem::new("/share_basis_points", "exceeds_whole", message)],
            ..Problem::new(Code::SharesExceedWhole)
        })
    }

    fn changed(self, now: DateTime<Utc>) -> Self {
        Self {
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    fn refuse(&self, verb: &str) -> Problem {
        Problem::wrong_state(verb, self.status.as_str(), &self.status.moves())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-03-02T09:30:00Z".parse().unwrap()
    }

    fn claim_of(share_basis_points: i32) -> Attribution {
        let new = NewAttribution {
            external_id: None,
            deal_id: DealId::new(now()),
            partner_id: None,
            role: Role::Sourced,
            share_basis_points,
            touchpoint_ids: Vec::new(),
            confirm: false,
        };
        Attribution::claim(new, PartnerId::new(now()), 1, now())
    }

    #[test]
    fn every_verb_from_every_state() {
        use AttributionStatus::{Claimed, Confirmed, Rejected};
        type Verb = fn(Attribution) -> Result<Attribution, Problem>;
        let verbs: [(&str, AttributionStatus, Verb); 3] = [
            ("confirm", Confirmed, |credit| credit.confirm(None, 0, now())),
            ("correct", Confirmed, |credit| {
                credit.correct(None, 0, "Why", now())
            }),
            ("reject", Rejected, |credit| {
                credit.reject("Late".to_owned(), now())
            }),
        ];
        for (name, reached, verb) in verbs {
            let moved = verb(claim_of(5_000)).unwrap();
            assert_eq!((moved.status, moved.row_version), (reached, 2), "{name}");
            assert!(Claimed.moves().contains(&name));
            for status in [Confirmed, Rejected] {
                let credit = Attribution {
                    status,
                    ..claim_of(5_000)
                };
                let problem = verb(credit).unwrap_err();
                assert_eq!(problem.code, Code::WrongState, "{name} from {status}");
                assert_eq!(problem.current_state.as_deref(), Some(status.as_str()));
                assert_eq!(
                    status.moves().contains(&name),
                    (name, status) == ("correct", Confirmed)
                );
            }
        }
    }

    #[test]
    fn shares_fill_the_whole_and_no_more() {
        for (share, others, fits) in [
            (10_000, 0, true),
            (1, 9_999, true),
            (4_000, 6_000, true),
            (4_001, 6_000, false),
            (1, 10_000, false),
            (10_000, 1, false),
        ] {
            let outcome = claim_of(share).confirm(None, others, now());
            assert_eq!(outcome.is_ok(), fits, "{share} beside {others}");
        }
    }

    #[test]
    fn a_late_credit_is_settled_and_alone_in_its_role() {
        let late = claim_of(4_000).correct(None, 0, "Why", now()).unwrap();
        assert_eq!((late.confirmed_at, late.settled_at), (Some(now()), Some(now())));
        let problem = claim_of(4_000).correct(None, 1, "Why", now()).unwrap_err();
        assert_eq!(problem.code, Code::DealSettled);
    }

    #[test]
    fn settled_credit_is_corrected_within_what_the_others_leave() {
        let settled = claim_of(4_000).correct(None, 0, "Late", now()).unwrap();
        let correct = |share, sum| settled.clone().correct(share, sum, "Agreed", now());
        let more = correct(Some(7_000), 7_000).unwrap();
        assert_eq!(
            (more.status, more.share_basis_points),
            (AttributionStatus::Confirmed, 7_000)
        );
        assert_eq!((settled.counting_share(), more.counting_share()), (4_000, 7_000));
        assert_eq!(
            correct(Some(7_001), 7_000).unwrap_err().code,
            Code::SharesExceedWhole
        );
        let none = correct(Some(0), 7_000).unwrap();
        assert_eq!(none.status, AttributionStatus::Rejected);
        assert_eq!(none.counting_share(), 0);
        for same in [None, Some(4_000)] {
            assert_eq!(correct(same, 4_000).unwrap_err().errors[0].code, "unchanged");
        }
        let open = claim_of(4_000).confirm(None, 0, now()).unwrap();
        assert_eq!(
            open.correct(Some(1), 4_000, "No", now()).unwrap_err().code,
            Code::WrongState
        );
        let zero = claim_of(4_000).correct(Some(0), 0, "No", now()).unwrap_err();
        assert_eq!(zero.errors[0].code, "no_share");
    }

    #[test]
    fn what_does_not_fit_is_told_how_much_is_left() {
        let problem = claim_of(6_000).confirm(None, 7_500, now()).unwrap_err();
        assert_eq!(problem.code, Code::SharesExceedWhole);
        let error = problem.errors.first().unwrap();
        assert_eq!(error.pointer, "/share_basis_points");
        assert_eq!(
            error.message,
            "2500 of 10000 basis points of the role sourced are left on this deal."
        );
    }

    #[test]
    fn a_share_changes_only_while_it_is_claimed() {
        let patch = |share| AttributionPatch {
            share_basis_points: Some(share),
            ..AttributionPatch::default()
        };
        let changed = claim_of(5_000).patched(patch(6_000), now()).unwrap();
        assert_eq!((changed.share_basis_points, changed.row_version), (6_000, 2));
        let confirmed = claim_of(5_000).confirm(None, 0, now()).unwrap();
        let problem = confirmed.clone().patched(patch(6_000), now()).unwrap_err();
        assert_eq!(problem.code, Code::WrongState);
        assert!(confirmed.clone().patched(patch(5_000), now()).is_ok());
        let renamed = AttributionPatch {
            external_id: Patch::Set("crm-1".to_owned()),
            ..AttributionPatch::default()
        };
        let named = confirmed.patched(renamed, now()).unwrap();
        assert_eq!(named.external_id.as_deref(), Some("crm-1"));
    }
}
