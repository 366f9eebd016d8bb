DROP TABLE registration_conflict_parties;
DROP TABLE registration_conflicts;
DROP FUNCTION partner_sees_conflict(uuid);
