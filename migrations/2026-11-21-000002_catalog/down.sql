ALTER TABLE api_keys DROP CONSTRAINT api_keys_partner_fk;
DROP POLICY organization_and_partner ON programs;
DROP TABLE accounts, enrollments, partners, pipeline_stages, product_families, programs;
