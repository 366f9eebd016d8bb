//! What a report shows.

use crate::kernel::money::{MoneyError, Total};
use crate::kernel::word::word_enum;

word_enum! {
    /// What the rows of a report stand for.
    GroupBy, "grouping" {
        /// A program.
        Program = "program",
        /// A motion.
        Motion = "motion",
        /// A partner.
        Partner = "partner",
        /// The tier of the partner's enrollment.
        Tier = "tier",
        /// The partner's country.
        Region = "region",
        /// A calendar month in the organization's time zone.
        Month = "month",
    }
}

/// The figures of one group in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// What the group is: an id, a word or a month; empty where it has none.
    pub key: String,
    /// Its name for a person.
    pub label: String,
    /// Deals won in the period.
    pub deals_won: i64,
    /// Money received, net of tax, less refunds and credit notes.
    pub net_revenue: Total,
    /// What resellers kept of the list price of what that money was for; a price, and nothing that anybody is paid.
    pub reseller_margin: Total,
    /// Of deals with a sourced credit.
    pub sourced_revenue: Total,
    /// Of deals with an influenced credit.
    pub influenced_revenue: Total,
    /// Of deals with a delivered credit.
    pub delivered_revenue: Total,
    /// Earned in the period.
    pub earned: Total,
    /// Taken back in the period.
    pub clawed_back: Total,
    /// What people gave in the period, less what they took.
    pub adjusted: Total,
    /// The part of it that was given up of what partners owed.
    pub written_off: Total,
    /// Exchanged in the period: into the currency less out of it.
    pub exchanged: Total,
    /// Paid in the period, less what came back.
    pub paid: Total,
    /// In a running hold at the end of the period.
    pub held: Total,
    /// Waiting for approval at the end of the period.
    pub due: Total,
    /// Approved and not in a payout at the end of the period, disputed or not; negative where more was taken back than is left.
    pub approved: Total,
    /// In a payout that is not settled at the end of the period.
    pub in_payout: Total,
}

impl Figures {
    /// Earned less taken back.
    pub fn net_earned(&self) -> Result<Total, MoneyError> {
        self.earned.checked_sub(self.clawed_back)
    }

    /// What the partner still has coming at the end of the period.
    pub fn open_balance(&self) -> Result<Total, MoneyError> {
        self.held
            .checked_add(self.due)?
            .checked_add(self.approved)?
            .checked_add(self.in_payout)
    }

    /// Adds another group's figures; for totals.
    pub fn add(&mut self, other: &Self) -> Result<(), MoneyError> {
        self.deals_won += other.deals_won;
        let pairs = [
            (&mut self.net_revenue, other.net_revenue),
            (&mut self.reseller_margin, other.reseller_margin),
            (&mut self.sourced_revenue, other.sourced_revenue),
            (&mut self.influenced_revenue, other.influenced_revenue),
            (&mut self.delivered_revenue, other.delivered_revenue),
            (&mut self.earned, other.earned),
            (&mut self.clawed_back, other.clawed_back),
            (&mut self.adjusted, other.adjusted),
            (&mut self.written_off, other.written_off),
            (&mut self.exchanged, other.exchanged),
            (&mut self.paid, other.paid),
            (&mut self.held, other.held),
            (&mut self.due, other.due),
            (&mut self.approved, other.approved),
            (&mut self.in_payout, other.in_payout),
        ];
        for (sum, amount) in pairs {
            *sum = sum.checked_add(amount)?;
        }
        Ok(())
    }

    /// Adds the balances of the month before; for rows that follow one another in time.
    pub fn carry(&mut self, before: &Self) -> Result<(), MoneyError> {
        self.held = self.held.checked_add(before.held)?;
        self.due = self.due.checked_add(before.due)?;
        self.approved = self.approved.checked_add(before.approved)?;
        self.in_payout = self.in_payout.checked_add(before.in_payout)?;
        Ok(())
    }
}

/// A whole report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The groups.
    pub rows: Vec<Figures>,
    /// One row per currency: everything, each deal once. Balances and flows as in the rows.
    pub totals: Vec<Figures>,
}
