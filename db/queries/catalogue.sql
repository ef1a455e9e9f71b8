-- name: catalogue_edition_find
SELECT * FROM catalogue_editions WHERE edition = $1;

-- name: catalogue_edition_list
SELECT * FROM catalogue_editions ORDER BY edition LIMIT $1;

-- Nothing comes back when what is there is as new.
-- name: catalogue_edition_put
INSERT INTO catalogue_editions AS e (edition, version, issued, jws, actor) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (edition) DO UPDATE SET version = excluded.version, issued = excluded.issued,
    jws = excluded.jws, actor = excluded.actor, loaded = clock_timestamp()
WHERE e.version < excluded.version AND e.issued <= excluded.issued
RETURNING 1;

-- name: catalogue_choice_find
SELECT edition FROM catalogue_choices WHERE project = $1;

-- name: catalogue_choice_put
INSERT INTO catalogue_choices (project, edition, actor) VALUES ($1, $2, $3)
ON CONFLICT (project) DO UPDATE SET edition = excluded.edition, actor = excluded.actor,
    chosen = clock_timestamp();

-- name: catalogue_waiver_list
SELECT rule, reason, ends, actor, created FROM catalogue_waivers
WHERE project = $1 AND (ends IS NULL OR ends > clock_timestamp()) ORDER BY rule;

-- name: catalogue_waiver_put
INSERT INTO catalogue_waivers (project, rule, reason, ends, actor) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (project, rule) DO UPDATE SET reason = excluded.reason, ends = excluded.ends,
    actor = excluded.actor, created = clock_timestamp();

-- name: catalogue_waiver_remove
DELETE FROM catalogue_waivers WHERE project = $1 AND rule = $2;

-- An account is compared by whoever moves its turn on.
-- name: catalogue_look_claim
INSERT INTO catalogue_looks AS l (project, account, due)
VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3::bigint))
ON CONFLICT (project, account) DO UPDATE SET due = excluded.due WHERE l.due <= clock_timestamp()
RETURNING 1;

-- name: catalogue_look_store
UPDATE catalogue_looks SET looked = clock_timestamp(), edition = $3, version = $4, failure = NULL, drift = $5,
    drifted_since = CASE WHEN jsonb_array_length($5::jsonb) = 0 THEN NULL
                    ELSE coalesce(drifted_since, clock_timestamp()) END
WHERE project = $1 AND account = $2;

-- name: catalogue_look_fail
UPDATE catalogue_looks SET failure = $3, due = least(due, clock_timestamp() + make_interval(secs => $4::bigint))
WHERE project = $1 AND account = $2;

-- name: catalogue_look_list
SELECT account, due, looked, edition, version, failure, drift, drifted_since FROM catalogue_looks
WHERE project = $1 AND ($2::text IS NULL OR account > $2) ORDER BY account LIMIT $3;

-- Another edition is in force: of a project, or of everybody.
-- name: catalogue_look_again
UPDATE catalogue_looks SET due = clock_timestamp() WHERE $1::text IS NULL OR project = $1;
