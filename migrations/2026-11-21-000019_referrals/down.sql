DROP FUNCTION organizations_with_late_referrals(timestamptz);
DROP FUNCTION route_referral(uuid);
DROP TABLE referral_routes;
DROP TABLE referral_assignments;
DROP TABLE referral_moves;
DROP TABLE referrals;
DROP FUNCTION guard_referral();
