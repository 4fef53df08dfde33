-- The keys of persons, apart from the log: a dump of schema log opens nothing of theirs, and one of
-- schema vault neither, since every key is wrapped with the cluster secret, which is in no database.
-- Whose key is gone is forgotten, in every copy of the log. See Migrations/ERASURE.md.

CREATE SCHEMA IF NOT EXISTS vault;

COMMENT ON SCHEMA vault IS 'The keys that personal data in the log is sealed with. Back it up apart from the log, and for a short time only.';

CREATE TABLE IF NOT EXISTS vault.person_keys (
    person       bigint PRIMARY KEY CHECK (person > 0),
    wrapped      bytea,
    forgotten_at bigint,
    CHECK ((wrapped IS NULL) = (forgotten_at IS NOT NULL))
);

COMMENT ON TABLE  vault.person_keys              IS 'One key a person. A key is stored by the statement that stores the first event sealed with it.';
COMMENT ON COLUMN vault.person_keys.person       IS 'Whose: the position in the person''s id, 17 of person/17.';
COMMENT ON COLUMN vault.person_keys.wrapped      IS 'The key, under a key made from the cluster secret; null once it is destroyed.';
COMMENT ON COLUMN vault.person_keys.forgotten_at IS 'Position of the personForgotten for which it was destroyed.';

-- ANALYZE keeps common values of a column in pg_statistic, where they outlive the rows.
ALTER TABLE vault.person_keys   ALTER COLUMN wrapped SET STATISTICS 0;
ALTER TABLE log.snapshot_chunks ALTER COLUMN bytes   SET STATISTICS 0;

-- A state that was made before someone was forgotten may show them.
ALTER TABLE log.snapshots ADD COLUMN IF NOT EXISTS made_at bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN log.snapshots.made_at IS 'How far the log was known to whoever made it: not read where a person was forgotten since.';

ALTER TABLE log.members ADD COLUMN IF NOT EXISTS position bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN log.members.position IS 'How far it has read the log.';
