-- What a keeper tells of its own. It runs when its counts move, or when there was nothing to probe with
-- before. True when it has halted since the last time.
-- name: probe_note
WITH before AS (SELECT halted FROM probes WHERE boot_id = $1 AND prober = 'keeper')
INSERT INTO probes AS p (boot_id, prober, every_seconds, samples, held, wrong, accepted, fault_kind,
    fault_alteration, fault_code, fault_at, halted, halt)
SELECT boot_id, 'keeper', $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::text, $8::text,
    $9::text, $10::timestamptz, $11::boolean, $12::bigint
FROM keepers WHERE boot_id = $1
ON CONFLICT (boot_id, prober) DO UPDATE SET every_seconds = excluded.every_seconds,
    samples = excluded.samples, held = excluded.held, wrong = excluded.wrong, accepted = excluded.accepted,
    fault_kind = excluded.fault_kind, fault_alteration = excluded.fault_alteration,
    fault_code = excluded.fault_code, fault_at = excluded.fault_at, halted = excluded.halted,
    halt = excluded.halt,
    ran_at = CASE WHEN p.samples = 0 OR p.held + p.wrong + p.accepted
                  <> excluded.held + excluded.wrong + excluded.accepted
             THEN clock_timestamp() ELSE p.ran_at END
RETURNING p.halted AND NOT coalesce((SELECT halted FROM before), false);

-- What a round of a controller's brings. True when the first acceptance is among it.
-- name: probe_add
WITH before AS (SELECT accepted FROM probes WHERE boot_id = $1 AND prober = 'controller')
INSERT INTO probes AS p (boot_id, prober, every_seconds, samples, held, wrong, accepted, fault_kind,
    fault_alteration, fault_code, fault_at)
SELECT boot_id, 'controller', $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::text, $8::text,
    $9::text, $10::timestamptz
FROM keepers WHERE boot_id = $1
ON CONFLICT (boot_id, prober) DO UPDATE SET every_seconds = excluded.every_seconds,
    samples = excluded.samples, held = p.held + excluded.held, wrong = p.wrong + excluded.wrong,
    accepted = p.accepted + excluded.accepted, ran_at = clock_timestamp(),
    fault_kind = CASE WHEN p.accepted > 0 OR excluded.fault_code IS NULL
                      THEN p.fault_kind ELSE excluded.fault_kind END,
    fault_alteration = CASE WHEN p.accepted > 0 OR excluded.fault_code IS NULL
                            THEN p.fault_alteration ELSE excluded.fault_alteration END,
    fault_code = CASE WHEN p.accepted > 0 OR excluded.fault_code IS NULL
                      THEN p.fault_code ELSE excluded.fault_code END,
    fault_at = CASE WHEN p.accepted > 0 OR excluded.fault_code IS NULL
                    THEN p.fault_at ELSE excluded.fault_at END
RETURNING p.accepted > 0 AND coalesce((SELECT accepted FROM before), 0) = 0;

-- Did this start of a keeper say yes to a controller's probe?
-- name: probe_distrusted
SELECT EXISTS (SELECT FROM probes WHERE boot_id = $1 AND prober = 'controller' AND accepted > 0);

-- Of each keeper's newest start.
-- name: probe_list
SELECT k.name AS keeper, p.*
FROM (SELECT DISTINCT ON (certificate) * FROM keepers ORDER BY certificate, last_seen DESC) k
    JOIN probes p USING (boot_id)
ORDER BY k.name, p.boot_id, p.prober LIMIT 200;

-- Evidence that passed of late, to probe with: certificates of some kinds live for hours.
-- name: probe_sample
SELECT e.kind, e.bytes
FROM (SELECT id, verdict, nonce_issued, evidence_digest FROM verdicts ORDER BY id DESC LIMIT 100) v
    JOIN evidence e ON e.digest = v.evidence_digest
WHERE v.verdict = 'trusted' AND v.nonce_issued > clock_timestamp() - interval '1 hour'
ORDER BY v.id DESC LIMIT 1;
