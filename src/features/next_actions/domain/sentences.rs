//! Why something is to be done, in a sentence with the figures.

use super::{Finding, NextActionKind as Kind};
use chrono::{DateTime, TimeDelta, Utc};

impl Finding {
    pub(super) fn why(&self, now: DateTime<Utc>) -> String {
        let name = &self.name;
        let waited = span(now - self.since);
        match self.kind {
            Kind::ResubmitRegistration => match &self.detail {
                Some(reason) => {
                    format!("The registration for {name} came back to you {waited} ago: {reason}")
                }
                None => format!("The registration for {name} came back to you {waited} ago."),
            },
            Kind::GiveEvidence => format!(
                "Your claim to {name} has been contested for {waited}, and you have brought nothing forward; {}.",
                self.deadline(now, "the decision")
            ),
            Kind::ExtendProtection => format!(
                "The protection of {name} {}; {} left.",
                self.end(now),
                count(self.figure, "extension is", "extensions are")
            ),
            Kind::AcceptTerms => format!(
                "Version {} of the terms of {name} was published {waited} ago; you accepted {}.",
                self.detail(),
                self.other.as_deref().unwrap_or("none so far")
            ),
            Kind::HandInDocument => format!(
                "{name} asks for what is not on file for you, verified and valid: {}.",
                self.detail()
            ),
            Kind::AddPayoutMethod => format!(
                "{}{} waiting for you, and there is no payout method in {name}.",
                self.worth(),
                count(self.figure, "commission is", "commissions are")
            ),
            Kind::MendPayoutMethod => format!(
                "{}this payout did not reach you {waited} ago: {} The money waits; say how else you are paid in {name}.",
                self.worth(),
                ended(self.detail())
            ),
            Kind::SubmitDraft => {
                format!("The registration for {name} has been a draft for {waited} and protects nothing yet.")
            }
            Kind::SubmitFirstReferral => {
                format!("You have been in {name} for {waited} and have submitted 0 referrals.")
            }
            Kind::RegisterFirstDeal => {
                format!("You have been in {name} for {waited} and have registered 0 deals.")
            }
            Kind::MakeFirstLink => format!("You have been in {name} for {waited} and have 0 active links."),
            Kind::AddContact => {
                format!("{name} has named 0 contacts in {waited}; nobody knows whom to talk to.")
            }
            Kind::AnswerDispute => format!(
                "Your dispute about {} has waited {waited} for your answer: {}",
                disputed(name),
                self.detail()
            ),
            _ => self.why_the_organization(now, &waited),
        }
    }

    fn why_the_organization(&self, now: DateTime<Utc>, waited: &str) -> String {
        let (name, other, worth) = (&self.name, self.other(), self.worth());
        let deadline = || self.deadline(now, "the answer");
        match self.kind {
            Kind::AnswerReferral => format!("{worth}{other} referred {name} {waited} ago; {}.", deadline()),
            Kind::ReviewRegistration => {
                format!("{worth}{other} registered {name} {waited} ago; {}.", deadline())
            }
            Kind::DecideConflict => format!(
                "{} {name} have waited {waited} for a decision; {}.",
                count(self.figure, "claim to", "claims to"),
                self.deadline(now, "the decision")
            ),
            Kind::ReviewDispute => format!(
                "{worth}{other} disputed {} {waited} ago, and nobody looks into it; {}.",
                disputed(name),
                deadline()
            ),
            Kind::DecideDispute => format!(
                "{worth}{other}'s dispute about {} is in review and waits for a decision; {}.",
                disputed(name),
                deadline()
            ),
            Kind::AnswerExtension => format!(
                "{other} asked {waited} ago for more time for {name}; {}.",
                deadline()
            ),
            Kind::ConfirmCredit => format!(
                "{other} claimed {}.{:02}% of the {} credit for {name} {waited} ago.",
                self.figure / 100,
                self.figure % 100,
                self.detail()
            ),
            Kind::ApproveCommissions => format!(
                "{} due in {name} for {waited} and not approved.",
                count(self.figure, "commission has been", "commissions have been")
            ),
            Kind::DraftPayoutRun => format!(
                "{} ready to be paid in {name} for {waited}, and no run has been drafted since.",
                count(self.figure, "commission has been", "commissions have been")
            ),
            Kind::ApprovePayoutRun => format!(
                "{} in the run {name}, drafted {waited} ago, for a second person to approve.",
                count(self.figure, "payout is", "payouts are")
            ),
            Kind::ProcessPayoutRun => format!(
                "{} in the run {name}, approved {waited} ago and not on their way yet.",
                count(self.figure, "payout is", "payouts are")
            ),
            Kind::SettlePayoutRun => format!(
                "{} in the run {name} for {waited}, and nobody has said whether the money arrived.",
                count(
                    self.figure,
                    "payout has been on its way",
                    "payouts have been on their way"
                )
            ),
            Kind::ConfirmPayoutMethod => format!(
                "{other} is to be paid in {name} by what was proposed {waited} ago, once a second person confirms it."
            ),
            Kind::VerifyDocument => format!(
                "{other} handed in {name} ({}) {waited} ago, and nobody has looked at it.",
                self.detail()
            ),
            Kind::ApproveAdjustment => format!(
                "{worth}an adjustment for {other} was proposed {waited} ago and counts once a second person approves it."
            ),
            Kind::ReviewPartner => format!("{name} applied {waited} ago and has no answer yet."),
            Kind::ActivateEnrollment => format!("{other} asked {waited} ago to take part in {name}."),
            Kind::DecideMatch => format!(
                "{name} and {other} are alike by {} of 10000 and may be one company.",
                self.figure
            ),
            _ => format!(
                "{worth}{other}'s registration of {name} was submitted {waited} ago and is in review; {}.",
                deadline()
            ),
        }
    }

    fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or_default()
    }

    fn other(&self) -> &str {
        self.other.as_deref().unwrap_or_default()
    }

    /// What it is worth, to begin a sentence with.
    fn worth(&self) -> String {
        self.amount
            .map(|amount| format!("{amount}: "))
            .unwrap_or_default()
    }

    fn deadline(&self, now: DateTime<Utc>, what: &str) -> String {
        match self.due_at {
            Some(due) if due <= now => format!("{what} is {} late", span(now - due)),
            Some(due) => format!("{what} is due in {}", span(due - now)),
            None => format!("{what} has no deadline"),
        }
    }

    fn end(&self, now: DateTime<Utc>) -> String {
        let left = self.due_at.map(|due| span(due - now)).unwrap_or_default();
        format!("ends in {left}")
    }
}

/// What somebody wrote, as a sentence.
fn ended(text: &str) -> String {
    let text = text.trim_end();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{text}{stop}")
}

/// What is disputed, as a word of a sentence.
fn disputed(noun: &str) -> String {
    let article = if noun.starts_with('a') { "an" } else { "a" };
    format!("{article} {}", noun.replace('_', " "))
}

fn count(number: i64, one: &str, several: &str) -> String {
    let what = if number == 1 { one } else { several };
    format!("{number} {what}")
}

/// A time in its largest whole unit.
fn span(time: TimeDelta) -> String {
    let (days, hours, minutes) = (time.num_days(), time.num_hours(), time.num_minutes());
    match (days, hours) {
        (1.., _) => count(days, "day", "days"),
        (_, 1..) => count(hours, "hour", "hours"),
        _ => count(minutes.max(0), "minute", "minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::money::{Currency, Money};
    use rust_decimal::Decimal;
    use uuid::Uuid;

    fn finding(kind: Kind) -> Finding {
        let now: DateTime<Utc> = "2026-03-02T09:00:00Z".parse().unwrap();
        let euro = Currency::from_code("EUR").unwrap();
        Finding {
            kind,
            subject_id: Uuid::nil(),
            target_id: Uuid::nil(),
            name: "Hansa".to_owned(),
            detail: Some("sourced".to_owned()),
            other: Some("Nordlicht".to_owned()),
            figure: 2_505,
            amount: Some(Money::new(Decimal::new(1_250, 2), euro).unwrap()),
            since: now - TimeDelta::days(3),
            due_at: Some(now - TimeDelta::minutes(90)),
        }
    }

    #[test]
    fn a_sentence_has_the_figures() {
        let now: DateTime<Utc> = "2026-03-02T09:00:00Z".parse().unwrap();
        assert_eq!(
            finding(Kind::AnswerReferral).why(now),
            "12.50 EUR: Nordlicht referred Hansa 3 days ago; the answer is 1 hour late."
        );
        assert_eq!(
            finding(Kind::ConfirmCredit).why(now),
            "Nordlicht claimed 25.05% of the sourced credit for Hansa 3 days ago."
        );
        let late = Finding {
            name: "attribution".to_owned(),
            ..finding(Kind::DecideDispute)
        };
        assert_eq!(
            late.why(now),
            "12.50 EUR: Nordlicht's dispute about an attribution is in review and waits for a decision; the answer is 1 \
             hour late."
        );
        let one = Finding {
            figure: 1,
            ..finding(Kind::AddPayoutMethod)
        };
        assert_eq!(
            one.why(now),
            "12.50 EUR: 1 commission is waiting for you, and there is no payout method in Hansa."
        );
    }

    #[test]
    fn a_time_is_told_in_its_largest_unit() {
        assert_eq!(span(TimeDelta::seconds(-5)), "0 minutes");
        assert_eq!(span(TimeDelta::minutes(59)), "59 minutes");
        assert_eq!(span(TimeDelta::minutes(60)), "1 hour");
        assert_eq!(span(TimeDelta::hours(50)), "2 days");
    }
}
