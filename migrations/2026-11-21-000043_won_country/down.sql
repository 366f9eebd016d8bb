DROP TRIGGER deals_won_country_kept_later ON deals;
DROP TRIGGER deals_won_country_kept ON deals;
DROP FUNCTION keep_won_country();
ALTER TABLE deals DROP COLUMN won_country;
