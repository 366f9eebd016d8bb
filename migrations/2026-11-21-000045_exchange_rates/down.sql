ALTER TABLE imports
    DROP CONSTRAINT imports_resource_check,
    ADD CONSTRAINT imports_resource_check
        CHECK (resource IN ('product_families', 'partners', 'accounts', 'deals', 'invoices'));
DROP TABLE exchange_rates;
