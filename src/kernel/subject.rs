//! The records that something can happen to: their nouns, and their ids as text.

use super::id::*;
use uuid::Uuid;

/// Declares the nouns, each with the type of its ids.
macro_rules! subjects {
    ($($noun:literal => $id:ident;)*) => {
        /// Every noun, as events and the audit trail name it.
        pub const NOUNS: &[&str] = &[$($noun),*];

        /// The id of a record as text, by its noun; the bare UUID for a noun that is not known.
        pub fn id_text(noun: &str, id: Uuid) -> String {
            match noun {
                $($noun => $id::from_uuid(id).to_string(),)*
                _ => id.to_string(),
            }
        }

        /// The noun and the id that a text stands for.
        pub fn parse(text: &str) -> Option<(&'static str, Uuid)> {
            let mut found = None;
            $(if let Ok(id) = text.parse::<$id>() {
                found = Some(($noun, id.uuid()));
            })*
            found
        }

        /// The id that a text stands for, whichever noun it belongs to.
        pub fn parse_id(text: &str) -> Option<Uuid> {
            let read = [$(|text: &str| text.parse::<$id>().ok().map($id::uuid)),*];
            read.iter().find_map(|read: &fn(&str) -> Option<Uuid>| read(text))
        }
    };
}

subjects! {
    "organization" => OrganizationId;
    "api_key" => ApiKeyId;
    "user" => UserId;
    "role" => RoleId;
    "identity_provider" => IdentityProviderId;
    "session" => SessionId;
    "program" => ProgramId;
    "product_family" => ProductFamilyId;
    "pipeline_stage" => PipelineStageId;
    "partner" => PartnerId;
    "partner_contact" => PartnerContactId;
    "compliance_document" => ComplianceDocumentId;
    "tier_move" => TierMoveId;
    "enrollment" => EnrollmentId;
    "program_terms" => ProgramTermsId;
    "account" => AccountId;
    "account_match" => AccountMatchId;
    "account_merge" => AccountMergeId;
    "deal" => DealId;
    "touchpoint" => TouchpointId;
    "attribution" => AttributionId;
    "referral" => ReferralId;
    "referral_link" => ReferralLinkId;
    "deal_registration" => DealRegistrationId;
    "registration_comment" => RegistrationCommentId;
    "registration_extension" => RegistrationExtensionId;
    "registration_conflict" => RegistrationConflictId;
    "exchange_rate" => ExchangeRateId;
    "invoice" => InvoiceId;
    "payment" => PaymentId;
    "refund" => RefundId;
    "credit_note" => CreditNoteId;
    "billing_arrival" => BillingArrivalId;
    "commission_rule" => CommissionRuleId;
    "commission_rule_version" => CommissionRuleVersionId;
    "backtest" => BacktestId;
    "commission" => CommissionId;
    "clawback" => ClawbackId;
    "adjustment" => AdjustmentId;
    "dispute" => DisputeId;
    "dispute_comment" => DisputeCommentId;
    "payout_method" => PayoutMethodId;
    "payout_run" => PayoutRunId;
    "ledger_entry" => LedgerEntryId;
    "payout" => PayoutId;
    "statement" => StatementId;
    "import" => ImportId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_noun_writes_an_id_that_reads_back() {
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
        for noun in NOUNS {
            let text = id_text(noun, id);
            assert!(text.contains('_'), "{noun}: {text}");
            assert_eq!(parse_id(&text), Some(id), "{noun}: {text}");
        }
    }

    #[test]
    fn no_two_nouns_share_a_prefix() {
        let mut texts: Vec<String> = NOUNS.iter().map(|noun| id_text(noun, Uuid::nil())).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), NOUNS.len());
    }

    #[test]
    fn what_is_no_id_is_not_read() {
        assert_eq!(parse_id("ptn_1"), None);
        assert_eq!(parse_id("xyz_00000000000000000000000001"), None);
        assert_eq!(id_text("unheard_of", Uuid::nil()), Uuid::nil().to_string());
    }
}
