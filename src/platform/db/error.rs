//! What Postgres refuses, in the words of the problem table.

use crate::kernel::problem::{Code, FieldProblem, Problem};
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};

/// Turns a database error into a problem. Anything unforeseen is logged and becomes a `500`.
pub fn problem_of(error: Error) -> Problem {
    match error {
        Error::NotFound => Problem::not_found(),
        Error::DatabaseError(kind, information) => refused(kind, information.as_ref()),
        other => {
            tracing::error!(error = %other, "database");
            Problem::internal()
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        problem_of(error)
    }
}

/// Whether the same work may succeed when it is done again.
pub(super) fn is_retryable(problem: &Problem) -> bool {
    problem.code == Code::WriteConflict
}

fn refused(kind: DatabaseErrorKind, information: &(dyn DatabaseErrorInformation + Send + Sync)) -> Problem {
    let constraint = information.constraint_name().unwrap_or_default();
    match kind {
        DatabaseErrorKind::SerializationFailure => Problem::new(Code::WriteConflict),
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
            Problem::unavailable()
        }
        _ => match by_message(information.message()).or_else(|| by_constraint(constraint)) {
            Some(problem) => problem,
            None => {
                tracing::error!(message = information.message(), constraint, ?kind, "database");
                Problem::internal()
            }
        },
    }
}

/// Diesel names few SQLSTATEs, so the others are known by the server's own words.
fn by_message(message: &str) -> Option<Problem> {
    let is = |words: &str| message.contains(words);
    if is("the caller is no longer let in") {
        Some(Problem::new(Code::Unauthorized))
    } else if is("the rights of the caller have changed") {
        Some(Problem::new(Code::RightsChanged))
    } else if is("the last admin cannot be removed") {
        Some(Problem::new(Code::LastAdmin))
    } else if is("deadlock detected") {
        Some(Problem::new(Code::WriteConflict))
    } else if is("statement timeout") {
        tracing::info!(message, "a statement took too long");
        Some(Problem::unavailable())
    } else if is("terminating connection")
        || is("the database system is")
        || is("server closed the connection")
        || is("no connection to the server")
        || is("cannot execute") && is("in a read-only transaction")
    {
        tracing::warn!(message, "database away");
        Some(Problem::unavailable())
    } else {
        None
    }
}

/// Constraints have names, and the name tells which rule refused.
fn by_constraint(constraint: &str) -> Option<Problem> {
    if constraint == "tiers_external_id_key" {
        let field = FieldProblem::new(
            "/tiers",
            "taken",
            "A tier of another program has one of these external ids.",
        );
        return Some(Problem {
            errors: vec![field],
            ..Problem::new(Code::ExternalIdTaken)
        });
    }
    if constraint.ends_with("_external_id_key") {
        let field = FieldProblem::new(
            "/external_id",
            "taken",
            "Another record of this kind has this external id.",
        );
        return Some(Problem {
            errors: vec![field],
            ..Problem::new(Code::ExternalIdTaken)
        });
    }
    if let Some(column) = constraint.strip_suffix("_fk").and_then(foreign_column) {
        let pointer = format!("/{column}_id");
        return Some(Problem::field(
            pointer,
            "unknown_reference",
            "There is no such record.",
        ));
    }
    let code = match constraint {
        "attributions_shares_check" => Code::SharesExceedWhole,
        "commission_rule_versions_period_key" => Code::RuleVersionsOverlap,
        "deal_registrations_protection_key" => Code::RegistrationConflict,
        "registration_extensions_requested_key" => {
            return Some(
                Problem::new(Code::AlreadyExists)
                    .because("An extension of this registration is asked for already."),
            );
        }
        "disputes_live_subject_key" => {
            return Some(Problem::new(Code::AlreadyExists).because("There is a dispute about this already."));
        }
        "payout_runs_second_person_check"
        | "payout_runs_second_hand_check"
        | "payout_methods_second_person_check"
        | "payout_methods_second_hand_check"
        | "adjustments_second_hand_check"
        | "adjustments_second_person_check" => Code::SecondPersonRequired,
        // Two proposals were confirmed at once; the second one is tried again and replaces the first.
        "payout_methods_active_key" => Code::WriteConflict,
        // Two merged the same account at once; the second one is tried again and finds it merged.
        "backtests_recalculation_key" => Code::RecalculationUnderway,
        "account_merges_merged_key" => Code::WriteConflict,
        "partners_circle_check" => {
            let message = "A partner cannot be placed below itself.";
            return Some(Problem::field("/parent_id", "below_itself", message));
        }
        "partner_descendants_levels_check" => {
            let message = "Partners stand on five levels at most, counted from the one at the top.";
            return Some(Problem::field("/parent_id", "too_many_levels", message));
        }
        "program_terms_version_key" => {
            let message = "The program has a version of this name.";
            return Some(Problem {
                errors: vec![FieldProblem::new("/version", "taken", message)],
                ..Problem::new(Code::AlreadyExists)
            });
        }
        "partner_contacts_email_key" => {
            let message = "The partner has a contact of this e-mail address.";
            return Some(Problem {
                errors: vec![FieldProblem::new("/email", "taken", message)],
                ..Problem::new(Code::AlreadyExists)
            });
        }
        "partner_contacts_primary_key" => {
            let message = "The partner has a primary contact; take that role from it first.";
            return Some(Problem {
                errors: vec![FieldProblem::new("/roles", "taken", message)],
                ..Problem::new(Code::AlreadyExists)
            });
        }
        "referral_links_code_key" => {
            let message = "Another link has this code.";
            return Some(Problem {
                errors: vec![FieldProblem::new("/code", "taken", message)],
                ..Problem::new(Code::AlreadyExists)
            });
        }
        // A visitor was converted twice at once; the second one is tried again and finds it converted.
        "clicks_converted_key" => Code::WriteConflict,
        "terms_acceptances_enrollment_key" => {
            return Some(
                Problem::new(Code::AlreadyExists)
                    .because("This version was accepted for the enrollment already."),
            );
        }
        // Two recorded a rate of a pair and a day at once; the second one is tried again and finds it.
        "exchange_rates_first_key" | "exchange_rates_supersedes_key" => Code::WriteConflict,
        // Two versions were published at once; the second one is tried again with the next number.
        "program_terms_number_key" => Code::WriteConflict,
        "users_email_key" => {
            let message = "Another user here has this e-mail address.";
            return Some(Problem {
                errors: vec![FieldProblem::new("/email", "taken", message)],
                ..Problem::new(Code::AlreadyExists)
            });
        }
        "roles_name_key" => {
            return Some(Problem {
                errors: vec![FieldProblem::new("/name", "taken", "Another role has this name.")],
                ..Problem::new(Code::AlreadyExists)
            });
        }
        "payout_items_live_commission_key"
        | "payout_items_live_clawback_key"
        | "payout_items_live_adjustment_key" => Code::PayoutRunStale,
        "pipeline_stages_position_key" => {
            let field = FieldProblem::new("/position", "taken", "Another stage has this position.");
            return Some(Problem {
                errors: vec![field],
                ..Problem::new(Code::AlreadyExists)
            });
        }
        "enrollments_tier_check" => {
            let message = "The ladder of the program has no tier with this code.";
            return Some(Problem::field("/tier", "unknown_tier", message));
        }
        "enrollments_tier_move_check" => {
            let message =
                "The program has a ladder of tiers: use POST /v1/enrollments/{enrollment_id}/move-tier.";
            return Some(Problem::field("/tier", "moved_by_verb", message));
        }
        // Somebody moved the enrollment in between; what was decided is decided anew.
        "tier_moves_from_check" => Code::WriteConflict,
        "enrollments_partner_program_key" => {
            return Some(
                Problem::new(Code::AlreadyExists).because("The partner is in this program already."),
            );
        }
        "attributions_deal_role_partner_key" => {
            let message = "The partner has credit in this role on this deal already.";
            return Some(Problem {
                errors: vec![FieldProblem::new("/partner_id", "taken", message)],
                ..Problem::new(Code::AlreadyExists)
            });
        }
        "attributions_deal_role_rank_key" | "commission_rule_versions_number_key" => Code::AlreadyExists,
        _ => return None,
    };
    Some(Problem::new(code))
}

/// `deals_account_fk` is about the column `account_id` of the table `deals`.
fn foreign_column(name: &str) -> Option<&'static str> {
    const COLUMNS: &[&str] = &[
        "account",
        "program",
        "product_family",
        "stage",
        "parent",
        "partner",
        "deal_registration",
        "deal",
        "invoice",
        "payment",
        "commission_rule",
        "commission",
        "owner",
        "duplicate_of",
        "enrollment",
    ];
    COLUMNS
        .iter()
        .find(|column| name.ends_with(&format!("_{column}")))
        .copied()
}
