-- What is wrong now, as the rows say: nothing of it is remembered, so it ends when its cause does. One
-- more alarm is one more branch, with its code in cli/explain_table.c and a line in doc/alarms.md. A
-- branch finds its rows by an index and speaks of a keeper, a list, a charter or a fleet, never of
-- single instances. Project NULL is everybody's, fleet NULL every fleet's. The first few of each code
-- come first, so that none hides another.

-- name: alarm_list
SELECT code, severity, object, text, since, project, fleet,
    count(*) OVER (PARTITION BY code) AS of_code, count(*) OVER () AS total
FROM (

    SELECT 'revocation-list-old', 'warning', 'endorsement:' || c.line || '-crl',
        CASE WHEN l.name IS NULL THEN 'there is no revocation list for ' || c.line
             ELSE 'the update of the revocation list for ' || c.line || ' is due' END,
        coalesce(l.next_update, c.created), NULL::text, NULL::text
    FROM endorsements c LEFT JOIN endorsements l ON l.name = c.line || '-crl'
    WHERE c.name IN ('Milan-vcek-chain', 'Genoa-vcek-chain', 'Turin-vcek-chain')
      AND coalesce(l.next_update, CASE WHEN l.name IS NULL THEN c.created + interval '10 minutes' END)
          <= clock_timestamp()

    UNION ALL
    SELECT 'keeper-silent', 'warning', 'keeper:' || k.name,
        'it did not answer for two intervals of ' || k.interval_seconds || ' s',
        k.last_seen, NULL, NULL
    FROM (SELECT DISTINCT ON (certificate) * FROM keepers ORDER BY certificate, last_seen DESC) k
    WHERE k.last_seen <= clock_timestamp() - make_interval(secs => 2 * k.interval_seconds)

    UNION ALL
    SELECT 'no-keeper', 'critical', 'keepers', 'no keeper answers, and there are instances to appraise',
        coalesce((SELECT max(last_seen) FROM keepers), (SELECT min(applied) FROM migrations)), NULL, NULL
    WHERE NOT EXISTS (SELECT FROM keepers
                      WHERE last_seen > clock_timestamp() - make_interval(secs => 2 * interval_seconds))
      AND EXISTS (SELECT FROM instances WHERE phase <> 'terminated')

    UNION ALL
    SELECT 'charter-expiring', 'warning', 'charter:' || serial, 'it expires within seven days',
        expires - interval '7 days', project, NULL
    FROM charters
    WHERE active AND expires > clock_timestamp() AND expires <= clock_timestamp() + interval '7 days'

    UNION ALL
    SELECT 'charter-expired', 'critical', 'charter:' || serial, 'no keeper obeys it any more',
        expires, project, NULL
    FROM charters WHERE active AND expires <= clock_timestamp()

    UNION ALL
    SELECT 'audit-behind', 'warning', 'audit', 'entries wait for over a minute to be chained', a.at, NULL, NULL
    FROM (SELECT at FROM audit WHERE number IS NULL ORDER BY id LIMIT 1) a
    WHERE a.at <= clock_timestamp() - interval '1 minute'
) AS alarms (code, severity, object, text, since, project, fleet)
WHERE ($1::text IS NULL OR project IS NULL OR project = $1) AND ($2::text IS NULL OR fleet IS NULL OR fleet = $2)
ORDER BY row_number() OVER (PARTITION BY code ORDER BY since, object) > 10, severity, code, since, object
LIMIT $3;
