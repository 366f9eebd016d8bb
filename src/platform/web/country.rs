//! Countries on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A country, ISO 3166-1 alpha-2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, min_length = 2, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
pub struct CountryCode(pub String);
