-- What people look for in the log: events of a type, and what a person did. What agents report makes up
-- most of a log, is of one type and no person's, and pays for neither.

CREATE INDEX IF NOT EXISTS events_type ON log.events (type, position) WHERE type <> 'nodeReported';
CREATE INDEX IF NOT EXISTS events_actor ON log.events (actor, position) WHERE actor LIKE 'person/%';
