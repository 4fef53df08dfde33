-- The event log: one table, written by one statement a batch, read in the order of its positions.
--
-- The primary key on position is the whole concurrency check of an append: whoever appends states
-- the positions head+1 … n, and fails if anyone else was there first. So positions are gapless and a
-- reader sees a prefix always.

CREATE SCHEMA IF NOT EXISTS log;

COMMENT ON SCHEMA log IS 'The events, the only truth, and what guards them. Views for people are in schema views.';

CREATE TABLE IF NOT EXISTS log.events (
    position       bigint      PRIMARY KEY CHECK (position > 0),
    stream         text        NOT NULL,
    type           text        NOT NULL,
    schema_version smallint    NOT NULL,
    -- json keeps the exact text, which the hash covers; jsonb would rewrite it.
    data           json        NOT NULL,
    metadata       json        NOT NULL,
    command_id     uuid        NOT NULL,
    command_hash   bytea,
    correlation_id uuid        NOT NULL,
    causation      bigint,
    actor          text        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    hash           bytea       NOT NULL CHECK (octet_length(hash) = 32)
);

COMMENT ON TABLE  log.events                IS 'All facts, in order. Never updated, never deleted.';
COMMENT ON COLUMN log.events.position       IS 'The one number: order of all facts, from 1 without gaps.';
COMMENT ON COLUMN log.events.stream         IS 'What the event is about: kind/position of its first event, or log.';
COMMENT ON COLUMN log.events.type           IS 'Name of the event, past tense.';
COMMENT ON COLUMN log.events.schema_version IS 'Version of the form of data.';
COMMENT ON COLUMN log.events.data           IS 'The fact, as exact JSON text.';
COMMENT ON COLUMN log.events.metadata       IS 'What was said beside it: the reason given.';
COMMENT ON COLUMN log.events.command_id     IS 'Id of the command that led to the event, made by its sender.';
COMMENT ON COLUMN log.events.command_hash   IS 'HMAC-SHA-256 of command and actor; on the first event of a command only.';
COMMENT ON COLUMN log.events.correlation_id IS 'The command id at the root of a chain of commands.';
COMMENT ON COLUMN log.events.causation      IS 'Position of the event that led to the command, if an event did.';
COMMENT ON COLUMN log.events.actor          IS 'Opaque id of the person or machine, from its token.';
COMMENT ON COLUMN log.events.recorded_at    IS 'The log''s clock; never lower than the event before.';
COMMENT ON COLUMN log.events.hash           IS 'SHA-256 over the hash before and all columns of this row.';

-- One command, one result, for ever. Partial, so that a command of many events costs one entry.
CREATE UNIQUE INDEX IF NOT EXISTS events_command ON log.events (command_id)
    WHERE command_hash IS NOT NULL;

-- History of one thing.
CREATE INDEX IF NOT EXISTS events_stream ON log.events (stream, position);

CREATE OR REPLACE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'log.events is append-only: % refused', TG_OP
        USING HINT = 'Correct a fact by appending another.';
END $$;

CREATE OR REPLACE TRIGGER events_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON log.events
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- Who leads, as a courtesy: it says when to try; safety rests on the positions alone.
CREATE TABLE IF NOT EXISTS log.leader (
    one            boolean     PRIMARY KEY DEFAULT true CHECK (one),
    instance       text,
    epoch          bigint      NOT NULL,
    address        text        NOT NULL,
    beat           bigint      NOT NULL,
    session_pid    integer     NOT NULL,
    session_start  timestamptz NOT NULL
);

COMMENT ON TABLE  log.leader               IS 'The leading wharfd''s sign of life. A courtesy: safety never rests on it.';
COMMENT ON COLUMN log.leader.instance      IS 'Which wharfd; null once it stepped down.';
COMMENT ON COLUMN log.leader.epoch         IS 'Position of its leadershipTaken.';
COMMENT ON COLUMN log.leader.address       IS 'Where its API answers.';
COMMENT ON COLUMN log.leader.beat          IS 'Raised every two seconds.';
COMMENT ON COLUMN log.leader.session_pid   IS 'Backend of the leader''s connection; gone when the leader died.';
COMMENT ON COLUMN log.leader.session_start IS 'When that backend started, since pids are used again.';
