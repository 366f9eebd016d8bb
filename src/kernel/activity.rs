//! What counts as an action of a partner, and which one makes it useful for the first time. This is the one place where
//! a room plugs its events in.

use super::motion::Motion;
use super::word::word_enum;
use chrono::{DateTime, TimeDelta, Utc};

word_enum! {
    /// Whether a partner does something.
    ActivityStatus, "activity status" {
        /// Its last action lies within the time that the organization set.
        Active = "active",
        /// It does not, or there was none.
        Dormant = "dormant",
    }
}

/// Events of a partner that say that something came of it. None is a login, a change of its people or keys, or money
/// that followed by rule.
const ACTIONS: &[&str] = &[
    "account_list.shared",
    "attribution.confirmed",
    "attribution.created",
    "deal.created",
    "deal.won",
    "deal_registration.approved",
    "deal_registration.created",
    "deal_registration.submitted",
    "referral.accepted",
    "referral.converted",
    "referral.submitted",
    "referral_link.converted",
    "touchpoint.recorded",
];

/// The first useful action of each motion.
const ACTIVATIONS: &[(&str, Motion)] = &[
    ("account_list.shared", Motion::Integration),
    ("attribution.confirmed", Motion::Agency),
    ("deal_registration.approved", Motion::CoSell),
    ("deal_registration.approved", Motion::Reseller),
    ("referral.accepted", Motion::Referral),
    ("referral_link.converted", Motion::Affiliate),
];

/// The types of events that are actions of a partner.
pub const fn actions() -> &'static [&'static str] {
    ACTIONS
}

/// The types of events that activate a partner, each with its motion.
pub const fn activations() -> &'static [(&'static str, Motion)] {
    ACTIVATIONS
}

/// Where a partner stands whose last action was at this instant.
pub fn status(
    last_action_at: Option<DateTime<Utc>>,
    dormant_after_days: i32,
    now: DateTime<Utc>,
) -> ActivityStatus {
    match dormant_from(last_action_at, dormant_after_days) {
        Some(instant) if now < instant => ActivityStatus::Active,
        _ => ActivityStatus::Dormant,
    }
}

/// From when on a partner is dormant if it does nothing more; none when it never did anything.
pub fn dormant_from(last_action_at: Option<DateTime<Utc>>, dormant_after_days: i32) -> Option<DateTime<Utc>> {
    let days = TimeDelta::days(i64::from(dormant_after_days));
    last_action_at.and_then(|last| last.checked_add_signed(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_is_dormant_from_the_very_instant_on() {
        let last: DateTime<Utc> = "2026-03-02T09:30:00Z".parse().unwrap();
        let at = |days: i64, seconds: i64| last + TimeDelta::days(days) + TimeDelta::seconds(seconds);
        assert_eq!(status(Some(last), 90, at(90, -1)), ActivityStatus::Active);
        assert_eq!(status(Some(last), 90, at(90, 0)), ActivityStatus::Dormant);
        assert_eq!(status(None, 90, last), ActivityStatus::Dormant);
    }

    #[test]
    fn what_activates_is_an_action_and_every_motion_has_one() {
        for (name, _) in ACTIVATIONS {
            assert!(ACTIONS.contains(name), "{name}");
        }
        for motion in Motion::ALL {
            assert!(ACTIVATIONS.iter().any(|(_, of)| of == motion), "{motion}");
        }
    }
}
