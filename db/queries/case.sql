-- Is there anything to write at all? For most verdicts of a case there is not.
-- name: case_look
SELECT c.id,
    EXISTS (SELECT FROM case_sightings s WHERE s.case_id = c.id AND s.instance = $3)
        AND c.last_seen > clock_timestamp() - interval '1 minute' AS is_told
FROM cases c WHERE c.project = $1 AND c.measurement = $2;

-- Open cases of a project have a bound, and of those that one instance brings up another one.
-- name: case_open
INSERT INTO cases (id, project, measurement, kind, product, policy, provider, region)
SELECT $1, $2, $3, $4, $5, $6, $7, $8
WHERE (SELECT count(*) FROM cases WHERE state = 'open' AND project = $2) < $9
  AND (SELECT count(*) FROM case_sightings s JOIN cases c ON c.id = s.case_id
       WHERE s.instance = $10 AND c.state = 'open') < $11
ON CONFLICT (project, measurement) DO NOTHING;

-- name: case_overflow
INSERT INTO case_overflow (project) VALUES ($1)
ON CONFLICT (project) DO UPDATE SET intervals = case_overflow.intervals + 1, last_seen = clock_timestamp()
WHERE case_overflow.last_seen <= clock_timestamp() - interval '10 seconds';

-- name: case_overflow_find
SELECT intervals, last_seen FROM case_overflow WHERE project = $1;

-- Counted when it is new here, and by its chip when that is; the first few are kept as samples.
-- name: case_sight
WITH known AS (
    SELECT EXISTS (SELECT FROM case_sightings WHERE case_id = $1 AND chip = $3) AS chip
), added AS (
    INSERT INTO case_sightings (case_id, instance, chip) VALUES ($1, $2, $3)
    ON CONFLICT (case_id, instance) DO NOTHING RETURNING 1
)
UPDATE cases c SET last_seen = clock_timestamp(),
    instances = c.instances + (SELECT count(*) FROM added),
    chips = c.chips + CASE WHEN $3::bytea IS NOT NULL AND NOT known.chip THEN (SELECT count(*) FROM added) ELSE 0 END,
    samples = CASE WHEN jsonb_array_length(c.samples) < 5 AND EXISTS (SELECT FROM added)
                   THEN c.samples || $4::jsonb ELSE c.samples END
FROM known WHERE c.id = $1;

-- name: case_list
SELECT * FROM cases WHERE project = $1 AND ($2::text IS NULL OR state = $2) AND ($3::uuid IS NULL OR id = $3)
ORDER BY state = 'open' DESC, last_seen DESC, id LIMIT $4;

-- name: case_dismiss
WITH changed AS (
    UPDATE cases SET state = 'dismissed', state_since = clock_timestamp(), reason = $3, ends = NULL
    WHERE project = $1 AND id = $2 AND state = 'open' RETURNING id
)
INSERT INTO audit (project, actor, verb, object, detail)
SELECT $1, $4, 'case.dismissed', 'case:' || id, jsonb_build_object('reason', $3::text) FROM changed;

-- What a charter that was just accepted names, and until when; what it does not name is open again.
-- name: case_settle
WITH named AS (
    SELECT * FROM unnest($2::uuid[], $3::timestamptz[]) AS n (id, ends)
), closed AS (
    UPDATE cases c SET state = 'accepted', state_since = clock_timestamp(), reason = NULL, ends = n.ends
    FROM named n
    WHERE c.id = n.id AND c.project = $1 AND (c.state <> 'accepted' OR c.ends IS DISTINCT FROM n.ends)
    RETURNING c.id, 'case.accepted' AS verb, c.ends
), opened AS (
    UPDATE cases SET state = 'open', state_since = clock_timestamp(), reason = 'no-longer-named', ends = NULL
    WHERE project = $1 AND state = 'accepted' AND NOT id = ANY($2)
    RETURNING id, 'case.opened-again' AS verb, ends
)
INSERT INTO audit (project, actor, verb, object, detail)
SELECT $1, $4, verb, 'case:' || id, jsonb_build_object('ends', ends)
FROM (SELECT * FROM closed UNION ALL SELECT * FROM opened) AS changed;

-- With the reference's end its case is open again.
-- name: case_expire
WITH opened AS (
    UPDATE cases SET state = 'open', state_since = clock_timestamp(), reason = 'reference-ended', ends = NULL
    WHERE ends <= $1 RETURNING id, project
)
INSERT INTO audit (project, actor, verb, object, detail)
SELECT project, $2, 'case.opened-again', 'case:' || id, '{"reason": "reference-ended"}' FROM opened;
