//! The roles that every organization has from the start: sets of permissions by what people do.

use super::permission::Permission;
use super::word::word_enum;

word_enum! {
    /// A role that comes with the service and never changes within a version of it.
    BuiltInRole, "built-in role" {
        /// May do everything.
        Admin = "admin",
        /// Looks after partners, their programs and what they are credited with.
        PartnerManager = "partner_manager",
        /// Works on accounts and deals.
        Sales = "sales",
        /// Looks after invoices, commissions and payouts.
        Finance = "finance",
        /// Reads everything but keys, people and bank details, and changes nothing.
        Analyst = "analyst",
        /// Looks after a partner's own people, keys, bank details and terms, besides what its members do.
        PartnerAdmin = "partner_admin",
        /// Works for a partner.
        PartnerMember = "partner_member",
    }
}

impl BuiltInRole {
    /// The name that people read.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::PartnerManager => "Partner manager",
            Self::Sales => "Sales",
            Self::Finance => "Finance",
            Self::Analyst => "Analyst",
            Self::PartnerAdmin => "Partner admin",
            Self::PartnerMember => "Partner member",
        }
    }

    /// Whether it is for a partner's people rather than the organization's own.
    pub const fn is_for_partners(self) -> bool {
        matches!(self, Self::PartnerAdmin | Self::PartnerMember)
    }

    /// Whether it holds this permission.
    pub fn holds(self, permission: Permission) -> bool {
        match self {
            Self::Admin => true,
            Self::PartnerManager => READS.contains(&permission) || PARTNER_MANAGER.contains(&permission),
            Self::Sales => SALES.contains(&permission),
            Self::Finance => READS.contains(&permission) || FINANCE.contains(&permission),
            Self::Analyst => READS.contains(&permission),
            Self::PartnerAdmin => permission.open_to_partners(),
            Self::PartnerMember => {
                permission.open_to_partners()
                    && !PEOPLE.contains(&permission)
                    && !BANK_DETAILS.contains(&permission)
                    && permission != Permission::TermsAccept
            }
        }
    }

    /// Every permission that it holds.
    pub fn permissions(self) -> Vec<Permission> {
        let all = Permission::ALL.iter().copied();
        all.filter(|permission| self.holds(*permission)).collect()
    }
}

/// What concerns people and keys: who may come in and what they may do.
const PEOPLE: &[Permission] = &[
    Permission::ApiKeysRead,
    Permission::ApiKeysWrite,
    Permission::UsersRead,
    Permission::UsersWrite,
    Permission::AuthorizationExplain,
    Permission::IdentityProvidersRead,
    Permission::IdentityProvidersWrite,
    Permission::SessionsRead,
    Permission::SessionsWrite,
    Permission::AuthenticationEventsRead,
];

/// What concerns where a partner's money goes.
const BANK_DETAILS: &[Permission] = &[Permission::PayoutMethodsRead, Permission::PayoutMethodsWrite];

/// Everything that can be read, but people, keys, bank details and the audit trail.
const READS: &[Permission] = &[
    Permission::OrganizationRead,
    Permission::ProgramsRead,
    Permission::ProductFamiliesRead,
    Permission::PipelineStagesRead,
    Permission::PartnersRead,
    Permission::EnrollmentsRead,
    Permission::AccountsRead,
    Permission::AccountMatchesRead,
    Permission::DealsRead,
    Permission::TouchpointsRead,
    Permission::AttributionsRead,
    Permission::ReferralsRead,
    Permission::ReferralLinksRead,
    Permission::DealRegistrationsRead,
    Permission::RegistrationConflictsRead,
    Permission::InvoicesRead,
    Permission::CreditNotesRead,
    Permission::BillingArrivalsRead,
    Permission::ExchangeRatesRead,
    Permission::CommissionRulesRead,
    Permission::CommissionsRead,
    Permission::LedgerRead,
    Permission::AdjustmentsRead,
    Permission::DisputesRead,
    Permission::PayoutRunsRead,
    Permission::PayoutsRead,
    Permission::StatementsRead,
    Permission::EventsRead,
    Permission::ImportsRead,
    Permission::ReportsRead,
    Permission::NextActionsRead,
    Permission::RolesRead,
];

const PARTNER_MANAGER: &[Permission] = &[
    Permission::ComplianceDocumentsRead,
    Permission::ComplianceDocumentsWrite,
    Permission::ComplianceDocumentsVerify,
    Permission::PartnerContactsRead,
    Permission::PartnerContactsWrite,
    Permission::ProgramsWrite,
    Permission::ProductFamiliesWrite,
    Permission::PartnersWrite,
    Permission::PartnersReview,
    Permission::EnrollmentsWrite,
    Permission::TermsAccept,
    Permission::AccountsWrite,
    Permission::AccountsMerge,
    Permission::AccountMatchesDecide,
    Permission::DealsWrite,
    Permission::TouchpointsWrite,
    Permission::AttributionsWrite,
    Permission::AttributionsReview,
    Permission::ReferralsWrite,
    Permission::ReferralsReview,
    Permission::ReferralLinksWrite,
    Permission::ClicksWrite,
    Permission::DealRegistrationsWrite,
    Permission::DealRegistrationsReview,
    Permission::RegistrationConflictsDecide,
    Permission::CommissionRulesWrite,
    Permission::AdjustmentsWrite,
    Permission::DisputesWrite,
    Permission::DisputesReview,
    Permission::DisputesDecide,
    Permission::PayoutMethodsRead,
    Permission::ImportsWrite,
    Permission::UsersRead,
];

const SALES: &[Permission] = &[
    Permission::OrganizationRead,
    Permission::ProgramsRead,
    Permission::ProductFamiliesRead,
    Permission::PipelineStagesRead,
    Permission::PartnersRead,
    Permission::PartnerContactsRead,
    Permission::EnrollmentsRead,
    Permission::AccountsRead,
    Permission::AccountsWrite,
    Permission::AccountMatchesRead,
    Permission::AccountMatchesDecide,
    Permission::DealsRead,
    Permission::DealsWrite,
    Permission::DealsClose,
    Permission::TouchpointsRead,
    Permission::TouchpointsWrite,
    Permission::AttributionsRead,
    Permission::AttributionsWrite,
    Permission::ReferralsRead,
    Permission::ReferralLinksRead,
    Permission::ReferralsReview,
    Permission::DealRegistrationsRead,
    Permission::DealRegistrationsWrite,
    Permission::RegistrationConflictsRead,
    Permission::DisputesRead,
    Permission::EventsRead,
    Permission::ReportsRead,
    Permission::NextActionsRead,
    Permission::RolesRead,
];

const FINANCE: &[Permission] = &[
    Permission::ComplianceDocumentsRead,
    Permission::ComplianceDocumentsWrite,
    Permission::ComplianceDocumentsVerify,
    Permission::PartnerContactsRead,
    Permission::InvoicesWrite,
    Permission::PaymentsWrite,
    Permission::CreditNotesWrite,
    Permission::BillingArrivalsWrite,
    Permission::ExchangeRatesWrite,
    Permission::CommissionRulesWrite,
    Permission::CommissionRulesActivate,
    Permission::CommissionsApprove,
    Permission::AdjustmentsWrite,
    Permission::AdjustmentsApprove,
    Permission::DisputesWrite,
    Permission::DisputesReview,
    Permission::DisputesDecide,
    Permission::PayoutMethodsRead,
    Permission::PayoutMethodsWrite,
    Permission::PayoutMethodsConfirm,
    Permission::StatementsIssue,
    Permission::PayoutRunsWrite,
    Permission::PayoutRunsApprove,
    Permission::PayoutRunsProcess,
    Permission::PayoutsConfirm,
    Permission::ImportsWrite,
    Permission::AuditEventsRead,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_may_do_everything_and_an_analyst_changes_nothing() {
        assert_eq!(BuiltInRole::Admin.permissions(), Permission::ALL);
        for permission in BuiltInRole::Analyst.permissions() {
            assert!(permission.name().ends_with(":read"), "{}", permission.name());
        }
    }

    #[test]
    fn partners_roles_hold_only_what_is_open_to_partners() {
        for role in BuiltInRole::ALL.iter().filter(|role| role.is_for_partners()) {
            for permission in role.permissions() {
                assert!(permission.open_to_partners(), "{role}: {}", permission.name());
            }
        }
        let admin = BuiltInRole::PartnerAdmin;
        let member = BuiltInRole::PartnerMember;
        for permission in [
            Permission::UsersWrite,
            Permission::PayoutMethodsRead,
            Permission::PayoutMethodsWrite,
            Permission::TermsAccept,
        ] {
            assert!(
                admin.holds(permission) && !member.holds(permission),
                "{}",
                permission.name()
            );
        }
    }

    #[test]
    fn only_admins_decide_who_comes_in() {
        for role in BuiltInRole::ALL.iter().filter(|role| !role.is_for_partners()) {
            let decides = role.holds(Permission::UsersWrite) || role.holds(Permission::ApiKeysWrite);
            assert_eq!(decides, *role == BuiltInRole::Admin, "{role}");
        }
    }
}
