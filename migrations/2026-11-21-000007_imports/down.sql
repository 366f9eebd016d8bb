DROP FUNCTION claim_import(timestamptz, interval);
DROP TABLE import_rejections, import_chunks, imports;
