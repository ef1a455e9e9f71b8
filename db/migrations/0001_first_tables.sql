-- The words in the CHECK constraints are those of lib/model; tests/db/test_migrate.c compares them.
-- Everything named belongs to a project; names never change, so they are the references people read.

CREATE TABLE projects (
    name    text PRIMARY KEY CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    created timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO projects (name) VALUES ('default');

CREATE TABLE settings (
    key     text PRIMARY KEY,
    value   jsonb NOT NULL,
    updated timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Audit: inserted with the change it tells of, then numbered and chained by the sealer.

CREATE TABLE audit (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number    bigint UNIQUE,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    project   text NOT NULL DEFAULT 'default',
    actor     text NOT NULL CHECK (actor <> ''),
    verb      text NOT NULL CHECK (verb ~ '^[a-z-]+\.[a-z-]+$'),
    object    text NOT NULL,
    detail    jsonb NOT NULL DEFAULT '{}',
    prev_hash bytea CHECK (octet_length(prev_hash) = 32),
    hash      bytea CHECK (octet_length(hash) = 32),
    CONSTRAINT audit_sealed_whole CHECK ((number IS NULL) = (hash IS NULL)
                                     AND (number IS NULL) = (prev_hash IS NULL))
);
CREATE INDEX audit_unsealed ON audit (id) WHERE number IS NULL;
CREATE INDEX audit_object ON audit (object, id);

CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.number IS NULL AND NEW.number IS NOT NULL
       AND (NEW.id, NEW.at, NEW.project, NEW.actor, NEW.verb, NEW.object, NEW.detail)
           IS NOT DISTINCT FROM
           (OLD.id, OLD.at, OLD.project, OLD.actor, OLD.verb, OLD.object, OLD.detail) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit entries are never changed nor removed' USING ERRCODE = '23514';
END $$;
CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_kept();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept();

-- What is desired.

CREATE TABLE accounts (
    id          uuid PRIMARY KEY,
    project     text NOT NULL REFERENCES projects,
    name        text NOT NULL,
    driver      text NOT NULL CHECK (driver ~ '^[a-z0-9-]{1,63}$'),
    spec        jsonb NOT NULL, -- the whole account as the API took it
    epoch       bigint NOT NULL DEFAULT 1,
    created     timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated     timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (project, name)
);

CREATE TABLE images (
    id                 uuid PRIMARY KEY,
    project            text NOT NULL REFERENCES projects,
    name               text NOT NULL,
    driver             text NOT NULL CHECK (driver ~ '^[a-z0-9-]{1,63}$'),
    ref                text NOT NULL,
    boot_mode          text,
    reference_values   jsonb NOT NULL DEFAULT '{}',
    measured_boot      jsonb NOT NULL DEFAULT '{}',
    provider_execution text NOT NULL DEFAULT 'on'
        CONSTRAINT images_provider_execution_check CHECK (provider_execution IN ('on', 'off')),
    os                 jsonb NOT NULL DEFAULT '{}',
    epoch              bigint NOT NULL DEFAULT 1,
    created            timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated            timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (project, name)
);

CREATE TABLE charters (
    id      uuid PRIMARY KEY,
    project text NOT NULL REFERENCES projects,
    serial  bigint NOT NULL CHECK (serial > 0),
    realm   text NOT NULL CONSTRAINT charters_realm_check CHECK (realm IN ('production', 'simulation')),
    issued  timestamptz NOT NULL,
    expires timestamptz NOT NULL,
    jws     text NOT NULL, -- as signed; the keeper checks it, nobody else's reading counts
    active  boolean NOT NULL DEFAULT false,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (project, serial)
);
CREATE UNIQUE INDEX charters_one_active ON charters (project) WHERE active;

CREATE TABLE fleets (
    id                    uuid PRIMARY KEY,
    project               text NOT NULL REFERENCES projects,
    name                  text NOT NULL,
    desired               bigint NOT NULL CHECK (desired BETWEEN 0 AND 10000),
    account               text NOT NULL,
    image                 text NOT NULL,
    size                  text NOT NULL,
    policy                text NOT NULL,
    secrets               jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(secrets) = 'array'),
    paused                boolean NOT NULL DEFAULT false,
    surge                 bigint NOT NULL DEFAULT 0 CHECK (surge >= 0),
    rejected_hold_seconds bigint NOT NULL DEFAULT 0 CHECK (rejected_hold_seconds >= 0),
    epoch                 bigint NOT NULL DEFAULT 1,
    lease_holder          text,
    lease_until           timestamptz,
    next_due              timestamptz NOT NULL DEFAULT clock_timestamp(),
    doomed                boolean NOT NULL DEFAULT false, -- deleted: goes when its last instance is over
    created               timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated               timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (project, name),
    FOREIGN KEY (project, account) REFERENCES accounts (project, name),
    FOREIGN KEY (project, image) REFERENCES images (project, name)
);
CREATE INDEX fleets_due ON fleets (next_due);

-- What there is.

CREATE TABLE instances (
    id                 uuid PRIMARY KEY,
    project            text NOT NULL REFERENCES projects,
    fleet              text NOT NULL, -- no reference: an instance outlives its fleet's row
    account            text NOT NULL,
    image              text NOT NULL,
    size               text NOT NULL,
    policy             text NOT NULL,
    region             text,
    zone               text,

    phase              text NOT NULL DEFAULT 'requested'
        CONSTRAINT instances_phase_check CHECK (phase IN ('requested', 'launching', 'booting', 'running',
            'draining', 'stopping', 'stopped', 'starting', 'terminating', 'terminated', 'failed')),
    phase_since        timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason             text,
    wanted             text NOT NULL DEFAULT 'run'
        CONSTRAINT instances_wanted_check CHECK (wanted IN ('run', 'stop', 'gone')),

    trust              text NOT NULL DEFAULT 'unknown'
        CONSTRAINT instances_trust_check CHECK (trust IN ('unknown', 'pending', 'trusted', 'stale',
            'rejected', 'quarantined')),
    trust_reason       text,
    trust_since        timestamptz NOT NULL DEFAULT clock_timestamp(),
    verdict_id         uuid,
    valid_until        timestamptz,
    level              bigint NOT NULL DEFAULT 0 CHECK (level BETWEEN 0 AND 3),
    simulated          boolean NOT NULL DEFAULT false,

    cloud_ref          text CHECK (cloud_ref <> ''),
    client_token       text UNIQUE CHECK (client_token <> ''),
    attempt            bigint NOT NULL DEFAULT 0,
    intent             text NOT NULL DEFAULT 'none'
        CONSTRAINT instances_intent_check CHECK (intent IN ('none', 'launch', 'stop', 'start', 'terminate')),
    address            text,

    epoch              bigint NOT NULL DEFAULT 1,
    lease_holder       text,
    lease_until        timestamptz,
    next_due           timestamptz NOT NULL DEFAULT clock_timestamp(),
    failures           bigint NOT NULL DEFAULT 0,

    launch_ticket_hash bytea CHECK (octet_length(launch_ticket_hash) = 32),
    ticket_used        timestamptz,
    link_key           bytea CHECK (octet_length(link_key) = 32),
    sealing_key        bytea CHECK (octet_length(sealing_key) = 32),
    anchor             bytea CHECK (octet_length(anchor) = 32),
    report_id          bytea CHECK (octet_length(report_id) = 32),

    created            timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated            timestamptz NOT NULL DEFAULT clock_timestamp(),
    proven_at          timestamptz,
    spoiled_at         timestamptz,
    terminated_at      timestamptz,

    CONSTRAINT instances_trusted_by_verdict
        CHECK (trust NOT IN ('trusted', 'stale') OR (verdict_id IS NOT NULL AND valid_until IS NOT NULL)),
    CONSTRAINT instances_token_before_cloud CHECK (cloud_ref IS NULL OR client_token IS NOT NULL),
    CONSTRAINT instances_lease_whole CHECK ((lease_holder IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX instances_one_cloud_ref ON instances (project, account, cloud_ref);
CREATE INDEX instances_due ON instances (next_due, id) WHERE phase <> 'terminated';
CREATE INDEX instances_fleet ON instances (project, fleet, id);
CREATE INDEX instances_expiry ON instances (valid_until) WHERE trust = 'trusted';
CREATE UNIQUE INDEX instances_link_key ON instances (link_key) WHERE phase <> 'terminated';
CREATE UNIQUE INDEX instances_ticket ON instances (launch_ticket_hash);

CREATE TABLE instance_history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance   uuid NOT NULL REFERENCES instances ON DELETE CASCADE,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    machine    text NOT NULL CHECK (machine IN ('phase', 'trust')),
    from_state text, -- NULL: the row was made
    to_state   text NOT NULL,
    reason     text,
    epoch      bigint NOT NULL,
    audit      bigint NOT NULL UNIQUE REFERENCES audit
);
CREATE INDEX instance_history_instance ON instance_history (instance, id);

-- Narrow and hot: no index but the key, room for updates in the page.
CREATE TABLE heartbeats (
    instance  uuid PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
    last_seen timestamptz NOT NULL,
    seq       bigint NOT NULL,
    load      bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- What was concluded, and from what.

CREATE TABLE evidence (
    digest  bytea PRIMARY KEY CHECK (octet_length(digest) = 32), -- SHA-256 of bytes
    kind    text NOT NULL,
    bytes   bytea NOT NULL,
    created timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE verdicts (
    id              uuid PRIMARY KEY,
    project         text NOT NULL REFERENCES projects,
    instance        uuid NOT NULL REFERENCES instances ON DELETE CASCADE,
    kind            text NOT NULL CHECK (kind ~ '^[a-z0-9-]{1,32}$'),
    verdict         text NOT NULL CONSTRAINT verdicts_verdict_check CHECK (verdict IN ('trusted', 'rejected')),
    reason          text NOT NULL CHECK (reason <> ''),
    level           bigint NOT NULL CHECK (level BETWEEN 0 AND 3),
    hardware        text NOT NULL
        CONSTRAINT verdicts_hardware_check CHECK (hardware IN ('hardware', 'provider', 'none')),
    software        text NOT NULL
        CONSTRAINT verdicts_software_check CHECK (software IN ('hardware', 'provider', 'none')),
    identity        text NOT NULL
        CONSTRAINT verdicts_identity_check CHECK (identity IN ('hardware', 'provider', 'none')),
    simulated       boolean NOT NULL,
    claims          jsonb NOT NULL DEFAULT '{}',
    checks          jsonb NOT NULL DEFAULT '[]',
    policy          text NOT NULL,
    charter_serial  bigint NOT NULL,
    keeper          text NOT NULL,
    nonce_issued    timestamptz NOT NULL, -- the verdict's age counts from here
    valid_until     timestamptz NOT NULL,
    link_key        bytea NOT NULL CHECK (octet_length(link_key) = 32),
    sealing_key     bytea NOT NULL CHECK (octet_length(sealing_key) = 32),
    anchor          bytea CHECK (octet_length(anchor) = 32),
    report_id       bytea CHECK (octet_length(report_id) = 32),
    evidence_digest bytea NOT NULL REFERENCES evidence,
    token           text NOT NULL, -- for `release` only; never shown
    created         timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX verdicts_instance ON verdicts (instance, id);
CREATE INDEX verdicts_evidence ON verdicts (evidence_digest);
ALTER TABLE instances ADD CONSTRAINT instances_verdict FOREIGN KEY (verdict_id)
    REFERENCES verdicts DEFERRABLE INITIALLY DEFERRED;

-- Secrets: ciphertext only.

CREATE TABLE secrets (
    id         uuid PRIMARY KEY,
    project    text NOT NULL REFERENCES projects,
    name       text NOT NULL,
    kind       text NOT NULL CONSTRAINT secrets_kind_check
        CHECK (kind IN ('opaque', 'ssh-host-key')),
    scope      text NOT NULL DEFAULT 'fleet'
        CONSTRAINT secrets_scope_check CHECK (scope IN ('fleet', 'instance')),
    origin     text NOT NULL DEFAULT 'generate'
        CONSTRAINT secrets_origin_check CHECK (origin IN ('generate', 'import')),
    grant_name text NOT NULL,
    newest     bigint NOT NULL DEFAULT 0,
    epoch      bigint NOT NULL DEFAULT 1,
    created    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated    timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (project, name)
);

CREATE TABLE secret_versions (
    id          uuid PRIMARY KEY,
    secret      uuid NOT NULL REFERENCES secrets ON DELETE CASCADE,
    version     bigint NOT NULL CHECK (version > 0),
    instance    uuid REFERENCES instances ON DELETE CASCADE, -- NULL for scope fleet
    anchor      bytea CHECK (octet_length(anchor) = 32),
    state       text NOT NULL DEFAULT 'generating' CONSTRAINT secret_versions_state_check
        CHECK (state IN ('generating', 'staged', 'distributing', 'active', 'retiring', 'retired',
            'destroyed', 'halted')),
    state_since timestamptz NOT NULL DEFAULT clock_timestamp(),
    record       bytea, -- ciphertext; only the keeper opens it
    check_digest bytea CHECK (octet_length(check_digest) = 32), -- salted, of the value
    public_part  text, -- such as an SSH public key
    created     timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE NULLS NOT DISTINCT (secret, version, instance),
    CONSTRAINT secret_versions_stored CHECK (state IN ('generating', 'halted', 'retired', 'destroyed')
                                          OR record IS NOT NULL)
);
CREATE INDEX secret_versions_instance ON secret_versions (instance) WHERE instance IS NOT NULL;

-- Numbers for envelopes: the agent obeys only growing ones.
CREATE SEQUENCE envelope_sequence;

CREATE TABLE deliveries (
    id             uuid PRIMARY KEY,
    project        text NOT NULL REFERENCES projects,
    instance       uuid NOT NULL REFERENCES instances ON DELETE CASCADE,
    secret         uuid NOT NULL REFERENCES secrets ON DELETE CASCADE,
    name           text NOT NULL,
    version        bigint NOT NULL,
    secret_version uuid NOT NULL REFERENCES secret_versions ON DELETE CASCADE,
    state          text NOT NULL DEFAULT 'due' CONSTRAINT deliveries_state_check
        CHECK (state IN ('due', 'sealed', 'sent', 'loaded', 'failed', 'withdrawn')),
    state_since    timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason         text,
    verdict_id     uuid REFERENCES verdicts,
    sealing_key    bytea CHECK (octet_length(sealing_key) = 32),
    report_id      bytea CHECK (octet_length(report_id) = 32), -- the boot it was sealed for
    envelope       bytea,
    sequence       bigint NOT NULL DEFAULT 0,
    loaded_check  bytea CHECK (octet_length(loaded_check) = 32),
    failures       bigint NOT NULL DEFAULT 0,
    lease_holder   text,
    lease_until    timestamptz,
    next_due       timestamptz NOT NULL DEFAULT clock_timestamp(),
    epoch          bigint NOT NULL DEFAULT 1,
    created        timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at        timestamptz,
    loaded_at      timestamptz,
    UNIQUE (instance, secret_version),
    CONSTRAINT deliveries_by_verdict CHECK (state NOT IN ('sealed', 'sent', 'loaded')
                                         OR verdict_id IS NOT NULL),
    CONSTRAINT deliveries_envelope_gone CHECK ((state IN ('sealed', 'sent')) = (envelope IS NOT NULL)),
    CONSTRAINT deliveries_loaded_whole CHECK (state <> 'loaded' OR loaded_check IS NOT NULL)
);
CREATE INDEX deliveries_due ON deliveries (next_due, id) WHERE state IN ('due', 'sealed', 'sent');
CREATE INDEX deliveries_version ON deliveries (secret_version);
CREATE INDEX deliveries_secret ON deliveries (secret);

-- The exposure ledger: who was handed what, on which verdict. Only ever added to.
CREATE TABLE exposures (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance       uuid NOT NULL REFERENCES instances ON DELETE CASCADE,
    secret         uuid NOT NULL REFERENCES secrets ON DELETE CASCADE,
    secret_version uuid NOT NULL REFERENCES secret_versions ON DELETE CASCADE,
    verdict_id     uuid NOT NULL REFERENCES verdicts,
    at             timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX exposures_secret ON exposures (secret, id);
CREATE INDEX exposures_instance ON exposures (instance, id);

-- Who may ask, and what was answered.

CREATE TABLE tokens (
    id      uuid PRIMARY KEY,
    project text NOT NULL REFERENCES projects,
    hash    bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32), -- SHA-256; the token is shown once
    role    text NOT NULL CONSTRAINT tokens_role_check
        CHECK (role IN ('viewer', 'operator', 'approver', 'security', 'auditor', 'admin')),
    label   text NOT NULL,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires timestamptz,
    revoked timestamptz
);

CREATE TABLE idempotency_keys (
    project text NOT NULL REFERENCES projects,
    actor   text NOT NULL,
    key     text NOT NULL,
    request bytea NOT NULL CHECK (octet_length(request) = 32), -- digest of method, path and body
    status  bigint,           -- NULL while the first request is under way
    answer  jsonb,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project, actor, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created);

CREATE TABLE keepers (
    boot_id        bytea PRIMARY KEY CHECK (octet_length(boot_id) = 8),
    name           text NOT NULL,
    realm          text NOT NULL CONSTRAINT keepers_realm_check CHECK (realm IN ('production', 'simulation')),
    certificate    bytea NOT NULL CHECK (octet_length(certificate) = 32), -- SHA-256 of its SPKI
    charter_serial bigint NOT NULL DEFAULT 0,
    first_seen     timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen      timestamptz NOT NULL DEFAULT clock_timestamp()
);
