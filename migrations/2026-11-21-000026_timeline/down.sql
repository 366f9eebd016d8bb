DROP INDEX events_partner_index;
