//! The life cycle of a registration, as one table: everything that says which moves there are is made of it.

use crate::kernel::word::word_enum;

word_enum! {
    /// Where a registration stands.
    RegistrationStatus, "registration status" {
        /// The partner still writes it.
        Draft = "draft",
        /// It waits for an answer.
        Submitted = "submitted",
        /// Somebody looks at it.
        InReview = "in_review",
        /// Something is missing; the partner mends it and submits again.
        ActionRequired = "action_required",
        /// The partner is protected.
        Approved = "approved",
        /// It was not approved.
        Rejected = "rejected",
        /// The partner took it back.
        Withdrawn = "withdrawn",
        /// Its deal was won.
        Converted = "converted",
        /// Its deal was lost.
        Lost = "lost",
        /// The protection came to its end.
        Expired = "expired",
        /// The protection was taken away.
        Revoked = "revoked",
    }
}

/// One verb: what it is called, from where it leads where, and whether callers have it. The others follow from what
/// happens to the deal, from time, or from a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The verb.
    pub verb: &'static str,
    /// The states that it starts from.
    pub from: &'static [RegistrationStatus],
    /// The state that it ends in.
    pub to: RegistrationStatus,
    /// Whether there is an operation for it.
    pub is_called: bool,
}

use RegistrationStatus as Is;

/// Every move there is.
pub const MOVES: &[Move] = &[
    called("submit", &[Is::Draft, Is::ActionRequired], Is::Submitted),
    called("review", &[Is::Submitted], Is::InReview),
    called("approve", &[Is::Submitted, Is::InReview], Is::Approved),
    called(
        "reject",
        &[Is::Submitted, Is::InReview, Is::ActionRequired],
        Is::Rejected,
    ),
    called(
        "request_action",
        &[Is::Submitted, Is::InReview],
        Is::ActionRequired,
    ),
    called(
        "withdraw",
        &[Is::Draft, Is::Submitted, Is::InReview, Is::ActionRequired],
        Is::Withdrawn,
    ),
    called("revoke", &[Is::Approved], Is::Revoked),
    followed("convert", &[Is::Approved], Is::Converted),
    followed("lose", &[Is::Approved], Is::Lost),
    followed("expire", &[Is::Approved], Is::Expired),
    followed("reopen", DISPUTABLE, Is::InReview),
    followed("reinstate", &[Is::Expired, Is::Revoked], Is::Approved),
];

/// The states that a decision left, which a dispute may undo.
const DISPUTABLE: &[Is] = &[Is::Rejected, Is::Expired, Is::Revoked];

const fn called(verb: &'static str, from: &'static [Is], to: Is) -> Move {
    Move {
        verb,
        from,
        to,
        is_called: true,
    }
}

const fn followed(verb: &'static str, from: &'static [Is], to: Is) -> Move {
    Move {
        verb,
        from,
        to,
        is_called: false,
    }
}

impl RegistrationStatus {
    /// The states of a claim that stands in the way of others.
    pub const LIVE: [Self; 4] = [
        Self::Submitted,
        Self::InReview,
        Self::ActionRequired,
        Self::Approved,
    ];

    /// Whether nothing comes of the claim any more: it was given up, turned down or ended by time.
    pub fn is_over(self) -> bool {
        !Self::LIVE.contains(&self) && !matches!(self, Self::Draft | Self::Converted)
    }

    /// The verbs of callers that this state allows.
    pub fn moves(self) -> Vec<&'static str> {
        let here = MOVES
            .iter()
            .filter(|one| one.is_called && one.from.contains(&self));
        here.map(|one| one.verb).collect()
    }

    /// Where the verb leads from here, if it leads anywhere.
    pub fn after(self, verb: &str) -> Option<Self> {
        let found = MOVES
            .iter()
            .find(|one| one.verb == verb && one.from.contains(&self));
        found.map(|one| one.to)
    }

    /// Whether a decision left it here that a dispute may undo.
    pub fn is_disputable(self) -> bool {
        DISPUTABLE.contains(&self)
    }

    /// Whether the partner may still change what it says.
    pub const fn is_open_to_changes(self) -> bool {
        matches!(self, Self::Draft | Self::ActionRequired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The life cycle in a line, as the charter and the OpenAPI document have it.
    fn diagram() -> String {
        let line = |from: &RegistrationStatus| {
            let leads =
                |to: &&RegistrationStatus| MOVES.iter().any(|one| one.from.contains(from) && one.to == **to);
            let to: Vec<&str> = RegistrationStatus::ALL
                .iter()
                .filter(leads)
                .map(|to| to.as_str())
                .collect();
            (!to.is_empty()).then(|| format!("{from} → {}", to.join(" | ")))
        };
        let lines: Vec<String> = RegistrationStatus::ALL.iter().filter_map(line).collect();
        lines.join("; ")
    }

    /// The text without the marks of comments and the ends of lines.
    fn flowing(text: &str) -> String {
        let lines = text.lines().map(|line| {
            line.trim()
                .trim_start_matches("//!")
                .trim_start_matches("///")
                .trim()
        });
        lines.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn charter_and_document_show_the_machine() {
        let diagram = diagram();
        for text in [include_str!("../mod.rs"), include_str!("../http/mod.rs")] {
            assert!(flowing(text).contains(&diagram), "{diagram}");
        }
    }

    #[test]
    fn only_what_is_protected_or_disputed_goes_on_after_a_decision() {
        for &status in RegistrationStatus::ALL {
            let goes_on = MOVES.iter().any(|one| one.from.contains(&status));
            let is_over = !RegistrationStatus::LIVE.contains(&status) && status != RegistrationStatus::Draft;
            assert_eq!(goes_on, !is_over || status.is_disputable(), "{status}");
        }
    }
}
