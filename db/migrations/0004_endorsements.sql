-- What the chip maker says of its chips: certificates and revocation lists, one row each, by the name
-- that lib/attest/kds gives. Public and the same for every project. A row is only written after it
-- was checked up to a pinned root.

CREATE TABLE endorsements (
    name        text PRIMARY KEY CHECK (name ~ '^[A-Za-z]+-[a-z0-9-]+$'),
    what        text NOT NULL CHECK (what IN ('vcek', 'chain', 'crl')),
    line        text NOT NULL CHECK (line IN ('Milan', 'Genoa', 'Turin')),
    source      text NOT NULL CHECK (source IN ('service', 'import', 'evidence')),
    content     bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 131072),
    this_update timestamptz, -- of a list
    next_update timestamptz,
    created     timestamptz NOT NULL,
    checked     timestamptz NOT NULL, -- when it last was what its source gives
    CONSTRAINT endorsements_dates CHECK ((what = 'crl') = (this_update IS NOT NULL))
);

-- The key of a chip at a TCB never changes, so its certificate is kept for ever as it came.
CREATE FUNCTION endorsement_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name <> OLD.name OR NEW.what <> OLD.what OR NEW.line <> OLD.line
       OR (OLD.what = 'vcek' AND NEW.content <> OLD.content)
       OR (OLD.what = 'crl' AND NEW.this_update < OLD.this_update) THEN
        RAISE EXCEPTION 'endorsements are not changed' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER endorsement_is_kept BEFORE UPDATE ON endorsements
    FOR EACH ROW EXECUTE FUNCTION endorsement_is_kept();

-- What its maker said it does not have, or gave wrongly: not asked for again before `until`.
CREATE TABLE endorsement_misses (
    name  text PRIMARY KEY,
    code  text NOT NULL CHECK (code ~ '^[a-z0-9-]+$'),
    until timestamptz NOT NULL
);
