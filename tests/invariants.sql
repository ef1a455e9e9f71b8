-- What must hold at any moment (design.md section 1). Every statement gives no row when it does;
-- a row is (promise, what is wrong, which one). Run with psql after any campaign of faults.

-- I2: one instance, at most one machine; one machine, at most one instance.
SELECT 'I2', 'two instances claim one machine', cloud_ref FROM instances
WHERE cloud_ref IS NOT NULL GROUP BY project, account, cloud_ref HAVING count(*) > 1;

SELECT 'I2', 'a client token was used twice', client_token FROM instances
WHERE client_token IS NOT NULL GROUP BY client_token HAVING count(*) > 1;

SELECT 'I2', 'a machine without a token committed before it', id::text FROM instances
WHERE (cloud_ref IS NOT NULL OR phase IN ('launching', 'booting', 'running', 'draining', 'stopping', 'stopped', 'starting'))
  AND (client_token IS NULL OR attempt = 0);

SELECT 'I2', 'a running instance without a machine', id::text FROM instances
WHERE phase IN ('booting', 'running', 'draining', 'stopping', 'stopped', 'starting') AND cloud_ref IS NULL;

-- I3: nothing is released without an accepting verdict on that very guest, given before.
SELECT 'I3', 'exposed without an accepting verdict', e.id::text
FROM exposures e LEFT JOIN verdicts v ON v.id = e.verdict_id
WHERE v.id IS NULL OR v.verdict <> 'trusted' OR v.instance <> e.instance
   OR v.created > e.at OR v.valid_until < e.at;

SELECT 'I3', 'delivered without an accepting verdict', d.id::text
FROM deliveries d LEFT JOIN verdicts v ON v.id = d.verdict_id
WHERE d.state IN ('sealed', 'sent', 'loaded')
  AND (v.id IS NULL OR v.verdict <> 'trusted' OR v.instance <> d.instance);

SELECT 'I3', 'sealed to a key that no verdict names', d.id::text
FROM deliveries d JOIN verdicts v ON v.id = d.verdict_id
WHERE d.state IN ('sealed', 'sent', 'loaded') AND d.sealing_key IS DISTINCT FROM v.sealing_key;

SELECT 'I3', 'delivered and not in the exposure ledger', d.id::text
FROM deliveries d WHERE d.state IN ('sent', 'loaded') AND NOT EXISTS (
    SELECT FROM exposures e WHERE e.instance = d.instance AND e.secret_version = d.secret_version);

SELECT 'I3', 'one instance holds what is another''s', d.id::text
FROM deliveries d JOIN secret_versions s ON s.id = d.secret_version
WHERE s.instance IS NOT NULL AND s.instance <> d.instance;

SELECT 'I3', 'loaded with another value than was sealed', d.id::text
FROM deliveries d JOIN secret_versions s ON s.id = d.secret_version
WHERE d.state = 'loaded' AND d.loaded_check IS DISTINCT FROM s.check_digest;

SELECT 'I3', 'passed without using up its launch ticket', id::text FROM instances
WHERE link_key IS NOT NULL AND launch_ticket_hash IS NOT NULL AND ticket_used IS NULL;

-- I4: versions never go back.
SELECT 'I4', 'an older version was loaded after a newer one', old.id::text
FROM deliveries old JOIN deliveries new
  ON new.instance = old.instance AND new.secret = old.secret AND new.version > old.version
WHERE old.state = 'loaded' AND new.state = 'loaded' AND old.loaded_at > new.loaded_at
  AND old.report_id IS NOT DISTINCT FROM new.report_id; -- a new boot begins anew

-- I5: nobody acts on a row twice at once: every change has an epoch of its own.
SELECT 'I5', 'two changes in one epoch', instance::text FROM instance_history
GROUP BY instance, epoch HAVING count(*) > 1;

SELECT 'I5', 'the epoch is not that of the last change', i.id::text
FROM instances i JOIN (SELECT instance, max(epoch) AS epoch FROM instance_history GROUP BY 1) h
  ON h.instance = i.id WHERE h.epoch <> i.epoch;

SELECT 'I5', 'half a lease', id::text FROM instances
WHERE (lease_holder IS NULL) <> (lease_until IS NULL);

-- I6: the chain holds, and every change of state has exactly one entry.
SELECT 'I6', 'the chain is broken at', a.number::text
FROM (SELECT number, prev_hash, lag(hash) OVER w AS hash_before, lag(number) OVER w AS number_before
      FROM audit WHERE number IS NOT NULL WINDOW w AS (ORDER BY number)) a
WHERE a.number <> coalesce(a.number_before, 0) + 1
   OR a.prev_hash <> coalesce(a.hash_before, decode(repeat('00', 32), 'hex'));

SELECT 'I6', 'a change of state without its audit entry', h.id::text
FROM instance_history h LEFT JOIN audit a ON a.id = h.audit
WHERE a.id IS NULL OR a.object <> 'instance:' || h.instance
   OR a.verb NOT IN ('instance.requested', 'instance.phase-changed', 'instance.trust-changed')
   OR (a.verb <> 'instance.requested' AND (a.detail ->> 'from' <> h.from_state OR a.detail ->> 'to' <> h.to_state));

SELECT 'I6', 'one audit entry for two changes', audit::text FROM instance_history
GROUP BY audit HAVING count(*) > 1;

SELECT 'I6', 'an audit entry of a change that is not there', a.id::text
FROM audit a WHERE a.verb IN ('instance.requested', 'instance.phase-changed', 'instance.trust-changed')
  AND NOT EXISTS (SELECT FROM instance_history h WHERE h.audit = a.id)
  AND NOT EXISTS (SELECT FROM instances i WHERE a.object = 'instance:' || i.id AND i.forgotten_at IS NOT NULL);

SELECT 'I6', 'a change does not begin where the last one ended', id::text
FROM (SELECT id, from_state, lag(to_state) OVER (PARTITION BY instance, machine ORDER BY id) AS before,
             machine FROM instance_history) h
WHERE h.from_state IS NOT NULL
  AND h.from_state <> coalesce(h.before, CASE h.machine WHEN 'trust' THEN 'unknown' END, '');

SELECT 'I6', 'the row is not in the state its history ends with', i.id::text
FROM instances i CROSS JOIN (VALUES ('phase'), ('trust')) AS m (machine)
LEFT JOIN LATERAL (SELECT to_state FROM instance_history h
    WHERE h.instance = i.id AND h.machine = m.machine ORDER BY h.id DESC LIMIT 1) last ON true
WHERE i.forgotten_at IS NULL AND coalesce(last.to_state, CASE m.machine WHEN 'trust' THEN 'unknown' END)
      IS DISTINCT FROM CASE m.machine WHEN 'phase' THEN i.phase ELSE i.trust END;

SELECT 'I6', 'a delivery whose state nobody audited', d.id::text
FROM deliveries d WHERE d.state IN ('sealed', 'sent', 'loaded', 'failed') AND NOT EXISTS (
    SELECT FROM audit a WHERE a.object = 'instance:' || d.instance
      AND a.verb = 'delivery.' || d.state AND a.detail ->> 'delivery' = d.id::text);

SELECT 'I6', 'a notice that does not stand as its history ends', n.id::text
FROM notices n
LEFT JOIN LATERAL (SELECT change, status, not_before FROM notice_history h
    WHERE h.notice = n.id ORDER BY h.id DESC LIMIT 1) last ON true
WHERE last.change IS NULL OR (last.change = 'ended') <> (n.ended IS NOT NULL)
   OR (last.status, last.not_before) IS DISTINCT FROM (n.status, n.not_before);

SELECT 'I6', 'a change of a notice without its audit entry', h.id::text
FROM notice_history h LEFT JOIN audit a ON a.id = h.audit
WHERE a.id IS NULL OR a.object <> 'notice:' || h.notice OR a.verb <> 'notice.' || h.change;

-- I9: unknown is never shown as trusted. A minute's grace for the one who looks at clocks.
SELECT 'I9', 'trusted without an accepting verdict', i.id::text
FROM instances i LEFT JOIN verdicts v ON v.id = i.verdict_id
WHERE i.trust IN ('trusted', 'stale')
  AND (v.id IS NULL OR v.verdict <> 'trusted' OR v.instance <> i.id OR v.valid_until <> i.valid_until);

SELECT 'I9', 'trusted with another key than its verdict names', i.id::text
FROM instances i JOIN verdicts v ON v.id = i.verdict_id
WHERE i.trust = 'trusted' AND i.link_key IS DISTINCT FROM v.link_key;

SELECT 'I9', 'trusted although its verdict ran out', id::text FROM instances
WHERE trust = 'trusted' AND phase <> 'terminated' AND valid_until < clock_timestamp() - interval '1 minute';

SELECT 'I9', 'a level that no verdict gave', i.id::text
FROM instances i LEFT JOIN verdicts v ON v.id = i.verdict_id
WHERE i.level > coalesce(v.level, 0);

SELECT 'I9', 'simulated, and not shown as such', i.id::text
FROM instances i JOIN verdicts v ON v.id = i.verdict_id
WHERE v.simulated AND NOT i.simulated AND i.trust IN ('trusted', 'stale', 'rejected');

-- I11: envelopes are there only on their way.
SELECT 'I11', 'an envelope was left behind', id::text FROM deliveries
WHERE envelope IS NOT NULL AND state NOT IN ('sealed', 'sent');

SELECT 'I11', 'a destroyed version still has its record', id::text FROM secret_versions
WHERE state = 'destroyed' AND record IS NOT NULL;
