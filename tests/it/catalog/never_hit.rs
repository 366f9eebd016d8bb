//! The constraints that no request can hit.

/// Constraints that no request can hit: the service checks the words of its vocabularies and the amounts before it
/// writes, so that a violation is a fault of the service and rightly a 500. A new constraint has to be put on this
/// list or into the table of `platform::db::error`.
pub const NEVER_HIT: &[(&str, &str)] = &[
    ("%_pk", "ids are made by the service"),
    ("%_organization_fk", "the organization is that of the credential"),
    ("%_status_check", "a vocabulary of the service"),
    ("%_currency_check", "a currency is read before it is written"),
    ("%_country_check", "the document's pattern is the same"),
    ("%_kind_check", "a vocabulary of the service"),
    ("%_role_check", "a vocabulary of the service"),
    ("%_amount_check", "money is computed by the service"),
    ("%_amounts_check", "money is computed by the service"),
    ("%_position_check", "the document's bounds are the same"),
    (
        "organizations_%_check",
        "the document's bounds and patterns are the same",
    ),
    ("api_keys_admission_key", "Postgres draws it"),
    ("api_keys_secret_hash_%", "the service makes the secret"),
    ("api_keys_previous_secret_hash_%", "the service makes the secret"),
    ("audit_events_actor_type_check", "a vocabulary of the service"),
    ("audit_links_%", "the sealer links"),
    ("authentication_events_%", "the service writes them by itself"),
    ("identities_%", "first arrivals come one after the other"),
    (
        "identity_providers_%_check",
        "vocabularies, and the document's bounds are the same",
    ),
    (
        "deal_rules_%_check",
        "vocabularies, and the document's bounds are the same",
    ),
    (
        "terms_acceptances_terms_fk",
        "the service accepts what it has found",
    ),
    ("partners_reason_code_check", "a vocabulary of the service"),
    (
        "exchange_rates_%_check",
        "vocabularies, and what is read before it is written",
    ),
    (
        "exchange_rates_supersedes_fk",
        "the service finds what it supersedes",
    ),
    ("statements_%", "the service computes them"),
    ("statement_lines_%", "and their lines, one caller at a time"),
    ("statement_keys_%", "the service makes the keys"),
    ("statement_signatures_%", "and signs, one caller at a time"),
    (
        "tier_ladders_%_check",
        "a vocabulary, and the document's bounds are the same",
    ),
    ("tiers_rank_%", "the service numbers the tiers"),
    ("tiers_ladder_fk", "the ladder is written before its tiers"),
    (
        "tier_standings_%",
        "standings begin with the ladder and the enrollment",
    ),
    ("tier_moves_%", "the service writes the history"),
    ("referral_links_status_check", "a vocabulary of the service"),
    (
        "clicks_%_fk",
        "of links that were found, which name partner and program",
    ),
    ("clicks_referral_key", "a referral is made for one click"),
    ("clicks_window_key", "the service widens the click that is there"),
    ("clicks_order_check", "the service computes the half hour"),
    (
        "referrals_%_check",
        "a vocabulary of the service, and states that it makes",
    ),
    ("referral_routes_%_check", "the document's bounds are the same"),
    ("referral_moves_%", "the service writes the history"),
    (
        "referral_assignments_referral_fk",
        "the service assigns what it has found",
    ),
    ("referrals_deal_key", "a deal is made for one referral"),
    ("refresh_tokens_%", "the service makes them"),
    ("sessions_%", "made of what the caller is"),
    ("%_by_type_check", "a vocabulary of the service"),
    (
        "roles_built_in_%",
        "roles that come with the service are made by it",
    ),
    ("user_roles_%_fk", "roles and users are looked up first"),
    ("events_sequence_key", "the sequencer counts"),
    (
        "programs_%_check",
        "vocabularies, and the document's bounds are the same",
    ),
    (
        "partners_parent_check",
        "the service refuses its own parent with a pointer",
    ),
    (
        "partner_descendants_%_fk",
        "partners are never deleted, and a parent is looked up by its own key first",
    ),
    ("deals_%_check", "vocabularies, and facts that the state carries"),
    ("attributions_share_check", "the document's bounds are the same"),
    (
        "attribution_corrections_%",
        "the service writes them of credit that it has locked",
    ),
    ("touchpoints_voided_check", "facts that the state carries"),
    (
        "commission_rule_versions_hold_days_check",
        "the document's bounds are the same",
    ),
    (
        "commission_rule_versions_period_check",
        "the service refuses it with a pointer",
    ),
    ("commission_rules_component_check", "a vocabulary of the service"),
    ("commissions_%", "lines are earned by the engine"),
    ("clawbacks_%", "lines are taken back by the engine"),
    ("ledger_entries_%", "the journal is written by the engine"),
    ("payouts_%", "payouts are drafted by the service"),
    ("payout_items_%", "payouts are drafted by the service"),
    ("payout_transfers_%", "the service keeps them"),
    ("payout_carry_forwards_%", "payouts are drafted by the service"),
    ("payout_runs_rail_check", "a vocabulary of the service"),
    (
        "payout_runs_debtor_check",
        "the service drafts with the whole account or none",
    ),
    ("payout_runs_processed_check", "facts that the state carries"),
    ("payout_methods_currency_key", "it holds the primary key"),
    (
        "compliance_documents_validity_check",
        "the service refuses it with a pointer",
    ),
    (
        "compliance_documents_moments_check",
        "the state carries what belongs to it",
    ),
    (
        "organizations_payout_debtor_check",
        "the service refuses it with a pointer",
    ),
    ("invoice_lines_position_key", "the service numbers the lines"),
    ("invoice_lines_cost_check", "the document's bounds are the same"),
    (
        "invoice_lines_list_check",
        "the service refuses it with a pointer",
    ),
    (
        "invoice_lines_quantity_check",
        "the service refuses it with a pointer",
    ),
    (
        "commission_standing_corrections_%",
        "so is what corrections take of caps",
    ),
    ("commission_standings_%", "standings are kept by the engine"),
    (
        "commission_rule_versions_rule_fk",
        "the rule is the one in the path, locked before",
    ),
    (
        "refunds_%_fk",
        "the service itself found the payment, its invoice and the credit note",
    ),
    (
        "refunds_payment_version_key",
        "each refund makes a version of its payment, which is locked",
    ),
    (
        "refunds_reinstate%_check",
        "the service looks at what is left of the refund, under its lock",
    ),
    (
        "payout_methods_details_check",
        "a kind has its details by construction",
    ),
    (
        "payout_methods_confirmation_check",
        "the service confirms with all of it or nothing",
    ),
    ("adjustments_reason_code_check", "a vocabulary of the service"),
    (
        "adjustments_write_off_check",
        "the service looks at the debt, under the partner's lock",
    ),
    (
        "adjustments_approval_check",
        "the service approves with all of it or nothing",
    ),
    ("deal_registrations_registrar_fk", "the caller's own partner"),
    (
        "deal_registrations_protection_%check",
        "the state carries what belongs to it",
    ),
    (
        "registration_comments_visibility_check",
        "a vocabulary of the service",
    ),
    ("registration_conflicts_%", "conflicts are raised by the service"),
    (
        "registration_conflict_parties_%",
        "conflicts are raised by the service",
    ),
    ("registration_prechecks_%", "the service counts"),
    ("account_match_keys_%", "the service and its triggers write them"),
    (
        "account_matches_%",
        "the worker writes them and the service decides",
    ),
    ("account_merge_moves_%", "the service moves what it found"),
    ("account_merges_%_fk", "both accounts are locked before"),
    ("accounts_merged_into_%", "the service merges what it locked"),
    (
        "disputes_%_check",
        "vocabularies of the service, and facts that the state carries",
    ),
    ("disputes_adjustment_fk", "the service posted it"),
    ("dispute_reviews_%", "the service writes them"),
    ("dispute_lines_%", "of commissions that were locked before"),
    ("dispute_comments_%", "of a dispute that was found before"),
    (
        "backtests_%_check",
        "vocabularies of the service, and a period that was checked",
    ),
    (
        "billing_arrivals_%_check",
        "vocabularies of the service, and what the state carries",
    ),
    (
        "adjustments_backtest_%",
        "of a recalculation, which the worker ends once",
    ),
    (
        "adjustments_attribution_fk",
        "of a credit that was corrected before",
    ),
    ("adjustments_dispute_fk", "of a dispute that was decided before"),
    ("backtests_%_fk", "of a rule and a version that were found before"),
    ("imports_%_check", "vocabularies of the service"),
    ("import_rejections_%", "the worker writes them"),
];
