-- Settled events that have a body, and those that have none any more: each is in one of the two.

CREATE INDEX events_with_body ON events (state, settled_at) WHERE settled_at IS NOT NULL AND body <> '';
CREATE INDEX events_without_body ON events (state, settled_at) WHERE settled_at IS NOT NULL AND body = '';
DROP INDEX events_settled;
