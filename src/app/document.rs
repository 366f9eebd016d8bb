//! The OpenAPI document of everything that is served.

use super::routes;
use crate::platform::openapi;
use actix_web::App;
use serde_json::Value;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_actix_web::AppExt;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Copartner",
        version = "1.0.0",
        description = "Headless Partner Relationship Management: partners, deals, attribution, commissions and payouts. \
            Money is a decimal string with a currency and never a JSON number; every problem is an \
            application/problem+json document with a stable code; every list is read page by page with a cursor.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(name = "Copartner", url = "https://copartner.dev/support", email = "api@copartner.dev")
    ),
    servers((url = "http://127.0.0.1:8080", description = "A service on this machine.")),
    tags(
        (name = "API Keys", description = "How machines come in."),
        (name = "Organization", description = "The vendor that runs partner programs."),
        (name = "Partners", description = "Companies that sell, refer, integrate or implement."),
        (name = "Service", description = "The service itself."),
    ),
    security(("bearerAuth" = [])),
    modifiers(&Security)
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API key.")).build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearerAuth", SecurityScheme::Http(scheme));
    }
}

/// The finished document, OpenAPI 3.1.
pub fn document() -> Value {
    let (_, collected) = App::new().into_utoipa_app().openapi(Document::openapi()).configure(routes).split_for_parts();
    openapi::finish(collected)
}

/// The same contract for readers of OpenAPI 3.0.
pub fn document_3_0() -> Value {
    openapi::derive_3_0(&document())
}
