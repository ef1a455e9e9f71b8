-- name: exposure_of_secret
SELECT coalesce(jsonb_agg(jsonb_build_object('instance', e.instance, 'fleet', i.fleet,
    'version', v.version, 'verdict_id', e.verdict_id, 'at', e.at) ORDER BY e.id), '[]')
FROM exposures e JOIN secret_versions v ON v.id = e.secret_version JOIN instances i ON i.id = e.instance
WHERE e.secret = $1;

-- name: exposure_of_instance
SELECT coalesce(jsonb_agg(jsonb_build_object('secret', s.name, 'version', v.version,
    'verdict_id', e.verdict_id, 'at', e.at) ORDER BY e.id), '[]')
FROM exposures e JOIN secret_versions v ON v.id = e.secret_version JOIN secrets s ON s.id = e.secret
WHERE e.instance = $1;
