DROP TABLE statement_lines;
DROP TABLE statements;
DROP FUNCTION statement_document(uuid, uuid, text, integer, date, text, numeric[], timestamptz, jsonb);
DROP FUNCTION statement_line(uuid, text, uuid, uuid, numeric, timestamptz, timestamptz, timestamptz);
DROP FUNCTION statement_effect(text, numeric);
