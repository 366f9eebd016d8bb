//! The operations that do the actions.

use super::NextActionKind;
use crate::kernel::permission::Permission;
use Permission as May;

/// The operation that does an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Its name in the OpenAPI document.
    pub id: &'static str,
    /// Its path, with its parameter where it has one.
    pub path: &'static str,
    /// What it takes to call it.
    pub permission: Permission,
    /// What it takes to see what the action tells of.
    pub reading: Permission,
}

const fn operation(
    id: &'static str,
    path: &'static str,
    permission: Permission,
    reading: Permission,
) -> Operation {
    Operation {
        id,
        path,
        permission,
        reading,
    }
}

impl NextActionKind {
    /// The operation that does it.
    pub const fn operation(self) -> Operation {
        let claims = May::DealRegistrationsRead;
        match self {
            Self::ResubmitRegistration | Self::SubmitDraft => operation(
                "submitDealRegistration",
                "/v1/deal-registrations/{deal_registration_id}/submit",
                May::DealRegistrationsWrite,
                claims,
            ),
            Self::GiveEvidence => operation(
                "addConflictEvidence",
                "/v1/registration-conflicts/{registration_conflict_id}/evidence",
                May::DealRegistrationsWrite,
                May::RegistrationConflictsRead,
            ),
            Self::ExtendProtection => operation(
                "createRegistrationExtension",
                "/v1/deal-registrations/{deal_registration_id}/extensions",
                May::DealRegistrationsWrite,
                claims,
            ),
            Self::AcceptTerms => operation(
                "acceptProgramTerms",
                "/v1/program-terms/{program_terms_id}/accept",
                May::TermsAccept,
                May::ProgramsRead,
            ),
            Self::HandInDocument => operation(
                "createComplianceDocument",
                "/v1/compliance-documents",
                May::ComplianceDocumentsWrite,
                May::EnrollmentsRead,
            ),
            Self::AddPayoutMethod => operation(
                "createPayoutMethod",
                "/v1/payout-methods",
                May::PayoutMethodsWrite,
                May::CommissionsRead,
            ),
            Self::MendPayoutMethod => operation(
                "createPayoutMethod",
                "/v1/payout-methods",
                May::PayoutMethodsWrite,
                May::PayoutsRead,
            ),
            Self::SubmitFirstReferral => operation(
                "createReferral",
                "/v1/referrals",
                May::ReferralsWrite,
                May::EnrollmentsRead,
            ),
            Self::RegisterFirstDeal => operation(
                "createDealRegistration",
                "/v1/deal-registrations",
                May::DealRegistrationsWrite,
                May::EnrollmentsRead,
            ),
            Self::MakeFirstLink => operation(
                "createReferralLink",
                "/v1/referral-links",
                May::ReferralLinksWrite,
                May::EnrollmentsRead,
            ),
            Self::AddContact => operation(
                "createPartnerContact",
                "/v1/partner-contacts",
                May::PartnerContactsWrite,
                May::PartnerContactsRead,
            ),
            Self::AnswerDispute => operation(
                "answerDispute",
                "/v1/disputes/{dispute_id}/answer",
                May::DisputesWrite,
                May::DisputesRead,
            ),
            _ => self.operation_of_the_organization(),
        }
    }

    const fn operation_of_the_organization(self) -> Operation {
        let claims = May::DealRegistrationsRead;
        match self {
            Self::AnswerReferral => operation(
                "acceptReferral",
                "/v1/referrals/{referral_id}/accept",
                May::ReferralsReview,
                May::ReferralsRead,
            ),
            Self::ReviewRegistration => operation(
                "reviewDealRegistration",
                "/v1/deal-registrations/{deal_registration_id}/review",
                May::DealRegistrationsReview,
                claims,
            ),
            Self::DecideConflict => operation(
                "decideRegistrationConflict",
                "/v1/registration-conflicts/{registration_conflict_id}/decide",
                May::RegistrationConflictsDecide,
                May::RegistrationConflictsRead,
            ),
            Self::ReviewDispute => operation(
                "reviewDispute",
                "/v1/disputes/{dispute_id}/review",
                May::DisputesReview,
                May::DisputesRead,
            ),
            Self::DecideDispute => operation(
                "decideDispute",
                "/v1/disputes/{dispute_id}/decide",
                May::DisputesDecide,
                May::DisputesRead,
            ),
            Self::AnswerExtension => operation(
                "approveRegistrationExtension",
                "/v1/registration-extensions/{registration_extension_id}/approve",
                May::DealRegistrationsReview,
                claims,
            ),
            Self::ConfirmCredit => operation(
                "confirmAttribution",
                "/v1/attributions/{attribution_id}/confirm",
                May::AttributionsReview,
                May::AttributionsRead,
            ),
            Self::ApproveCommissions => operation(
                "approveDueCommissions",
                "/v1/commission-approvals",
                May::CommissionsApprove,
                May::CommissionsRead,
            ),
            Self::DraftPayoutRun => operation(
                "createPayoutRun",
                "/v1/payout-runs",
                May::PayoutRunsWrite,
                May::CommissionsRead,
            ),
            Self::ApprovePayoutRun => operation(
                "approvePayoutRun",
                "/v1/payout-runs/{payout_run_id}/approve",
                May::PayoutRunsApprove,
                May::PayoutRunsRead,
            ),
            Self::ProcessPayoutRun => operation(
                "processPayoutRun",
                "/v1/payout-runs/{payout_run_id}/process",
                May::PayoutRunsProcess,
                May::PayoutRunsRead,
            ),
            Self::SettlePayoutRun => operation(
                "confirmPayoutRun",
                "/v1/payout-runs/{payout_run_id}/confirm",
                May::PayoutsConfirm,
                May::PayoutRunsRead,
            ),
            Self::ConfirmPayoutMethod => operation(
                "confirmPayoutMethod",
                "/v1/payout-methods/{payout_method_id}/confirm",
                May::PayoutMethodsConfirm,
                May::PayoutMethodsRead,
            ),
            Self::VerifyDocument => operation(
                "verifyComplianceDocument",
                "/v1/compliance-documents/{compliance_document_id}/verify",
                May::ComplianceDocumentsVerify,
                May::ComplianceDocumentsRead,
            ),
            Self::ApproveAdjustment => operation(
                "approveAdjustment",
                "/v1/adjustments/{adjustment_id}/approve",
                May::AdjustmentsApprove,
                May::AdjustmentsRead,
            ),
            Self::ReviewPartner => operation(
                "approvePartner",
                "/v1/partners/{partner_id}/approve",
                May::PartnersReview,
                May::PartnersRead,
            ),
            Self::ActivateEnrollment => operation(
                "activateEnrollment",
                "/v1/enrollments/{enrollment_id}/activate",
                May::EnrollmentsWrite,
                May::EnrollmentsRead,
            ),
            Self::DecideMatch => operation(
                "confirmAccountMatch",
                "/v1/account-matches/{account_match_id}/confirm",
                May::AccountMatchesDecide,
                May::AccountMatchesRead,
            ),
            _ => operation(
                "approveDealRegistration",
                "/v1/deal-registrations/{deal_registration_id}/approve",
                May::DealRegistrationsReview,
                claims,
            ),
        }
    }
}
