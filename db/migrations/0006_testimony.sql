-- What a verdict can be shown to others with: the keeper's word on all that went into it, the list it
-- was judged with (in the table of evidence, by digest) and its entry in the trail (doc/bundles.md).

ALTER TABLE verdicts
    ADD COLUMN testimony      text,  -- NULL: given before there was one, or by a keeper without a key for it
    ADD COLUMN testimony_cert bytea,
    ADD COLUMN crl_digest     bytea REFERENCES evidence, -- NULL: no list was looked at
    ADD COLUMN audit_id       bigint REFERENCES audit,
    ADD CONSTRAINT verdicts_testimony_whole CHECK ((testimony IS NULL) = (testimony_cert IS NULL));
CREATE INDEX verdicts_crl ON verdicts (crl_digest) WHERE crl_digest IS NOT NULL;

-- What is old is found without walking over what is not (db/retention.h).
CREATE INDEX verdicts_created ON verdicts (created);
