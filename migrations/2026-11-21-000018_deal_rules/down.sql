DROP TABLE deal_rules;
