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
SELECT coalesce(jsonb_agg(to_jsonb(grouped)), '[]') FROM (
    SELECT coalesce(e ->> 'product', e ->> 'product_line', 'unknown') AS product, region,
           e ->> 'signing_key' AS signing_key, e ->> 'current_fw' AS firmware,
           e ->> 'measurement' AS measurement, e ->> 'reported_tcb' AS reported,
           e ->> 'committed_tcb' AS committed, e ->> 'current_tcb' AS current,
           e ->> 'launch_tcb' AS launch, count(*) AS instances,
           min(at) AS oldest, max(at) AS newest
    FROM (SELECT i.region, v.nonce_issued AS at, coalesce(v.claims #> '{evidence,snp}', v.claims -> 'evidence') AS e
          FROM instances i JOIN verdicts v ON v.id = i.verdict_id
          WHERE i.project = $1 AND i.phase <> 'terminated' AND v.verdict = 'trusted') AS proven
    WHERE e ? 'reported_tcb'
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY instances DESC, 1, 2, 5, 6 LIMIT 1000
) AS grouped;

-- The same, for each product, region or launch digest by itself: how many show which TCB, and of when
-- the evidence is. One walk over the verdicts that stand.
-- name: tcb_by
SELECT coalesce(jsonb_agg(whole ORDER BY instances DESC, whole ->> 'value'), '[]') FROM (
    WITH proven AS MATERIALIZED (
        SELECT coalesce(CASE $2 WHEN 'product' THEN coalesce(e ->> 'product', e ->> 'product_line')
                                WHEN 'region' THEN region ELSE e ->> 'measurement' END, 'unknown') AS value,
               at, e ->> 'reported_tcb' AS reported, e ->> 'committed_tcb' AS committed,
               e ->> 'current_tcb' AS current, e ->> 'launch_tcb' AS launch
        FROM (SELECT i.region, v.nonce_issued AS at,
                     coalesce(v.claims #> '{evidence,snp}', v.claims -> 'evidence') AS e
              FROM instances i JOIN verdicts v ON v.id = i.verdict_id
              WHERE i.project = $1 AND i.phase <> 'terminated' AND v.verdict = 'trusted') AS standing
        WHERE e ? 'reported_tcb'
    ), counted AS (
        SELECT value, w.kind, w.tcb, count(*) AS instances
        FROM proven CROSS JOIN LATERAL (VALUES ('reported', reported), ('committed', committed),
            ('current', current), ('launch', launch)) AS w (kind, tcb)
        WHERE w.tcb IS NOT NULL GROUP BY 1, 2, 3
    ), kinds AS (
        SELECT value, kind, jsonb_agg(jsonb_build_object('tcb', tcb, 'instances', instances)
            ORDER BY instances DESC, tcb) AS list FROM counted GROUP BY 1, 2
    )
    SELECT p.instances, jsonb_build_object('value', p.value, 'instances', p.instances,
               'oldest', p.oldest, 'newest', p.newest)
           || (SELECT jsonb_object_agg(k.kind, k.list) FROM kinds k WHERE k.value = p.value) AS whole
    FROM (SELECT value, count(*) AS instances, min(at) AS oldest, max(at) AS newest
          FROM proven GROUP BY value ORDER BY instances DESC LIMIT 1000) p) AS grouped;
