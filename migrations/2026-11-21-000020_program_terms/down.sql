DROP TABLE terms_acceptances;
DROP FUNCTION note_terms_acceptance();
DROP TABLE program_terms;
