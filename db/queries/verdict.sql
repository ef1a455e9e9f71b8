-- name: evidence_add
INSERT INTO evidence (digest, kind, bytes) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING;

-- name: evidence_find
SELECT kind, bytes FROM evidence WHERE digest = $1;

-- name: verdict_add
INSERT INTO verdicts (id, project, instance, kind, verdict, reason, level, hardware, software,
    identity, simulated, claims, checks, policy, charter_serial, keeper, nonce_issued, valid_until,
    link_key, sealing_key, anchor, report_id, evidence_digest, token, testimony, testimony_cert,
    crl_digest, audit_id, platform)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12::jsonb, '{}'), coalesce($13::jsonb, '[]'),
    $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, nullif($28, 0),
    (SELECT jsonb_build_object('product', coalesce(e ->> 'product', e ->> 'product_line', 'unknown'),
        'signing_key', e -> 'signing_key', 'firmware', e -> 'current_fw', 'measurement', e -> 'measurement',
        'reported', e -> 'reported_tcb', 'committed', e -> 'committed_tcb', 'current', e -> 'current_tcb',
        'launch', e -> 'launch_tcb')
     FROM (SELECT coalesce($12::jsonb #> '{evidence,snp}', $12::jsonb -> 'evidence') AS e) AS proven
     WHERE $5 = 'trusted' AND e ? 'reported_tcb'));

-- name: verdict_find
SELECT * FROM verdicts WHERE id = $1;

-- name: verdict_list
SELECT * FROM verdicts WHERE instance = $1
  AND ($2::uuid IS NULL OR (created, id) < (SELECT created, id FROM verdicts WHERE id = $2))
ORDER BY created DESC, id DESC LIMIT $3;

-- name: verdict_current
SELECT v.* FROM instances i JOIN verdicts v ON v.id = i.verdict_id
WHERE i.id = $1 AND i.trust = 'trusted' AND v.verdict = 'trusted'
  AND v.valid_until > clock_timestamp();
