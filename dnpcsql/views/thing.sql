-- Each thing that some file of ours tells of, once, with its accounts. What is the second and third
-- digit of its id: 01 run, 02 task, 03 try, 04 executor, 05 block, 06 manager, 07 worker, 08 an
-- executor's task; 38, 48, 58 what interchange, manager and worker do for that one.
CREATE VIEW thing AS
SELECT
  CASE
    WHEN substr(f.uuid, 13, 1) BETWEEN '1' AND '7' AND f.original_span_id IS NULL
      AND substr(f.uuid, 13, 2) NOT IN ('38', '48', '58')
    THEN substr(f.uuid, 1, 12) || '0' || substr(f.uuid, 14)
    ELSE f.uuid
  END AS uuid,  -- the thing's own id, whoever tells of it
  CASE
    WHEN substr(f.uuid, 13, 2) IN ('38', '48', '58') THEN substr(f.uuid, 13, 2)
    WHEN substr(f.uuid, 13, 1) BETWEEN '1' AND '7' AND f.original_span_id IS NULL
    THEN '0' || substr(f.uuid, 14, 1)
    ELSE ''
  END AS what,  -- two digits, or none: a thing with a name of another kind
  substr(f.uuid, 1, 12) AS run,  -- the run part of its id
  substr(f.uuid, 14) AS rest,  -- of its id: what is the same in all its accounts
  f.trace_high AS trace_high,  -- with run, the trace's id
  f.type AS type,  -- of its first account
  coalesce(
    f.name, second.name, third.name, fourth.name, fifth.name, sixth.name, seventh.name
  ) AS name,  -- as the first account has it that has one
  nullif(min(
    coalesce(f.start_unix_nano, 9223372036854775807), coalesce(second.start_unix_nano, 9223372036854775807),
    coalesce(third.start_unix_nano, 9223372036854775807), coalesce(fourth.start_unix_nano, 9223372036854775807),
    coalesce(fifth.start_unix_nano, 9223372036854775807), coalesce(sixth.start_unix_nano, 9223372036854775807),
    coalesce(seventh.start_unix_nano, 9223372036854775807)
  ), 9223372036854775807) AS start_unix_nano,  -- the earliest that an account tells
  nullif(max(
    coalesce(f.end_unix_nano, -1), coalesce(second.end_unix_nano, -1), coalesce(third.end_unix_nano, -1),
    coalesce(fourth.end_unix_nano, -1), coalesce(fifth.end_unix_nano, -1), coalesce(sixth.end_unix_nano, -1),
    coalesce(seventh.end_unix_nano, -1)
  ), -1) AS end_unix_nano,  -- the latest that an account tells; NULL: none does
  nullif(max(
    coalesce(f.status_code, -1), coalesce(second.status_code, -1), coalesce(third.status_code, -1),
    coalesce(fourth.status_code, -1), coalesce(fifth.status_code, -1), coalesce(sixth.status_code, -1),
    coalesce(seventh.status_code, -1)
  ), -1) AS status_code,  -- OTLP's: 2 error, if any account says so
  coalesce(
    f.status_message, second.status_message, third.status_message, fourth.status_message, fifth.status_message, sixth.status_message, seventh.status_message
  ) AS status_message,  -- what went wrong
  CASE
    WHEN coalesce(third.uuid, fourth.uuid, fifth.uuid, sixth.uuid, seventh.uuid) IS NULL
    THEN CASE
      WHEN second.attributes IS NULL THEN coalesce(f.attributes, '{}')
      ELSE json_patch(second.attributes, coalesce(f.attributes, '{}'))
    END
    ELSE json_patch(
      json_patch(
        json_patch(coalesce(seventh.attributes, '{}'), coalesce(sixth.attributes, '{}')),
        json_patch(coalesce(fifth.attributes, '{}'), coalesce(fourth.attributes, '{}'))
      ),
      json_patch(
        json_patch(coalesce(third.attributes, '{}'), coalesce(second.attributes, '{}')),
        coalesce(f.attributes, '{}')
      )
    )
  END AS attributes,  -- a JSON object: those of all accounts, the earlier account's where two differ
  f.uuid AS first,  -- its first account: span.uuid
  second.uuid AS second,  -- parsl.log's, where monitoring.db has the first
  third.uuid AS third,  -- the interchange's
  fourth.uuid AS fourth,  -- a manager.log's
  fifth.uuid AS fifth,  -- a worker log's
  sixth.uuid AS sixth,  -- Work Queue's
  seventh.uuid AS seventh  -- a submit script's
FROM span AS f
LEFT JOIN span AS second ON second.uuid = CASE
  WHEN substr(f.uuid, 13, 1) < '2' THEN substr(f.uuid, 1, 12) || '2' || substr(f.uuid, 14)
END
-- Of runs, tasks and tries only monitoring.db and parsl.log tell.
LEFT JOIN span AS third ON third.uuid = CASE
  WHEN substr(f.uuid, 13, 1) < '3' AND substr(f.uuid, 14, 1) IN ('0', '4', '5', '6', '7')
  THEN substr(f.uuid, 1, 12) || '3' || substr(f.uuid, 14)
END
LEFT JOIN span AS fourth ON fourth.uuid = CASE
  WHEN substr(f.uuid, 13, 1) < '4' AND substr(f.uuid, 14, 1) IN ('0', '4', '5', '6', '7')
  THEN substr(f.uuid, 1, 12) || '4' || substr(f.uuid, 14)
END
LEFT JOIN span AS fifth ON fifth.uuid = CASE
  WHEN substr(f.uuid, 13, 1) < '5' AND substr(f.uuid, 14, 1) IN ('0', '4', '5', '6', '7')
  THEN substr(f.uuid, 1, 12) || '5' || substr(f.uuid, 14)
END
LEFT JOIN span AS sixth ON sixth.uuid = CASE
  WHEN substr(f.uuid, 13, 1) < '6' AND substr(f.uuid, 14, 1) IN ('0', '4', '5', '6', '7')
  THEN substr(f.uuid, 1, 12) || '6' || substr(f.uuid, 14)
END
LEFT JOIN span AS seventh ON seventh.uuid = CASE
  WHEN substr(f.uuid, 13, 1) < '7' AND substr(f.uuid, 14, 1) IN ('0', '4', '5', '6', '7')
  THEN substr(f.uuid, 1, 12) || '7' || substr(f.uuid, 14)
END
WHERE f.type NOT IN ('otel.span', 'jaeger.span', 'zipkin.span')
  -- No account of it comes before this one.
  AND CASE
    WHEN substr(f.uuid, 13, 1) = '1' OR substr(f.uuid, 13, 1) > '7' OR substr(f.uuid, 14, 1) = '8'
    THEN 1
    WHEN substr(f.uuid, 13, 1) = '2' THEN NOT EXISTS (
      SELECT 1 FROM span AS other
      WHERE other.uuid = substr(f.uuid, 1, 12) || '1' || substr(f.uuid, 14)
    )
    ELSE NOT EXISTS (
      SELECT 1 FROM span AS other
      WHERE other.uuid IN (
          substr(f.uuid, 1, 12) || '1' || substr(f.uuid, 14),
          substr(f.uuid, 1, 12) || '2' || substr(f.uuid, 14),
          substr(f.uuid, 1, 12) || '3' || substr(f.uuid, 14),
          substr(f.uuid, 1, 12) || '4' || substr(f.uuid, 14),
          substr(f.uuid, 1, 12) || '5' || substr(f.uuid, 14),
          substr(f.uuid, 1, 12) || '6' || substr(f.uuid, 14)
        )
        AND other.uuid < f.uuid
    )
  END;
