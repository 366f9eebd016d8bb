DROP TABLE refunds, credit_notes, payments, invoice_lines, invoices;
