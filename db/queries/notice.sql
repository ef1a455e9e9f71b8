-- What clouds say that they will do to hosts.

-- One look at an account: all that its cloud says ($4, a JSON array), against all that stands. What it names of
-- machines without a row is left aside, as is what goes beyond $6 for one machine. Only a whole look ($5) ends what
-- it does not name. A notice whose cloud changed it $7 times changes or ends once an hour, and stands meanwhile. In steady
-- state nothing is written. The FULL JOIN is never a nested loop, whatever the planner thinks of how much was said.
-- name: notice_look
WITH said AS (
    SELECT DISTINCT ON (i.id, s.kind, coalesce(s.event, '')) i.id AS instance, i.fleet, s.kind,
        coalesce(s.event, '') AS event, coalesce(s.status, '') AS status, s.not_before, s.not_after, s.deadline,
        s.is_ours_to_time, coalesce(s.text, '') AS text
    FROM jsonb_to_recordset($4::text::jsonb) AS s (ref text, kind text, event text, status text, not_before timestamptz,
        not_after timestamptz, deadline timestamptz, is_ours_to_time boolean, text text)
    JOIN instances i ON i.project = $1 AND i.account = $2 AND i.cloud_ref = s.ref AND i.phase <> 'terminated'
    ORDER BY i.id, s.kind, coalesce(s.event, ''), s.not_before, s.not_after, s.deadline, s.status, s.text
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY instance ORDER BY not_before, kind, event) AS rank FROM said
), compared AS (
    SELECT r.*, n.id AS stands,
        (n.fleet, n.status, n.not_before, n.not_after, n.deadline, n.is_ours_to_time, n.text) IS NOT DISTINCT FROM
            (r.fleet, r.status, r.not_before, r.not_after, r.deadline, r.is_ours_to_time, r.text) AS is_same
    FROM ranked r
    FULL JOIN (SELECT * FROM notices WHERE project = $1 AND account = $2 AND ended IS NULL) n
        ON n.instance = r.instance AND n.kind = r.kind AND n.event = r.event
), given AS (
    INSERT INTO notices AS n (id, project, fleet, account, instance, event, kind, status, not_before, not_after,
        deadline, is_ours_to_time, text, first_seen, given, changed)
    SELECT gen_random_uuid(), $1, fleet, $2, instance, event, kind, status, not_before, not_after, deadline,
        is_ours_to_time, text, statement_timestamp(), statement_timestamp(), statement_timestamp()
    FROM compared WHERE instance IS NOT NULL AND rank <= $6::bigint AND (stands IS NULL OR NOT is_same)
    ORDER BY instance, kind, event
    ON CONFLICT (instance, kind, event) DO UPDATE SET fleet = excluded.fleet, account = excluded.account,
        status = excluded.status, not_before = excluded.not_before, not_after = excluded.not_after,
        deadline = excluded.deadline, is_ours_to_time = excluded.is_ours_to_time, text = excluded.text, ended = NULL,
        given = CASE WHEN n.ended IS NULL THEN n.given ELSE excluded.given END,
        changed = excluded.changed, changes = n.changes + 1
    WHERE n.ended IS NOT NULL
       OR (n.fleet, n.status, n.not_before, n.not_after, n.deadline, n.is_ours_to_time, n.text)
          IS DISTINCT FROM (excluded.fleet, excluded.status, excluded.not_before, excluded.not_after, excluded.deadline,
                            excluded.is_ours_to_time, excluded.text)
      AND (n.changes < $7::bigint OR n.changed <= statement_timestamp() - interval '1 hour')
    RETURNING n.*, CASE WHEN n.given = n.changed THEN 'given' ELSE 'changed' END AS change
), ended AS (
    UPDATE notices n SET ended = statement_timestamp(), changed = statement_timestamp(), changes = changes + 1
    WHERE n.id IN (SELECT stands FROM compared WHERE instance IS NULL AND $5::boolean) AND n.ended IS NULL
      AND (n.changes < $7::bigint OR n.changed <= statement_timestamp() - interval '1 hour')
    RETURNING n.*, 'ended' AS change
), told AS (
    SELECT * FROM given UNION ALL SELECT * FROM ended
), entry AS (
    INSERT INTO audit (project, actor, verb, object, detail)
    SELECT project, $3, 'notice.' || change, 'notice:' || id, jsonb_strip_nulls(jsonb_build_object(
        'instance', instance, 'account', account, 'kind', kind, 'event', event, 'status', status,
        'not_before', not_before, 'not_after', not_after, 'deadline', deadline))
    FROM told
    RETURNING id, verb, object, detail
), history AS (
    INSERT INTO notice_history (notice, change, status, not_before, not_after, deadline, audit)
    SELECT substr(object, 8)::uuid, substr(verb, 8), detail ->> 'status', (detail ->> 'not_before')::timestamptz,
        (detail ->> 'not_after')::timestamptz, (detail ->> 'deadline')::timestamptz, id
    FROM entry
)
SELECT count(*) FILTER (WHERE change = 'given'), count(*) FILTER (WHERE change = 'changed'),
    count(*) FILTER (WHERE change = 'ended')
FROM told;

-- Of each machine some that ended are kept: the last $3.
-- name: notice_prune
DELETE FROM notices WHERE id IN (
    SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY instance ORDER BY ended DESC, id) AS rank
                    FROM notices WHERE project = $1 AND account = $2 AND ended IS NOT NULL) AS old
    WHERE rank > $3::bigint);

-- Those of a machine, or else a fleet, or else an account, or else all, by one index each and no further than the page:
-- which of them counts is known before any is read, and nothing hangs on what the planner knows of the parameters.
-- name: notice_list
SELECT n.id, n.instance, n.fleet, n.account, a.driver AS cloud, i.region, i.zone, i.cloud_ref AS ref, n.event, n.kind,
    n.status, n.begins, n.not_before, n.not_after, n.deadline, n.is_ours_to_time, n.text, n.first_seen, n.given,
    n.changed, n.changes, n.ended
FROM (VALUES (false), (true)) AS o (is_over)
    CROSS JOIN (SELECT coalesce($6::timestamptz, '-infinity') AS begins,
                    coalesce($7::uuid, '00000000-0000-0000-0000-000000000000') AS id) AS after
    CROSS JOIN LATERAL (
        (SELECT * FROM notices m WHERE m.instance = $4 AND m.project = $1
            AND ($2::text IS NULL OR m.fleet = $2) AND ($3::text IS NULL OR m.account = $3)
            AND (m.ended IS NOT NULL) = o.is_over AND (m.begins, m.id) > (after.begins, after.id)
         ORDER BY m.begins, m.id LIMIT $8)
        UNION ALL
        (SELECT * FROM notices m WHERE $4::uuid IS NULL AND m.project = $1 AND m.fleet = $2
            AND ($3::text IS NULL OR m.account = $3)
            AND (m.ended IS NOT NULL) = o.is_over AND (m.begins, m.id) > (after.begins, after.id)
         ORDER BY m.begins, m.id LIMIT $8)
        UNION ALL
        (SELECT * FROM notices m WHERE $4::uuid IS NULL AND $2::text IS NULL AND m.project = $1 AND m.account = $3
            AND (m.ended IS NOT NULL) = o.is_over AND (m.begins, m.id) > (after.begins, after.id)
         ORDER BY m.begins, m.id LIMIT $8)
        UNION ALL
        (SELECT * FROM notices m WHERE $4::uuid IS NULL AND $2::text IS NULL AND $3::text IS NULL AND m.project = $1
            AND (m.ended IS NOT NULL) = o.is_over AND (m.begins, m.id) > (after.begins, after.id)
         ORDER BY m.begins, m.id LIMIT $8)
    ) AS n
    CROSS JOIN LATERAL (SELECT region, zone, cloud_ref FROM instances WHERE id = n.instance LIMIT 1) AS i
    JOIN accounts a ON a.project = n.project AND a.name = n.account
WHERE $5::boolean OR NOT o.is_over
ORDER BY n.begins, n.id LIMIT $8;

-- name: notice_find
SELECT n.id, n.instance, i.fleet, n.account, a.driver AS cloud, i.region, i.zone, i.cloud_ref AS ref, n.event, n.kind,
    n.status, n.begins, n.not_before, n.not_after, n.deadline, n.is_ours_to_time, n.text, n.first_seen, n.given,
    n.changed, n.changes, n.ended
FROM notices n
    JOIN instances i ON i.id = n.instance
    JOIN accounts a ON a.project = n.project AND a.name = n.account
WHERE n.id = $1 AND n.project = $2;

-- name: notice_history
SELECT id, at, change, status, not_before, not_after, deadline, audit
FROM notice_history WHERE notice = $1 ORDER BY id DESC LIMIT $2;

-- name: notice_of_fleet
SELECT count(*), count(DISTINCT n.instance), min(n.begins)
FROM instances i JOIN notices n ON n.instance = i.id AND n.ended IS NULL
WHERE i.project = $1 AND i.fleet = $2 AND i.phase <> 'terminated';

-- Over all projects: what stands, and what of it is near, of machines that are still there (as the alarms say).
-- name: notice_count
SELECT count(*), count(*) FILTER (WHERE n.begins <= statement_timestamp() + interval '2 days'
    AND (n.not_after IS NULL OR n.not_after > statement_timestamp())
    AND i.phase NOT IN ('stopping', 'stopped', 'terminating', 'terminated') AND i.wanted <> 'gone')
FROM notices n JOIN instances i ON i.id = n.instance WHERE n.ended IS NULL;
