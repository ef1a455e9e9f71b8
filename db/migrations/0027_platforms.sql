-- What the inventory of TCBs counts by, beside the claims it is taken from: those are kilobytes each, and
-- reading them for every machine of a fleet took seconds. NULL: not trusted, or by nothing of SNP.
ALTER TABLE verdicts ADD COLUMN platform jsonb;

-- Those that stand; no one counts the others.
UPDATE verdicts SET platform = jsonb_build_object('product', coalesce(e ->> 'product', e ->> 'product_line', 'unknown'),
        'signing_key', e -> 'signing_key', 'firmware', e -> 'current_fw', 'measurement', e -> 'measurement',
        'reported', e -> 'reported_tcb', 'committed', e -> 'committed_tcb', 'current', e -> 'current_tcb',
        'launch', e -> 'launch_tcb')
FROM instances i
CROSS JOIN LATERAL (SELECT v.id, coalesce(v.claims #> '{evidence,snp}', v.claims -> 'evidence') AS e
                    FROM verdicts v WHERE v.id = i.verdict_id AND v.verdict = 'trusted' OFFSET 0) AS stands
WHERE verdicts.id = stands.id AND e ? 'reported_tcb';
