-- What the API shows with instances, for a whole page at once.

-- name: view_verdicts
SELECT id, hardware, software, identity, verdict, reason,
       coalesce(claims #> '{muster,missing}', claims -> 'missing', '[]'),
       coalesce(claims #> '{muster,residuals}', claims -> 'residuals', '[]'),
       nonce_issued, kind, claims ->> 'documents', claims ->> 'suspect_reason',
       CASE WHEN claims ->> 'documents' = 'agree' THEN claims ->> 'cloud' END,
       claims ->> 'account', claims ->> 'region'
FROM verdicts WHERE id = ANY ($1::uuid[]);

-- name: view_notices
SELECT instance, count(*), min(begins) FROM notices WHERE instance = ANY ($1::uuid[]) AND ended IS NULL GROUP BY instance;

-- name: view_deliveries
SELECT d.* FROM deliveries d WHERE d.instance = ANY ($1::uuid[]) ORDER BY d.instance, d.name, d.version;
