-- What probes say of a start of a keeper: its own (doc/keeper.md), as it tells, and those that the
-- controllers make of it, together. Counts are since the start.
CREATE TABLE probes (
    boot_id          bytea NOT NULL REFERENCES keepers ON DELETE CASCADE,
    prober           text NOT NULL CONSTRAINT probes_prober_check CHECK (prober IN ('keeper', 'controller')),
    every_seconds    bigint NOT NULL DEFAULT 0,
    samples          bigint NOT NULL DEFAULT 0, -- what there is to probe with
    held             bigint NOT NULL DEFAULT 0,
    wrong            bigint NOT NULL DEFAULT 0, -- refused, with another code than it must be
    accepted         bigint NOT NULL DEFAULT 0,
    fault_kind       text, -- the first acceptance, else the latest wrong code
    fault_alteration text,
    fault_code       text,
    fault_at         timestamptz,
    halted           boolean NOT NULL DEFAULT false, -- it releases nothing until two people say so
    halt             bigint NOT NULL DEFAULT 0,      -- the number of its last halt
    ran_at           timestamptz NOT NULL DEFAULT clock_timestamp(), -- when the counts last moved
    PRIMARY KEY (boot_id, prober)
);
