DROP FUNCTION organizations_with_met_arrivals;
DROP FUNCTION met_arrivals;
DROP FUNCTION billed_records;
DROP TABLE billing_arrivals;
DROP FUNCTION guard_billing_arrival;
