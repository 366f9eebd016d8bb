//! The life cycle of a dispute, as one table: everything that says which moves there are is made of it.

use crate::kernel::word::word_enum;

word_enum! {
    /// Where a dispute stands.
    DisputeStatus, "dispute status" {
        /// Nobody has looked at it yet.
        Open = "open",
        /// Somebody looks into it.
        InReview = "in_review",
        /// The partner is asked for something.
        NeedsInformation = "needs_information",
        /// The partner was right.
        Upheld = "upheld",
        /// The partner was right in part.
        PartiallyUpheld = "partially_upheld",
        /// The decision or amount stands.
        Denied = "denied",
        /// The partner took it back.
        Withdrawn = "withdrawn",
    }
}

word_enum! {
    /// How a dispute is decided.
    DisputeOutcome, "dispute outcome" {
        /// The partner was right.
        Upheld = "upheld",
        /// The partner was right in part.
        PartiallyUpheld = "partially_upheld",
        /// The decision or amount stands.
        Denied = "denied",
    }
}

impl DisputeOutcome {
    /// The state that it ends in.
    pub const fn status(self) -> DisputeStatus {
        match self {
            Self::Upheld => DisputeStatus::Upheld,
            Self::PartiallyUpheld => DisputeStatus::PartiallyUpheld,
            Self::Denied => DisputeStatus::Denied,
        }
    }
}

/// One verb: what it is called, and from where it leads where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The verb.
    pub verb: &'static str,
    /// The states that it starts from.
    pub from: &'static [DisputeStatus],
    /// The states that it may end in.
    pub to: &'static [DisputeStatus],
}

use DisputeStatus as Is;

/// Every move there is. A review may be taken over while it runs.
pub const MOVES: &[Move] = &[
    Move {
        verb: "review",
        from: &Is::LIVE,
        to: &[Is::InReview],
    },
    Move {
        verb: "request_information",
        from: &[Is::InReview],
        to: &[Is::NeedsInformation],
    },
    Move {
        verb: "answer",
        from: &[Is::NeedsInformation],
        to: &[Is::InReview],
    },
    Move {
        verb: "decide",
        from: &[Is::InReview],
        to: &[Is::Upheld, Is::PartiallyUpheld, Is::Denied],
    },
    Move {
        verb: "withdraw",
        from: &Is::LIVE,
        to: &[Is::Withdrawn],
    },
];

impl DisputeStatus {
    /// The states in which nothing is decided.
    pub const LIVE: [Self; 3] = [Self::Open, Self::InReview, Self::NeedsInformation];

    /// The verbs that this state allows.
    pub fn moves(self) -> Vec<&'static str> {
        let here = MOVES.iter().filter(|one| one.from.contains(&self));
        here.map(|one| one.verb).collect()
    }

    /// Whether the verb leads from here to there.
    pub fn leads(self, verb: &str, to: Self) -> bool {
        MOVES
            .iter()
            .any(|one| one.verb == verb && one.from.contains(&self) && one.to.contains(&to))
    }

    /// Whether nothing is decided yet.
    pub fn is_live(self) -> bool {
        Self::LIVE.contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The life cycle in a line, as the charter and the OpenAPI document have it.
    fn diagram() -> String {
        let line = |from: &DisputeStatus| {
            let leads = |to: &&DisputeStatus| {
                let reaches = |one: &Move| one.from.contains(from) && one.to.contains(to);
                *to != from && MOVES.iter().any(reaches)
            };
            let to = DisputeStatus::ALL.iter().filter(leads).map(|to| to.as_str());
            let to: Vec<&str> = to.collect();
            (!to.is_empty()).then(|| format!("{from} → {}", to.join(" | ")))
        };
        let lines: Vec<String> = DisputeStatus::ALL.iter().filter_map(line).collect();
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
        for text in [include_str!("../mod.rs"), include_str!("../http.rs")] {
            assert!(flowing(text).contains(&diagram), "{diagram}");
        }
    }

    #[test]
    fn what_is_decided_goes_nowhere() {
        for &status in DisputeStatus::ALL {
            assert_eq!(status.moves().is_empty(), !status.is_live(), "{status}");
        }
        for outcome in DisputeOutcome::ALL {
            assert_eq!(outcome.as_str(), outcome.status().as_str());
            assert!(DisputeStatus::InReview.leads("decide", outcome.status()));
        }
    }
}
