//! What can go wrong, in one table: a stable code, its HTTP status, its title (RFC 9457).

use super::id::RegistrationConflictId;
use std::fmt;

/// Declares the table of codes.
macro_rules! codes {
    ($($variant:ident = $name:literal => $status:literal, $title:literal;)*) => {
        /// A stable code of a problem. Codes are the contract: they are added, never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $variant,)* }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// What it means, in a sentence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    MalformedRequest = "malformed_request" => 400, "The request could not be read.";
    MalformedJson = "malformed_json" => 400, "The body is not well-formed JSON.";
    IdempotencyKeyRequired = "idempotency_key_required" => 400, "This operation moves money and needs an Idempotency-Key.";
    IdempotencyKeyInvalid = "idempotency_key_invalid" => 400, "The Idempotency-Key is empty, too long or not printable.";
    Unauthorized = "unauthorized" => 401, "The credential is missing, unknown, expired or revoked.";
    RightsChanged = "rights_changed" => 401, "The rights of the caller changed during the request; try again.";
    PermissionDenied = "permission_denied" => 403, "The credential does not hold the permission of this operation.";
    SecondFactorRequired = "second_factor_required" => 403, "This needs a sign-in with a second factor.";
    NotFound = "not_found" => 404, "There is no such record.";
    RouteNotFound = "route_not_found" => 404, "There is no such path.";
    MethodNotAllowed = "method_not_allowed" => 405, "The path does not know this method.";
    RequestTimeout = "request_timeout" => 408, "The request did not arrive in time.";
    WrongState = "wrong_state" => 409, "The record is not in a state that allows this.";
    ExternalIdTaken = "external_id_taken" => 409, "Another record of this kind has this external id.";
    AlreadyExists = "already_exists" => 409, "There is such a record already.";
    SharesExceedWhole = "shares_exceed_whole" => 409, "The confirmed shares of one role would exceed 10,000 basis points.";
    DealSettled = "deal_settled" => 409, "The deal is won and its credits are settled.";
    RegistrationConflict = "registration_conflict" => 409, "Another claim to this account stands in the way.";
    ExistingCustomer = "existing_customer" => 409, "The account is a customer already, and the program takes no registration of it.";
    TooManyRegistrations = "too_many_registrations" => 409, "The partner has as many open registrations as the program allows.";
    RulesTie = "rules_tie" => 409, "Two active rules would apply with equal precedence.";
    RuleBackdated = "rule_backdated" => 409, "The version would change terms under which commissions were already computed.";
    RuleVersionsOverlap = "rule_versions_overlap" => 409, "Another version of the rule is in force in this period.";
    RuleVersionsGap = "rule_versions_gap" => 409, "Between this version of the rule and the one before it no version is in force.";
    RuleTiersFall = "rule_tiers_fall" => 409, "The tiers pay less for more, and everything would be rated anew.";
    SecondPersonRequired = "second_person_required" => 409, "Whoever proposed something cannot approve or confirm it.";
    LastAdmin = "last_admin" => 409, "An organization keeps at least one active admin.";
    BuiltInRole = "built_in_role" => 409, "A role that comes with the service does not change.";
    PayoutRunStale = "payout_run_stale" => 409, "The lines of the run changed since it was drafted.";
    PayoutInTransit = "payout_in_transit" => 409, "The payout is on its way, and what became of it is being found out.";
    PayoutRunHasNoFile = "payout_run_has_no_file" => 409, "There is no file of this run for a bank.";
    PaymentExceedsInvoice = "payment_exceeds_invoice" => 409, "The payment is more than what is open on the invoice.";
    RefundExceedsPayment = "refund_exceeds_payment" => 409, "The refund is more than what is left of the payment.";
    ReinstatementExceedsRefund = "reinstatement_exceeds_refund" => 409, "The reinstatement is more than what is left of the refund.";
    RecalculationUnderway = "recalculation_underway" => 409, "A recalculation of the program has not ended yet.";
    RecalculationOverlaps = "recalculation_overlaps" => 409, "Another recalculation proposed adjustments for a part of the period.";
    CommissionOnHold = "commission_on_hold" => 409, "What it corrects is not payable itself yet.";
    WriteOffExceedsDebt = "write_off_exceeds_debt" => 409, "The write-off is more than what the partner owes.";
    CreditExceedsInvoice = "credit_exceeds_invoice" => 409, "The credit note is more than what is left of the invoice.";
    SandboxOnly = "sandbox_only" => 409, "Only an organization in sandbox mode has a clock that can be advanced.";
    IdempotencyKeyInUse = "idempotency_key_in_use" => 409, "A request with this Idempotency-Key is still running.";
    WriteConflict = "write_conflict" => 409, "Another change came first; try again.";
    PreconditionFailed = "precondition_failed" => 412, "The record has changed since it was read.";
    BodyTooLarge = "body_too_large" => 413, "The body is larger than this operation takes.";
    UnsupportedMediaType = "unsupported_media_type" => 415, "The body's media type is not one that this operation takes.";
    ValidationFailed = "validation_failed" => 422, "One or more fields are invalid.";
    InvalidCursor = "invalid_cursor" => 422, "The cursor is damaged or belongs to another list, filter or order.";
    IdempotencyKeyReused = "idempotency_key_reused" => 422, "The Idempotency-Key was used with another request.";
    PreconditionRequired = "precondition_required" => 428, "This operation needs an If-Match header.";
    TooManyRequests = "too_many_requests" => 429, "The rate limit of the credential or address is used up.";
    HeadersTooLarge = "headers_too_large" => 431, "The request's headers are larger than the service takes.";
    InternalError = "internal_error" => 500, "The service failed; the cause is in its log under the request id.";
    ServiceUnavailable = "service_unavailable" => 503, "The database is away or busy; try again.";
}

/// One invalid field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// RFC 6901 pointer into the body, `?name` for a query parameter, a header's name for a header.
    pub pointer: String,
    /// A stable code, such as `too_short`.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl FieldProblem {
    /// A problem with one field.
    pub fn new(pointer: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.into(),
            message: message.into(),
        }
    }
}

/// A refusal or a failure, as it goes to the client. Causes go to the log, never in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which problem.
    pub code: Code,
    /// What happened here, for a person.
    pub detail: Option<String>,
    /// The invalid fields, all at once.
    pub errors: Vec<FieldProblem>,
    /// For `wrong_state`: the state the record is in.
    pub current_state: Option<String>,
    /// For `wrong_state`: the moves that this state allows.
    pub allowed_moves: Option<Vec<String>>,
    /// For `registration_conflict`: the conflict in which the caller's claim stands. Boxed, because problems travel in
    /// every result and this one is rare.
    pub conflict_id: Option<Box<RegistrationConflictId>>,
    /// Seconds after which another attempt makes sense.
    pub retry_after_seconds: Option<u32>,
}

impl Problem {
    /// A problem with its title alone.
    pub fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            errors: Vec::new(),
            current_state: None,
            allowed_moves: None,
            conflict_id: None,
            retry_after_seconds: None,
        }
    }

    /// Adds what happened here.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The record is not there, or not the caller's: the two cannot be told apart.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// This problem, or the other one where it says that something is missing: any other failure stays what it is.
    #[must_use]
    pub fn or_if_missing(self, other: Self) -> Self {
        if self.code == Code::NotFound { other } else { self }
    }

    /// One invalid field.
    pub fn field(pointer: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldProblem::new(pointer, code, message)])
    }

    /// Several invalid fields.
    pub fn fields(errors: Vec<FieldProblem>) -> Self {
        let detail = if errors.len() == 1 {
            "1 field is invalid.".to_owned()
        } else {
            format!("{} fields are invalid.", errors.len())
        };
        Self {
            errors,
            ..Self::new(Code::ValidationFailed).because(detail)
        }
    }

    /// A move that the record's state does not allow.
    pub fn wrong_state(verb: &str, current: &str, allowed: &[&str]) -> Self {
        let moves = if allowed.is_empty() {
            "no moves".to_owned()
        } else {
            allowed.join(", ")
        };
        Self {
            current_state: Some(current.to_owned()),
            allowed_moves: Some(allowed.iter().map(|&name| name.to_owned()).collect()),
            ..Self::new(Code::WrongState).because(format!(
                "Cannot {verb} in state {current}; allowed from here: {moves}."
            ))
        }
    }

    /// The service failed; the cause was logged.
    pub fn internal() -> Self {
        Self::new(Code::InternalError)
    }

    /// A stored value that the service's own words cannot read; the cause goes to the log.
    pub fn damaged(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "a stored value cannot be read");
        Self::internal()
    }

    /// The database is away or busy.
    pub fn unavailable() -> Self {
        Self {
            retry_after_seconds: Some(1),
            ..Self::new(Code::ServiceUnavailable)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {}",
            self.code.name(),
            self.detail.as_deref().unwrap_or(self.code.title())
        )?;
        self.errors
            .iter()
            .try_for_each(|error| write!(formatter, "; {} {}", error.pointer, error.message))
    }
}

impl std::error::Error for Problem {}
