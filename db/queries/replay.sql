-- The evidence that every instance stands on, to be judged again.

-- What belonged to the moment is not asked of a cloud's documents again: what was found of it is told,
-- of the few suspects.
-- name: replay_page
SELECT i.id, i.fleet, i.account, i.image, i.region, coalesce(i.machine_id, i.cloud_ref) AS machine, v.id AS verdict_id, i.policy, v.verdict, v.reason, v.level,
       coalesce(v.claims ->> 'documents', 'none') AS documents,
       v.link_key, v.checks @> '[{"check": "signature", "result": "pass"}]' AS signature_known,
       coalesce(s.checks @> '[{"check": "identity-time", "result": "fail"}]', false) AS bad_time,
       coalesce(s.checks @> '[{"check": "identity-nonce", "result": "fail"}]', false) AS bad_nonce,
       e.bytes AS evidence
FROM instances i
LEFT JOIN verdicts v ON v.id = i.verdict_id
LEFT JOIN LATERAL (SELECT v.claims #> '{evidence,documents,checks}' AS checks
                   WHERE v.claims ->> 'documents' = 'suspect') AS s ON true
LEFT JOIN evidence e ON e.digest = v.evidence_digest
WHERE i.project = $1 AND i.phase <> 'terminated' AND ($2::uuid IS NULL OR i.id > $2)
ORDER BY i.id LIMIT $3;

-- name: tcb_inventory
SELECT coalesce(jsonb_agg(platform || jsonb_build_object('region', region, 'instances', instances,
           'oldest', oldest, 'newest', newest)
           ORDER BY instances DESC, platform ->> 'product', region, platform ->> 'measurement',
               platform ->> 'reported'), '[]')
FROM (SELECT v.platform, i.region, count(*) AS instances, min(v.nonce_issued) AS oldest,
             max(v.nonce_issued) AS newest
      FROM instances i JOIN verdicts v ON v.id = i.verdict_id
      WHERE i.project = $1 AND i.phase <> 'terminated' AND v.platform IS NOT NULL
      GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 1000) AS grouped;

-- The same, for each product, region or launch digest by itself: how many show which TCB, and of when
-- the evidence is. One walk over the verdicts that stand; what is alike is counted before it is sorted out.
-- name: tcb_by
SELECT coalesce(jsonb_agg(whole ORDER BY instances DESC, whole ->> 'value'), '[]') FROM (
    WITH proven AS MATERIALIZED (
        SELECT coalesce(CASE $2 WHEN 'region' THEN region ELSE platform ->> $2 END, 'unknown') AS value,
               platform, instances, oldest, newest
        FROM (SELECT v.platform, i.region, count(*) AS instances, min(v.nonce_issued) AS oldest,
                     max(v.nonce_issued) AS newest
              FROM instances i JOIN verdicts v ON v.id = i.verdict_id
              WHERE i.project = $1 AND i.phase <> 'terminated' AND v.platform IS NOT NULL
              GROUP BY 1, 2) AS alike
    ), counted AS (
        SELECT value, kind, platform ->> kind AS tcb, sum(instances)::bigint AS instances
        FROM proven CROSS JOIN unnest(ARRAY['reported', 'committed', 'current', 'launch']) AS kind
        WHERE platform ->> kind IS NOT NULL GROUP BY 1, 2, 3
    ), kinds AS (
        SELECT value, kind, jsonb_agg(jsonb_build_object('tcb', tcb, 'instances', instances)
            ORDER BY instances DESC, tcb) AS list FROM counted GROUP BY 1, 2
    )
    SELECT p.instances, jsonb_build_object('value', p.value, 'instances', p.instances,
               'oldest', p.oldest, 'newest', p.newest)
           || (SELECT jsonb_object_agg(k.kind, k.list) FROM kinds k WHERE k.value = p.value) AS whole
    FROM (SELECT value, sum(instances)::bigint AS instances, min(oldest) AS oldest, max(newest) AS newest
          FROM proven GROUP BY value ORDER BY 2 DESC LIMIT 1000) p) AS grouped;
