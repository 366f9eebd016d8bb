-- What happened with one partner, newest first: its timeline, and its last action of a kind.
CREATE INDEX events_partner_index ON events (organization_id, partner_id, sequence)
    WHERE sequence IS NOT NULL AND partner_id IS NOT NULL;
