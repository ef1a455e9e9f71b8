-- Who reads of notices wants the next first, what became of each, and that a cloud cannot fill the tables.

ALTER TABLE notices
    -- One without a time may begin any moment.
    ADD COLUMN begins  timestamptz NOT NULL GENERATED ALWAYS AS (coalesce(not_before, first_seen)) STORED,
    ADD COLUMN given   timestamptz NOT NULL DEFAULT clock_timestamp(), -- once more, when it had ended
    ADD COLUMN changed timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN changes bigint NOT NULL DEFAULT 0;
DROP INDEX notices_listed;
CREATE INDEX notices_listed ON notices (project, begins, id);
CREATE INDEX notices_coming ON notices (begins) WHERE ended IS NULL;

-- What a cloud said of each, and when.
CREATE TABLE notice_history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notice     uuid NOT NULL REFERENCES notices ON DELETE CASCADE,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    change     text NOT NULL CONSTRAINT notice_history_change_check CHECK (change IN ('given', 'changed', 'ended')),
    status     text NOT NULL,
    not_before timestamptz,
    not_after  timestamptz,
    deadline   timestamptz,
    audit      bigint NOT NULL UNIQUE REFERENCES audit
);
CREATE INDEX notice_history_notice ON notice_history (notice, id);
