-- Settled events that have a body, and those that have none any more: each is in one of the two. On tables of many millions
-- make both beforehand with CREATE INDEX CONCURRENTLY: this step then finds them there.

CREATE INDEX IF NOT EXISTS events_with_body ON {schema}.events (state, settled_at) WHERE settled_at IS NOT NULL AND body <> '';
CREATE INDEX IF NOT EXISTS events_without_body ON {schema}.events (state, settled_at) WHERE settled_at IS NOT NULL AND body = '';
