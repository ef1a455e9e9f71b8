-- name: charter_add
INSERT INTO charters (id, project, serial, realm, issued, expires, jws, active)
VALUES ($1, $2, $3, $4, $5, $6, $7, true);

-- name: charter_rest
UPDATE charters SET active = false WHERE project = $1 AND active;

-- name: charter_active
SELECT * FROM charters WHERE project = $1 AND active;

-- name: charter_find
SELECT * FROM charters WHERE project = $1 AND serial = $2;
