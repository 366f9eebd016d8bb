//! What a review decides: a pure function of where an enrollment stands and what it has earned.

use super::TierOutcome;
use chrono::{DateTime, Utc};

/// What the decision goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The rank of the tier that the enrollment carries; zero for none.
    pub current: usize,
    /// The rank that the figures give; zero for none.
    pub earned: usize,
    /// Whether reviews leave the tier as it is.
    pub is_pinned: bool,
    /// When the tier falls, where that was announced.
    pub falls_at: Option<DateTime<Utc>>,
    /// When a fall that is announced now would come.
    pub grace_end: DateTime<Utc>,
    /// The present.
    pub now: DateTime<Utc>,
}

/// What a review decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// All stays as it is.
    Stay,
    /// Up to this rank, at once.
    Promote(usize),
    /// A fall is announced for this instant.
    Endanger(DateTime<Utc>),
    /// The fall that was announced does not come.
    Secure,
    /// Down to this rank: the grace is over.
    Demote(usize),
}

impl Decision {
    /// The word for it; none where all stays as it is.
    pub const fn outcome(self) -> Option<TierOutcome> {
        match self {
            Self::Stay => None,
            Self::Promote(_) => Some(TierOutcome::Promoted),
            Self::Endanger(_) => Some(TierOutcome::Endangered),
            Self::Secure => Some(TierOutcome::Secured),
            Self::Demote(_) => Some(TierOutcome::Demoted),
        }
    }

    /// The rank that it moves to, where it moves.
    pub const fn moves_to(self) -> Option<usize> {
        match self {
            Self::Promote(rank) | Self::Demote(rank) => Some(rank),
            Self::Stay | Self::Endanger(_) | Self::Secure => None,
        }
    }

    /// When the tier falls after this decision, if it fell at `before` until now.
    pub const fn falls_at(self, before: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        match self {
            Self::Stay => before,
            Self::Endanger(at) => Some(at),
            Self::Promote(_) | Self::Secure | Self::Demote(_) => None,
        }
    }
}

/// Up at once; down after the grace that was announced, to what is earned by then.
pub fn decide(facts: &Facts) -> Decision {
    if facts.is_pinned {
        return Decision::Stay;
    }
    if facts.earned > facts.current {
        return Decision::Promote(facts.earned);
    }
    if facts.earned == facts.current {
        return match facts.falls_at {
            Some(_) => Decision::Secure,
            None => Decision::Stay,
        };
    }
    match facts.falls_at {
        Some(at) if at > facts.now => Decision::Stay,
        None if facts.grace_end > facts.now => Decision::Endanger(facts.grace_end),
        Some(_) | None => Decision::Demote(facts.earned),
    }
}
