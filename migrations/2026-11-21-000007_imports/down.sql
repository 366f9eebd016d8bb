DROP FUNCTION discard_cut_off_uploads(uuid);
DROP FUNCTION refresh_statistics();
DROP FUNCTION claim_import(timestamptz, interval);
DROP TABLE import_rejections, import_keys, import_chunks, imports;
