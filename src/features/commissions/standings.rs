//! How far partners have come under rules that count or have a cap, while lines are worked out.

use crate::kernel::commission::{Growth, Standing};
use crate::kernel::id::{CommissionRuleId, PartnerId};
use crate::kernel::money::{Currency, Money, MoneyError};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Whose standing, under which rule and over which period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The rule.
    pub rule_id: CommissionRuleId,
    /// The partner.
    pub partner_id: PartnerId,
    /// The currency.
    pub currency: Currency,
    /// The period, by its first day.
    pub period: String,
    /// Whether tiers count over it, besides its being the period of a cap.
    pub use_of: Use,
}

/// What a period is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Tiers count over it.
    Tiers,
    /// A cap is set over it.
    Cap,
    /// Both.
    Both,
}

/// What is counted over one period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// Net money received, less what was refunded.
    pub volume: Decimal,
    /// Units.
    pub units: Decimal,
    /// The exact sum behind what was rounded.
    pub exact: Decimal,
    /// What was posted, less what was taken back.
    pub posted: Decimal,
    /// What corrections of credit take of a cap beside that.
    pub corrected: Decimal,
}

/// What names a row: the rule, the partner, the currency and the period.
pub type Row = (CommissionRuleId, PartnerId, Currency, String);

/// Rows of standings, as they were locked and as they are changed.
#[derive(Debug, Default)]
pub struct Standings {
    rows: BTreeMap<Row, Count>,
}

impl Key {
    /// The keys of one line: of its tiers and of its cap, once where they have one period.
    pub fn of(
        rule_id: CommissionRuleId,
        partner_id: PartnerId,
        currency: Currency,
        tiers: Option<String>,
        cap: Option<String>,
    ) -> Vec<Self> {
        let key = |period, use_of| Self {
            rule_id,
            partner_id,
            currency,
            period,
            use_of,
        };
        match (tiers, cap) {
            (Some(tiers), Some(cap)) if tiers == cap => vec![key(tiers, Use::Both)],
            (tiers, cap) => tiers
                .map(|period| key(period, Use::Tiers))
                .into_iter()
                .chain(cap.map(|period| key(period, Use::Cap)))
                .collect(),
        }
    }

    /// The row that it names.
    pub fn row(&self) -> Row {
        (self.rule_id, self.partner_id, self.currency, self.period.clone())
    }
}

impl Count {
    /// What is taken of a cap.
    pub fn used(&self) -> Decimal {
        self.posted + self.corrected
    }
}

impl Standings {
    /// Takes a row as it was read.
    pub fn insert(&mut self, row: Row, count: Count) {
        self.rows.insert(row, count);
    }

    /// Every row, in order.
    pub fn rows(&self) -> impl Iterator<Item = (&Row, &Count)> {
        self.rows.iter()
    }

    /// The standing that the keys of a line come to.
    pub fn of(&self, keys: &[Key]) -> Standing {
        let mut standing = Standing::default();
        for key in keys {
            let count = self.rows.get(&key.row()).cloned().unwrap_or_default();
            if key.use_of != Use::Tiers {
                standing.cap_period.clone_from(&key.period);
                standing.cap_used = count.used();
            }
            if key.use_of != Use::Cap {
                standing.tier_period.clone_from(&key.period);
                standing.volume = count.volume;
                standing.count = count.units;
                standing.exact = count.exact;
                standing.posted = count.posted;
            }
        }
        standing
    }

    /// Adds what a line grew by and what it posted.
    pub fn add(&mut self, keys: &[Key], growth: Growth, posted: Money) -> Result<(), MoneyError> {
        for key in keys {
            let count = self.rows.entry(key.row()).or_default();
            let add = |one: Decimal, other: Decimal| one.checked_add(other).ok_or(MoneyError::OutOfRange);
            count.posted = add(count.posted, posted.amount())?;
            if key.use_of != Use::Cap {
                count.volume = add(count.volume, growth.volume)?;
                count.units = add(count.units, growth.count)?;
                count.exact = add(count.exact, growth.exact)?;
            }
        }
        Ok(())
    }
}
