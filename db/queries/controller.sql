-- name: controller_seen
INSERT INTO controllers (name) VALUES ($1)
ON CONFLICT (name) DO UPDATE SET last_seen = clock_timestamp();

-- name: controller_count
SELECT count(*) FROM controllers WHERE last_seen > clock_timestamp() - interval '30 seconds';

-- name: controller_forget
WITH gone AS (DELETE FROM controllers WHERE last_seen < clock_timestamp() - interval '1 day' RETURNING name)
DELETE FROM holders h USING gone WHERE h.controller = gone.name;
