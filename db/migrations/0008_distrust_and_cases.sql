-- What somebody wants distrusted, from the charter entry to sign on; what the keepers make of it is the
-- charter's. The words of `what` are those of lib/model/distrust.

CREATE TABLE distrusts (
    id          uuid PRIMARY KEY,
    project     text NOT NULL REFERENCES projects,
    what        text NOT NULL CONSTRAINT distrusts_what_check CHECK (what IN ('chip', 'generation',
        'measurement', 'region', 'signer', 'image', 'anchor', 'guest-key')),
    value       text NOT NULL CHECK (octet_length(value) BETWEEN 1 AND 128),
    serial      bigint NOT NULL CHECK (serial > 0), -- of the charter that was to be signed
    plan        bytea NOT NULL CHECK (octet_length(plan) = 32),
    exposed     jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(exposed) = 'array'),
    actor       text NOT NULL CHECK (actor <> ''),
    created     timestamptz NOT NULL DEFAULT clock_timestamp(),
    in_force_at timestamptz, -- a charter that says so was accepted
    lifted_at   timestamptz, -- a later one does not say so any more
    CONSTRAINT distrusts_lifted_after CHECK (lifted_at IS NULL OR in_force_at IS NOT NULL)
);
CREATE UNIQUE INDEX distrusts_standing ON distrusts (project, what, value) WHERE lifted_at IS NULL;
CREATE INDEX distrusts_listed ON distrusts (project, created DESC, id);

-- Whom it would have flipped when it was proposed.
CREATE TABLE distrust_instances (
    distrust uuid NOT NULL REFERENCES distrusts ON DELETE CASCADE,
    instance uuid NOT NULL REFERENCES instances ON DELETE CASCADE,
    asked_at timestamptz, -- to prove itself anew
    PRIMARY KEY (distrust, instance)
);
CREATE INDEX distrust_instances_due ON distrust_instances (instance) WHERE asked_at IS NULL;

-- A launch digest that authentic evidence shows and no reference names: one case, on however many
-- hosts. It is written when somebody shows it first, and else once an interval at most.

CREATE TABLE cases (
    id          uuid PRIMARY KEY,
    project     text NOT NULL REFERENCES projects,
    measurement bytea NOT NULL CHECK (octet_length(measurement) = 48),
    kind        text NOT NULL,
    product     text NOT NULL,
    policy      text NOT NULL, -- the first that refused it
    provider    text,          -- as its VLEK says, like the region
    region      text,
    state       text NOT NULL DEFAULT 'open'
        CONSTRAINT cases_state_check CHECK (state IN ('open', 'accepted', 'dismissed')),
    state_since timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason      text,
    ends        timestamptz, -- of the reference that names it
    first_seen  timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen   timestamptz NOT NULL DEFAULT clock_timestamp(),
    instances   bigint NOT NULL DEFAULT 0,
    chips       bigint NOT NULL DEFAULT 0, -- evidence under a VLEK may name none
    samples     jsonb NOT NULL DEFAULT '[]'
        CHECK (jsonb_typeof(samples) = 'array' AND jsonb_array_length(samples) <= 5),
    UNIQUE (project, measurement),
    CONSTRAINT cases_ends_accepted CHECK (ends IS NULL OR state = 'accepted')
);
CREATE INDEX cases_state ON cases (state, project, last_seen DESC, id);
CREATE INDEX cases_ends ON cases (ends) WHERE ends IS NOT NULL;

-- Who showed it, each once.
CREATE TABLE case_sightings (
    case_id  uuid NOT NULL REFERENCES cases ON DELETE CASCADE,
    instance uuid NOT NULL REFERENCES instances ON DELETE CASCADE,
    chip     bytea CHECK (octet_length(chip) = 64),
    PRIMARY KEY (case_id, instance)
);
CREATE INDEX case_sightings_instance ON case_sightings (instance);
CREATE INDEX case_sightings_chip ON case_sightings (case_id, chip) WHERE chip IS NOT NULL;

-- Open cases have a bound; beyond it only how many intervals had more to tell is counted.
CREATE TABLE case_overflow (
    project   text PRIMARY KEY REFERENCES projects,
    intervals bigint NOT NULL DEFAULT 1,
    last_seen timestamptz NOT NULL DEFAULT clock_timestamp()
);
