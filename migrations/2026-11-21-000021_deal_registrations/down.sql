DROP FUNCTION organizations_with_registrations_due(timestamptz);
DROP TABLE registration_prechecks;
DROP TABLE registration_extensions;
DROP TABLE registration_comments;
DROP TABLE deal_registrations;
DROP FUNCTION partner_sees_registration(uuid);
DROP FUNCTION guard_deal_registration();
DROP TYPE uuidrange;
