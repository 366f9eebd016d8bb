//! The OpenAPI document of everything that is served.

use super::{reference, routes};
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
            Money is a decimal string with a currency and never a JSON number; dates and instants that you send are of \
            the year 1900 or later; every problem is an \
            application/problem+json document with a stable code; every list is read page by page with a cursor.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(name = "Copartner", url = "https://copartner.example/support", email = "api@copartner.example")
    ),
    servers(
        (url = "/", description = "The service that serves this document, in whichever environment: local, staging, production."),
        (url = "https://api.copartner.example", description = "Your production environment, wherever you run it.")
    ),
    tags(
        (name = "API Keys", description = "How machines come in."),
        (name = "Account Matches", description = "Pairs of accounts that may be one company, for a person to decide."),
        (name = "Account Merges", description = "Accounts that were made one, and parted again."),
        (name = "Accounts", description = "End customer companies."),
        (name = "Adjustments", description = "Amounts that a person gives or takes, and a second one approves."),
        (name = "Attributions", description = "Credit of partners for deals, by role and share."),
        (name = "Audit Events", description = "Who changed what, when, from where and why."),
        (name = "Authentication Events", description = "Who came in, and who was refused."),
        (name = "Authorization", description = "Who may do what, and by which rule."),
        (name = "Billing Arrivals", description = "Facts of billing by your own keys, in whichever order they come."),
        (name = "Commission Rules", description = "Versioned terms: who earns what on which money."),
        (name = "Commissions", description = "Earned lines, each with its full explanation."),
        (name = "Compliance Documents", description = "What partners have on file: agreements, certifications, licenses, tax forms."),
        (name = "Credit Notes", description = "What was credited, with or without an invoice."),
        (name = "Deal Registrations", description = "Partners' claims to accounts, protected for a time."),
        (name = "Deal Rules", description = "What a program asks of what partners submit, and what it promises for it."),
        (name = "Deals", description = "Opportunities with amount, stage and close date."),
        (name = "Disputes", description = "Challenges of decisions and amounts, with a deadline and an outcome."),
        (name = "Enrollments", description = "Partners in programs."),
        (name = "Events", description = "The change feed: every change, numbered without gaps."),
        (name = "Exchange Rates", description = "Rates of exchange between currencies, by day."),
        (name = "Identity Providers", description = "Where people come from: OpenID Connect providers."),
        (name = "Imports", description = "Bulk loading from CSV files."),
        (name = "Invoices", description = "Revenue events from billing: invoices, their payments and refunds."),
        (name = "Ledger", description = "The append-only double-entry journal and its balances."),
        (name = "Next Actions", description = "What the caller does best now, and why."),
        (name = "Organization", description = "The vendor that runs partner programs."),
        (name = "Partner Contacts", description = "Whom to talk to at a partner, and about what."),
        (name = "Partners", description = "Companies that sell, refer, integrate or implement."),
        (name = "Payout Methods", description = "How a partner is paid, confirmed by a second person."),
        (name = "Payout Runs", description = "Batches of payouts at a cut-off."),
        (name = "Payouts", description = "One partner's payment in a run, per program and currency."),
        (name = "Pipeline Stages", description = "The steps of an open deal."),
        (name = "Product Families", description = "What is sold, grouped for rules and exclusivity."),
        (name = "Program Terms", description = "The written terms of programs, version by version, and who accepted which."),
        (name = "Programs", description = "Sets of written terms for one motion."),
        (name = "Referral Links", description = "Links that partners pass on, and who came by them."),
        (name = "Referrals", description = "Leads that partners hand over, and what became of them."),
        (name = "Registration Conflicts", description = "Several claims to one account, and the decision between them."),
        (name = "Reports", description = "Figures over everything."),
        (name = "Roles", description = "Sets of permissions that people hold."),
        (name = "Sessions", description = "Short-lived tokens of the service's own, exchanged for another credential."),
        (name = "Service", description = "The service itself."),
        (name = "Statements", description = "What became of partners' balances in a month."),
        (name = "Tiers", description = "Ladders of tiers, where partners stand on them, and how they came there."),
        (name = "Touchpoints", description = "Dated evidence of what a partner did for a deal."),
        (name = "Users", description = "The people of the organization and of its partners."),
    ),
    security(("bearerAuth" = [])),
    modifiers(&Security)
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "An API key, a token of a connected identity provider, or an access token of a session. Where several \
                 organizations take the same token, the header Copartner-Organization names the one that is meant.",
            ))
            .build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearerAuth", SecurityScheme::Http(scheme));
    }
}

/// The finished document, OpenAPI 3.1.
pub fn document() -> Value {
    let (_, collected) = App::new()
        .into_utoipa_app()
        .openapi(Document::openapi())
        .configure(routes)
        .split_for_parts();
    let mut document = openapi::finish(collected);
    if let Some(Value::String(description)) = document.pointer_mut("/info/description") {
        description.push_str(&reference::lists());
    }
    document
}

/// The same contract for readers of OpenAPI 3.0.
pub fn document_3_0() -> Value {
    openapi::derive_3_0(&document())
}
