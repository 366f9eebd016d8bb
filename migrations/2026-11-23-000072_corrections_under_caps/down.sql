DROP TABLE commission_standing_corrections;
ALTER TABLE commission_standings DROP COLUMN corrected;
