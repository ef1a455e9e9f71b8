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
    SELECT 'probe-accepted', 'critical', 'keeper:' || k.name,
        CASE WHEN p.accepted = 0 THEN 'halted (' || p.halt || ') by a probe before its last start'
             WHEN p.prober = 'keeper' THEN 'its judges took ' || coalesce(p.fault_kind, '') || ' evidence with another '
                                           || coalesce(p.fault_alteration, '') || ': halt ' || p.halt
             ELSE 'it said yes to ' || coalesce(p.fault_alteration, '') || ', and is asked for nothing more' END,
        coalesce(p.fault_at, k.first_seen), NULL, NULL
    FROM (SELECT DISTINCT ON (certificate) * FROM keepers ORDER BY certificate, last_seen DESC) k
        JOIN probes p USING (boot_id)
    WHERE p.accepted > 0 OR p.halted

    UNION ALL
    SELECT 'probe-wrong-code', 'warning', 'keeper:' || k.name,
        coalesce(p.fault_kind, '') || ' evidence with another ' || coalesce(p.fault_alteration, '')
            || ' was refused with ' || p.fault_code, p.fault_at, NULL, NULL
    FROM (SELECT DISTINCT ON (certificate) * FROM keepers ORDER BY certificate, last_seen DESC) k
        JOIN probes p USING (boot_id)
    WHERE p.wrong > 0 AND p.accepted = 0 AND p.fault_at > clock_timestamp() - interval '1 hour'

    UNION ALL
    SELECT 'probes-not-running', 'warning', 'keeper:' || k.name,
        'it has evidence to probe its judges with, and for three intervals it did not', p.ran_at, NULL, NULL
    FROM (SELECT DISTINCT ON (certificate) * FROM keepers ORDER BY certificate, last_seen DESC) k
        JOIN probes p USING (boot_id)
    WHERE p.prober = 'keeper' AND p.samples > 0
      AND p.ran_at <= clock_timestamp()
                      - make_interval(secs => 3 * greatest(p.every_seconds, k.interval_seconds))
      AND k.last_seen > clock_timestamp() - make_interval(secs => 2 * k.interval_seconds)

    UNION ALL
    SELECT 'orphans-old', 'warning', 'account:' || account,
        count(*) || ' machines, disks, addresses or interfaces are paid for and no row stands for them',
        min(first_seen) + interval '1 day', project, NULL
    FROM orphans WHERE kind <> 'vanished' AND first_seen <= clock_timestamp() - interval '1 day'
    GROUP BY project, account

    UNION ALL
    SELECT 'wrong-cloud-account', 'critical', 'account:' || account, text, since, project, NULL
    FROM account_holds WHERE kind = 'wrong-cloud-account'

    UNION ALL
    SELECT 'many-vanished', 'critical', 'account:' || account,
        CASE WHEN believed_by IS NULL THEN text ELSE text || ', and ' || believed_by || ' believed it' END,
        since, project, NULL
    FROM account_holds WHERE kind = 'many-vanished'

    UNION ALL
    SELECT 'account-unseen', 'critical', 'account:' || account, text, since, project, NULL
    FROM account_holds WHERE kind = 'account-unseen' AND since <= clock_timestamp() - interval '1 minute'

    UNION ALL
    SELECT 'catalogue-drift', 'warning', 'account:' || account,
        jsonb_array_length(drift) || ' differences between edition ' || edition || ' and what its cloud says',
        drifted_since, project, NULL
    FROM catalogue_looks WHERE drifted_since IS NOT NULL

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
    SELECT 'identity-suspect', 'warning', 'fleet:' || i.fleet,
        'documents of the cloud speak against ' || count(*) || CASE count(*) WHEN 1 THEN ' instance' ELSE ' instances' END,
        min(v.nonce_issued), i.project, i.fleet
    FROM verdicts v JOIN instances i ON i.verdict_id = v.id
    WHERE v.claims ->> 'documents' = 'suspect' AND i.phase <> 'terminated'
    GROUP BY i.project, i.fleet

    UNION ALL
    SELECT 'machine-doubted', 'warning', 'fleet:' || fleet,
        'their cloud shows ' || count(*) || CASE count(*) WHEN 1 THEN ' instance' ELSE ' instances' END
            || ' as another machine or image than was ordered', min(doubt_since), project, fleet
    FROM instances WHERE doubt_since IS NOT NULL AND phase <> 'terminated'
    GROUP BY project, fleet

    UNION ALL
    SELECT r.code, r.severity, 'fleet:' || i.fleet,
        'hosts of ' || count(DISTINCT i.id) || ' instances are taken away within ' || r.words,
        greatest(min(n.begins) - r.ahead, min(n.given)), i.project, i.fleet
    FROM (VALUES
            ('maintenance-begins', 'critical', 'four hours, or are already', interval '4 hours', interval '-100 years'),
            ('maintenance-near', 'warning', 'two days', interval '2 days', interval '4 hours'),
            ('maintenance-week', 'warning', 'seven days', interval '7 days', interval '2 days'),
            ('maintenance-planned', 'warning', 'fourteen days', interval '14 days', interval '7 days'))
            AS r (code, severity, words, ahead, past)
        JOIN notices n ON n.begins <= statement_timestamp() + r.ahead AND n.begins > statement_timestamp() + r.past
        JOIN instances i ON i.id = n.instance
    WHERE n.ended IS NULL AND (n.not_after IS NULL OR n.not_after > statement_timestamp())
      AND i.phase NOT IN ('stopping', 'stopped', 'terminating', 'terminated') AND i.wanted <> 'gone'
    GROUP BY r.code, r.severity, r.words, r.ahead, i.project, i.fleet

    UNION ALL
    SELECT 'freshness-objective-missed', 'warning', 'fleet:' || name,
        'less of it than ' || (objective ->> 'verified_percent') || ' % is verified within '
            || (objective ->> 'within_seconds') || ' s', objective_missed_since, project, name
    FROM fleets
    WHERE objective_missed_since <= clock_timestamp() - interval '1 minute' AND NOT doomed

    UNION ALL
    SELECT 'audit-behind', 'warning', 'audit', 'entries wait for over a minute to be chained', a.at, NULL, NULL
    FROM (SELECT at FROM audit WHERE number IS NULL ORDER BY id LIMIT 1) a
    WHERE a.at <= clock_timestamp() - interval '1 minute'

    UNION ALL
    SELECT 'unknown-measurement', 'warning', 'case:' || id,
        'a launch digest that no reference names, on ' || instances || ' instances', first_seen, project, NULL
    FROM cases WHERE state = 'open' AND instances > 1
) AS alarms (code, severity, object, text, since, project, fleet)
WHERE ($1::text IS NULL OR project IS NULL OR project = $1) AND ($2::text IS NULL OR fleet IS NULL OR fleet = $2)
ORDER BY row_number() OVER (PARTITION BY code ORDER BY since, object) > 10, severity, code, since, object
LIMIT $3;
