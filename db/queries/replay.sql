-- The evidence that every instance stands on, to be judged again.

-- name: replay_page
SELECT i.id, i.fleet, i.account, i.image, i.region, v.id AS verdict_id, i.policy, v.verdict, v.reason, v.level,
       v.link_key, v.checks @> '[{"check": "signature", "result": "pass"}]' AS signature_known,
       e.bytes AS evidence
FROM instances i
LEFT JOIN verdicts v ON v.id = i.verdict_id
LEFT JOIN evidence e ON e.digest = v.evidence_digest
WHERE i.project = $1 AND i.phase <> 'terminated' AND ($2::uuid IS NULL OR i.id > $2)
ORDER BY i.id LIMIT $3;

-- name: tcb_inventory
SELECT coalesce(jsonb_agg(to_jsonb(grouped)), '[]') FROM (
    SELECT coalesce(e ->> 'product', e ->> 'product_line', 'unknown') AS product, region,
           e ->> 'signing_key' AS signing_key, e ->> 'current_fw' AS firmware,
           e ->> 'measurement' AS measurement, e ->> 'reported_tcb' AS reported,
           e ->> 'committed_tcb' AS committed, e ->> 'current_tcb' AS current,
           e ->> 'launch_tcb' AS launch, count(*) AS instances
    FROM (SELECT i.region, coalesce(v.claims #> '{evidence,snp}', v.claims -> 'evidence') AS e
          FROM instances i JOIN verdicts v ON v.id = i.verdict_id
          WHERE i.project = $1 AND i.phase <> 'terminated' AND v.verdict = 'trusted') AS proven
    WHERE e ? 'reported_tcb'
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY instances DESC, 1, 2, 5, 6 LIMIT 1000
) AS grouped;
