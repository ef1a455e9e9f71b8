-- name: endorsement_find
SELECT * FROM endorsements WHERE name = $1;

-- name: endorsement_have
SELECT count(*) FROM endorsements WHERE name = $1;

-- name: endorsement_list
SELECT name, what, line, source, this_update, next_update, created, checked, octet_length(content)::bigint AS size
FROM endorsements WHERE ($1::text IS NULL OR name > $1) ORDER BY name LIMIT $2;

-- name: endorsement_dated
SELECT name, what, line, source, this_update, next_update, created, checked, octet_length(content)::bigint AS size
FROM endorsements WHERE what <> 'vcek' ORDER BY name;

-- name: endorsement_keep
INSERT INTO endorsements AS e (name, what, line, source, content, this_update, next_update, created, checked)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
ON CONFLICT (name) DO UPDATE SET checked = greatest(e.checked, excluded.checked),
    content = CASE WHEN e.what = 'vcek' OR e.this_update > excluded.this_update
                   THEN e.content ELSE excluded.content END,
    this_update = greatest(e.this_update, excluded.this_update),
    next_update = CASE WHEN e.this_update > excluded.this_update THEN e.next_update ELSE excluded.next_update END,
    source = CASE WHEN e.content = excluded.content OR e.what = 'vcek' OR e.this_update > excluded.this_update
                  THEN e.source ELSE excluded.source END;

-- name: endorsement_miss
INSERT INTO endorsement_misses AS m (name, code, until) VALUES ($1, $2, $3::timestamptz + make_interval(secs => $4::bigint))
ON CONFLICT (name) DO UPDATE SET code = excluded.code,
    times = CASE WHEN m.code = excluded.code THEN m.times + 1 ELSE 1 END,
    until = $3::timestamptz + make_interval(secs => least($5::bigint,
        CASE WHEN m.code = excluded.code THEN $4::bigint << least(m.times, 20)::int ELSE $4::bigint END));

-- name: endorsement_missed
SELECT code FROM endorsement_misses WHERE name = $1 AND until > $2;

-- name: endorsement_no_miss
DELETE FROM endorsement_misses WHERE name = $1 OR until <= $2::timestamptz - interval '1 day';

-- Nobody is asked to rest for over an hour, so what is further ahead somebody's wrong clock wrote.
-- name: endorsement_turn
WITH turn AS (
    UPDATE endorsement_turns SET full_at = make_interval(secs => $2::bigint / 1000.0)
        + CASE WHEN full_at > $1::timestamptz + interval '3610 seconds' THEN $1::timestamptz ELSE greatest(full_at, $1::timestamptz) END
    WHERE full_at <= $1::timestamptz + make_interval(secs => $2::bigint * ($3::bigint - 1) / 1000.0)
       OR full_at > $1::timestamptz + interval '3610 seconds'
    RETURNING 0::bigint AS wait_ms)
SELECT coalesce((SELECT wait_ms FROM turn),
    ceil(extract(epoch FROM full_at - $1::timestamptz) * 1000 - $2::bigint * ($3::bigint - 1))::bigint)
FROM endorsement_turns;

-- name: endorsement_rest
UPDATE endorsement_turns SET full_at = greatest(full_at,
    $1::timestamptz + make_interval(secs => $2::bigint * ($3::bigint - 1) / 1000.0));
