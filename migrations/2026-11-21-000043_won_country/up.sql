-- The country of the customer when the deal was won: commission rules select by it, and what becomes of the account later,
-- or to which account the deal is moved, changes nothing of what was promised.
ALTER TABLE deals ADD COLUMN won_country text;

CREATE FUNCTION keep_won_country() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    NEW.won_country := (SELECT a.country FROM accounts a
        WHERE a.organization_id = NEW.organization_id AND a.id = NEW.account_id);
    RETURN NEW;
END
$$;
-- After the triggers that lead a merged account to its survivor, which go before by their names.
CREATE TRIGGER deals_won_country_kept BEFORE INSERT ON deals
    FOR EACH ROW WHEN (NEW.status = 'won') EXECUTE FUNCTION keep_won_country();
CREATE TRIGGER deals_won_country_kept_later BEFORE UPDATE ON deals
    FOR EACH ROW WHEN (OLD.status <> 'won' AND NEW.status = 'won') EXECUTE FUNCTION keep_won_country();
