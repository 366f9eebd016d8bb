//! What to do about each problem, for a person who meets it.

use super::problem::Code;

impl Code {
    /// What to do about it, in a sentence or two. It stands as the detail where a refusal says nothing more exact.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::MalformedRequest => {
                "Look at the detail of the answer: it names the part that could not be read."
            }
            Self::MalformedJson => "Send one JSON object, well-formed and in UTF-8, as the body.",
            Self::IdempotencyKeyRequired => {
                "Send a header Idempotency-Key with a fresh value of your own, such as a UUID, and the same value when you \
                 send the same request again."
            }
            Self::IdempotencyKeyInvalid => "Send 1 to 255 printable ASCII characters, such as a UUID.",
            Self::Unauthorized => {
                "Send a valid API key or access token as `Authorization: Bearer <secret>`; an admin of the organization makes \
                 keys. The last admin key, if it is lost, is replaced on the service's own machine by `copartner api-key \
                 create --admin`."
            }
            Self::RightsChanged => "Send the request again; it is judged by the rights as they are now.",
            Self::PermissionDenied => {
                "Ask with a credential that holds the permission which the operation's description names; GET /v1/me tells \
                 what yours holds."
            }
            Self::SecondFactorRequired => {
                "Sign in at your identity provider with a second factor and come with the token that it gives you, or with \
                 a session made of it. API keys have none."
            }
            Self::NotFound => "Check the id: there is no such record, or none that your credential may see.",
            Self::RouteNotFound => "Check the path against the OpenAPI document at /openapi.json.",
            Self::MethodNotAllowed => "Use one of the methods that the header Allow names.",
            Self::RequestTimeout => "Send the whole request without a pause; a large file as an import.",
            Self::WrongState => {
                "Read the record and use one of its allowed moves, as `allowed_moves` names them."
            }
            Self::ExternalIdTaken => {
                "Use the record that has this external id already, or choose another one."
            }
            Self::AlreadyExists => "Read the list of these records and change the one that is there.",
            Self::SharesExceedWhole => {
                "Lower this share, or reject another claim of the same role and deal first."
            }
            Self::DealSettled => {
                "A won deal and its credits stay as they are. A credit that is missing is claimed and then corrected, with \
                 the reason: POST /v1/attributions/{attribution_id}/correct."
            }
            Self::RegistrationConflict => {
                "Read the conflict that `conflict_id` names and bring evidence for your side, or submit again when the \
                 account is free."
            }
            Self::ExistingCustomer => "Talk to the organization: it sells to this account already.",
            Self::TooManyRegistrations => {
                "Withdraw a registration that is no longer worked on, or wait for a decision on another one."
            }
            Self::RulesTie => "Give one of the two rules another priority, or narrow its conditions.",
            Self::RuleBackdated => {
                "Choose an instant after the last commission that was computed; the detail names it."
            }
            Self::RuleVersionsOverlap => "End the other version first, or begin after it.",
            Self::RuleVersionsGap => "Begin where the version before ends, or write a rule of its own.",
            Self::RuleTiersFall => "Raise what the higher tier pays, or choose another tier_mode.",
            Self::SecondPersonRequired => {
                "Let somebody else approve it: another person, or a key that neither belongs to whoever created it nor was \
                 made by them."
            }
            Self::LastAdmin => {
                "Make another admin first: a user, or a key that may write keys and users. A key whose secret got known is \
                 rotated."
            }
            Self::BuiltInRole => "Create a role of your own with the permissions that you want.",
            Self::PayoutRunStale => "Cancel this run and draft another one.",
            Self::PayoutInTransit => {
                "Wait until the rail has answered: the payout is then paid or failed by itself, or, if that cannot be found out \
                 within a day, yours to confirm or fail."
            }
            Self::PayoutRunHasNoFile => {
                "Process the run first; a run whose rail is manual or stripe has no file."
            }
            Self::PaymentExceedsInvoice => "Check the amount against what is open on the invoice.",
            Self::RefundExceedsPayment => "Check the amount against what is left of the payment.",
            Self::ReinstatementExceedsRefund => {
                "Check the amount against what is not reinstated of the refund yet."
            }
            Self::RecalculationUnderway => "Wait until the other one has ended, then ask again.",
            Self::RecalculationOverlaps => {
                "Recalculate exactly the other one's period, or an earlier period before a later one; or refuse or withdraw all \
                 that it proposed."
            }
            Self::CommissionOnHold => {
                "Approve it when the hold of the credit's commissions is over, they are approved and, where the partner is \
                 paid in another currency, exchanged: then it is proposed anew in that currency."
            }
            Self::WriteOffExceedsDebt => {
                "Look at the partner's balance in the program: write off at most what is below zero there."
            }
            Self::CreditExceedsInvoice => "Check the amount against what is left of the invoice.",
            Self::SandboxOnly => {
                "Try it out in a sandbox: whoever runs the service makes one by `copartner organization create --sandbox`."
            }
            Self::IdempotencyKeyInUse => {
                "Wait as long as Retry-After says, then send the same request again."
            }
            Self::WriteConflict => "Send the request again.",
            Self::PreconditionFailed => {
                "Read the record again and repeat the change with its current ETag, in its quotes."
            }
            Self::BodyTooLarge => "Send less at once; large amounts of data as an import.",
            Self::UnsupportedMediaType => "Send the body as `application/json`.",
            Self::ValidationFailed => "Mend the fields that `errors` names and send the request again.",
            Self::InvalidCursor => {
                "Begin the list again without a cursor, and keep filter and order from page to page."
            }
            Self::IdempotencyKeyReused => {
                "This key stood for another record or body at this operation in the last 24 hours, and nothing was done now. Send the new \
                 request with a fresh key, or the old one as it was."
            }
            Self::PreconditionRequired => "Read the record and send its ETag, in its quotes, as If-Match.",
            Self::TooManyRequests => "Wait as long as Retry-After says, then send the request again.",
            Self::HeadersTooLarge => "Send fewer or shorter headers.",
            Self::InternalError => {
                "Nothing was changed. Report the `request_id` to whoever runs the service."
            }
            Self::ServiceUnavailable => "Nothing was changed. Send the request again after Retry-After.",
        }
    }
}
