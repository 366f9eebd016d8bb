//! What a ladder is, and where an enrollment stands on it.

mod decision;
mod forecast;
mod report;
mod span;

pub use decision::{Decision, Facts, decide};
pub use forecast::{Outlook, Progress, forecast, progress};
pub use report::{Foreseen, ManualMove, Overview, Tally};
pub use span::{Span, day_after, grace_end, respite_end, spans};

use crate::kernel::ctx::ActorId;
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId, TierMoveId};
use crate::kernel::money::Currency;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::word::word_enum;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

word_enum! {
    /// What a criterion counts, within a period.
    StandingMetric, "standing metric" {
        /// Money received for deals of the partner, without tax, less refunds.
        PaidRevenue = "paid_revenue",
        /// The amounts of the partner's deals that were won.
        WonRevenue = "won_revenue",
        /// The partner's deals that were won.
        WonDeals = "won_deals",
        /// The partner's referrals that were accepted.
        AcceptedReferrals = "accepted_referrals",
        /// The partner's deal registrations that were approved and not revoked.
        ApprovedRegistrations = "approved_registrations",
        /// The partner's certifications, by name, that were valid on a day of the period, and not revoked in or before it.
        Certifications = "certifications",
    }
}

impl StandingMetric {
    /// Whether it counts money, in one currency.
    pub const fn is_money(self) -> bool {
        matches!(self, Self::PaidRevenue | Self::WonRevenue)
    }
}

word_enum! {
    /// How long a tier is earned for.
    TierPeriod, "tier period" {
        /// A month of the calendar.
        Month = "month",
        /// A quarter of the calendar.
        Quarter = "quarter",
        /// A year of the calendar.
        Year = "year",
        /// The last months, ending today.
        Rolling = "rolling",
    }
}

word_enum! {
    /// Who moved a partner.
    TierMoveCause, "tier move cause" {
        /// A review, by the figures.
        Review = "review",
        /// A person, for a reason of its own.
        Person = "person",
        /// A change of the enrollment itself, in a program without a ladder.
        Edit = "edit",
    }
}

word_enum! {
    /// What a review does to an enrollment.
    TierOutcome, "tier outcome" {
        /// It moves up.
        Promoted = "promoted",
        /// Its grace begins.
        Endangered = "endangered",
        /// Its grace ends, because the figures recovered.
        Secured = "secured",
        /// It moves down.
        Demoted = "demoted",
    }
}

/// One thing that a tier asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    /// What is counted.
    pub metric: StandingMetric,
    /// What must be reached.
    #[serde(with = "rust_decimal::serde::str")]
    pub threshold: Decimal,
    /// The currency, where it is money.
    pub currency: Option<Currency>,
}

/// A step of a ladder; its rank is its place, from 1 on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tier {
    /// What enrollments carry and commission rules name.
    pub code: String,
    /// What a person calls it.
    pub name: String,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// What it asks for; all of it has to be met. Nothing is met by everybody.
    pub criteria: Vec<Criterion>,
}

/// The tiers of a program, the lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TierLadder {
    /// The program.
    pub program_id: ProgramId,
    /// How long a tier is earned for.
    pub period: TierPeriod,
    /// How many months, where the period is rolling.
    pub period_months: Option<i32>,
    /// Days between the review that finds a tier lost and the fall.
    pub grace_days: i32,
    /// The tiers.
    pub tiers: Vec<Tier>,
    /// Counts its changes; zero where nobody has set it up.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What may be changed of a ladder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TierLadderPatch {
    /// How long a tier is earned for.
    pub period: Option<TierPeriod>,
    /// How many months, where the period is rolling.
    pub period_months: Option<i32>,
    /// Days of grace.
    pub grace_days: Option<i32>,
    /// All tiers, in place of those before.
    pub tiers: Option<Vec<Tier>>,
}

impl TierLadder {
    /// The ladder of a program that nobody has set up: it has no tiers.
    pub fn none(program_id: ProgramId, now: DateTime<Utc>) -> Self {
        Self {
            program_id,
            period: TierPeriod::Quarter,
            period_months: None,
            grace_days: 30,
            tiers: Vec::new(),
            row_version: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// The ladder with the patch applied.
    pub fn patched(mut self, patch: TierLadderPatch, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.period = patch.period.unwrap_or(self.period);
        self.period_months = match (self.period, patch.period_months) {
            (TierPeriod::Rolling, months) => months.or(self.period_months),
            (_, None) => None,
            (_, Some(_)) => {
                let message = "Only a rolling period has a number of months.";
                return Err(Problem::field("/period_months", "not_rolling", message));
            }
        };
        if self.period == TierPeriod::Rolling && self.period_months.is_none() {
            let message = "A rolling period needs its number of months.";
            return Err(Problem::field("/period_months", "missing", message));
        }
        self.grace_days = patch.grace_days.unwrap_or(self.grace_days);
        self.tiers = patch.tiers.unwrap_or(self.tiers);
        self.row_version += 1;
        self.updated_at = now;
        Ok(self)
    }

    /// The rank of a tier by its code; zero for none and for what is not on the ladder.
    pub fn rank_of(&self, code: Option<&str>) -> usize {
        let place = code.and_then(|code| self.tiers.iter().position(|tier| tier.code == code));
        place.map_or(0, |place| place + 1)
    }

    /// The tier of a rank.
    pub fn tier(&self, rank: usize) -> Option<&Tier> {
        rank.checked_sub(1).and_then(|place| self.tiers.get(place))
    }

    /// The code of a rank; none for zero.
    pub fn code(&self, rank: usize) -> Option<String> {
        self.tier(rank).map(|tier| tier.code.clone())
    }

    /// The highest rank of which one span holds all that it asks for; zero when there is none.
    pub fn earned(&self, spans: &[SpanFigures]) -> usize {
        let is_met = |tier: &Tier| spans.iter().any(|span| span.meets(&tier.criteria));
        self.tiers.iter().rposition(is_met).map_or(0, |place| place + 1)
    }

    /// Everything that the tiers ask for, once.
    pub fn counted(&self) -> Vec<(StandingMetric, Option<Currency>)> {
        let mut counted: Vec<_> = self
            .tiers
            .iter()
            .flat_map(|tier| tier.criteria.iter().map(|one| (one.metric, one.currency)))
            .collect();
        counted.sort();
        counted.dedup();
        counted
    }

    /// Refuses to take away tiers that partners are in.
    pub fn require_kept(&self, carried: &[String]) -> Result<(), Problem> {
        let gone = carried.iter().find(|code| self.rank_of(Some(code)) == 0);
        match gone {
            None => Ok(()),
            Some(code) => Err(Problem::field(
                "/tiers",
                "tier_in_use",
                format!("Partners are in the tier {code}; move them before it is taken away."),
            )),
        }
    }
}

/// How much was counted of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// What was counted.
    pub metric: StandingMetric,
    /// The currency, where it is money.
    pub currency: Option<Currency>,
    /// How much.
    #[serde(with = "rust_decimal::serde::str")]
    pub value: Decimal,
}

/// What was counted in one span of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanFigures {
    /// Its first day.
    pub starts_on: NaiveDate,
    /// Its last day.
    pub ends_on: NaiveDate,
    /// What was counted.
    pub figures: Vec<Figure>,
}

impl SpanFigures {
    /// How much of it there is.
    pub fn value(&self, criterion: &Criterion) -> Decimal {
        let wanted = (criterion.metric, criterion.currency);
        let found = self
            .figures
            .iter()
            .find(|one| (one.metric, one.currency) == wanted);
        found.map_or(Decimal::ZERO, |figure| figure.value)
    }

    /// Whether all of them are met; a threshold that is reached exactly is.
    pub fn meets(&self, criteria: &[Criterion]) -> bool {
        criteria.iter().all(|one| self.value(one) >= one.threshold)
    }
}

/// What is known of an enrollment besides its tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TierStanding {
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// Until when reviews leave the tier as it is.
    pub pinned_until: Option<DateTime<Utc>>,
    /// Why.
    pub pin_reason: Option<String>,
    /// When the tier falls unless the figures recover.
    pub falls_at: Option<DateTime<Utc>>,
    /// When it was last reviewed.
    pub reviewed_at: Option<DateTime<Utc>>,
    /// When it is reviewed next; never while the enrollment is not active.
    pub review_at: Option<DateTime<Utc>>,
    /// Counts what people did to it.
    pub row_version: i64,
}

impl TierStanding {
    /// Whether reviews leave the tier as it is.
    pub fn is_pinned(&self, now: DateTime<Utc>) -> bool {
        self.pinned_until.is_some_and(|until| now < until)
    }

    /// Has reviews leave the tier as it is until an instant. What would have fallen does not.
    pub fn pinned(self, until: DateTime<Utc>, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        if until <= now {
            let message = "A tier is pinned until an instant that is still to come.";
            return Err(Problem::field("/pinned_until", "not_ahead", message));
        }
        Ok(Self {
            pinned_until: Some(until),
            pin_reason: Some(reason),
            falls_at: None,
            row_version: self.row_version + 1,
            ..self
        })
    }

    /// Has reviews move the tier again.
    pub fn unpinned(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        if !self.is_pinned(now) {
            return Err(Problem::wrong_state(
                "unpin-tier",
                "not_pinned",
                &["pin-tier", "move-tier"],
            ));
        }
        Ok(Self {
            pinned_until: None,
            pin_reason: None,
            row_version: self.row_version + 1,
            ..self
        })
    }

    /// A person has moved the tier: what would have fallen does not, and what kept it where it was is over.
    #[must_use]
    pub fn moved(self) -> Self {
        Self {
            falls_at: None,
            pinned_until: None,
            pin_reason: None,
            row_version: self.row_version + 1,
            ..self
        }
    }
}

/// A move from tier to tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TierMove {
    /// Its id.
    pub id: TierMoveId,
    /// Of which enrollment.
    pub enrollment_id: EnrollmentId,
    /// Whose that is.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// From which tier.
    pub from_tier: Option<String>,
    /// To which tier.
    pub to_tier: Option<String>,
    /// Who moved it.
    pub cause: TierMoveCause,
    /// Why.
    pub reason: String,
    /// The person or key that did; nobody did where it was a review of the service's own.
    pub moved_by: Option<ActorId>,
    /// The figures of that moment.
    pub figures: Vec<SpanFigures>,
    /// When.
    pub moved_at: DateTime<Utc>,
}

impl TierMove {
    /// Whether it led down the ladder, and the enrollment that is in this tier now has not come back up since.
    pub fn is_fall(&self, ladder: &TierLadder, present: Option<&str>) -> bool {
        let before = ladder.rank_of(self.from_tier.as_deref());
        ladder.rank_of(self.to_tier.as_deref()) < before && ladder.rank_of(present) < before
    }
}

/// What contradicts in some tiers; nothing when they go together.
pub fn contradictions(tiers: &[Tier]) -> Vec<FieldProblem> {
    let mut found = Vec::new();
    for (place, tier) in tiers.iter().enumerate() {
        let before = tiers.iter().take(place);
        let mut refuse = |field: &str, code: &str, message: &str| {
            found.push(FieldProblem::new(
                format!("/tiers/{place}/{field}"),
                code,
                message,
            ));
        };
        if before.clone().any(|other| other.code == tier.code) {
            refuse("code", "duplicate", "Another tier of the ladder has this code.");
        }
        if tier.external_id.is_some() && before.clone().any(|other| other.external_id == tier.external_id) {
            refuse(
                "external_id",
                "duplicate",
                "Another tier of the ladder has this external id.",
            );
        }
        if tier.criteria.is_empty() && before.clone().any(|lower| !lower.criteria.is_empty()) {
            let message = "A lower tier asks for something, and this one for nothing.";
            refuse("criteria", "descending", message);
        }
        for (number, one) in tier.criteria.iter().enumerate() {
            let mut earlier = tier.criteria.iter().take(number);
            if earlier.any(|other| (other.metric, other.currency) == (one.metric, one.currency)) {
                let field = format!("criteria/{number}/metric");
                refuse(&field, "duplicate", "The tier asks for this already.");
            }
            let asks_more = |other: &Criterion| {
                (other.metric, other.currency) == (one.metric, one.currency)
                    && other.threshold > one.threshold
            };
            if before.clone().any(|lower| lower.criteria.iter().any(asks_more)) {
                let field = format!("criteria/{number}/threshold");
                refuse(&field, "descending", "A lower tier asks for more of this.");
            }
        }
    }
    found
}

/// Refuses what is asked of a program without tiers.
pub fn no_ladder() -> Problem {
    let detail = "The program has no tiers: set them with PATCH /v1/programs/{program_id}/tiers.";
    Problem::new(Code::WrongState).because(detail)
}

#[cfg(test)]
mod tests;
