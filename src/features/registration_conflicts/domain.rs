//! What a conflict is.

use crate::features::deal_registrations::DealRegistration;
use crate::features::deal_rules::SecondRegistrant;
use crate::kernel::ctx::ActorId;
use crate::kernel::id::{
    AccountId, DealId, DealRegistrationId, PartnerId, ProductFamilyId, ReferralId, RegistrationConflictId,
};
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;

word_enum! {
    /// What a claim meets.
    ConflictKind, "conflict kind" {
        /// Another partner's claim.
        Registration = "registration",
        /// A deal of the organization's own, or of another partner.
        Deal = "deal",
        /// Another partner's referral that is open.
        Referral = "referral",
        /// A company that is a customer already.
        ExistingCustomer = "existing_customer",
        /// An account that is merely like the claimed one, and to which others have a claim. Nobody is a party, so that
        /// no partner hears of it; whether the accounts are one is for a person to say.
        SimilarAccount = "similar_account",
    }
}

word_enum! {
    /// Where a conflict stands.
    ConflictStatus, "conflict status" {
        /// Nobody has decided.
        Open = "open",
        /// It is decided.
        Decided = "decided",
    }
}

impl ConflictStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Open => &["add_evidence", "decide"],
            Self::Decided => &[],
        }
    }
}

word_enum! {
    /// How a conflict ends.
    Decision, "conflict decision" {
        /// Who came first goes on, and the challengers do not.
        IncumbentKeeps = "incumbent_keeps",
        /// One of the challengers takes its place.
        ChallengerWins = "challenger_wins",
        /// Who came first goes on, and the challengers are credited for their part in its deal.
        CoSellShare = "co_sell_share",
        /// There is none; every claim goes on.
        Dismissed = "dismissed",
    }
}

word_enum! {
    /// The side of a claim in a conflict.
    Side, "conflict side" {
        /// It came first.
        Incumbent = "incumbent",
        /// It came later.
        Challenger = "challenger",
    }
}

word_enum! {
    /// What a decision means for one claim.
    Outcome, "conflict outcome" {
        /// It goes on.
        GoesOn = "goes_on",
        /// It does not.
        Ends = "ends",
        /// It ends, and its partner is credited for a part.
        Shares = "shares",
    }
}

/// Several claims to one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegistrationConflict {
    /// Its id.
    pub id: RegistrationConflictId,
    /// The account.
    pub account_id: AccountId,
    /// The product family in which they meet; none is every one.
    pub product_family_id: Option<ProductFamilyId>,
    /// What the claims meet.
    pub kind: ConflictKind,
    /// What the program says about whoever comes second.
    pub policy: SecondRegistrant,
    /// Where it stands.
    pub status: ConflictStatus,
    /// How it ended.
    pub decision: Option<Decision>,
    /// Why.
    pub reason: Option<String>,
    /// The claim that came first.
    pub incumbent_registration_id: Option<DealRegistrationId>,
    /// The deal that the claims meet.
    pub deal_id: Option<DealId>,
    /// The referral that the claim meets.
    pub referral_id: Option<ReferralId>,
    /// The challenger that won.
    pub winner_registration_id: Option<DealRegistrationId>,
    /// By when a decision is promised.
    pub respond_by: DateTime<Utc>,
    /// Who decided; nobody where the program's policy did.
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

/// A claim in a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The claim.
    pub deal_registration_id: DealRegistrationId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// Which side it is on.
    pub side: Side,
    /// What its partner brought forward.
    pub evidence: Option<String>,
    /// When it became a party.
    pub joined_at: DateTime<Utc>,
}

/// What a conflict is raised for.
#[derive(Debug, Clone)]
pub struct NewConflict<'a> {
    /// What the claims meet.
    pub kind: ConflictKind,
    /// What the program says about whoever comes second.
    pub policy: SecondRegistrant,
    /// The claim that came first.
    pub incumbent: Option<&'a DealRegistration>,
    /// The deal that the claims meet.
    pub deal_id: Option<DealId>,
    /// The referral that the claim meets.
    pub referral_id: Option<ReferralId>,
    /// The claim that came later; none where a deal came later.
    pub challenger: Option<&'a DealRegistration>,
    /// By when a decision is promised.
    pub respond_by: DateTime<Utc>,
    /// Whether the policy decides it at once.
    pub is_refused: bool,
}

impl RegistrationConflict {
    /// A conflict over the account of these claims.
    pub fn raise(new: &NewConflict<'_>, now: DateTime<Utc>) -> Result<Self, Problem> {
        let claim = new.challenger.or(new.incumbent).ok_or_else(Problem::internal)?;
        let why = match new.kind {
            ConflictKind::Deal => "The program refuses to register an account with an open deal.",
            ConflictKind::Referral => "The program refuses to register an account that was referred.",
            ConflictKind::ExistingCustomer => "The program refuses to register a customer.",
            ConflictKind::Registration | ConflictKind::SimilarAccount => {
                "The program refuses a second registration of an account."
            }
        };
        Ok(Self {
            id: RegistrationConflictId::new(now),
            account_id: claim.account_id,
            product_family_id: claim
                .product_family_id
                .or(new.incumbent.and_then(|incumbent| incumbent.product_family_id)),
            kind: new.kind,
            policy: new.policy,
            status: if new.is_refused {
                ConflictStatus::Decided
            } else {
                ConflictStatus::Open
            },
            decision: new.is_refused.then_some(Decision::IncumbentKeeps),
            reason: new.is_refused.then(|| why.to_owned()),
            incumbent_registration_id: new.incumbent.map(|incumbent| incumbent.id),
            deal_id: new.deal_id,
            referral_id: new.referral_id,
            winner_registration_id: None,
            respond_by: new.respond_by,
            decided_by: None,
            decided_at: new.is_refused.then_some(now),
            row_version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// Decides it.
    pub fn decide(
        self,
        decision: Decision,
        winner: Option<DealRegistrationId>,
        reason: String,
        decided_by: ActorId,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        self.require_open("decide")?;
        Ok(Self {
            status: ConflictStatus::Decided,
            decision: Some(decision),
            reason: Some(reason),
            winner_registration_id: winner,
            decided_by: Some(decided_by),
            decided_at: Some(now),
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        })
    }

    /// Decides it anew, because a dispute of the decision was upheld.
    pub fn redecide(
        self,
        decision: Decision,
        winner: Option<DealRegistrationId>,
        reason: String,
        decided_by: ActorId,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        match self.status {
            ConflictStatus::Decided => {
                let undecided = Self {
                    status: ConflictStatus::Open,
                    ..self
                };
                undecided.decide(decision, winner, reason, decided_by, now)
            }
            open => Err(Problem::wrong_state("redecide", open.as_str(), open.moves())),
        }
    }

    /// Refuses what an open conflict alone allows.
    pub fn require_open(&self, verb: &str) -> Result<(), Problem> {
        match self.status {
            ConflictStatus::Open => Ok(()),
            decided => Err(Problem::wrong_state(verb, decided.as_str(), decided.moves())),
        }
    }

    /// What was decided means this for a claim on this side.
    pub fn outcome(&self, party: &Party) -> Option<Outcome> {
        let is_winner = self.winner_registration_id == Some(party.deal_registration_id);
        Some(match (self.decision?, party.side) {
            (Decision::Dismissed, _) => Outcome::GoesOn,
            (Decision::ChallengerWins, _) if is_winner => Outcome::GoesOn,
            (Decision::ChallengerWins, _) | (Decision::IncumbentKeeps, Side::Challenger) => Outcome::Ends,
            (Decision::IncumbentKeeps | Decision::CoSellShare, Side::Incumbent) => Outcome::GoesOn,
            (Decision::CoSellShare, Side::Challenger) => Outcome::Shares,
        })
    }
}
