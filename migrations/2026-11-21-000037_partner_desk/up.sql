-- What waits for an answer is found without what was answered.
CREATE INDEX attributions_claimed_index ON attributions (organization_id, id) WHERE status = 'claimed';
CREATE INDEX enrollments_applied_index ON enrollments (organization_id, id) WHERE status = 'applied';
CREATE INDEX payout_methods_proposed_index ON payout_methods (organization_id, id) WHERE status = 'proposed';
