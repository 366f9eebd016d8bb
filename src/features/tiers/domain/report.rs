//! What reviews and people ask for and are told.

use super::{Decision, SpanFigures, TierLadder, TierOutcome, TierStanding};
use crate::features::enrollments::Enrollment;
use crate::kernel::id::{EnrollmentId, PartnerId};
use chrono::{DateTime, Utc};

/// What a review came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many enrollments were looked at.
    pub reviewed: i64,
    /// How many moved up.
    pub promoted: i64,
    /// How many moved down.
    pub demoted: i64,
    /// For how many the grace began.
    pub endangered: i64,
    /// For how many the grace ended, because the figures recovered.
    pub secured: i64,
}

/// What a review would do to one enrollment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreseen {
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// What would happen.
    pub outcome: TierOutcome,
    /// The tier that it carries.
    pub from_tier: Option<String>,
    /// The tier that the figures give.
    pub to_tier: Option<String>,
    /// When the tier would fall.
    pub falls_at: Option<DateTime<Utc>>,
}

/// Where an enrollment stands, what it has reached, and what is ahead.
#[derive(Debug, Clone)]
pub struct Overview {
    /// The enrollment.
    pub enrollment: Enrollment,
    /// What is known of it besides its tier.
    pub standing: TierStanding,
    /// The ladder.
    pub ladder: TierLadder,
    /// Its place on it; zero for none.
    pub rank: usize,
    /// The place that the figures give.
    pub earned: usize,
    /// What it has reached in the present span.
    pub present: Option<SpanFigures>,
    /// What is ahead, in words.
    pub forecast: String,
}

/// Where a person moves an enrollment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualMove {
    /// To which tier.
    pub tier: Option<String>,
    /// Why.
    pub reason: String,
    /// Until when reviews leave it there.
    pub pinned_until: Option<DateTime<Utc>>,
}

impl Tally {
    /// Counts one more enrollment.
    pub fn count(&mut self, decision: Decision) {
        self.reviewed += 1;
        match decision.outcome() {
            Some(TierOutcome::Promoted) => self.promoted += 1,
            Some(TierOutcome::Demoted) => self.demoted += 1,
            Some(TierOutcome::Endangered) => self.endangered += 1,
            Some(TierOutcome::Secured) => self.secured += 1,
            None => {}
        }
    }

    /// Adds what another batch came to.
    pub fn add(&mut self, other: Self) {
        self.reviewed += other.reviewed;
        self.promoted += other.promoted;
        self.demoted += other.demoted;
        self.endangered += other.endangered;
        self.secured += other.secured;
    }
}
