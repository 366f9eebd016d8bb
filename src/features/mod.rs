//! The rooms, one per resource, in the order in which they may know one another: a room uses the facades of those
//! before it, never of those after it.

pub mod accounts;
pub mod adjustments;
pub mod api_keys;
pub mod attributions;
pub mod audit;
pub mod authentication_events;
pub mod authorization;
pub mod backtests;
pub mod billing_arrivals;
pub mod commission_rules;
pub mod commissions;
pub mod compliance_documents;
pub mod credit_notes;
pub mod deal_registrations;
pub mod deal_rules;
pub mod deals;
pub mod disputes;
pub mod enrollments;
pub mod events;
pub mod exchange_rates;
pub mod identity_providers;
pub mod imports;
pub mod invoices;
pub mod ledger;
pub mod next_actions;
pub mod organizations;
pub mod partner_contacts;
pub mod partners;
pub mod payment_expectations;
pub mod payout_methods;
pub mod payouts;
pub mod pipeline_stages;
pub mod product_families;
pub mod program_terms;
pub mod programs;
pub mod referral_links;
pub mod referrals;
pub mod registration_conflicts;
pub mod reports;
pub mod roles;
pub mod sessions;
pub mod statements;
pub mod tiers;
pub mod touchpoints;
pub mod users;

/// The rooms in their order; the architecture test holds imports to it.
pub const ORDER: &[&str] = &[
    "organizations",
    "roles",
    "product_families",
    "programs",
    "deal_rules",
    "pipeline_stages",
    "partners",
    "partner_contacts",
    "users",
    "identity_providers",
    "api_keys",
    "authentication_events",
    "sessions",
    "authorization",
    "compliance_documents",
    "enrollments",
    "program_terms",
    "accounts",
    "deals",
    "touchpoints",
    "attributions",
    "referrals",
    "referral_links",
    "deal_registrations",
    "registration_conflicts",
    "invoices",
    "credit_notes",
    "billing_arrivals",
    "exchange_rates",
    "tiers",
    "commission_rules",
    "commissions",
    "backtests",
    "ledger",
    "adjustments",
    "payout_methods",
    "payouts",
    "disputes",
    "payment_expectations",
    "statements",
    "events",
    "audit",
    "imports",
    "next_actions",
    "reports",
];
