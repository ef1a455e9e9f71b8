-- What is old by now(), which stands still in a transaction: no index ends a walk at a clock that moves on,
-- and all that is young would be walked over.

-- Instances that are over since so many days and still have their details.
-- name: retention_due
SELECT id FROM instances
WHERE phase = 'terminated' AND forgotten_at IS NULL
  AND terminated_at < now() - make_interval(days => $1::bigint::int)
ORDER BY terminated_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED;

-- name: retention_history
DELETE FROM instance_history WHERE instance = ANY ($1::uuid[]);

-- name: retention_notices
DELETE FROM notices WHERE instance = ANY ($1::uuid[]);

-- name: retention_heartbeats
DELETE FROM heartbeats WHERE instance = ANY ($1::uuid[]);

-- What a secret was handed out on stays, and so does the last word on each instance.
-- name: retention_verdicts
WITH gone AS (
    DELETE FROM verdicts v
    WHERE v.instance = ANY ($1::uuid[])
      AND NOT EXISTS (SELECT FROM instances i WHERE i.verdict_id = v.id)
      AND NOT EXISTS (SELECT FROM exposures e WHERE e.verdict_id = v.id)
      AND NOT EXISTS (SELECT FROM deliveries d WHERE d.verdict_id = v.id)
    RETURNING v.evidence_digest, v.crl_digest
)
SELECT evidence_digest FROM gone UNION SELECT crl_digest FROM gone WHERE crl_digest IS NOT NULL;

-- The same of machines that live on, once they are so many days old: a stretch of them in the order in
-- which they were given, so that those that stay are not walked over again and again.
-- name: retention_old_verdicts
WITH looked AS (
    SELECT id, created FROM verdicts
    WHERE created < now() - make_interval(days => $1::bigint::int)
      AND (created, id) > (coalesce($4, '-infinity'::timestamptz), coalesce($5, '00000000-0000-0000-0000-000000000000'::uuid))
    ORDER BY created, id LIMIT $2
), old AS (
    SELECT v.id FROM looked l JOIN verdicts v ON v.id = l.id
    WHERE EXISTS (SELECT FROM instances i WHERE i.id = v.instance AND i.phase <> 'terminated')
      AND NOT EXISTS (SELECT FROM instances i WHERE i.verdict_id = v.id)
      AND NOT EXISTS (SELECT FROM exposures e WHERE e.verdict_id = v.id)
      AND NOT EXISTS (SELECT FROM deliveries d WHERE d.verdict_id = v.id)
    FOR UPDATE OF v SKIP LOCKED
), gone AS (
    DELETE FROM verdicts v USING old WHERE v.id = old.id
    RETURNING v.project, v.evidence_digest, v.crl_digest
), told AS (
    INSERT INTO audit (project, actor, verb, object, detail)
    SELECT project, $3, 'verdicts.forgotten', 'verdicts',
           jsonb_build_object('days', $1::bigint, 'count', count(*))
    FROM gone GROUP BY project
), digests (digest) AS (
    SELECT evidence_digest FROM gone UNION SELECT crl_digest FROM gone WHERE crl_digest IS NOT NULL
)
SELECT d.digest, (SELECT count(*) FROM gone), (SELECT count(*) FROM looked), l.created, l.id
FROM (SELECT created, id FROM looked ORDER BY created DESC, id DESC LIMIT 1) AS l
    LEFT JOIN digests d ON true;

-- name: retention_evidence
DELETE FROM evidence e WHERE e.digest = ANY ($1::bytea[])
  AND NOT EXISTS (SELECT FROM verdicts v WHERE v.evidence_digest = e.digest)
  AND NOT EXISTS (SELECT FROM verdicts v WHERE v.crl_digest = e.digest);

-- name: retention_done
WITH done AS (
    UPDATE instances SET forgotten_at = clock_timestamp() WHERE id = ANY ($1::uuid[])
    RETURNING id, project
)
INSERT INTO audit (project, actor, verb, object, detail)
SELECT project, $2, 'instance.forgotten', 'instance:' || id, jsonb_build_object('days', $3::bigint)
FROM done;
