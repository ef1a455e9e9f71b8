-- Proposed once more it is the later proposal that counts, unless it is in force.
-- name: distrust_add
INSERT INTO distrusts (id, project, what, value, serial, plan, exposed, actor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (project, what, value) WHERE lifted_at IS NULL
DO UPDATE SET serial = $5, plan = $6, exposed = $7, actor = $8, created = clock_timestamp()
WHERE distrusts.in_force_at IS NULL
RETURNING id;

-- name: distrust_forget_instances
DELETE FROM distrust_instances WHERE distrust = $1;

-- name: distrust_add_instances
INSERT INTO distrust_instances (distrust, instance) SELECT $1, unnest($2::uuid[]);

-- name: distrust_list
SELECT d.*, n.instances, n.asked, n.trusted, n.there
FROM distrusts d CROSS JOIN LATERAL (
    SELECT count(*) AS instances, count(x.asked_at) AS asked,
        count(*) FILTER (WHERE i.trust = 'trusted' AND i.valid_until > clock_timestamp()
            AND i.phase <> 'terminated') AS trusted,
        count(*) FILTER (WHERE i.phase <> 'terminated') AS there
    FROM distrust_instances x JOIN instances i ON i.id = x.instance WHERE x.distrust = d.id) n
WHERE d.project = $1 AND ($2::uuid IS NULL OR d.id = $2)
ORDER BY d.created DESC, d.id LIMIT $3;

-- What is in force first: however much is proposed, none of it counts as lifted for want of room.
-- name: distrust_standing
SELECT id, what, value, in_force_at FROM distrusts WHERE project = $1 AND lifted_at IS NULL
ORDER BY in_force_at IS NULL, created DESC LIMIT 4096;

-- What a charter that was just accepted says: those named are in force, others no more.
-- name: distrust_settle
WITH begun AS (
    UPDATE distrusts SET in_force_at = clock_timestamp()
    WHERE project = $1 AND lifted_at IS NULL AND in_force_at IS NULL AND id = ANY($2)
    RETURNING id, what, value, 'distrust.in-force' AS verb
), ended AS (
    UPDATE distrusts SET lifted_at = clock_timestamp()
    WHERE project = $1 AND lifted_at IS NULL AND in_force_at IS NOT NULL AND NOT id = ANY($2)
    RETURNING id, what, value, 'distrust.lifted' AS verb
)
INSERT INTO audit (project, actor, verb, object, detail)
SELECT $1, $3, verb, 'distrust:' || id, jsonb_build_object('what', what, 'value', value)
FROM (SELECT * FROM begun UNION ALL SELECT * FROM ended) AS changed;

-- Whom to ask for new evidence, some at a time. Asked is not heard: whoever has shown none since is asked again.
-- name: distrust_due
SELECT DISTINCT y.instance FROM distrusts d CROSS JOIN LATERAL (
    SELECT x.instance FROM distrust_instances x JOIN instances i ON i.id = x.instance
    WHERE x.distrust = d.id
      AND (x.asked_at IS NULL OR (x.asked_at < statement_timestamp() - interval '2 minutes'
                                  AND coalesce(i.verified_at, '-infinity') < x.asked_at))
      AND i.trust = 'trusted' AND i.phase <> 'terminated' AND ($1::uuid IS NULL OR x.instance > $1)
    ORDER BY x.instance LIMIT $2) y
WHERE d.in_force_at IS NOT NULL AND d.lifted_at IS NULL
ORDER BY y.instance LIMIT $2;

-- name: distrust_asked
UPDATE distrust_instances x SET asked_at = clock_timestamp() FROM distrusts d
WHERE d.id = x.distrust AND x.instance = ANY($1)
  AND d.in_force_at IS NOT NULL AND d.lifted_at IS NULL;

-- Every version that one of the instances was ever handed, or anybody on a verdict that shows one of
-- the claims, or an anchor among the names that it has for its machine.
-- name: distrust_exposed
SELECT coalesce(jsonb_agg(to_jsonb(seen) ORDER BY seen.secret, seen.version), '[]') FROM (
    SELECT s.name AS secret, v.version, count(DISTINCT e.instance) AS instances
    FROM exposures e JOIN secrets s ON s.id = e.secret JOIN secret_versions v ON v.id = e.secret_version
    JOIN verdicts d ON d.id = e.verdict_id
    WHERE s.project = $1 AND (e.instance = ANY($2)
        OR EXISTS (SELECT FROM jsonb_array_elements($3::jsonb) AS c (claims)
            WHERE d.claims @> c.claims OR c.claims ->> 'anchor' IN (substr(d.claims ->> 'named', 1, 64),
                substr(d.claims ->> 'named', 65, 64), substr(d.claims ->> 'named', 129, 64))))
    GROUP BY s.name, v.version ORDER BY s.name, v.version LIMIT 1000) AS seen;

-- name: distrust_exposed_by_instance
SELECT coalesce(jsonb_agg(to_jsonb(seen)), '[]') FROM (
    SELECT e.instance, jsonb_agg(DISTINCT jsonb_build_object('secret', s.name, 'version', v.version)) AS versions
    FROM exposures e JOIN secrets s ON s.id = e.secret JOIN secret_versions v ON v.id = e.secret_version
    WHERE s.project = $1 AND e.instance = ANY($2)
    GROUP BY e.instance ORDER BY e.instance LIMIT 1000) AS seen;

-- What is on its way to them.
-- name: distrust_deliveries
SELECT coalesce(jsonb_agg(to_jsonb(pending)), '[]') FROM (
    SELECT name AS secret, version, state, count(*) AS count FROM deliveries
    WHERE project = $1 AND instance = ANY($2) AND state IN ('due', 'sealed', 'sent')
    GROUP BY name, version, state ORDER BY name, version, state LIMIT 1000) AS pending;

-- Of a region: who is there by its account's word, and proves it not.
-- name: distrust_not_reached
SELECT count(*) FROM instances
WHERE project = $1 AND region = $2 AND phase <> 'terminated' AND NOT id = ANY($3);
