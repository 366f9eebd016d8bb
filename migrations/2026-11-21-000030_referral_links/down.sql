DROP TABLE clicks;
DROP FUNCTION guard_click();
DROP TABLE referral_links;
DROP FUNCTION guard_referral_link();
