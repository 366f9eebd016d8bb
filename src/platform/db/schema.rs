// @generated automatically by Diesel CLI.

diesel::table! {
    account_match_keys (organization_id, account_id, position) {
        organization_id -> Uuid,
        account_id -> Uuid,
        position -> Int4,
        name_key -> Nullable<Text>,
        core -> Nullable<Text>,
        domain -> Nullable<Text>,
        key_version -> Int4,
        compared -> Bool,
    }
}

diesel::table! {
    account_matches (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        account_id -> Uuid,
        other_account_id -> Uuid,
        status -> Text,
        status_reason -> Nullable<Text>,
        score -> Int4,
        reasons -> Array<Nullable<Text>>,
        decided_by -> Nullable<Uuid>,
        decided_by_type -> Nullable<Text>,
        decided_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    account_merge_moves (organization_id, merge_id, kind, record_id) {
        organization_id -> Uuid,
        merge_id -> Uuid,
        kind -> Text,
        record_id -> Uuid,
    }
}

diesel::table! {
    account_merges (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        account_id -> Uuid,
        survivor_id -> Uuid,
        status -> Text,
        reason -> Text,
        undo_reason -> Nullable<Text>,
        moved_deals -> Int8,
        moved_accounts -> Int8,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        moved_registrations -> Int8,
    }
}

diesel::table! {
    accounts (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        name -> Text,
        domain -> Nullable<Text>,
        country -> Nullable<Text>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        merged_into_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    adjustments (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        partner_id -> Uuid,
        program_id -> Uuid,
        commission_id -> Nullable<Uuid>,
        deal_id -> Nullable<Uuid>,
        status -> Text,
        status_reason -> Nullable<Text>,
        reason_code -> Text,
        reason -> Text,
        currency -> Text,
        amount -> Numeric,
        created_by -> Uuid,
        created_by_type -> Text,
        approved_by -> Nullable<Uuid>,
        approved_by_type -> Nullable<Text>,
        approved_at -> Nullable<Timestamptz>,
        paid_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        author_secret_makers -> Array<Uuid>,
        debt -> Nullable<Numeric>,
        backtest_id -> Nullable<Uuid>,
        attribution_id -> Nullable<Uuid>,
        dispute_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    api_keys (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        partner_id -> Nullable<Uuid>,
        name -> Text,
        prefix -> Text,
        secret_hash -> Bytea,
        permissions -> Array<Text>,
        owner_id -> Nullable<Uuid>,
        created_by -> Nullable<Uuid>,
        created_by_type -> Nullable<Text>,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        allowed_networks -> Array<Text>,
        last_used_at -> Nullable<Timestamptz>,
        previous_secret_hash -> Nullable<Bytea>,
        previous_secret_until -> Nullable<Timestamptz>,
        access_version -> Int8,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        secret_makers -> Array<Uuid>,
        previous_secret_makers -> Array<Uuid>,
    }
}

diesel::table! {
    attribution_corrections (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        attribution_id -> Uuid,
        share_before -> Int4,
        share_after -> Int4,
        reason -> Text,
        corrected_at -> Timestamptz,
        number -> Int4,
        corrected_by -> Nullable<Uuid>,
        corrected_by_type -> Nullable<Text>,
        author_secret_makers -> Array<Uuid>,
    }
}

diesel::table! {
    attributions (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        deal_id -> Uuid,
        partner_id -> Uuid,
        role -> Text,
        share_basis_points -> Int4,
        allocation_rank -> Int4,
        status -> Text,
        status_reason -> Nullable<Text>,
        confirmed_at -> Nullable<Timestamptz>,
        settled_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        touchpoint_ids -> Array<Nullable<Uuid>>,
    }
}

diesel::table! {
    audit_events (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        written_order -> Int8,
        action -> Text,
        subject_type -> Text,
        subject_id -> Uuid,
        actor_type -> Text,
        actor_id -> Nullable<Uuid>,
        changes -> Jsonb,
        reason -> Nullable<Text>,
        request_id -> Nullable<Uuid>,
        address -> Nullable<Text>,
        responsible_id -> Nullable<Uuid>,
        session_id -> Nullable<Uuid>,
        confined_to -> Nullable<Uuid>,
        occurred_at -> Timestamptz,
    }
}

diesel::table! {
    audit_links (organization_id, position) {
        organization_id -> Uuid,
        position -> Int8,
        audit_event_id -> Uuid,
        previous_hash -> Bytea,
        hash -> Bytea,
        sealed_at -> Timestamptz,
    }
}

diesel::table! {
    backtests (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        program_id -> Uuid,
        commission_rule_id -> Uuid,
        rule_version_id -> Uuid,
        terms_hash -> Text,
        from_on -> Date,
        until_on -> Date,
        starts_at -> Timestamptz,
        ends_at -> Timestamptz,
        status -> Text,
        lines_done -> Int8,
        outcome -> Nullable<Jsonb>,
        error_code -> Nullable<Text>,
        created_by -> Nullable<Uuid>,
        created_by_type -> Nullable<Text>,
        leased_until -> Nullable<Timestamptz>,
        started_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        recalculation_reason -> Nullable<Text>,
        author_secret_makers -> Array<Uuid>,
        adjustments_proposed -> Nullable<Int8>,
    }
}

diesel::table! {
    billing_arrivals (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        external_id -> Text,
        fact -> Jsonb,
        happened_at -> Timestamptz,
        status -> Text,
        status_reason -> Nullable<Text>,
        awaits_resource -> Nullable<Text>,
        awaits_external_id -> Nullable<Text>,
        record_id -> Nullable<Uuid>,
        problem -> Nullable<Jsonb>,
        created_by -> Nullable<Uuid>,
        created_by_type -> Nullable<Text>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    clawbacks (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        commission_id -> Uuid,
        refund_id -> Uuid,
        partner_id -> Uuid,
        program_id -> Uuid,
        status -> Text,
        currency -> Text,
        amount -> Numeric,
        taken_from -> Nullable<Text>,
        zero_reason -> Nullable<Text>,
        explanation -> Jsonb,
        occurred_at -> Timestamptz,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        exchanged_currency -> Nullable<Text>,
        exchanged_amount -> Nullable<Numeric>,
        exchange -> Nullable<Jsonb>,
        owed_currency -> Text,
        owed_amount -> Numeric,
    }
}

diesel::table! {
    commission_rule_versions (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        commission_rule_id -> Uuid,
        version -> Int4,
        status -> Text,
        formula -> Jsonb,
        motions -> Array<Text>,
        roles -> Array<Text>,
        partner_ids -> Array<Uuid>,
        product_family_ids -> Array<Uuid>,
        currencies -> Array<Text>,
        priority -> Int4,
        hold_days -> Int4,
        effective_from -> Timestamptz,
        effective_to -> Nullable<Timestamptz>,
        terms_hash -> Text,
        activated_at -> Nullable<Timestamptz>,
        retired_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        clauses -> Jsonb,
    }
}

diesel::table! {
    commission_rules (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        program_id -> Uuid,
        name -> Text,
        component -> Text,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    commission_standing_corrections (organization_id, attribution_id, commission_rule_id, partner_id, currency, period) {
        organization_id -> Uuid,
        attribution_id -> Uuid,
        commission_rule_id -> Uuid,
        partner_id -> Uuid,
        currency -> Text,
        period -> Text,
        amount -> Numeric,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    commission_standings (organization_id, commission_rule_id, partner_id, currency, period) {
        organization_id -> Uuid,
        commission_rule_id -> Uuid,
        partner_id -> Uuid,
        currency -> Text,
        period -> Text,
        volume -> Numeric,
        units -> Numeric,
        exact -> Numeric,
        posted -> Numeric,
        corrected -> Numeric,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    commissions (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        partner_id -> Uuid,
        program_id -> Uuid,
        deal_id -> Uuid,
        attribution_id -> Uuid,
        role -> Text,
        component -> Text,
        invoice_id -> Nullable<Uuid>,
        invoice_line_id -> Nullable<Uuid>,
        payment_id -> Nullable<Uuid>,
        credit_note_id -> Nullable<Uuid>,
        rule_version_id -> Nullable<Uuid>,
        status -> Text,
        ineligible_reason -> Nullable<Text>,
        currency -> Text,
        base_amount -> Numeric,
        amount -> Numeric,
        reversed_amount -> Numeric,
        netted_amount -> Numeric,
        earned_at -> Timestamptz,
        release_at -> Timestamptz,
        approved_at -> Nullable<Timestamptz>,
        paid_at -> Nullable<Timestamptz>,
        explanation -> Jsonb,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        dispute_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    compliance_documents (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        partner_id -> Uuid,
        kind -> Text,
        name -> Text,
        reference -> Nullable<Text>,
        link -> Nullable<Text>,
        product_family_id -> Nullable<Uuid>,
        countries -> Array<Text>,
        valid_from -> Date,
        valid_until -> Nullable<Date>,
        status -> Text,
        status_reason -> Nullable<Text>,
        verified_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    credit_notes (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        deal_id -> Uuid,
        invoice_id -> Nullable<Uuid>,
        currency -> Text,
        amount -> Numeric,
        reason -> Nullable<Text>,
        issued_at -> Timestamptz,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    deal_registrations (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        partner_id -> Uuid,
        program_id -> Uuid,
        account_id -> Uuid,
        product_family_id -> Nullable<Uuid>,
        amount -> Numeric,
        currency -> Text,
        claim -> Jsonb,
        hidden_from_parent -> Bool,
        status -> Text,
        reason_code -> Nullable<Text>,
        reason -> Nullable<Text>,
        submitted_at -> Nullable<Timestamptz>,
        respond_by -> Nullable<Timestamptz>,
        sla_breached_at -> Nullable<Timestamptz>,
        decided_at -> Nullable<Timestamptz>,
        protection_days -> Nullable<Int4>,
        protection_starts -> Nullable<Text>,
        protected_from -> Nullable<Timestamptz>,
        protected_until -> Nullable<Timestamptz>,
        paused_seconds -> Int8,
        remind_at -> Nullable<Timestamptz>,
        closed_at -> Nullable<Timestamptz>,
        deal_id -> Nullable<Uuid>,
        registrar_id -> Nullable<Uuid>,
        created_by -> Uuid,
        created_by_type -> Text,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    deal_rules (organization_id, program_id) {
        organization_id -> Uuid,
        program_id -> Uuid,
        qualification_fields -> Jsonb,
        minimum_deal_sizes -> Jsonb,
        existing_accounts -> Text,
        protection_days -> Int4,
        protection_starts -> Text,
        extensions_allowed -> Int4,
        extension_days -> Int4,
        maximum_open_registrations -> Nullable<Int4>,
        countries -> Array<Text>,
        excluded_countries -> Array<Text>,
        product_family_ids -> Array<Uuid>,
        referral_expiry_days -> Int4,
        response_business_hours -> Nullable<Int4>,
        working_days -> Array<Text>,
        opens_at -> Text,
        closes_at -> Text,
        holidays -> Array<Date>,
        second_registrant -> Text,
        excludes_public_tenders -> Bool,
        reminder_days -> Array<Int4>,
        attribution_window_days -> Int4,
        attribution_click -> Text,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        respects_partner_territories -> Bool,
    }
}

diesel::table! {
    deals (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        name -> Text,
        account_id -> Uuid,
        program_id -> Nullable<Uuid>,
        partner_id -> Nullable<Uuid>,
        product_family_id -> Nullable<Uuid>,
        stage_id -> Nullable<Uuid>,
        deal_type -> Text,
        status -> Text,
        amount -> Numeric,
        currency -> Text,
        opened_on -> Date,
        expected_close_on -> Nullable<Date>,
        won_at -> Nullable<Timestamptz>,
        lost_at -> Nullable<Timestamptz>,
        lost_reason -> Nullable<Text>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        hidden_from_parent -> Bool,
        crm_partner_source -> Nullable<Text>,
        crm_partner_influence -> Nullable<Text>,
        won_country -> Nullable<Text>,
    }
}

diesel::table! {
    dispute_comments (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        dispute_id -> Uuid,
        partner_id -> Uuid,
        visibility -> Text,
        body -> Text,
        created_by -> Uuid,
        created_by_type -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    dispute_lines (organization_id, dispute_id, position) {
        organization_id -> Uuid,
        dispute_id -> Uuid,
        position -> Int4,
        commission_id -> Uuid,
        partner_id -> Uuid,
        program_id -> Uuid,
        currency -> Text,
        amount -> Numeric,
        explanation -> Text,
        effect -> Text,
        frozen_amount -> Numeric,
    }
}

diesel::table! {
    dispute_reviews (organization_id, dispute_id) {
        organization_id -> Uuid,
        dispute_id -> Uuid,
        contested_by -> Nullable<Uuid>,
        contested_by_type -> Nullable<Text>,
        reviewed_by -> Nullable<Uuid>,
        reviewed_by_type -> Nullable<Text>,
        reviewer_secret_makers -> Array<Uuid>,
        note -> Nullable<Text>,
        found_amount -> Nullable<Numeric>,
        reviewed_amount -> Nullable<Numeric>,
        decided_by -> Nullable<Uuid>,
        decided_by_type -> Nullable<Text>,
        kept_amount -> Nullable<Numeric>,
    }
}

diesel::table! {
    disputes (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        partner_id -> Uuid,
        program_id -> Nullable<Uuid>,
        subject_type -> Text,
        subject_ids -> Array<Uuid>,
        status -> Text,
        status_reason -> Nullable<Text>,
        reason_code -> Text,
        statement -> Text,
        evidence -> Jsonb,
        currency -> Nullable<Text>,
        computed_amount -> Nullable<Numeric>,
        claimed_amount -> Nullable<Numeric>,
        claimed_share_basis_points -> Nullable<Int4>,
        respond_by -> Timestamptz,
        overdue_at -> Nullable<Timestamptz>,
        decided_at -> Nullable<Timestamptz>,
        adjustment_id -> Nullable<Uuid>,
        created_by -> Uuid,
        created_by_type -> Text,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    enrollments (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        partner_id -> Uuid,
        program_id -> Uuid,
        status -> Text,
        status_reason -> Nullable<Text>,
        tier -> Nullable<Text>,
        terms_version -> Nullable<Text>,
        activated_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    event_counters (organization_id) {
        organization_id -> Uuid,
        last_sequence -> Int8,
    }
}

diesel::table! {
    events (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        written_order -> Int8,
        sequence -> Nullable<Int8>,
        #[sql_name = "type"]
        type_ -> Text,
        subject_type -> Text,
        subject_id -> Uuid,
        partner_id -> Nullable<Uuid>,
        data -> Jsonb,
        occurred_at -> Timestamptz,
    }
}

diesel::table! {
    idempotency_keys (organization_id, actor_id, route, key) {
        organization_id -> Uuid,
        actor_id -> Uuid,
        route -> Text,
        key -> Text,
        request_hash -> Bytea,
        answer_status -> Nullable<Int4>,
        answer_headers -> Nullable<Jsonb>,
        answer_body -> Nullable<Bytea>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    import_chunks (organization_id, import_id, position) {
        organization_id -> Uuid,
        import_id -> Uuid,
        position -> Int4,
        content -> Bytea,
    }
}

diesel::table! {
    import_keys (organization_id, import_id, external_id) {
        organization_id -> Uuid,
        import_id -> Uuid,
        external_id -> Text,
    }
}

diesel::table! {
    import_rejections (organization_id, import_id, line, column_name, code) {
        organization_id -> Uuid,
        import_id -> Uuid,
        line -> Int8,
        column_name -> Text,
        code -> Text,
        message -> Text,
    }
}

diesel::table! {
    imports (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        resource -> Text,
        status -> Text,
        mapping -> Jsonb,
        dry_run -> Bool,
        atomic -> Bool,
        file_name -> Nullable<Text>,
        file_bytes -> Int8,
        file_hash -> Bytea,
        rows_read -> Int8,
        rows_created -> Int8,
        rows_updated -> Int8,
        rows_unchanged -> Int8,
        rows_rejected -> Int8,
        bytes_read -> Int8,
        next_line -> Int8,
        error_code -> Nullable<Text>,
        error_detail -> Nullable<Text>,
        created_by -> Nullable<Uuid>,
        created_by_type -> Nullable<Text>,
        leased_until -> Nullable<Timestamptz>,
        started_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    invoice_lines (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        invoice_id -> Uuid,
        position -> Int4,
        product_family_id -> Nullable<Uuid>,
        description -> Nullable<Text>,
        net_amount -> Numeric,
        tax_amount -> Numeric,
        kind -> Text,
        quantity -> Numeric,
        cost_amount -> Nullable<Numeric>,
        list_amount -> Nullable<Numeric>,
    }
}

diesel::table! {
    invoices (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        deal_id -> Uuid,
        status -> Text,
        status_reason -> Nullable<Text>,
        currency -> Text,
        total_amount -> Numeric,
        net_amount -> Numeric,
        paid_amount -> Numeric,
        refunded_amount -> Numeric,
        credited_amount -> Numeric,
        issued_on -> Date,
        due_on -> Nullable<Date>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        service_starts_on -> Nullable<Date>,
    }
}

diesel::table! {
    ledger_entries (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        source_id -> Uuid,
        step -> Int4,
        debit_account -> Text,
        credit_account -> Text,
        partner_id -> Uuid,
        program_id -> Uuid,
        currency -> Text,
        amount -> Numeric,
        occurred_at -> Timestamptz,
        recorded_at -> Timestamptz,
    }
}

diesel::table! {
    organizations (organization_id) {
        organization_id -> Uuid,
        name -> Text,
        mode -> Text,
        time_zone -> Text,
        default_currency -> Text,
        dormant_after_days -> Int4,
        second_factor_for_payouts -> Bool,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        payout_method_cooling_off_hours -> Int4,
        clock_offset -> Interval,
        payout_debtor_name -> Nullable<Text>,
        payout_debtor_iban -> Nullable<Text>,
        payout_debtor_bic -> Nullable<Text>,
    }
}

diesel::table! {
    partner_descendants (organization_id, partner_id, descendant_id) {
        organization_id -> Uuid,
        partner_id -> Uuid,
        descendant_id -> Uuid,
        levels -> Int4,
        hidden -> Bool,
    }
}

diesel::table! {
    partners (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        parent_id -> Nullable<Uuid>,
        name -> Text,
        status -> Text,
        status_reason -> Nullable<Text>,
        domain -> Nullable<Text>,
        country -> Nullable<Text>,
        approved_at -> Nullable<Timestamptz>,
        terminated_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        hidden_from_parent -> Bool,
        status_reason_code -> Nullable<Text>,
        territories -> Array<Text>,
        payout_currency -> Nullable<Text>,
    }
}

diesel::table! {
    partner_contacts (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        partner_id -> Uuid,
        name -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        job_title -> Nullable<Text>,
        roles -> Array<Text>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    payments (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        invoice_id -> Uuid,
        currency -> Text,
        amount -> Numeric,
        cumulative_amount -> Numeric,
        refunded_amount -> Numeric,
        paid_at -> Timestamptz,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    payout_carry_forwards (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        payout_run_id -> Uuid,
        partner_id -> Uuid,
        program_id -> Uuid,
        currency -> Text,
        amount -> Numeric,
        reason -> Text,
        closed_gates -> Array<Text>,
    }
}

diesel::table! {
    payout_items (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        payout_id -> Uuid,
        partner_id -> Uuid,
        commission_id -> Nullable<Uuid>,
        clawback_id -> Nullable<Uuid>,
        status -> Text,
        amount -> Numeric,
        adjustment_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    payout_methods (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        partner_id -> Uuid,
        kind -> Text,
        currency -> Text,
        status -> Text,
        status_reason -> Nullable<Text>,
        instruction -> Nullable<Text>,
        account_holder -> Nullable<Text>,
        iban -> Nullable<Text>,
        bic -> Nullable<Text>,
        created_by -> Uuid,
        created_by_type -> Text,
        confirmed_by -> Nullable<Uuid>,
        confirmed_by_type -> Nullable<Text>,
        confirmed_at -> Nullable<Timestamptz>,
        usable_from -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        author_secret_makers -> Array<Uuid>,
        stripe_account -> Nullable<Text>,
    }
}

diesel::table! {
    payout_runs (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        program_id -> Nullable<Uuid>,
        status -> Text,
        rail -> Text,
        cut_off_at -> Timestamptz,
        created_by -> Nullable<Uuid>,
        created_by_type -> Nullable<Text>,
        approved_by -> Nullable<Uuid>,
        approved_by_type -> Nullable<Text>,
        approved_at -> Nullable<Timestamptz>,
        completed_at -> Nullable<Timestamptz>,
        cancelled_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        drafter_secret_makers -> Array<Uuid>,
        debtor_name -> Nullable<Text>,
        debtor_iban -> Nullable<Text>,
        debtor_bic -> Nullable<Text>,
        processed_at -> Nullable<Timestamptz>,
        partner_ids -> Array<Uuid>,
        excluded_partner_ids -> Array<Uuid>,
    }
}

diesel::table! {
    payout_transfers (organization_id, payout_id) {
        organization_id -> Uuid,
        payout_id -> Uuid,
        status -> Text,
        attempts -> Int4,
        next_attempt_at -> Nullable<Timestamptz>,
        uncertain_since -> Nullable<Timestamptz>,
        sent_with -> Nullable<Text>,
        transfer_id -> Nullable<Text>,
        amount_reversed -> Numeric,
        is_ambiguous -> Bool,
        told_transfer_id -> Nullable<Text>,
        told_reversed -> Nullable<Numeric>,
    }
}

diesel::table! {
    payouts (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        payout_run_id -> Uuid,
        partner_id -> Uuid,
        program_id -> Uuid,
        status -> Text,
        status_reason -> Nullable<Text>,
        currency -> Text,
        amount -> Numeric,
        reference -> Nullable<Text>,
        paid_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        payout_method_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    pipeline_stages (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        name -> Text,
        position -> Int4,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    product_families (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        name -> Text,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    programs (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        name -> Text,
        motion -> Text,
        time_zone -> Text,
        rounding -> Text,
        commission_approval -> Text,
        lock_point -> Text,
        clawback_window_days -> Nullable<Int4>,
        minimum_payouts -> Jsonb,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        fx_policy -> Text,
        gates -> Jsonb,
    }
}

diesel::table! {
    refunds (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        invoice_id -> Uuid,
        payment_id -> Uuid,
        credit_note_id -> Nullable<Uuid>,
        kind -> Text,
        currency -> Text,
        amount -> Numeric,
        cumulative_amount -> Numeric,
        reason -> Nullable<Text>,
        refunded_at -> Timestamptz,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        reinstates_id -> Nullable<Uuid>,
        reinstated_amount -> Numeric,
        went_back_at -> Timestamptz,
        payment_version -> Int8,
    }
}

diesel::table! {
    registration_comments (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        deal_registration_id -> Uuid,
        visibility -> Text,
        body -> Text,
        created_by -> Uuid,
        created_by_type -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    registration_conflict_parties (organization_id, registration_conflict_id, deal_registration_id) {
        organization_id -> Uuid,
        registration_conflict_id -> Uuid,
        deal_registration_id -> Uuid,
        partner_id -> Uuid,
        side -> Text,
        evidence -> Nullable<Text>,
        joined_at -> Timestamptz,
    }
}

diesel::table! {
    registration_conflicts (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        account_id -> Uuid,
        product_family_id -> Nullable<Uuid>,
        kind -> Text,
        policy -> Text,
        status -> Text,
        decision -> Nullable<Text>,
        reason -> Nullable<Text>,
        incumbent_registration_id -> Nullable<Uuid>,
        deal_id -> Nullable<Uuid>,
        winner_registration_id -> Nullable<Uuid>,
        respond_by -> Timestamptz,
        decided_by -> Nullable<Uuid>,
        decided_by_type -> Nullable<Text>,
        decided_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        referral_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    registration_extensions (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        deal_registration_id -> Uuid,
        status -> Text,
        reason -> Nullable<Text>,
        evidence -> Text,
        respond_by -> Nullable<Timestamptz>,
        decided_at -> Nullable<Timestamptz>,
        created_by -> Uuid,
        created_by_type -> Text,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    registration_prechecks (organization_id, partner_id) {
        organization_id -> Uuid,
        partner_id -> Uuid,
        hour -> Timestamptz,
        asked -> Int4,
    }
}

diesel::table! {
    roles (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        name -> Text,
        built_in -> Nullable<Text>,
        for_partners -> Bool,
        permissions -> Array<Text>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    touchpoints (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        deal_id -> Uuid,
        partner_id -> Uuid,
        kind -> Text,
        occurred_at -> Timestamptz,
        contact -> Nullable<Text>,
        note -> Nullable<Text>,
        link -> Nullable<Text>,
        recorded_by_partner -> Bool,
        status -> Text,
        status_reason -> Nullable<Text>,
        voided_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    unsealed_audit_events (organization_id, written_order) {
        organization_id -> Uuid,
        written_order -> Int8,
        audit_event_id -> Uuid,
    }
}

diesel::table! {
    user_roles (organization_id, user_id, role_id) {
        organization_id -> Uuid,
        user_id -> Uuid,
        role_id -> Uuid,
    }
}

diesel::table! {
    users (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        partner_id -> Nullable<Uuid>,
        external_id -> Nullable<Text>,
        email -> Text,
        name -> Text,
        status -> Text,
        status_reason -> Nullable<Text>,
        access_version -> Int8,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    identity_providers (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        partner_id -> Nullable<Uuid>,
        name -> Text,
        issuer -> Text,
        audiences -> Array<Text>,
        jwks_url -> Nullable<Text>,
        jwks -> Nullable<Jsonb>,
        fetched_jwks -> Nullable<Jsonb>,
        fetched_at -> Nullable<Timestamptz>,
        algorithms -> Array<Text>,
        subject_claim -> Text,
        email_claim -> Text,
        name_claim -> Text,
        partner_claim -> Nullable<Text>,
        email_domains -> Array<Text>,
        accepts_unverified_email -> Bool,
        provisioning -> Text,
        default_role_ids -> Array<Uuid>,
        second_factor_methods -> Array<Text>,
        second_factor_classes -> Array<Text>,
        status -> Text,
        status_reason -> Nullable<Text>,
        access_version -> Int8,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    identities (organization_id, identity_provider_id, subject) {
        organization_id -> Uuid,
        identity_provider_id -> Uuid,
        subject -> Text,
        user_id -> Uuid,
        created_at -> Timestamptz,
        last_login_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sessions (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        partner_id -> Nullable<Uuid>,
        api_key_id -> Nullable<Uuid>,
        user_id -> Nullable<Uuid>,
        identity_provider_id -> Nullable<Uuid>,
        permissions -> Nullable<Array<Text>>,
        second_factor -> Bool,
        address -> Nullable<Text>,
        revoked_at -> Nullable<Timestamptz>,
        revoked_because -> Nullable<Text>,
        expires_at -> Timestamptz,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    refresh_tokens (organization_id, session_id, number) {
        organization_id -> Uuid,
        session_id -> Uuid,
        number -> Int4,
        token_hash -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    authentication_events (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        partner_id -> Nullable<Uuid>,
        #[sql_name = "type"]
        type_ -> Text,
        reason -> Nullable<Text>,
        api_key_id -> Nullable<Uuid>,
        user_id -> Nullable<Uuid>,
        identity_provider_id -> Nullable<Uuid>,
        session_id -> Nullable<Uuid>,
        subject -> Nullable<Text>,
        address -> Nullable<Text>,
        request_id -> Nullable<Uuid>,
        token_hash -> Nullable<Bytea>,
        occurred_at -> Timestamptz,
    }
}

diesel::table! {
    referral_assignments (organization_id, referral_id) {
        organization_id -> Uuid,
        referral_id -> Uuid,
        owner_id -> Uuid,
        assigned_at -> Timestamptz,
    }
}

diesel::table! {
    referral_moves (organization_id, referral_id, number) {
        organization_id -> Uuid,
        referral_id -> Uuid,
        number -> Int8,
        partner_id -> Uuid,
        status -> Text,
        moved_by -> Text,
        reason_code -> Nullable<Text>,
        reason -> Nullable<Text>,
        moved_at -> Timestamptz,
    }
}

diesel::table! {
    referral_routes (organization_id, program_id, position) {
        organization_id -> Uuid,
        program_id -> Uuid,
        position -> Int4,
        countries -> Array<Text>,
        product_family_ids -> Array<Uuid>,
        minimum_amount -> Nullable<Numeric>,
        currency -> Nullable<Text>,
        owner_ids -> Array<Uuid>,
        turns -> Int8,
    }
}

diesel::table! {
    referrals (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        external_id -> Nullable<Text>,
        partner_id -> Uuid,
        program_id -> Uuid,
        status -> Text,
        status_reason -> Nullable<Text>,
        rejection_code -> Nullable<Text>,
        company_name -> Text,
        company_domain -> Nullable<Text>,
        country -> Nullable<Text>,
        contact_name -> Nullable<Text>,
        contact_email -> Nullable<Text>,
        product_family_id -> Nullable<Uuid>,
        amount -> Nullable<Numeric>,
        currency -> Nullable<Text>,
        is_public_tender -> Bool,
        qualification -> Jsonb,
        note -> Nullable<Text>,
        respond_by -> Nullable<Timestamptz>,
        first_response_at -> Nullable<Timestamptz>,
        response_breached_at -> Nullable<Timestamptz>,
        expires_at -> Timestamptz,
        duplicate_of_id -> Nullable<Uuid>,
        deal_id -> Nullable<Uuid>,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        domain_key -> Nullable<Text>,
        name_key -> Nullable<Text>,
        hidden_from_parent -> Bool,
    }
}

diesel::table! {
    exchange_rates (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        base -> Text,
        quote -> Text,
        valid_on -> Date,
        rate -> Numeric,
        source -> Text,
        supersedes_id -> Nullable<Uuid>,
        reason -> Nullable<Text>,
        created_by -> Nullable<Uuid>,
        created_by_type -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    program_terms (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        program_id -> Uuid,
        number -> Int4,
        version -> Text,
        document_url -> Text,
        summary -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    terms_acceptances (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        program_terms_id -> Uuid,
        enrollment_id -> Uuid,
        partner_id -> Uuid,
        accepted_by -> Uuid,
        accepted_by_type -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    clicks (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        referral_link_id -> Uuid,
        partner_id -> Uuid,
        program_id -> Uuid,
        visitor -> Text,
        window_starts_at -> Timestamptz,
        clicked_at -> Timestamptz,
        last_clicked_at -> Timestamptz,
        referral_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    referral_links (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        partner_id -> Uuid,
        program_id -> Uuid,
        code -> Text,
        target_url -> Text,
        status -> Text,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    statement_lines (organization_id, ledger_entry_id) {
        organization_id -> Uuid,
        ledger_entry_id -> Uuid,
        statement_id -> Uuid,
        partner_id -> Uuid,
    }
}

diesel::table! {
    statement_signatures (organization_id, statement_id) {
        organization_id -> Uuid,
        statement_id -> Uuid,
        partner_id -> Uuid,
        key_id -> Text,
        signature -> Text,
    }
}

diesel::table! {
    statements (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        partner_id -> Uuid,
        currency -> Text,
        number -> Int4,
        month -> Date,
        time_zone -> Text,
        starts_at -> Timestamptz,
        ends_at -> Timestamptz,
        opening -> Numeric,
        earned -> Numeric,
        reversed -> Numeric,
        adjusted -> Numeric,
        paid -> Numeric,
        closing -> Numeric,
        document -> Text,
        previous_hash -> Nullable<Text>,
        hash -> Text,
        issued_at -> Timestamptz,
        exchanged -> Numeric,
    }
}

diesel::table! {
    tier_ladders (organization_id, program_id) {
        organization_id -> Uuid,
        program_id -> Uuid,
        period -> Text,
        period_months -> Nullable<Int4>,
        grace_days -> Int4,
        row_version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    tier_moves (organization_id, id) {
        organization_id -> Uuid,
        id -> Uuid,
        enrollment_id -> Uuid,
        partner_id -> Uuid,
        program_id -> Uuid,
        from_tier -> Nullable<Text>,
        to_tier -> Nullable<Text>,
        cause -> Text,
        reason -> Text,
        moved_by -> Nullable<Uuid>,
        moved_by_type -> Nullable<Text>,
        figures -> Jsonb,
        moved_at -> Timestamptz,
    }
}

diesel::table! {
    tier_standings (organization_id, enrollment_id) {
        organization_id -> Uuid,
        enrollment_id -> Uuid,
        partner_id -> Uuid,
        program_id -> Uuid,
        pinned_until -> Nullable<Timestamptz>,
        pin_reason -> Nullable<Text>,
        falls_at -> Nullable<Timestamptz>,
        reviewed_at -> Nullable<Timestamptz>,
        review_at -> Nullable<Timestamptz>,
        row_version -> Int8,
    }
}

diesel::table! {
    tiers (organization_id, program_id, code) {
        organization_id -> Uuid,
        program_id -> Uuid,
        code -> Text,
        rank -> Int4,
        name -> Text,
        external_id -> Nullable<Text>,
        criteria -> Jsonb,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    account_match_keys,
    account_matches,
    account_merge_moves,
    account_merges,
    accounts,
    adjustments,
    api_keys,
    attribution_corrections,
    attributions,
    audit_events,
    audit_links,
    authentication_events,
    backtests,
    billing_arrivals,
    clawbacks,
    clicks,
    commission_rule_versions,
    commission_rules,
    commission_standing_corrections,
    commission_standings,
    commissions,
    compliance_documents,
    credit_notes,
    deal_registrations,
    deal_rules,
    deals,
    dispute_comments,
    dispute_lines,
    dispute_reviews,
    disputes,
    enrollments,
    event_counters,
    events,
    exchange_rates,
    idempotency_keys,
    identities,
    identity_providers,
    import_chunks,
    import_keys,
    import_rejections,
    imports,
    invoice_lines,
    invoices,
    ledger_entries,
    organizations,
    partner_contacts,
    partner_descendants,
    partners,
    payments,
    payout_carry_forwards,
    payout_items,
    payout_methods,
    payout_runs,
    payout_transfers,
    payouts,
    pipeline_stages,
    product_families,
    program_terms,
    programs,
    referral_assignments,
    referral_links,
    referral_moves,
    referral_routes,
    referrals,
    refresh_tokens,
    refunds,
    registration_comments,
    registration_conflict_parties,
    registration_conflicts,
    registration_extensions,
    registration_prechecks,
    roles,
    sessions,
    statement_lines,
    statement_signatures,
    statements,
    terms_acceptances,
    tier_ladders,
    tier_moves,
    tier_standings,
    tiers,
    touchpoints,
    unsealed_audit_events,
    user_roles,
    users,
);
