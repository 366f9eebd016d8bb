//! What an enrollment is and how it moves.

use crate::features::partners::PartnerStatus;
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;

word_enum! {
    /// Where an enrollment stands.
    EnrollmentStatus, "enrollment status" {
        /// The partner asked to take part.
        Applied = "applied",
        /// The partner takes part.
        Active = "active",
        /// The partner does not take part for now.
        Paused = "paused",
        /// The partner takes part no more.
        Ended = "ended",
    }
}

impl EnrollmentStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Applied => &["activate", "end"],
            Self::Active => &["pause", "end"],
            Self::Paused => &["resume", "end"],
            Self::Ended => &[],
        }
    }
}

/// An enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Enrollment {
    /// Its id.
    pub id: EnrollmentId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The partner that takes part.
    pub partner_id: PartnerId,
    /// The program that it takes part in.
    pub program_id: ProgramId,
    /// Where it stands.
    pub status: EnrollmentStatus,
    /// Why it stands there, where a reason was given.
    pub status_reason: Option<String>,
    /// The partner's tier in the program.
    pub tier: Option<String>,
    /// The version of the program's terms that the partner accepted.
    pub terms_version: Option<String>,
    /// When it became active for the first time.
    pub activated_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new enrollment is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnrollment {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The partner that takes part.
    pub partner_id: PartnerId,
    /// The program that it takes part in.
    pub program_id: ProgramId,
    /// The partner's tier in the program.
    pub tier: Option<String>,
    /// The version of the program's terms that the partner accepted.
    pub terms_version: Option<String>,
}

/// What may be changed of an enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EnrollmentPatch {
    /// The caller's key for it.
    pub external_id: Patch<String>,
    /// The partner's tier in the program.
    pub tier: Patch<String>,
    /// The version of the program's terms that the partner accepted.
    pub terms_version: Patch<String>,
}

impl Enrollment {
    /// A partner asks to take part in a program.
    pub fn apply(new: NewEnrollment, now: DateTime<Utc>) -> Self {
        let NewEnrollment {
            external_id,
            partner_id,
            program_id,
            tier,
            terms_version,
        } = new;
        Self {
            id: EnrollmentId::new(now),
            external_id,
            partner_id,
            program_id,
            status: EnrollmentStatus::Applied,
            status_reason: None,
            tier,
            terms_version,
            activated_at: None,
            ended_at: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The enrollment with the patch applied.
    #[must_use]
    pub fn patched(mut self, patch: EnrollmentPatch, now: DateTime<Utc>) -> Self {
        let EnrollmentPatch {
            external_id,
            tier,
            terms_version,
        } = patch;
        external_id.apply_to(&mut self.external_id);
        tier.apply_to(&mut self.tier);
        terms_version.apply_to(&mut self.terms_version);
        self.changed(now)
    }

    /// The enrollment in another tier, to which it was moved.
    #[must_use]
    pub fn in_tier(self, tier: Option<String>, now: DateTime<Utc>) -> Self {
        Self {
            tier,
            ..self.changed(now)
        }
    }

    /// Lets the partner take part; `partner` is where the partner stands.
    pub fn activate(self, partner: PartnerStatus, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            EnrollmentStatus::Applied => {
                self.require_approved("activate", partner)?;
                Ok(Self {
                    activated_at: Some(now),
                    ..self.moved(EnrollmentStatus::Active, None, now)
                })
            }
            _ => Err(self.refuse("activate")),
        }
    }

    /// Stops the partner from taking part for now.
    pub fn pause(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            EnrollmentStatus::Active => Ok(self.moved(EnrollmentStatus::Paused, Some(reason), now)),
            _ => Err(self.refuse("pause")),
        }
    }

    /// Lets the partner take part again; `partner` is where the partner stands.
    pub fn resume(self, partner: PartnerStatus, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            EnrollmentStatus::Paused => {
                self.require_approved("resume", partner)?;
                Ok(self.moved(EnrollmentStatus::Active, None, now))
            }
            _ => Err(self.refuse("resume")),
        }
    }

    /// Ends it for good.
    pub fn end(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            EnrollmentStatus::Applied | EnrollmentStatus::Active | EnrollmentStatus::Paused => Ok(Self {
                ended_at: Some(now),
                ..self.moved(EnrollmentStatus::Ended, Some(reason), now)
            }),
            EnrollmentStatus::Ended => Err(self.refuse("end")),
        }
    }

    fn moved(self, status: EnrollmentStatus, status_reason: Option<String>, now: DateTime<Utc>) -> Self {
        Self {
            status,
            status_reason,
            ..self.changed(now)
        }
    }

    fn changed(self, now: DateTime<Utc>) -> Self {
        Self {
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    fn refuse(&self, verb: &str) -> Problem {
        Problem::wrong_state(verb, self.status.as_str(), self.status.moves())
    }

    /// Only an approved partner takes part. The refusal names the moves that are left without it.
    fn require_approved(&self, verb: &str, partner: PartnerStatus) -> Result<(), Problem> {
        if partner == PartnerStatus::Approved {
            return Ok(());
        }
        let moves: Vec<&str> = self
            .status
            .moves()
            .iter()
            .copied()
            .filter(|&one| one != verb)
            .collect();
        Err(
            Problem::wrong_state(verb, self.status.as_str(), &moves).because(format!(
                "Cannot {verb}: the partner {} is {partner}, and only an approved partner takes part.",
                self.partner_id
            )),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::problem::Code;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn applied() -> Enrollment {
        let new = NewEnrollment {
            external_id: Some("crm-7".to_owned()),
            partner_id: PartnerId::new(at(1)),
            program_id: ProgramId::new(at(2)),
            tier: Some("silver".to_owned()),
            terms_version: Some("2026-01".to_owned()),
        };
        Enrollment::apply(new, at(100))
    }

    fn active() -> Enrollment {
        applied().activate(PartnerStatus::Approved, at(200)).unwrap()
    }

    fn paused() -> Enrollment {
        active().pause("Audit runs.".to_owned(), at(300)).unwrap()
    }

    fn ended() -> Enrollment {
        active().end("Terms expired.".to_owned(), at(300)).unwrap()
    }

    /// What each verb makes of the enrollment, by name.
    fn tries(enrollment: &Enrollment) -> Vec<(&'static str, Result<Enrollment, Problem>)> {
        let (approved, why) = (PartnerStatus::Approved, || "Because.".to_owned());
        let one = || enrollment.clone();
        vec![
            ("activate", one().activate(approved, at(900))),
            ("pause", one().pause(why(), at(900))),
            ("resume", one().resume(approved, at(900))),
            ("end", one().end(why(), at(900))),
        ]
    }

    #[test]
    fn it_lives_from_application_to_end() {
        let enrollment = applied();
        assert_eq!(
            (enrollment.status, enrollment.row_version),
            (EnrollmentStatus::Applied, 1)
        );
        let enrollment = enrollment.activate(PartnerStatus::Approved, at(200)).unwrap();
        assert_eq!(enrollment.status, EnrollmentStatus::Active);
        assert_eq!(enrollment.activated_at, Some(at(200)));
        let enrollment = enrollment.pause("Audit runs.".to_owned(), at(300)).unwrap();
        assert_eq!(enrollment.status, EnrollmentStatus::Paused);
        assert_eq!(enrollment.status_reason.as_deref(), Some("Audit runs."));
        let enrollment = enrollment.resume(PartnerStatus::Approved, at(400)).unwrap();
        assert_eq!(
            (enrollment.status, &enrollment.status_reason),
            (EnrollmentStatus::Active, &None)
        );
        assert_eq!(enrollment.activated_at, Some(at(200)));
        let enrollment = enrollment.end("Terms expired.".to_owned(), at(500)).unwrap();
        assert_eq!(enrollment.status, EnrollmentStatus::Ended);
        assert_eq!(
            (enrollment.ended_at, enrollment.updated_at),
            (Some(at(500)), at(500))
        );
        assert_eq!(enrollment.row_version, 5);
    }

    #[test]
    fn each_state_allows_the_moves_that_it_lists_and_refuses_the_others() {
        for enrollment in [applied(), active(), paused(), ended()] {
            let allowed = enrollment.status.moves();
            for (verb, outcome) in tries(&enrollment) {
                match outcome {
                    Ok(moved) => {
                        assert!(allowed.contains(&verb), "{verb} from {}", enrollment.status);
                        assert_ne!(moved.status, enrollment.status);
                        assert_eq!(moved.row_version, enrollment.row_version + 1);
                    }
                    Err(problem) => {
                        assert!(!allowed.contains(&verb), "{verb} from {}", enrollment.status);
                        assert_eq!(problem.code, Code::WrongState);
                        assert_eq!(problem.current_state.as_deref(), Some(enrollment.status.as_str()));
                        assert_eq!(problem.allowed_moves.unwrap(), allowed);
                    }
                }
            }
        }
    }

    #[test]
    fn only_an_approved_partner_takes_part() {
        let others = PartnerStatus::ALL
            .iter()
            .filter(|&&one| one != PartnerStatus::Approved);
        for &status in others {
            for (enrollment, outcome) in [
                (applied(), applied().activate(status, at(900))),
                (paused(), paused().resume(status, at(900))),
            ] {
                let problem = outcome.unwrap_err();
                assert_eq!(problem.code, Code::WrongState);
                assert_eq!(problem.allowed_moves.unwrap(), ["end"]);
                assert_eq!(problem.current_state.as_deref(), Some(enrollment.status.as_str()));
                let detail = problem.detail.unwrap();
                assert!(detail.contains(status.as_str()), "{detail}");
            }
        }
    }

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let patch = EnrollmentPatch {
            tier: Patch::Set("gold".to_owned()),
            terms_version: Patch::Clear,
            ..EnrollmentPatch::default()
        };
        let before = active();
        let after = before.clone().patched(patch, at(900));
        let expected = Enrollment {
            tier: Some("gold".to_owned()),
            terms_version: None,
            row_version: 3,
            updated_at: at(900),
            ..before
        };
        assert_eq!(after, expected);
    }
}
