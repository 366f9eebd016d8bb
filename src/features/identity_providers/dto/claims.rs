//! What stands in tokens, on the wire.

use super::super::domain::{ClaimNames, Provisioning, SigningAlgorithm};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

/// A domain of e-mail addresses, in lower case.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(
    max_length = 253,
    pattern = r"^[a-z0-9-]+(\.[a-z0-9-]+)+$",
    example = "nordlicht.example"
)]
pub struct EmailDomain(pub(super) String);

/// A text in a claim of a token.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(
    min_length = 1,
    max_length = 255,
    pattern = r"^[^\x00]+$",
    example = "copartner"
)]
pub struct ClaimText(String);

pub(super) fn texts(claims: &[ClaimText]) -> Vec<String> {
    claims.iter().map(|claim| claim.0.clone()).collect()
}

pub(super) fn claim_texts(texts: Vec<String>) -> Vec<ClaimText> {
    texts.into_iter().map(ClaimText).collect()
}

pub(super) fn domains(domains: &[EmailDomain]) -> Vec<String> {
    domains.iter().map(|domain| domain.0.clone()).collect()
}

/// In which claims the provider says what.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[schema(as = ClaimNames, examples(json!({"subject": "sub", "email": "email", "name": "name", "partner": null})))]
#[serde(deny_unknown_fields)]
pub struct ClaimNamesBody {
    /// Who somebody is, for good.
    #[serde(default = "subject_claim")]
    #[schema(
        default = "sub",
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "sub"
    )]
    pub subject: String,
    /// The e-mail address. It counts when the claim `email_verified` is true.
    #[serde(default = "email_claim")]
    #[schema(
        default = "email",
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "email"
    )]
    pub email: String,
    /// The name.
    #[serde(default = "name_claim")]
    #[schema(
        default = "name",
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "name"
    )]
    pub name: String,
    /// The id or your own key of the partner whose person somebody is; only of your own provider.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "https://nordlicht.example/partner"
    )]
    pub partner: Option<String>,
}

fn subject_claim() -> String {
    "sub".to_owned()
}

fn email_claim() -> String {
    "email".to_owned()
}

fn name_claim() -> String {
    "name".to_owned()
}

pub(super) fn multi_factor() -> Vec<ClaimText> {
    vec![ClaimText("mfa".to_owned())]
}

pub(super) fn usual_algorithms() -> Vec<SigningAlgorithm> {
    vec![
        SigningAlgorithm::Rs256,
        SigningAlgorithm::Es256,
        SigningAlgorithm::EdDsa,
    ]
}

pub(super) const fn known_people() -> Provisioning {
    Provisioning::KnownPeople
}

impl Default for ClaimNamesBody {
    fn default() -> Self {
        Self {
            subject: subject_claim(),
            email: email_claim(),
            name: name_claim(),
            partner: None,
        }
    }
}

impl From<ClaimNamesBody> for ClaimNames {
    fn from(body: ClaimNamesBody) -> Self {
        Self {
            subject: body.subject,
            email: body.email,
            name: body.name,
            partner: body.partner,
        }
    }
}

impl From<ClaimNames> for ClaimNamesBody {
    fn from(claims: ClaimNames) -> Self {
        Self {
            subject: claims.subject,
            email: claims.email,
            name: claims.name,
            partner: claims.partner,
        }
    }
}
