//! What is known of the transfer by which the service pays a payout itself.

use super::payout::{Payout, PayoutStatus};
use crate::kernel::id::PayoutId;
use crate::kernel::money::{Currency, Money};
use crate::kernel::word::word_enum;
use crate::platform::stripe::TransferOrder;
use chrono::{DateTime, TimeDelta, Utc};

/// For how long the rail surely knows the key of an order again: Stripe's 24 hours, less one for what clocks differ by.
const KEY_IS_KNOWN: TimeDelta = TimeDelta::hours(23);
/// How long a transfer belongs to the worker that took it up; longer than all its requests may take together.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// How long it rests after the first attempt; twice as long after each further one.
const FIRST_REST_SECONDS: i64 = 4;
/// How long it rests at most.
const LONGEST_REST_SECONDS: i64 = 600;

word_enum! {
    /// Where a transfer stands.
    TransferStatus, "transfer status" {
        /// No order of it can have arrived.
        Queued = "queued",
        /// An order may have arrived, and its answer is not known.
        Sent = "sent",
        /// It was made.
        Made = "made",
        /// It was refused for good.
        Refused = "refused",
        /// It is not known whether it was made, and the rail does not tell any more; a person has to look.
        Unresolved = "unresolved",
        /// A person decided what became of the payout.
        Closed = "closed",
    }
}

/// What a worker does with a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It orders it, for the first time or once more with the same key.
    Order,
    /// It asks whether there is one, and orders nothing.
    LookUp,
}

/// The transfer of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutTransfer {
    /// The payout.
    pub payout_id: PayoutId,
    /// Where it stands.
    pub status: TransferStatus,
    /// How often a worker took it up.
    pub attempts: i32,
    /// When a worker takes it up next, by the machine's clock.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The first order whose answer is not known, by the machine's clock.
    pub uncertain_since: Option<DateTime<Utc>>,
    /// Tells with which secret key that was.
    pub sent_with: Option<String>,
    /// What the rail calls it.
    pub transfer_id: Option<String>,
    /// What came back of it.
    pub reversed: Money,
    /// Whether there may be several, or the payout was paid in another way: what the rail tells of one moves nothing.
    pub is_ambiguous: bool,
    /// What the rail told last of one of them.
    pub told: Option<Told>,
}

/// What the rail tells of a transfer that may not be the one that pays a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What the rail calls it.
    pub transfer_id: String,
    /// What came back of it.
    pub reversed: Money,
}

/// A transfer that a worker took up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What is ordered.
    pub order: TransferOrder,
    /// The transfer as it is while the worker has it.
    pub transfer: PayoutTransfer,
    /// What the worker does.
    pub step: Step,
    /// Whether no order before this one can have arrived.
    pub is_first: bool,
}

impl PayoutTransfer {
    /// One that is to be ordered.
    pub fn queue(payout_id: PayoutId, currency: Currency, wall_now: DateTime<Utc>) -> Self {
        Self {
            payout_id,
            status: TransferStatus::Queued,
            attempts: 0,
            next_attempt_at: Some(wall_now),
            uncertain_since: None,
            sent_with: None,
            transfer_id: None,
            reversed: Money::zero(currency),
            is_ambiguous: false,
            told: None,
        }
    }

    /// Whether what the rail tells of this transfer of the payout may be about another one than that which pays it: there are
    /// several, or a person said that it was paid by something else.
    pub fn is_beside(&self, transfer_id: &str, payout: &Payout) -> bool {
        let is_another = |known: &Option<String>| known.as_deref() != Some(transfer_id);
        let was_paid = matches!(payout.status, PayoutStatus::Paid | PayoutStatus::Returned);
        self.is_ambiguous
            || self.transfer_id.is_some() && is_another(&self.transfer_id)
            || was_paid && is_another(&payout.reference)
    }

    /// This was told of one that may be beside it.
    #[must_use]
    pub fn told_beside(self, told: Told) -> Self {
        Self {
            is_ambiguous: true,
            told: Some(told),
            ..self
        }
    }

    /// A worker takes it up, with this secret key. It is taken for sent from here on, whatever becomes of the worker. It is
    /// only ordered again while the rail knows the order by its key, and by the account that the first one went to.
    pub fn take_up(self, sent_with: &str, wall_now: DateTime<Utc>) -> (Self, Step) {
        let is_known = |since: DateTime<Utc>| {
            wall_now - since < KEY_IS_KNOWN && self.sent_with.as_deref() == Some(sent_with)
        };
        let step = if self.uncertain_since.is_none_or(is_known) {
            Step::Order
        } else {
            Step::LookUp
        };
        let taken = Self {
            status: TransferStatus::Sent,
            attempts: self.attempts.saturating_add(1),
            next_attempt_at: Some(wall_now + LEASE),
            uncertain_since: self.uncertain_since.or(Some(wall_now)),
            sent_with: match self.uncertain_since {
                Some(_) => self.sent_with,
                None => Some(sent_with.to_owned()),
            },
            ..self
        };
        (taken, step)
    }

    /// Whether the worker that took it up may still send an order: later on it may be another one's.
    pub fn is_held_at(&self, wall_now: DateTime<Utc>) -> bool {
        self.next_attempt_at.is_some_and(|until| wall_now < until)
    }

    /// It rests; nobody knows what became of an order.
    #[must_use]
    pub fn rest(self, wall_now: DateTime<Utc>) -> Self {
        Self {
            next_attempt_at: Some(wall_now + self.pause()),
            ..self
        }
    }

    /// It rests; no order can have arrived.
    #[must_use]
    pub fn requeue(self, wall_now: DateTime<Utc>) -> Self {
        Self {
            status: TransferStatus::Queued,
            uncertain_since: None,
            ..self.rest(wall_now)
        }
    }

    /// It was made.
    #[must_use]
    pub fn made(self, transfer_id: &str) -> Self {
        Self {
            transfer_id: Some(transfer_id.to_owned()),
            ..self.ended(TransferStatus::Made)
        }
    }

    /// Nothing more is done by the service.
    #[must_use]
    pub fn ended(self, status: TransferStatus) -> Self {
        Self {
            status,
            next_attempt_at: None,
            ..self
        }
    }

    fn pause(&self) -> TimeDelta {
        let doublings = u32::try_from(self.attempts.clamp(1, 16) - 1).unwrap_or(0);
        TimeDelta::seconds((FIRST_REST_SECONDS << doublings).min(LONGEST_REST_SECONDS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "0123456789abcdef";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600 + seconds, 0).unwrap()
    }

    fn queued() -> PayoutTransfer {
        PayoutTransfer::queue(PayoutId::new(at(0)), Currency::USD, at(0))
    }

    proptest! {
        /// However long it takes, and whichever key is set meanwhile: nothing is ordered once the rail may have forgotten
        /// an order that may have arrived.
        #[test]
        fn nothing_is_ordered_again_that_may_be_forgotten(
            steps in prop::collection::vec((0_i64..100_000, any::<bool>(), any::<bool>()), 1..20)
        ) {
            let (mut transfer, mut now) = (queued(), 0);
            let mut first_doubt: Option<(i64, bool)> = None;
            for (wait, is_other_key, is_lost) in steps {
                now += wait;
                let key = if is_other_key { "fedcba9876543210" } else { KEY };
                let (taken, step) = transfer.take_up(key, at(now));
                prop_assert_eq!(taken.status, TransferStatus::Sent);
                match first_doubt {
                    Some((since, other)) => {
                        let may = now - since < 23 * 3_600 && other == is_other_key;
                        prop_assert_eq!(step == Step::Order, may);
                    }
                    None => prop_assert_eq!(step, Step::Order),
                }
                transfer = if is_lost || first_doubt.is_some() {
                    first_doubt = first_doubt.or(Some((now, is_other_key)));
                    taken.rest(at(now))
                } else {
                    taken.requeue(at(now))
                };
                let since = first_doubt.map(|(since, _)| at(since));
                prop_assert_eq!(transfer.uncertain_since, since);
                prop_assert_eq!(transfer.status == TransferStatus::Queued, since.is_none());
            }
        }

        #[test]
        fn it_rests_longer_and_longer_but_not_for_ever(attempts in 1_i32..i32::MAX) {
            let transfer = PayoutTransfer { attempts, ..queued() };
            let pause = transfer.pause();
            prop_assert!(pause >= TimeDelta::seconds(FIRST_REST_SECONDS));
            prop_assert!(pause <= TimeDelta::seconds(LONGEST_REST_SECONDS));
            let later = PayoutTransfer { attempts: attempts.saturating_add(1), ..queued() };
            prop_assert!(later.pause() >= pause);
        }
    }

    #[test]
    fn a_worker_has_it_for_two_minutes() {
        let (taken, step) = queued().take_up(KEY, at(0));
        assert_eq!((step, taken.attempts), (Step::Order, 1));
        assert!(taken.is_held_at(at(119)));
        assert!(!taken.is_held_at(at(120)));
    }

    #[test]
    fn what_has_ended_is_taken_up_no_more() {
        let (taken, _) = queued().take_up(KEY, at(0));
        let made = taken.clone().made("tr_1");
        assert_eq!((made.status, made.next_attempt_at), (TransferStatus::Made, None));
        assert_eq!(made.transfer_id.as_deref(), Some("tr_1"));
        assert_eq!(taken.ended(TransferStatus::Unresolved).next_attempt_at, None);
    }
}
