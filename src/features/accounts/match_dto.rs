//! Matching on the wire.

use super::dto::AccountView;
use super::match_domain::{AccountMatch, Candidate};
use crate::kernel::matching::Reason;
use crate::kernel::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

/// A company that may be an account already: whatever is known of it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = AccountMatchRequest, examples(json!({"name": "Hafen-Logistik GmbH & Co. KG", "website": "https://www.hafen-logistik.example/en", "country": "DE"})))]
#[serde(deny_unknown_fields)]
pub struct CandidateBody {
    /// Its name, with its legal form or without, perhaps with "trading as".
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Hafen-Logistik GmbH & Co. KG"
    )]
    pub name: Option<String>,
    /// Its internet domain or the address of its home page. Free-mail domains and places where anybody has a page say
    /// nothing and are not looked at.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 2048,
        pattern = r"^[^\x00\s]+$",
        example = "https://www.hafen-logistik.example/en"
    )]
    pub website: Option<String>,
    /// An e-mail address of somebody there; looked at where the website says nothing.
    #[schema(
        nullable = false,
        min_length = 3,
        max_length = 254,
        pattern = r"^[^\x00\s@]+@[^\x00\s@]+$",
        example = "ines@hafen-logistik.example"
    )]
    pub email: Option<String>,
    /// Your own key for it.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-acc-88"
    )]
    pub external_id: Option<String>,
    /// Its country, ISO 3166-1 alpha-2; speaks against a match where it is another.
    #[schema(nullable = false, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: Option<String>,
}

impl CandidateBody {
    /// The body as business speaks of it; a country alone is no company.
    pub fn candidate(&self) -> Result<Candidate, Problem> {
        let Self {
            name,
            website,
            email,
            external_id,
            country,
        } = self.clone();
        if name.is_none() && website.is_none() && email.is_none() && external_id.is_none() {
            return Err(Problem::field(
                "/name",
                "required",
                "name at least one of name, website, email and external_id",
            ));
        }
        Ok(Candidate {
            name,
            website,
            email,
            external_id,
            country,
            account_id: None,
        })
    }
}

/// Accounts that may be the company.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccountMatches, examples(json!({"matches": [{"account": {"id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "crm-acc-88", "name": "Hafen Logistik", "domain": "hafen-logistik.example", "country": "DE", "merged_into_id": null, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"}, "score": 10000, "certain": true, "reasons": ["same_domain", "same_name"]}]})))]
pub struct MatchesView {
    /// The best first, certain ones before all others; twenty at most, and none below a score of 6,500.
    #[schema(max_items = 20)]
    pub matches: Vec<MatchView>,
}

/// An account that may be the company.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccountMatchFound, examples(json!({"account": {"id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "crm-acc-88", "name": "Hafen Logistik", "domain": "hafen-logistik.example", "country": "DE", "merged_into_id": null, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"}, "score": 8334, "certain": false, "reasons": ["similar_name", "similar_spelling"]})))]
pub struct MatchView {
    /// The account.
    pub account: AccountView,
    /// How much speaks for it, in ten-thousandths.
    #[schema(minimum = 0, maximum = 10000, example = 8334)]
    pub score: u32,
    /// Decided by an equal key or by a person. Whatever else is alike is for a person to decide.
    pub certain: bool,
    /// What speaks for it and against it.
    #[schema(inline, max_items = 12)]
    pub reasons: Vec<Reason>,
}

impl From<Vec<AccountMatch>> for MatchesView {
    fn from(matches: Vec<AccountMatch>) -> Self {
        let matches = matches.into_iter().map(|found| MatchView {
            account: found.account.into(),
            score: found.score,
            certain: found.certain,
            reasons: found.reasons,
        });
        Self {
            matches: matches.collect(),
        }
    }
}
