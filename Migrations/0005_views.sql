-- The views: what the log says, as tables to read and to join. Written by the projector alone, with
-- the checkpoint, in one transaction; everything here can be made anew from the log.
--
-- A row is a function of the log up to the checkpoint: no clock and no default stands here. So there
-- is no "in force" or "expired" that nobody recorded; compare the dates with your own now().
--
-- The text is one block, so that it can make the tables in a schema of another name, and does nothing
-- where they are. When views get another form, the whole text in its new form becomes the migration of
-- the next number. It changes nothing where views are; the projector sees by the checkpoint's form
-- that they are not this program's, fills views_next, and swaps.

DO $views$
DECLARE
    target text := coalesce(nullif(current_setting('wharf.views_schema', true), ''), 'views');
    before text := current_setting('search_path');
BEGIN
IF to_regnamespace(quote_ident(target)) IS NOT NULL THEN
    RETURN;
END IF;
EXECUTE format('CREATE SCHEMA %I', target);
EXECUTE format('COMMENT ON SCHEMA %I IS %L', target,
    'What the log says, as tables to read and join. Never written by hand: made anew by wharfd rebuild.');
PERFORM set_config('search_path', quote_ident(target), true);

CREATE TABLE checkpoint (
    one          boolean     PRIMARY KEY CHECK (one),
    position     bigint      NOT NULL,
    hash         bytea       NOT NULL,
    recorded_at  timestamptz,
    form         bytea
);
COMMENT ON TABLE  checkpoint              IS 'Up to where the log is in these tables. Changes with their rows, in one transaction.';
COMMENT ON COLUMN checkpoint.one          IS 'Always true: there is one row.';
COMMENT ON COLUMN checkpoint.position     IS 'Position of the last event that is in these tables.';
COMMENT ON COLUMN checkpoint.hash         IS 'That event''s hash; tells this log from another.';
COMMENT ON COLUMN checkpoint.recorded_at  IS 'When that event was recorded; null while the log is empty.';
COMMENT ON COLUMN checkpoint.form         IS 'Digest of the form of these tables; null while they are filled for the first time.';
INSERT INTO checkpoint VALUES (true, 0, decode(repeat('00', 32), 'hex'), NULL, NULL);

CREATE TABLE providers (
    id            text        PRIMARY KEY,
    name          text        NOT NULL,
    title         text        NOT NULL,
    status        text        NOT NULL,
    registered_at timestamptz NOT NULL,
    suspended_at  timestamptz,
    agreement_id  text
);
COMMENT ON TABLE  providers               IS 'Companies that make models.';
COMMENT ON COLUMN providers.id            IS 'provider/ and the position of the event that made it; the stream of its history.';
COMMENT ON COLUMN providers.name          IS 'How people call it; unique.';
COMMENT ON COLUMN providers.title         IS 'How people read it.';
COMMENT ON COLUMN providers.status        IS 'registered or suspended.';
COMMENT ON COLUMN providers.registered_at IS 'When it was registered.';
COMMENT ON COLUMN providers.suspended_at  IS 'Since when it is suspended.';
COMMENT ON COLUMN providers.agreement_id  IS 'The last agreement signed with it.';

CREATE TABLE agreements (
    id            text        PRIMARY KEY,
    provider_id   text        NOT NULL,
    provider      text        NOT NULL,
    status        text        NOT NULL,
    scope         text[]      NOT NULL,
    audiences     text[]      NOT NULL,
    signed_at     timestamptz NOT NULL,
    starts_at     timestamptz NOT NULL,
    agreed_until  timestamptz,
    notice_days   bigint      NOT NULL,
    terminated_at timestamptz,
    ends_at       timestamptz
);
COMMENT ON TABLE  agreements               IS 'What each provider allows us to do, for whom, and until when.';
COMMENT ON COLUMN agreements.id            IS 'agreement/ and the position of the event that made it.';
COMMENT ON COLUMN agreements.provider_id   IS 'With whom.';
COMMENT ON COLUMN agreements.provider      IS 'With whom, by name.';
COMMENT ON COLUMN agreements.status        IS 'signed, terminated (notice was given), or ended (the end was recorded).';
COMMENT ON COLUMN agreements.scope         IS 'Workloads that it allows: inference, evaluation, fineTuning, training.';
COMMENT ON COLUMN agreements.audiences     IS 'Whom models may be opened to: internal, external.';
COMMENT ON COLUMN agreements.signed_at     IS 'When it was signed.';
COMMENT ON COLUMN agreements.starts_at     IS 'From when it is in force.';
COMMENT ON COLUMN agreements.agreed_until  IS 'The end that was agreed; null: until it is terminated.';
COMMENT ON COLUMN agreements.notice_days   IS 'Days between notice and end.';
COMMENT ON COLUMN agreements.terminated_at IS 'When notice was given.';
COMMENT ON COLUMN agreements.ends_at       IS 'The end that holds: the agreed one, or an earlier one by notice.';

CREATE TABLE engines (
    id               text   PRIMARY KEY,
    name             text   NOT NULL,
    tasks            text[] NOT NULL,
    command          text[] NOT NULL,
    readiness_path   text   NOT NULL,
    deadline_seconds bigint NOT NULL
);
COMMENT ON TABLE  engines                  IS 'Templates of inference server programs. Environments are left out: they may hold secrets.';
COMMENT ON COLUMN engines.id               IS 'engine/ and the position of the event that made it.';
COMMENT ON COLUMN engines.name             IS 'How people call it; unique.';
COMMENT ON COLUMN engines.tasks            IS 'What its models can be asked for: chat, completion, embedding.';
COMMENT ON COLUMN engines.command          IS 'Program and arguments, with placeholders.';
COMMENT ON COLUMN engines.readiness_path   IS 'GET of this path answers 200 when the engine is ready.';
COMMENT ON COLUMN engines.deadline_seconds IS 'Given up when not ready after this long.';

CREATE TABLE models (
    id             text        PRIMARY KEY,
    name           text        NOT NULL,
    provider_id    text        NOT NULL,
    provider       text        NOT NULL,
    task           text        NOT NULL,
    context_length bigint,
    status         text        NOT NULL,
    internal_stage text,
    external_stage text,
    onboarded_at   timestamptz NOT NULL,
    deprecated_at  timestamptz,
    retired_at     timestamptz
);
COMMENT ON TABLE  models                IS 'Models, from the day they are onboarded.';
COMMENT ON COLUMN models.id             IS 'model/ and the position of the event that made it.';
COMMENT ON COLUMN models.name           IS 'PROVIDER/MODEL; unique.';
COMMENT ON COLUMN models.provider_id    IS 'Who makes it.';
COMMENT ON COLUMN models.provider       IS 'Who makes it, by name.';
COMMENT ON COLUMN models.task           IS 'What it can be asked for: chat, completion or embedding.';
COMMENT ON COLUMN models.context_length IS 'Tokens of context.';
COMMENT ON COLUMN models.status         IS 'embargoed, published, deprecated or retired.';
COMMENT ON COLUMN models.internal_stage IS 'How far it is open to internal teams: preview or general; null: not at all.';
COMMENT ON COLUMN models.external_stage IS 'How far it is open to external teams: preview or general; null: not at all.';
COMMENT ON COLUMN models.onboarded_at   IS 'When it became known to us.';
COMMENT ON COLUMN models.deprecated_at  IS 'Since when nothing new is granted or deployed.';
COMMENT ON COLUMN models.retired_at     IS 'Since when nothing is served.';

CREATE TABLE model_versions (
    model_id            text        NOT NULL,
    version             text        NOT NULL,
    model               text        NOT NULL,
    aliases             text[]      NOT NULL,
    engine              text        NOT NULL,
    command             text[]      NOT NULL,
    devices             bigint      NOT NULL,
    device_memory_bytes bigint      NOT NULL,
    cpu_millis          bigint      NOT NULL,
    memory_bytes        bigint      NOT NULL,
    model_path          text,
    weights_sha256      text,
    added_at            timestamptz NOT NULL,
    PRIMARY KEY (model_id, version)
);
COMMENT ON TABLE  model_versions                     IS 'What of a model can be deployed, and what one replica of it occupies.';
COMMENT ON COLUMN model_versions.model_id            IS 'Which model.';
COMMENT ON COLUMN model_versions.version             IS 'Its label: the part after the colon in PROVIDER/MODEL:VERSION.';
COMMENT ON COLUMN model_versions.model               IS 'Which model, by name.';
COMMENT ON COLUMN model_versions.aliases             IS 'Other names that stand for this version now.';
COMMENT ON COLUMN model_versions.engine              IS 'The engine template that was copied into it.';
COMMENT ON COLUMN model_versions.command             IS 'Program and arguments that run it, with placeholders.';
COMMENT ON COLUMN model_versions.devices             IS 'Devices of one replica.';
COMMENT ON COLUMN model_versions.device_memory_bytes IS 'Memory that it needs on each device.';
COMMENT ON COLUMN model_versions.cpu_millis          IS 'Processors that it needs, in thousandths.';
COMMENT ON COLUMN model_versions.memory_bytes        IS 'Main memory that it needs.';
COMMENT ON COLUMN model_versions.model_path          IS 'Where its weights are on a node.';
COMMENT ON COLUMN model_versions.weights_sha256      IS 'Digest of its weights: a file with another one is never loaded.';
COMMENT ON COLUMN model_versions.added_at            IS 'When it was added.';

CREATE TABLE teams (
    id                  text        PRIMARY KEY,
    name                text        NOT NULL,
    title               text        NOT NULL,
    audience            text        NOT NULL,
    requests_per_minute bigint,
    tokens_per_minute   bigint,
    registered_at       timestamptz NOT NULL
);
COMMENT ON TABLE  teams                     IS 'Who calls models: internal product teams and external developers.';
COMMENT ON COLUMN teams.id                  IS 'team/ and the position of the event that made it.';
COMMENT ON COLUMN teams.name                IS 'How people call it; unique.';
COMMENT ON COLUMN teams.title               IS 'How people read it.';
COMMENT ON COLUMN teams.audience            IS 'internal or external.';
COMMENT ON COLUMN teams.requests_per_minute IS 'Its limit over all models together; null: none.';
COMMENT ON COLUMN teams.tokens_per_minute   IS 'Its limit over all models together; null: none.';
COMMENT ON COLUMN teams.registered_at       IS 'When it was registered.';

CREATE TABLE grants (
    team_id             text   NOT NULL,
    model_id            text   NOT NULL,
    team                text   NOT NULL,
    model               text   NOT NULL,
    status              text   NOT NULL,
    workload            text,
    requests_per_minute bigint,
    tokens_per_minute   bigint,
    granted_at          timestamptz,
    until               timestamptz,
    ended_at            timestamptz,
    PRIMARY KEY (team_id, model_id)
);
COMMENT ON TABLE  grants                     IS 'Which team may use which model, and which may no longer. Earlier grants are in the timeline.';
COMMENT ON COLUMN grants.team_id             IS 'Who.';
COMMENT ON COLUMN grants.model_id            IS 'May use what.';
COMMENT ON COLUMN grants.team                IS 'Who, by name.';
COMMENT ON COLUMN grants.model               IS 'May use what, by name.';
COMMENT ON COLUMN grants.status              IS 'granted, revoked or expired. A grant whose date has passed stays granted until that is recorded.';
COMMENT ON COLUMN grants.workload            IS 'For what; null once it ended.';
COMMENT ON COLUMN grants.requests_per_minute IS 'Limit for this model; null: none.';
COMMENT ON COLUMN grants.tokens_per_minute   IS 'Limit for this model; null: none.';
COMMENT ON COLUMN grants.granted_at          IS 'Since when; null once it ended.';
COMMENT ON COLUMN grants.until               IS 'Its last moment; null: none was set.';
COMMENT ON COLUMN grants.ended_at            IS 'When it was revoked or ran out.';

CREATE TABLE keys (
    id             text        PRIMARY KEY,
    team_id        text        NOT NULL,
    team           text        NOT NULL,
    name           text        NOT NULL,
    prefix         text        NOT NULL,
    issued_at      timestamptz NOT NULL,
    until          timestamptz,
    previous_until timestamptz
);
COMMENT ON TABLE  keys                IS 'Keys that are not revoked. The keys themselves, and their digests, are not here.';
COMMENT ON COLUMN keys.id             IS 'key/ and the position of the event that made it.';
COMMENT ON COLUMN keys.team_id        IS 'Whose it is.';
COMMENT ON COLUMN keys.team           IS 'Whose it is, by name.';
COMMENT ON COLUMN keys.name           IS 'Its name; unique within the team.';
COMMENT ON COLUMN keys.prefix         IS 'Its first characters, by which people tell keys apart.';
COMMENT ON COLUMN keys.issued_at      IS 'When it was issued.';
COMMENT ON COLUMN keys.until          IS 'Its last moment; null: none was set.';
COMMENT ON COLUMN keys.previous_until IS 'Until when the secret before the last rotation is still good.';

CREATE TABLE persons (
    id         text        PRIMARY KEY,
    name       text        NOT NULL,
    email      text,
    role       text        NOT NULL,
    status     text        NOT NULL,
    invited_at timestamptz NOT NULL
);
-- ANALYZE keeps common values of a column in pg_statistic, where they outlive the rows, and the person.
ALTER TABLE persons ALTER COLUMN name  SET STATISTICS 0;
ALTER TABLE persons ALTER COLUMN email SET STATISTICS 0;
COMMENT ON TABLE  persons            IS 'People who may ask Wharf for something.';
COMMENT ON COLUMN persons.id         IS 'person/ and the position of the event that made it; the actor of what they did.';
COMMENT ON COLUMN persons.name       IS 'How people call them; unique, or (forgotten).';
COMMENT ON COLUMN persons.email      IS 'Where to write to them, or (forgotten); null where that was never said.';
COMMENT ON COLUMN persons.role       IS 'admin, operator or viewer.';
COMMENT ON COLUMN persons.status     IS 'invited, active, disabled or forgotten.';
COMMENT ON COLUMN persons.invited_at IS 'When they were first invited.';

CREATE TABLE deployments (
    id         text        PRIMARY KEY,
    name       text        NOT NULL,
    model_id   text        NOT NULL,
    model      text        NOT NULL,
    version    text        NOT NULL,
    workload   text        NOT NULL,
    wanted     bigint      NOT NULL,
    replicas   bigint      NOT NULL,
    placed     bigint      NOT NULL,
    ready      bigint      NOT NULL,
    exclusive  boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    deleted_at timestamptz
);
COMMENT ON TABLE  deployments            IS 'Model versions to be served, with how many replicas.';
COMMENT ON COLUMN deployments.id         IS 'deployment/ and the position of the event that made it.';
COMMENT ON COLUMN deployments.name       IS 'How people call it; unique.';
COMMENT ON COLUMN deployments.model_id   IS 'What is served.';
COMMENT ON COLUMN deployments.model      IS 'What is served, by name.';
COMMENT ON COLUMN deployments.version    IS 'Which version of it.';
COMMENT ON COLUMN deployments.workload   IS 'What for: inference, evaluation, fineTuning, training.';
COMMENT ON COLUMN deployments.wanted     IS 'Replicas that people want.';
COMMENT ON COLUMN deployments.replicas   IS 'Replicas that there are, surplus ones included.';
COMMENT ON COLUMN deployments.placed     IS 'Replicas that have a place on a node.';
COMMENT ON COLUMN deployments.ready      IS 'Replicas that answer.';
COMMENT ON COLUMN deployments.exclusive  IS 'Its replicas stop when their agent''s lease ends, and are replaced only when the node is lost.';
COMMENT ON COLUMN deployments.created_at IS 'When it was created.';
COMMENT ON COLUMN deployments.deleted_at IS 'When it was deleted; the row goes with its last attempt.';

CREATE TABLE replicas (
    id             text        PRIMARY KEY,
    name           text        NOT NULL,
    deployment_id  text        NOT NULL,
    deployment     text        NOT NULL,
    number         bigint      NOT NULL,
    made_at        timestamptz NOT NULL,
    attempt        text,
    phase          text,
    node_id        text,
    node           text,
    devices        text[],
    endpoint       text,
    version        text,
    placed_at      timestamptz,
    ready_at       timestamptz,
    waiting_reason text,
    waiting_since  timestamptz,
    failures       bigint      NOT NULL,
    last_failure   text,
    last_failed_at timestamptz,
    retry_at       timestamptz
);
COMMENT ON TABLE  replicas                IS 'Places in deployments that are to be filled, each with the attempt that fills it.';
COMMENT ON COLUMN replicas.id             IS 'Position of its deployment, and its number in it: 31.2.';
COMMENT ON COLUMN replicas.name           IS 'DEPLOYMENT-NUMBER.';
COMMENT ON COLUMN replicas.deployment_id  IS 'Of which deployment.';
COMMENT ON COLUMN replicas.deployment     IS 'Of which deployment, by name.';
COMMENT ON COLUMN replicas.number         IS 'Its number there; never used twice.';
COMMENT ON COLUMN replicas.made_at        IS 'When it became wanted.';
COMMENT ON COLUMN replicas.attempt        IS 'The attempt that is to run; null while it waits for a place.';
COMMENT ON COLUMN replicas.phase          IS 'That attempt''s phase: placed, starting, loading, ready, unhealthy or stopping.';
COMMENT ON COLUMN replicas.node_id        IS 'Where that attempt is.';
COMMENT ON COLUMN replicas.node           IS 'Where that attempt is, by name.';
COMMENT ON COLUMN replicas.devices        IS 'Devices of that node that it holds.';
COMMENT ON COLUMN replicas.endpoint       IS 'Where it answers, while it runs.';
COMMENT ON COLUMN replicas.version        IS 'The model version that it runs.';
COMMENT ON COLUMN replicas.placed_at      IS 'When it was placed.';
COMMENT ON COLUMN replicas.ready_at       IS 'When it first answered.';
COMMENT ON COLUMN replicas.waiting_reason IS 'Why it has no place, as a stable code; null while it has one.';
COMMENT ON COLUMN replicas.waiting_since  IS 'Since when it has no place; null while it has one.';
COMMENT ON COLUMN replicas.failures       IS 'Attempts that ended by themselves since one was last ready for long.';
COMMENT ON COLUMN replicas.last_failure   IS 'How the last of them ended.';
COMMENT ON COLUMN replicas.last_failed_at IS 'When the last of them ended.';
COMMENT ON COLUMN replicas.retry_at       IS 'When the next attempt may be made.';

CREATE TABLE nodes (
    id              text        PRIMARY KEY,
    name            text        NOT NULL,
    status          text        NOT NULL,
    cordoned        boolean     NOT NULL,
    address         text        NOT NULL,
    devices         bigint      NOT NULL,
    devices_charged bigint      NOT NULL,
    cpu_millis      bigint      NOT NULL,
    memory_bytes    bigint      NOT NULL,
    attempts        bigint      NOT NULL,
    lost_at         timestamptz,
    boot_id         text        NOT NULL,
    agent           text        NOT NULL,
    generation      bigint      NOT NULL
);
COMMENT ON TABLE  nodes                 IS 'Machines that run replicas.';
COMMENT ON COLUMN nodes.id              IS 'node/ and the position of the event that made its join token.';
COMMENT ON COLUMN nodes.name            IS 'How people call it; unique.';
COMMENT ON COLUMN nodes.status          IS 'active or lost.';
COMMENT ON COLUMN nodes.cordoned        IS 'Nothing new is placed there.';
COMMENT ON COLUMN nodes.address         IS 'Where its engines can be reached.';
COMMENT ON COLUMN nodes.devices         IS 'Devices that it has.';
COMMENT ON COLUMN nodes.devices_charged IS 'Devices that an attempt is charged with.';
COMMENT ON COLUMN nodes.cpu_millis      IS 'Processors that it has, in thousandths.';
COMMENT ON COLUMN nodes.memory_bytes    IS 'Main memory that it has.';
COMMENT ON COLUMN nodes.attempts        IS 'Attempts there whose end is not proved.';
COMMENT ON COLUMN nodes.lost_at         IS 'Since when it is lost.';
COMMENT ON COLUMN nodes.boot_id         IS 'Which boot its agent last reported from.';
COMMENT ON COLUMN nodes.agent           IS 'Which incarnation of its agent last reported.';
COMMENT ON COLUMN nodes.generation      IS 'Position of the last event that changed what is to run there.';

CREATE TABLE devices (
    node_id       text    NOT NULL,
    device        text    NOT NULL,
    node          text    NOT NULL,
    present       boolean NOT NULL,
    model         text,
    memory_bytes  bigint,
    attempt       text,
    deployment_id text,
    deployment    text,
    replica       text,
    PRIMARY KEY (node_id, device)
);
COMMENT ON TABLE  devices               IS 'Devices of nodes, and who is charged with each.';
COMMENT ON COLUMN devices.node_id       IS 'On which node.';
COMMENT ON COLUMN devices.device        IS 'Its id there, such as a GPU''s UUID.';
COMMENT ON COLUMN devices.node          IS 'On which node, by name.';
COMMENT ON COLUMN devices.present       IS 'False: charged, but the node no longer has it.';
COMMENT ON COLUMN devices.model         IS 'What it is: H100, A100.';
COMMENT ON COLUMN devices.memory_bytes  IS 'Its memory.';
COMMENT ON COLUMN devices.attempt       IS 'The attempt that is charged with it until its end is proved; null: free.';
COMMENT ON COLUMN devices.deployment_id IS 'That attempt''s deployment.';
COMMENT ON COLUMN devices.deployment    IS 'That attempt''s deployment, by name.';
COMMENT ON COLUMN devices.replica       IS 'That attempt''s replica, by name.';

CREATE TABLE attempts (
    id            text        PRIMARY KEY,
    replica_id    text        NOT NULL,
    replica       text        NOT NULL,
    deployment_id text        NOT NULL,
    deployment    text        NOT NULL,
    node_id       text        NOT NULL,
    node          text        NOT NULL,
    version       text        NOT NULL,
    devices       text[]      NOT NULL,
    phase         text        NOT NULL,
    reason        text,
    stopping      boolean     NOT NULL,
    stop_reason   text,
    endpoint      text,
    pid           bigint,
    placed_at     timestamptz NOT NULL,
    ready_at      timestamptz
);
COMMENT ON TABLE  attempts               IS 'Tries to run replicas whose end is not proved yet. Ended ones are in the timeline.';
COMMENT ON COLUMN attempts.id            IS 'Its replica, and the position of the event that placed it: 31.2.40.';
COMMENT ON COLUMN attempts.replica_id    IS 'Which replica it tries to run.';
COMMENT ON COLUMN attempts.replica       IS 'Which replica, by name.';
COMMENT ON COLUMN attempts.deployment_id IS 'Of which deployment.';
COMMENT ON COLUMN attempts.deployment    IS 'Of which deployment, by name.';
COMMENT ON COLUMN attempts.node_id       IS 'Where.';
COMMENT ON COLUMN attempts.node          IS 'Where, by name.';
COMMENT ON COLUMN attempts.version       IS 'The model version that it runs.';
COMMENT ON COLUMN attempts.devices       IS 'Devices of the node that it is charged with.';
COMMENT ON COLUMN attempts.phase         IS 'placed, starting, loading, ready, unhealthy or stopping.';
COMMENT ON COLUMN attempts.reason        IS 'Why it is in this phase, as its agent says.';
COMMENT ON COLUMN attempts.stopping      IS 'No longer wanted: its node is to stop it.';
COMMENT ON COLUMN attempts.stop_reason   IS 'Why it is no longer wanted.';
COMMENT ON COLUMN attempts.endpoint      IS 'Where it answers, while it runs.';
COMMENT ON COLUMN attempts.pid           IS 'Its process on the node.';
COMMENT ON COLUMN attempts.placed_at     IS 'When it was placed.';
COMMENT ON COLUMN attempts.ready_at      IS 'When it first answered.';

CREATE TABLE gateways (
    id            text        PRIMARY KEY,
    name          text        NOT NULL,
    registered_at timestamptz NOT NULL
);
COMMENT ON TABLE  gateways               IS 'Gateways, which answer teams.';
COMMENT ON COLUMN gateways.id            IS 'gateway/ and the position of the event that made it.';
COMMENT ON COLUMN gateways.name          IS 'How people call it; unique.';
COMMENT ON COLUMN gateways.registered_at IS 'When it was registered.';

CREATE TABLE marks (
    name      text        PRIMARY KEY,
    position  bigint      NOT NULL,
    marked_at timestamptz NOT NULL
);
COMMENT ON TABLE  marks           IS 'Positions with names, for --as-of.';
COMMENT ON COLUMN marks.name      IS 'The name; unique, and it never moves.';
COMMENT ON COLUMN marks.position  IS 'The position that it names.';
COMMENT ON COLUMN marks.marked_at IS 'When it was placed.';

CREATE TABLE timeline (
    position    bigint      PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    actor_id    text        NOT NULL,
    actor       text        NOT NULL,
    type        text        NOT NULL,
    kind        text        NOT NULL,
    subject_id  text        NOT NULL,
    subject     text        NOT NULL,
    sentence    text        NOT NULL,
    reason      text,
    command_id  uuid        NOT NULL
);
-- Names and reasons of people are in these; see persons.
ALTER TABLE timeline ALTER COLUMN actor    SET STATISTICS 0;
ALTER TABLE timeline ALTER COLUMN subject  SET STATISTICS 0;
ALTER TABLE timeline ALTER COLUMN sentence SET STATISTICS 0;
ALTER TABLE timeline ALTER COLUMN reason   SET STATISTICS 0;
COMMENT ON TABLE  timeline             IS 'Every event in a sentence: who did what, when, and why.';
COMMENT ON COLUMN timeline.position    IS 'Its position in the log.';
COMMENT ON COLUMN timeline.recorded_at IS 'When, by the log''s clock.';
COMMENT ON COLUMN timeline.actor_id    IS 'Who: person/…, node/…, gateway/…, or wharfd itself.';
COMMENT ON COLUMN timeline.actor       IS 'Who, by the name of that moment; (forgotten) since they are.';
COMMENT ON COLUMN timeline.type        IS 'The type of the event.';
COMMENT ON COLUMN timeline.kind        IS 'What kind of thing it is about.';
COMMENT ON COLUMN timeline.subject_id  IS 'What it is about; log for the log itself.';
COMMENT ON COLUMN timeline.subject     IS 'What it is about, by the name of that moment; (forgotten) for a person who is.';
COMMENT ON COLUMN timeline.sentence    IS 'What happened.';
COMMENT ON COLUMN timeline.reason      IS 'Why, in the words of who did it, or (forgotten).';
COMMENT ON COLUMN timeline.command_id  IS 'Which command led to it.';
CREATE INDEX timeline_subject ON timeline (subject_id, position);
-- Times rise with positions, so the smallest kind of index finds a day.
CREATE INDEX timeline_recorded_at ON timeline USING brin (recorded_at);

PERFORM set_config('search_path', before, true);
END $views$;
