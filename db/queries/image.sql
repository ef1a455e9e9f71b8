-- name: image_add
INSERT INTO images (id, project, name, driver, ref, boot_mode, reference_values, measured_boot, provider_execution, os, refs)
VALUES ($1, $2, $3, $4, $5, $6, coalesce($7::jsonb, '{}'), coalesce($8::jsonb, '{}'), $9, coalesce($10::jsonb, '{}'),
    coalesce($11::jsonb, '{}'));

-- name: image_find
SELECT * FROM images WHERE project = $1 AND name = $2;

-- name: image_lock
SELECT * FROM images WHERE project = $1 AND name = $2 FOR NO KEY UPDATE;

-- name: image_list
SELECT * FROM images WHERE project = $1 AND ($2::text IS NULL OR name > $2) ORDER BY name LIMIT $3;

-- name: image_update
UPDATE images SET ref = $3, boot_mode = $4, reference_values = coalesce($5::jsonb, '{}'),
    measured_boot = coalesce($6::jsonb, '{}'), provider_execution = $7, os = coalesce($8::jsonb, '{}'),
    refs = coalesce($9::jsonb, '{}'),
    epoch = epoch + 1, updated = clock_timestamp()
WHERE project = $1 AND name = $2 RETURNING *;

-- name: image_remove
DELETE FROM images WHERE project = $1 AND name = $2;
