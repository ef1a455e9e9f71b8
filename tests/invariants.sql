-- What must never be seen in the tables, whatever crashed (design.md section 1). Each query gives no
-- row when all is well; a row names the invariant and the thing that broke it.

-- I2: one row, at most one cloud machine; one machine, one row; no machine before its token.
SELECT 'I2 two rows for one machine', account || ' ' || cloud_ref FROM instances
WHERE cloud_ref IS NOT NULL GROUP BY project, account, cloud_ref HAVING count(*) > 1;
SELECT 'I2 a machine without a client token', id::text FROM instances
WHERE cloud_ref IS NOT NULL AND client_token IS NULL;

-- I3: nothing is released without an accepting verdict of that very instance and key, not yet
-- expired when it was sealed.
SELECT 'I3 a delivery without an accepting verdict', d.id::text
FROM deliveries d LEFT JOIN verdicts v ON v.id = d.verdict_id
WHERE d.state IN ('sealed', 'sent', 'loaded')
  AND (v.id IS NULL OR v.verdict <> 'trusted' OR v.instance <> d.instance
       OR v.sealing_key IS DISTINCT FROM d.sealing_key);
SELECT 'I3 an exposure without an accepting verdict', x.id::text
FROM exposures x LEFT JOIN verdicts v ON v.id = x.verdict_id
WHERE v.id IS NULL OR v.verdict <> 'trusted' OR v.instance <> x.instance OR x.at > v.valid_until
   OR x.at < v.nonce_issued;
SELECT 'I3 a loaded delivery that was never an exposure', d.id::text FROM deliveries d
WHERE d.state = 'loaded' AND NOT EXISTS (
    SELECT FROM exposures x WHERE x.instance = d.instance AND x.secret_version = d.secret_version);

-- I4: versions never go back: what was loaded last is not older than what was loaded before.
SELECT 'I4 an older version loaded after a newer one', a.id::text
FROM deliveries a JOIN deliveries b ON b.instance = a.instance AND b.secret = a.secret
WHERE a.state = 'loaded' AND b.state = 'loaded' AND a.version < b.version AND a.loaded_at > b.loaded_at
  AND a.report_id IS NOT DISTINCT FROM b.report_id;

-- I6: the chain has no gap, each links to the one before, each change has exactly one entry.
SELECT 'I6 the chain is broken at', number::text FROM (
    SELECT number, prev_hash, lag(number) OVER w AS before, lag(hash) OVER w AS hash_before
    FROM audit WHERE number IS NOT NULL WINDOW w AS (ORDER BY number)) c
WHERE number <> coalesce(before, 0) + 1
   OR (before IS NOT NULL AND prev_hash IS DISTINCT FROM hash_before)
   OR (before IS NULL AND prev_hash <> decode(repeat('00', 32), 'hex'));
SELECT 'I6 one entry for two changes', audit::text FROM instance_history
GROUP BY audit HAVING count(*) > 1;
SELECT 'I6 a change without its entry', h.id::text
FROM instance_history h LEFT JOIN audit a ON a.id = h.audit
WHERE a.id IS NULL OR a.object <> 'instance:' || h.instance;
SELECT 'I6 a phase that history does not tell', i.id::text FROM instances i
WHERE i.phase IS DISTINCT FROM (SELECT h.to_state FROM instance_history h
    WHERE h.instance = i.id AND h.machine = 'phase' ORDER BY h.id DESC LIMIT 1);

-- I9: trusted means an accepting verdict that has not run out (the watch may be a little late).
SELECT 'I9 trusted without a verdict', i.id::text
FROM instances i LEFT JOIN verdicts v ON v.id = i.verdict_id
WHERE i.trust = 'trusted'
  AND (v.id IS NULL OR v.verdict <> 'trusted' OR i.valid_until > v.valid_until
       OR i.valid_until < clock_timestamp() - interval '1 minute'
       OR i.link_key IS DISTINCT FROM v.link_key);

-- I11: an envelope is gone once it was loaded; a version that counts is ciphertext of the keeper's.
SELECT 'I11 an envelope that was kept', id::text FROM deliveries
WHERE envelope IS NOT NULL AND state NOT IN ('sealed', 'sent');
