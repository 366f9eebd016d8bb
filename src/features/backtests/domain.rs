//! What a back-test is, and what it finds.

use crate::features::commission_rules::CommissionRuleVersion;
use crate::features::commissions::Compared;
use crate::kernel::ctx::ActorId;
use crate::kernel::id::{
    BacktestId, CommissionId, CommissionRuleId, CommissionRuleVersionId, CreditNoteId, DealId, PartnerId,
    PaymentId, ProgramId,
};
use crate::kernel::money::{Currency, Money, MoneyError, Total};
use crate::kernel::time::Period;
use crate::kernel::word::word_enum;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The biggest differences that are kept for each currency.
const LARGEST: usize = 25;
/// Partners that are kept, those with the biggest differences first.
const MOST_PARTNERS: usize = 10_000;

word_enum! {
    /// Where a back-test stands.
    BacktestStatus, "back-test status" {
        /// It waits for a worker.
        Queued = "queued",
        /// It is being worked out.
        Running = "running",
        /// It has an outcome.
        Succeeded = "succeeded",
        /// It could not be worked out.
        Failed = "failed",
    }
}

word_enum! {
    /// Why a back-test failed.
    BacktestError, "back-test error" {
        /// The draft was given other terms before the back-test came to it.
        TermsChanged = "terms_changed",
        /// A rule of the program was put in force meanwhile that would tie with it.
        RulesTie = "rules_tie",
        /// Something could not be worked out.
        InternalError = "internal_error",
    }
}

/// Why what a back-test finds is proposed as adjustments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recalculation {
    /// Why, for a person.
    pub reason: String,
    /// How many adjustments it proposed, once it has succeeded.
    pub adjustments_proposed: Option<i64>,
    /// Those who made the secret of the key that asked: no second person with another key.
    #[serde(skip)]
    pub secret_makers: Vec<Uuid>,
}

/// A recalculation that has an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlierRecalculation {
    /// Its id.
    pub id: BacktestId,
    /// The first day of its period, and the day after the last.
    pub days: (NaiveDate, NaiveDate),
    /// The same in the program's time zone of then.
    pub period: Period,
    /// The rule.
    pub commission_rule_id: CommissionRuleId,
    /// The version that it went by.
    pub rule_version_id: CommissionRuleVersionId,
}

/// A question, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backtest {
    /// Its id.
    pub id: BacktestId,
    /// The program of the rule.
    pub program_id: ProgramId,
    /// The rule.
    pub commission_rule_id: CommissionRuleId,
    /// The version.
    pub rule_version_id: CommissionRuleVersionId,
    /// The hash of its terms.
    pub terms_hash: String,
    /// The first day of the period.
    pub from_on: NaiveDate,
    /// The day after its last.
    pub until_on: NaiveDate,
    /// The period in the program's time zone.
    #[serde(skip)]
    pub period: Period,
    /// Where it stands.
    pub status: BacktestStatus,
    /// Lines that were worked out.
    pub lines_done: i64,
    /// What it found.
    #[serde(skip)]
    pub findings: Option<Findings>,
    /// Why it failed.
    pub error: Option<BacktestError>,
    /// What makes it a recalculation: what it finds is proposed as adjustments.
    pub recalculation: Option<Recalculation>,
    /// Who asked: the person where there is one.
    pub created_by: Option<ActorId>,
    /// When a worker took it up.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    #[serde(skip)]
    pub row_version: i64,
    /// When it was asked for: what had been recorded then counts.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What was paid and what would have been, for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Pieces of money that it was paid for.
    pub lines: i64,
    /// What was paid.
    pub was: Total,
    /// What would have been.
    pub would_be: Total,
}

/// A piece of money for which a partner would have got something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The line that was earned with it.
    pub commission_id: CommissionId,
    /// The deal.
    pub deal_id: DealId,
    /// The payment.
    pub payment_id: Option<PaymentId>,
    /// The credit note.
    pub credit_note_id: Option<CreditNoteId>,
    /// The partner.
    pub partner_id: PartnerId,
    /// What it got.
    pub was: Money,
    /// What it would have got.
    pub would_be: Money,
    /// The version that decided.
    pub rule_version_id: Option<CommissionRuleVersionId>,
    /// The version that would have.
    pub would_be_rule_version_id: Option<CommissionRuleVersionId>,
}

/// What a back-test found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// In all, by currency.
    pub totals: Vec<Figures>,
    /// By partner and currency, the biggest difference first.
    pub partners: Vec<(PartnerId, Figures)>,
    /// The biggest differences of each currency, the biggest first.
    pub largest: Vec<Difference>,
}

/// Findings as they come together: as large as there are partners, however many lines there are.
#[derive(Debug, Default)]
pub struct Gathering {
    partners: BTreeMap<(Currency, PartnerId), Figures>,
    largest: BTreeMap<Currency, Vec<Difference>>,
}

impl Backtest {
    /// A back-test that waits for a worker.
    pub fn queue(
        version: &CommissionRuleVersion,
        (from_on, until_on): (NaiveDate, NaiveDate),
        period: Period,
        recalculation: Option<Recalculation>,
        by: Option<ActorId>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: BacktestId::new(now),
            program_id: version.program_id,
            commission_rule_id: version.commission_rule_id,
            rule_version_id: version.id,
            terms_hash: version.terms_hash.clone(),
            from_on,
            until_on,
            period,
            status: BacktestStatus::Queued,
            lines_done: 0,
            findings: None,
            error: None,
            recalculation,
            created_by: by,
            started_at: None,
            finished_at: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// It has an outcome; of a recalculation this many adjustments are proposed.
    #[must_use]
    pub fn succeeded(self, findings: Findings, proposals: usize, now: DateTime<Utc>) -> Self {
        let adjustments_proposed = Some(i64::try_from(proposals).unwrap_or(i64::MAX));
        let recalculation = self.recalculation.clone().map(|recalculation| Recalculation {
            adjustments_proposed,
            ..recalculation
        });
        Self {
            findings: Some(findings),
            recalculation,
            ..self.ended(BacktestStatus::Succeeded, now)
        }
    }

    /// It cannot be worked out.
    #[must_use]
    pub fn failed(self, error: BacktestError, now: DateTime<Utc>) -> Self {
        Self {
            error: Some(error),
            ..self.ended(BacktestStatus::Failed, now)
        }
    }

    /// So many lines further.
    #[must_use]
    pub fn further(self, lines: i64, now: DateTime<Utc>) -> Self {
        Self {
            lines_done: self.lines_done + lines,
            ..self.changed(now)
        }
    }

    fn ended(self, status: BacktestStatus, now: DateTime<Utc>) -> Self {
        Self {
            status,
            finished_at: Some(now),
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
}

impl Figures {
    /// What would have been paid more; less, where it is below zero.
    pub fn difference(&self) -> Result<Total, MoneyError> {
        self.would_be.checked_sub(self.was)
    }

    fn plus(self, other: Self) -> Result<Self, MoneyError> {
        Ok(Self {
            lines: self.lines + other.lines,
            was: self.was.checked_add(other.was)?,
            would_be: self.would_be.checked_add(other.would_be)?,
        })
    }
}

impl Difference {
    /// What the partner would have got more; less, where it is below zero.
    pub fn difference(&self) -> Result<Money, MoneyError> {
        self.would_be.checked_sub(self.was)
    }

    /// The bigger first; the earlier line and partner first among equals, so that the order is always the same.
    fn rank(&self) -> (Reverse<i128>, CommissionId, PartnerId) {
        let units = self.would_be.minor_units() - self.was.minor_units();
        (Reverse(units.abs()), self.commission_id, self.partner_id)
    }
}

impl Gathering {
    /// Takes in what was compared.
    pub fn take(&mut self, compared: Compared) -> Result<(), MoneyError> {
        let currency = compared.was.currency();
        let figures = Figures {
            lines: 1,
            was: compared.was.into(),
            would_be: compared.would_be.into(),
        };
        let key = (currency, compared.partner_id);
        let sum = match self.partners.get(&key) {
            Some(before) => before.plus(figures)?,
            None => figures,
        };
        self.partners.insert(key, sum);
        if figures.difference()?.is_zero() {
            return Ok(());
        }
        let largest = self.largest.entry(currency).or_default();
        largest.push(compared.into());
        if largest.len() >= 2 * LARGEST {
            keep_largest(largest);
        }
        Ok(())
    }

    /// How much more each partner would have got in each currency; less, where it is below zero.
    pub fn differences(&self) -> Result<BTreeMap<(PartnerId, Currency), Total>, MoneyError> {
        let partners = self.partners.iter();
        partners
            .map(|((currency, partner_id), figures)| Ok(((*partner_id, *currency), figures.difference()?)))
            .collect()
    }

    /// What was found.
    pub fn findings(&self) -> Result<Findings, MoneyError> {
        let mut totals: BTreeMap<Currency, Figures> = BTreeMap::new();
        for ((currency, _), figures) in &self.partners {
            let sum = match totals.get(currency) {
                Some(before) => before.plus(*figures)?,
                None => *figures,
            };
            totals.insert(*currency, sum);
        }
        let partners = self.partners.iter();
        let mut partners: Vec<_> = partners
            .map(|((_, partner_id), figures)| (*partner_id, *figures))
            .collect();
        partners.sort_by_key(|(partner_id, figures)| {
            let more = figures.would_be.amount() - figures.was.amount();
            (figures.was.currency(), Reverse(more.abs()), *partner_id)
        });
        partners.truncate(MOST_PARTNERS);
        let mut largest = Vec::new();
        for differences in self.largest.values() {
            let mut differences = differences.clone();
            keep_largest(&mut differences);
            largest.extend(differences);
        }
        Ok(Findings {
            totals: totals.into_values().collect(),
            partners,
            largest,
        })
    }
}

fn keep_largest(differences: &mut Vec<Difference>) {
    differences.sort_by_key(Difference::rank);
    differences.truncate(LARGEST);
}

impl From<Compared> for Difference {
    fn from(compared: Compared) -> Self {
        Self {
            commission_id: compared.commission_id,
            deal_id: compared.deal_id,
            payment_id: compared.payment_id,
            credit_note_id: compared.credit_note_id,
            partner_id: compared.partner_id,
            was: compared.was,
            would_be: compared.would_be,
            rule_version_id: compared.rule_version_id,
            would_be_rule_version_id: compared.would_be_rule_version_id,
        }
    }
}
