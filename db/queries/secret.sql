-- name: secret_add
INSERT INTO secrets (id, project, name, kind, scope, origin, grant_name)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: secret_find
SELECT * FROM secrets WHERE project = $1 AND name = $2;

-- name: secret_list
SELECT * FROM secrets WHERE project = $1 AND ($2::text IS NULL OR name > $2) ORDER BY name LIMIT $3;

-- name: secret_version_add
INSERT INTO secret_versions (id, secret, version, instance, anchor, state, record, check_digest, public_part)
VALUES ($1, $2, $3, $4, $5, 'staged', $6, $7, $8);

-- A version of an instance may come long after the fleet's first one.
-- name: secret_grow
UPDATE secrets SET newest = greatest(newest, $2), epoch = epoch + 1, updated = clock_timestamp()
WHERE id = $1;

-- name: secret_versions
SELECT * FROM secret_versions WHERE secret = $1 ORDER BY version, instance NULLS FIRST LIMIT $2;

-- Secrets of scope instance that a trusted instance with an anchor should have and has not.
-- name: secret_wanting
SELECT s.*, i.id AS for_instance, i.anchor AS for_anchor
FROM instances i
JOIN fleets f ON f.project = i.project AND f.name = i.fleet
JOIN LATERAL jsonb_array_elements_text(f.secrets) AS w (name) ON true
JOIN secrets s ON s.project = i.project AND s.name = w.name AND s.scope = 'instance'
WHERE i.trust = 'trusted' AND i.valid_until > clock_timestamp() AND i.anchor IS NOT NULL
  AND i.wanted <> 'gone' AND i.phase NOT IN ('terminating', 'terminated')
  AND ($1::uuid IS NULL OR i.id = $1)
  AND NOT EXISTS (SELECT FROM secret_versions v WHERE v.secret = s.id AND v.instance = i.id)
ORDER BY i.id, s.name LIMIT $2;
