//! What people decide about pairs of accounts: that two are one or are not, and that one takes the other over.

use crate::kernel::ctx::ActorId;
use crate::kernel::id::{AccountId, AccountMatchId, AccountMergeId};
use crate::kernel::matching::{Reason, Verdict};
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;

word_enum! {
    /// Where a pair of accounts stands.
    PairStatus, "account match status" {
        /// It waits for a person.
        Suggested = "suggested",
        /// A person says that the two are one company.
        Confirmed = "confirmed",
        /// A person says that they are two.
        Rejected = "rejected",
    }
}

/// The moves of a pair, about which a person may think again: from where, by which verb, to where.
pub const PAIR_MOVES: &[(PairStatus, &str, PairStatus)] = &[
    (PairStatus::Suggested, "confirm", PairStatus::Confirmed),
    (PairStatus::Suggested, "reject", PairStatus::Rejected),
    (PairStatus::Confirmed, "reject", PairStatus::Rejected),
    (PairStatus::Rejected, "confirm", PairStatus::Confirmed),
];

impl PairStatus {
    /// The verbs that this state allows.
    pub fn moves(self) -> Vec<&'static str> {
        let own = PAIR_MOVES.iter().filter(|(from, _, _)| *from == self);
        let mut verbs: Vec<_> = own.map(|(_, verb, _)| *verb).collect();
        verbs.dedup();
        verbs
    }
}

/// Two accounts that may be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// Its id.
    pub id: AccountMatchId,
    /// The older account.
    pub account_id: AccountId,
    /// The younger one.
    pub other_account_id: AccountId,
    /// Where it stands.
    pub status: PairStatus,
    /// Why a person decided so.
    pub status_reason: Option<String>,
    /// How much spoke for it when it was suggested, between 0 and 10,000.
    pub score: i32,
    /// What spoke for it and against it.
    pub reasons: Vec<Reason>,
    /// Who decided.
    pub decided_by: Option<ActorId>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Pair {
    /// A suggestion; a pair is written in one way, whichever account was looked at.
    pub fn suggest(one: AccountId, other: AccountId, verdict: Verdict, now: DateTime<Utc>) -> Self {
        let in_order = one.uuid() < other.uuid();
        let (account_id, other_account_id) = if in_order { (one, other) } else { (other, one) };
        Self {
            id: AccountMatchId::new(now),
            account_id,
            other_account_id,
            status: PairStatus::Suggested,
            status_reason: None,
            score: i32::try_from(verdict.score).unwrap_or(10_000),
            reasons: verdict.reasons,
            decided_by: None,
            decided_at: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The two are one.
    pub fn confirm(self, by: ActorId, reason: Option<String>, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.decided("confirm", PairStatus::Confirmed, by, reason, now)
    }

    /// The two are two.
    pub fn reject(self, by: ActorId, reason: Option<String>, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.decided("reject", PairStatus::Rejected, by, reason, now)
    }

    fn decided(
        self,
        verb: &str,
        status: PairStatus,
        by: ActorId,
        status_reason: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        if !self.status.moves().contains(&verb) {
            return Err(Problem::wrong_state(
                verb,
                self.status.as_str(),
                &self.status.moves(),
            ));
        }
        Ok(Self {
            status,
            status_reason,
            decided_by: Some(by),
            decided_at: Some(now),
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        })
    }
}

word_enum! {
    /// Where a merge stands.
    MergeStatus, "account merge status" {
        /// One account stands for both.
        Merged = "merged",
        /// They are two again.
        Undone = "undone",
    }
}

/// The moves of a merge: from where, by which verb, to where.
pub const MERGE_MOVES: &[(MergeStatus, &str, MergeStatus)] =
    &[(MergeStatus::Merged, "undo", MergeStatus::Undone)];

impl MergeStatus {
    /// The verbs that this state allows.
    pub fn moves(self) -> Vec<&'static str> {
        let own = MERGE_MOVES.iter().filter(|(from, _, _)| *from == self);
        let mut verbs: Vec<_> = own.map(|(_, verb, _)| *verb).collect();
        verbs.dedup();
        verbs
    }
}

/// A merge of an account into another one, the survivor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merge {
    /// Its id.
    pub id: AccountMergeId,
    /// The account that was taken over.
    pub account_id: AccountId,
    /// The account that stands for both.
    pub survivor_id: AccountId,
    /// Where it stands.
    pub status: MergeStatus,
    /// Why they were merged.
    pub reason: String,
    /// Why that was undone.
    pub undo_reason: Option<String>,
    /// How many deals moved to the survivor.
    pub moved_deals: i64,
    /// How many deal registrations moved to the survivor.
    pub moved_registrations: i64,
    /// How many accounts that were merged into the account lead to the survivor now.
    pub moved_accounts: i64,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Merge {
    /// Undoes it.
    pub fn undo(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            MergeStatus::Merged => Ok(Self {
                status: MergeStatus::Undone,
                undo_reason: Some(reason),
                row_version: self.row_version + 1,
                updated_at: now,
                ..self
            }),
            MergeStatus::Undone => {
                let (state, moves) = (self.status.as_str(), self.status.moves());
                Err(Problem::wrong_state("undo", state, &moves))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::id::UserId;
    use uuid::Uuid;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600, 0).unwrap()
    }

    #[test]
    fn each_verb_moves_from_its_states_only() {
        let by = ActorId::User(UserId::from_uuid(Uuid::from_u128(1)));
        let verdict = Verdict {
            score: 9_000,
            certain: false,
            same_key: false,
            reasons: vec![Reason::SimilarName],
        };
        let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let pair = Pair::suggest(
            AccountId::from_uuid(new),
            AccountId::from_uuid(old),
            verdict,
            now(),
        );
        assert_eq!(pair.account_id.uuid(), old);
        for &status in PairStatus::ALL {
            let pair = Pair {
                status,
                ..pair.clone()
            };
            for (verb, outcome) in [
                ("confirm", pair.clone().confirm(by, None, now())),
                ("reject", pair.clone().reject(by, None, now())),
            ] {
                assert_eq!(outcome.is_ok(), status.moves().contains(&verb), "{status} {verb}");
            }
        }
    }

    #[test]
    fn a_merge_is_undone_once() {
        let merge = Merge {
            id: AccountMergeId::new(now()),
            account_id: AccountId::new(now()),
            survivor_id: AccountId::new(now()),
            status: MergeStatus::Merged,
            reason: "Same.".to_owned(),
            undo_reason: None,
            moved_deals: 0,
            moved_registrations: 0,
            moved_accounts: 0,
            row_version: 1,
            created_at: now(),
            updated_at: now(),
        };
        let undone = merge.undo("Not the same.".to_owned(), now()).unwrap();
        assert_eq!((undone.status, undone.row_version), (MergeStatus::Undone, 2));
        assert!(undone.undo("Again.".to_owned(), now()).is_err());
    }
}
