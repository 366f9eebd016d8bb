//! What a caller may do. An operation names one permission in the type of its handler; a key holds a set of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Declares the permissions: a variant, a marker type in [`can`], and the name that keys carry. `partner` marks those
/// that a partner's own key may hold.
macro_rules! permissions {
    ($($variant:ident = $name:literal $($partner:ident)?;)*) => {
        /// One permission. Its name is `<resource>:<read|write|verb>`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $($variant,)* }

        impl Permission {
            /// Every permission there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the wire and in the OpenAPI document.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether a key that belongs to a partner may hold it.
            pub const fn open_to_partners(self) -> bool {
                match self { $(Self::$variant => permissions!(@partner $($partner)?),)* }
            }

            /// The permission of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }

        /// The marker types that handlers name: `Granted<can::DealsWrite>`.
        pub mod can {
            use super::{Permission, Right};
            $(
                #[doc = concat!("The right to `", $name, "`.")]
                #[derive(Debug, Clone, Copy)]
                pub struct $variant;
                impl Right for $variant {
                    const PERMISSION: Option<Permission> = Some(Permission::$variant);
                }
            )*
        }
    };
    (@partner) => { false };
    (@partner partner) => { true };
}

/// The name of a permission, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, max_length = 64, pattern = "^[a-z_]+:[a-z]+$", example = "payout_runs:approve")]
pub struct PermissionName(pub String);

/// A permission as a type.
pub trait Right: 'static {
    /// The permission that the type stands for; `None` is for whoever is known at all.
    const PERMISSION: Option<Permission>;
}

/// Whoever is known, whatever they may do: for what a caller asks about itself.
#[derive(Debug, Clone, Copy)]
pub struct Anyone;

impl Right for Anyone {
    const PERMISSION: Option<Permission> = None;
}

permissions! {
    OrganizationRead = "organization:read" partner;
    OrganizationWrite = "organization:write";
    ApiKeysRead = "api_keys:read" partner;
    ApiKeysWrite = "api_keys:write" partner;
    UsersRead = "users:read" partner;
    UsersWrite = "users:write" partner;
    RolesRead = "roles:read" partner;
    RolesWrite = "roles:write";
    AuthorizationExplain = "authorization:explain" partner;
    IdentityProvidersRead = "identity_providers:read" partner;
    IdentityProvidersWrite = "identity_providers:write" partner;
    SessionsRead = "sessions:read" partner;
    SessionsWrite = "sessions:write" partner;
    AuthenticationEventsRead = "authentication_events:read" partner;
    ProgramsRead = "programs:read" partner;
    ProgramsWrite = "programs:write";
    ProductFamiliesRead = "product_families:read" partner;
    ProductFamiliesWrite = "product_families:write";
    PipelineStagesRead = "pipeline_stages:read" partner;
    PipelineStagesWrite = "pipeline_stages:write";
    PartnersRead = "partners:read" partner;
    PartnersWrite = "partners:write";
    PartnersReview = "partners:review";
    PartnerContactsRead = "partner_contacts:read" partner;
    PartnerContactsWrite = "partner_contacts:write" partner;
    ComplianceDocumentsRead = "compliance_documents:read" partner;
    ComplianceDocumentsWrite = "compliance_documents:write" partner;
    ComplianceDocumentsVerify = "compliance_documents:verify";
    EnrollmentsRead = "enrollments:read" partner;
    EnrollmentsWrite = "enrollments:write";
    TermsAccept = "terms:accept" partner;
    AccountsRead = "accounts:read" partner;
    AccountsWrite = "accounts:write";
    AccountsMerge = "accounts:merge";
    AccountMatchesRead = "account_matches:read";
    AccountMatchesDecide = "account_matches:decide";
    DealsRead = "deals:read" partner;
    DealsWrite = "deals:write";
    DealsClose = "deals:close";
    TouchpointsRead = "touchpoints:read" partner;
    TouchpointsWrite = "touchpoints:write" partner;
    AttributionsRead = "attributions:read" partner;
    AttributionsWrite = "attributions:write" partner;
    AttributionsReview = "attributions:review";
    ReferralsRead = "referrals:read" partner;
    ReferralsWrite = "referrals:write" partner;
    ReferralsReview = "referrals:review";
    ReferralLinksRead = "referral_links:read" partner;
    ReferralLinksWrite = "referral_links:write" partner;
    ClicksWrite = "clicks:write";
    DealRegistrationsRead = "deal_registrations:read" partner;
    DealRegistrationsWrite = "deal_registrations:write" partner;
    DealRegistrationsReview = "deal_registrations:review";
    RegistrationConflictsRead = "registration_conflicts:read" partner;
    RegistrationConflictsDecide = "registration_conflicts:decide";
    InvoicesRead = "invoices:read";
    InvoicesWrite = "invoices:write";
    PaymentsWrite = "payments:write";
    CreditNotesRead = "credit_notes:read";
    CreditNotesWrite = "credit_notes:write";
    BillingArrivalsRead = "billing_arrivals:read";
    BillingArrivalsWrite = "billing_arrivals:write";
    ExchangeRatesRead = "exchange_rates:read";
    ExchangeRatesWrite = "exchange_rates:write";
    CommissionRulesRead = "commission_rules:read";
    CommissionRulesWrite = "commission_rules:write";
    CommissionRulesActivate = "commission_rules:activate";
    CommissionsRead = "commissions:read" partner;
    CommissionsApprove = "commissions:approve";
    LedgerRead = "ledger:read" partner;
    AdjustmentsRead = "adjustments:read" partner;
    AdjustmentsWrite = "adjustments:write";
    AdjustmentsApprove = "adjustments:approve";
    DisputesRead = "disputes:read" partner;
    DisputesWrite = "disputes:write" partner;
    DisputesReview = "disputes:review";
    DisputesDecide = "disputes:decide";
    PayoutMethodsRead = "payout_methods:read" partner;
    PayoutMethodsWrite = "payout_methods:write" partner;
    PayoutMethodsConfirm = "payout_methods:confirm";
    PayoutRunsRead = "payout_runs:read";
    PayoutRunsWrite = "payout_runs:write";
    PayoutRunsApprove = "payout_runs:approve";
    PayoutRunsProcess = "payout_runs:process";
    PayoutsRead = "payouts:read" partner;
    PayoutsConfirm = "payouts:confirm";
    StatementsRead = "statements:read" partner;
    StatementsIssue = "statements:issue";
    EventsRead = "events:read" partner;
    AuditEventsRead = "audit_events:read";
    ImportsRead = "imports:read";
    ImportsWrite = "imports:write";
    ReportsRead = "reports:read";
    NextActionsRead = "next_actions:read" partner;
}
