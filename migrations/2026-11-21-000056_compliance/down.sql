ALTER TABLE payout_carry_forwards
    DROP CONSTRAINT payout_carry_forwards_reason_check,
    ADD CONSTRAINT payout_carry_forwards_reason_check CHECK (reason IN ('not_positive', 'below_minimum', 'partner_not_payable', 'currency_not_supported',
        'amount_not_supported', 'payout_method_missing', 'payout_method_cooling_off', 'payout_method_not_supported', 'missing_rate')),
    DROP COLUMN closed_gates;
DROP FUNCTION closed_gates;
ALTER TABLE programs DROP COLUMN gates;
DROP TABLE compliance_documents;
DROP FUNCTION guard_compliance_document;
