DROP FUNCTION organizations_with_met_arrivals;
DROP FUNCTION billed_record;
DROP TABLE billing_arrivals;
DROP FUNCTION guard_billing_arrival;
