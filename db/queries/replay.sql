-- The evidence that every instance stands on, to be judged again.

-- name: replay_page
SELECT i.id, i.fleet, i.account, i.region, v.id AS verdict_id, v.policy, v.verdict, v.reason, v.level,
       v.link_key, v.checks @> '[{"check": "signature", "result": "pass"}]' AS signature_known,
       e.bytes AS evidence
FROM instances i
LEFT JOIN verdicts v ON v.id = i.verdict_id
LEFT JOIN evidence e ON e.digest = v.evidence_digest
WHERE i.project = $1 AND i.phase <> 'terminated' AND ($2::uuid IS NULL OR i.id > $2)
ORDER BY i.id LIMIT $3;

-- name: replay_standing
SELECT i.id, i.verdict_id FROM instances i
WHERE i.project = $1 AND i.phase <> 'terminated' AND ($2::uuid IS NULL OR i.id > $2)
ORDER BY i.id LIMIT $3;
