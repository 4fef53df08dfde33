-- What stands beside the events and can be lost without loss: states kept so that a start need not
-- fold the whole log, and who reads which format level.

CREATE TABLE IF NOT EXISTS log.snapshots (
    format     bytea       NOT NULL,
    position   bigint      NOT NULL CHECK (position > 0),
    hash       bytea       NOT NULL,
    era        bigint      NOT NULL,
    size       bigint      NOT NULL,
    seal       bytea       NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (format, position)
);

COMMENT ON TABLE  log.snapshots            IS 'States of the log at some positions. A cache: whatever is missing or does not fit is folded from the events again.';
COMMENT ON COLUMN log.snapshots.format     IS 'Digest of the form of the bytes; wharfd reads no other than its own.';
COMMENT ON COLUMN log.snapshots.position   IS 'The position of the last event in the state.';
COMMENT ON COLUMN log.snapshots.hash       IS 'That event''s hash: tells this log from another.';
COMMENT ON COLUMN log.snapshots.era        IS 'Position at which the era of that moment began; 0 for none.';
COMMENT ON COLUMN log.snapshots.size       IS 'How many bytes all chunks have together.';
COMMENT ON COLUMN log.snapshots.seal       IS 'HMAC-SHA-256 over all of this, keyed with the cluster secret.';
COMMENT ON COLUMN log.snapshots.written_at IS 'When it was written, for people.';

CREATE TABLE IF NOT EXISTS log.snapshot_chunks (
    format   bytea   NOT NULL,
    position bigint  NOT NULL,
    number   integer NOT NULL,
    bytes    bytea   NOT NULL,
    PRIMARY KEY (format, position, number),
    FOREIGN KEY (format, position) REFERENCES log.snapshots ON DELETE CASCADE
);

COMMENT ON TABLE  log.snapshot_chunks          IS 'The bytes of the snapshots, in parts.';
COMMENT ON COLUMN log.snapshot_chunks.format   IS 'Of which snapshot.';
COMMENT ON COLUMN log.snapshot_chunks.position IS 'Of which snapshot.';
COMMENT ON COLUMN log.snapshot_chunks.number   IS 'Which part, from 0.';
COMMENT ON COLUMN log.snapshot_chunks.bytes    IS 'The part.';

CREATE TABLE IF NOT EXISTS log.members (
    instance     text        NOT NULL,
    address      text        NOT NULL,
    format_level integer     NOT NULL,
    seen_at      timestamptz NOT NULL,
    PRIMARY KEY (instance, address)
);

COMMENT ON TABLE  log.members              IS 'Every wharfd that reads this log, for wharfd finalize. A courtesy: a reader that is too old stops by itself.';
COMMENT ON COLUMN log.members.instance     IS 'Which wharfd.';
COMMENT ON COLUMN log.members.format_level IS 'The format level of the log up to which it reads.';
COMMENT ON COLUMN log.members.address      IS 'Where its API answers.';
COMMENT ON COLUMN log.members.seen_at      IS 'When it was last here, by the database''s clock.';
