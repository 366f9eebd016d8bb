//! Why somebody was refused; for the login history. The refused hear none of it.

use crate::kernel::word::word_enum;

word_enum! {
    /// Why somebody was refused who came with a key or a token of somebody who is known.
    RefusalReason, "reason for a refusal" {
        /// The key was revoked.
        KeyRevoked = "key_revoked",
        /// The key had ended by itself.
        KeyExpired = "key_expired",
        /// The secret had been replaced, and the overlap was over.
        SecretReplaced = "secret_replaced",
        /// The session was revoked.
        SessionRevoked = "session_revoked",
        /// The identity provider is suspended.
        ProviderNotActive = "provider_not_active",
        /// The partner is suspended or terminated.
        PartnerNotActive = "partner_not_active",
        /// The address is in none of the networks of the key.
        NetworkNotAllowed = "network_not_allowed",
        /// The token is for none of the audiences of the provider.
        AudienceNotAllowed = "audience_not_allowed",
        /// The token's algorithm is none of those of the provider.
        AlgorithmNotAllowed = "algorithm_not_allowed",
        /// None of the provider's keys has the token's key id, or they could not be read.
        KeyUnknown = "key_unknown",
        /// The signature is not that of the provider's key.
        SignatureInvalid = "signature_invalid",
        /// The token has ended, or says not when it ends.
        TokenExpired = "token_expired",
        /// The token is not good yet.
        TokenNotYetValid = "token_not_yet_valid",
        /// A claim is missing or of the wrong type.
        ClaimsMalformed = "claims_malformed",
        /// The e-mail address is of none of the provider's domains.
        EmailDomainNotAllowed = "email_domain_not_allowed",
        /// Nobody here is known by the token's subject, nor by its e-mail address.
        UserUnknown = "user_unknown",
        /// The provider made as many people known within a day as it may.
        NewcomersTooMany = "newcomers_too_many",
        /// The provider does not vouch for the e-mail address.
        EmailNotVerified = "email_not_verified",
        /// The user is suspended or gone.
        UserNotActive = "user_not_active",
        /// The partner that the token names is unknown, or may not come in.
        PartnerUnknown = "partner_unknown",
        /// Several organizations take the token and the request names none.
        OrganizationAmbiguous = "organization_ambiguous",
    }
}
