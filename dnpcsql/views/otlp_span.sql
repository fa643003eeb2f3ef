-- What a run looks like as OpenTelemetry: one row for each thing that takes time, whoever tells of
-- it, with one parent that is here too, a start and an end. `dnpcsql export otlp` sends these rows
-- with the events of otlp_event and the links of otlp_link. Spans of other programs come as they are.
CREATE VIEW otlp_span AS
SELECT
  thing.uuid AS uuid,  -- the thing: run part and span id
  thing.trace_high || thing.run AS trace_id,  -- 32 hex digits
  substr(thing.uuid, 13) AS span_id,  -- 16 hex digits
  thing.type AS type,  -- of its first account
  thing.parent_uuid AS parent_uuid,  -- uuid of a row here; NULL: the root of its trace
  CASE thing.what
    WHEN '01' THEN coalesce('workflow ' || thing.name, 'workflow')
    WHEN '03' THEN coalesce(thing.name, 'try')
    WHEN '04' THEN 'executor'
    WHEN '05' THEN 'block'
    WHEN '06' THEN 'manager'
    WHEN '07' THEN 'worker'
    WHEN '08' THEN 'executor task'
    ELSE coalesce(thing.name, thing.type)
  END AS name,  -- of low cardinality: the app's name, the kind of thing
  1 AS kind,  -- OTLP's: 1 internal
  thing.start AS start_unix_nano,  -- exact; NULL: nothing tells when
  max(
    -- No time at all would be negative to Jaeger.
    thing.start + (thing.ended IS NULL),
    coalesce(
      thing.ended,
      -- The last that is known of it.
      CASE
        WHEN thing.what IN ('01', '04') THEN (
          SELECT max(time_unix_nano) FROM event WHERE span_uuid BETWEEN thing.run AND thing.run || 'g'
        )
        -- Of a task or a try, its executor's part in it included.
        WHEN thing.what IN ('02', '03') THEN (
          SELECT max(event.time_unix_nano)
          FROM subspan AS tie
          JOIN event ON event.span_uuid IN (
            tie.superspan_uuid,
            tie.subspan_uuid,
            thing.run || '38' || substr(tie.subspan_uuid, 15),
            thing.run || '48' || substr(tie.subspan_uuid, 15),
            thing.run || '58' || substr(tie.subspan_uuid, 15)
          )
          WHERE tie.superspan_uuid BETWEEN thing.run || '2' || substr(thing.rest, 1, 11)
            AND thing.run || '23' || substr(thing.rest, 2, CASE thing.what WHEN '02' THEN 10 ELSE 14 END) || 'g'
        )
      END,
      (SELECT max(time_unix_nano) FROM event WHERE span_uuid IN (thing.first, thing.second, thing.third, thing.fourth, thing.fifth, thing.sixth, thing.seventh)),
      (
        SELECT max(coalesce(part.end_unix_nano, part.start_unix_nano))
        FROM subspan JOIN span AS part ON part.uuid = subspan.subspan_uuid
        WHERE subspan.superspan_uuid IN (thing.first, thing.second, thing.third, thing.fourth, thing.fifth, thing.sixth, thing.seventh)
      ),
      0
    )
  ) AS end_unix_nano,  -- exact; not before the start
  thing.ended IS NULL AS incomplete,  -- 1: no file tells of its end; the last that is known of it is taken
  thing.status_code AS status_code,  -- OTLP's: 0 unset, 1 ok, 2 error
  thing.status_message AS status_message,  -- what went wrong
  CASE
    WHEN thing.type LIKE 'workqueue.%' THEN 'workqueue'
    WHEN thing.type LIKE 'taskvine.%' THEN 'taskvine'
    WHEN thing.what IN ('01', '02', '03', '04', '08') THEN 'parsl-workflow'
    WHEN thing.what = '38' THEN 'parsl-interchange'
    WHEN thing.what = '05' THEN 'parsl-provider'
    WHEN thing.what IN ('06', '48') THEN 'parsl-manager'
    WHEN thing.what IN ('07', '58') THEN 'parsl-worker'
    WHEN thing.type LIKE 'parsl.rundir.%' THEN 'parsl-workflow'
    -- funcx-client, funcx-endpoint, funcx-worker, …
    WHEN thing.type LIKE 'funcx.%'
    THEN 'funcx-' || substr(substr(thing.type, 7), 1, instr(substr(thing.type, 7) || '.', '.') - 1)
    WHEN instr(thing.type, '.') THEN substr(thing.type, 1, instr(thing.type, '.') - 1)
    ELSE thing.type
  END AS service,  -- service.name: the component that tells
  coalesce(
    (SELECT json_extract(attributes, '$."parsl.manager.id"') FROM span WHERE uuid = thing.manager),
    thing.run_id
  ) AS instance,  -- service.instance.id: the manager's uid, or the run's id
  coalesce(
    (
      SELECT json_extract(attributes, '$."host.name"') FROM span
      WHERE uuid IN (
          thing.manager,
          thing.run || '1' || substr(thing.manager, 14),
          thing.run || '3' || substr(thing.manager, 14)
        )
        AND json_extract(attributes, '$."host.name"') IS NOT NULL
      LIMIT 1
    ),
    CASE
      WHEN thing.what IN ('', '00', '06', '07', '48', '58')
      THEN json_extract(thing.attributes, '$."host.name"')
    END,
    (
      SELECT json_extract(attributes, '$."host.name"') FROM span
      WHERE uuid = thing.run || '1100000000000000'
    ),
    (
      SELECT json_extract(attributes, '$."host.name"') FROM span
      WHERE uuid = thing.run || '2100000000000000'
    ),
    (
      SELECT json_extract(attributes, '$."host.name"') FROM span
      WHERE uuid BETWEEN thing.run || '34' AND thing.run || '34g'
      LIMIT 1
    ),
    'unknown'
  ) AS host,  -- host.name; 'unknown' where no file tells it
  CASE
    WHEN thing.what IN ('07', '58')
    THEN (SELECT json_extract(attributes, '$."process.pid"') FROM span WHERE uuid = thing.worker)
  END AS pid,  -- process.pid of a worker
  json_patch(
    '{' || coalesce('"parsl.run.id":"' || CASE WHEN thing.what <> '' THEN thing.run_id END || '",', '')
    || coalesce('"parsl.task.id":' || thing.task_id || ',', '')
    || coalesce(
      '"parsl.try.id":'
        || CAST(substr(CASE thing.what WHEN '03' THEN substr(thing.rest, 2) ELSE thing.attempt END, 11) AS INTEGER)
        || ',',
      ''
    )
    || coalesce(
      '"parsl.task.status":' || CASE thing.what
        WHEN '02' THEN (
          SELECT json_quote(type)
          FROM (
            SELECT span_uuid, type FROM event
            WHERE span_uuid BETWEEN thing.run || '13' || substr(thing.rest, 2, 10)
              AND thing.run || '13' || substr(thing.rest, 2, 10) || 'g'
            UNION ALL
            SELECT span_uuid, type FROM event
            WHERE span_uuid BETWEEN thing.run || '23' || substr(thing.rest, 2, 10)
              AND thing.run || '23' || substr(thing.rest, 2, 10) || 'g'
          )
          ORDER BY
            type IN ('exec_done', 'memo_done', 'failed', 'dep_fail') DESC,
            substr(span_uuid, 25) DESC,
            CASE type
              WHEN 'exec_done' THEN 9 WHEN 'memo_done' THEN 9 WHEN 'failed' THEN 9
              WHEN 'dep_fail' THEN 9 WHEN 'fail_retryable' THEN 6 WHEN 'joining' THEN 5
              WHEN 'running_ended' THEN 4 WHEN 'running' THEN 3 WHEN 'launched' THEN 2
              WHEN 'pending' THEN 1
            END DESC
          LIMIT 1
        )
        WHEN '03' THEN (
          SELECT json_quote(type) FROM event
          WHERE span_uuid IN (thing.first, thing.second)
          ORDER BY
            CASE type
              WHEN 'exec_done' THEN 9 WHEN 'memo_done' THEN 9 WHEN 'failed' THEN 9
              WHEN 'dep_fail' THEN 9 WHEN 'fail_retryable' THEN 6 WHEN 'joining' THEN 5
              WHEN 'running_ended' THEN 4 WHEN 'running' THEN 3 WHEN 'launched' THEN 2
              WHEN 'pending' THEN 1
            END DESC
          LIMIT 1
        )
      END || ',',
      ''
    )
    || coalesce(
      '"parsl.executor.task.id":'
        || CASE WHEN thing.what IN ('08', '38', '48', '58') THEN CAST(substr(thing.rest, 8) AS INTEGER) END
        || ',',
      ''
    )
    || coalesce(
      '"parsl.executor.label":' || (
        SELECT json_quote(json_extract(attributes, '$."parsl.executor.label"')) FROM span
        WHERE uuid = thing.run || '23' || thing.attempt
          AND json_extract(attributes, '$."parsl.executor.label"') IS NOT NULL
      ) || ',',
      ''
    )
    || coalesce(
      '"parsl.worker.id":' || (
        SELECT json_quote(json_extract(attributes, '$."parsl.worker.id"')) FROM span
        WHERE uuid = thing.worker
          AND json_extract(attributes, '$."parsl.worker.id"') IS NOT NULL
      ) || ',',
      ''
    )
    || coalesce(
      '"error.type":' || CASE
        WHEN thing.status_code = 2 THEN (
          SELECT json_quote(json_extract(attributes, '$."exception.type"')) FROM event
          WHERE span_uuid IN (thing.first, thing.second, thing.third, thing.fourth, thing.fifth, thing.sixth, thing.seventh) AND type = 'exception'
            AND json_extract(attributes, '$."exception.type"') IS NOT NULL
          LIMIT 1
        )
      END || ',',
      ''
    )
    || '"dnpc.type":' || json_quote(thing.type)
    || CASE WHEN thing.ended IS NULL THEN ',"dnpc.incomplete":true}' ELSE '}' END,
    thing.attributes
  ) AS attributes,  -- a JSON object: those of all accounts, and which task of which run
  thing.task_id AS task_id,  -- the task that it is part of
  thing.first || coalesce(' ' || thing.second, '') || coalesce(' ' || thing.third, '')
    || coalesce(' ' || thing.fourth, '') || coalesce(' ' || thing.fifth, '')
    || coalesce(' ' || thing.sixth, '') || coalesce(' ' || thing.seventh, '') AS accounts,  -- span.uuid of each account of it
  thing.first AS account_uuid  -- span.uuid of the first: its range finds a run's rows at once
FROM (
  SELECT
    thing.*,
    substr(thing.trace_high, 1, 8) || '-' || substr(thing.trace_high, 9, 4) || '-' || substr(thing.trace_high, 13, 4)
      || '-' || substr(thing.trace_high, 17, 4) || '-' || thing.run AS run_id,
    coalesce(
      -- The bulk by their ids: a task lies in its run, a try in its task, an executor's task in the
      -- try, what interchange, manager and worker do in the executor's task.
      CASE
        WHEN thing.what = '02' THEN thing.run || '0100000000000000'
        WHEN thing.what = '03' THEN (
          SELECT thing.run || '02' || substr(uuid, 15) FROM span
          WHERE uuid IN (
            thing.run || '12' || substr(thing.rest, 2, 10) || '0000',
            thing.run || '22' || substr(thing.rest, 2, 10) || '0000'
          )
        )
        WHEN thing.what IN ('08', '38', '48', '58') THEN (
          SELECT thing.run || CASE thing.what WHEN '08' THEN '03' ELSE '08' END || substr(holder.uuid, 15)
          FROM span AS account
          JOIN span AS holder ON holder.uuid = account.parent_uuid
          WHERE account.uuid = thing.first
            AND substr(holder.uuid, 13, 2) = CASE thing.what WHEN '08' THEN '23' ELSE '28' END
        )
      END,
      -- The rest in the nearest of all that hold one of its accounts, and are here.
      CASE
        WHEN thing.what NOT IN ('01', '02') THEN (
          SELECT holder.uuid
          FROM (
            SELECT
              CASE
                WHEN substr(account.uuid, 13, 1) BETWEEN '1' AND '7'
                  AND substr(account.uuid, 13, 2) NOT IN ('38', '48', '58')
                THEN thing.run || '0' || substr(account.uuid, 14)
                ELSE account.uuid
              END AS uuid,
              substr(account.uuid, 14) AS rest
            FROM (
              SELECT parent_uuid AS uuid FROM span WHERE uuid IN (thing.first, thing.second, thing.third, thing.fourth, thing.fifth, thing.sixth, thing.seventh)
              UNION
              SELECT superspan_uuid FROM subspan WHERE subspan_uuid IN (thing.first, thing.second, thing.third, thing.fourth, thing.fifth, thing.sixth, thing.seventh)
            ) AS account
            WHERE account.uuid BETWEEN thing.run AND thing.run || 'g'
          ) AS holder
          WHERE EXISTS (
              SELECT 1 FROM span
              WHERE (
                  span.uuid IN (holder.uuid, thing.run || '2' || holder.rest)
                  OR holder.rest NOT LIKE '8%' AND span.uuid IN (
                    thing.run || '1' || holder.rest, thing.run || '3' || holder.rest,
                    thing.run || '4' || holder.rest, thing.run || '5' || holder.rest,
                    thing.run || '6' || holder.rest, thing.run || '7' || holder.rest
                  )
                )
                -- Each of funcX's tasks is a trace of its own: its client and its worker are not in it.
                AND span.trace_high = thing.trace_high
            )
            -- What holds a thing is of an earlier kind, so that nothing can hold itself.
            AND (thing.what IN ('', '00', '38', '48', '58') OR substr(holder.uuid, 13, 2) < thing.what)
          ORDER BY substr(holder.uuid, 13, 1), substr(holder.uuid, 14, 1) DESC
          LIMIT 1
        )
      END,
      CASE WHEN thing.what NOT IN ('', '01') THEN thing.run || '0100000000000000' END
    ) AS parent_uuid,
    coalesce(
      thing.start_unix_nano,
      -- Of an executor no file tells when it began: with the first of its parts, or with the run.
      CASE thing.what
        WHEN '04' THEN coalesce(
          (
            SELECT min(part.start_unix_nano)
            FROM subspan JOIN span AS part ON part.uuid = subspan.subspan_uuid
            WHERE subspan.superspan_uuid IN (thing.first, thing.second, thing.third, thing.fourth, thing.fifth, thing.sixth, thing.seventh)
          ),
          (
            SELECT min(start_unix_nano) FROM span
            WHERE uuid IN (thing.run || '1100000000000000', thing.run || '2100000000000000')
          )
        )
      END
    ) AS start,
    coalesce(
      thing.end_unix_nano,
      -- Files tell of no end of these of its own.
      CASE
        WHEN thing.what = '04' THEN (
          SELECT max(end_unix_nano) FROM span
          WHERE uuid IN (thing.run || '1100000000000000', thing.run || '2100000000000000')
        )
        -- A manager has a task in hand until its worker is done with it.
        WHEN thing.what = '48' THEN (
          SELECT end_unix_nano FROM span WHERE uuid = thing.run || '5' || thing.rest
        )
        WHEN thing.what = '08' THEN coalesce(
          (
            SELECT max(end_unix_nano) FROM span
            WHERE uuid IN (thing.run || '3' || thing.rest, thing.run || '5' || thing.rest)
          ),
          (
            SELECT max(attempt.end_unix_nano)
            FROM span AS account JOIN span AS attempt ON attempt.uuid = account.parent_uuid
            WHERE account.uuid = thing.first
          )
        )
      END
    ) AS ended,
    CASE
      WHEN thing.what IN ('02', '03') THEN CAST(substr(thing.rest, 2, 10) AS INTEGER)
      WHEN thing.what IN ('08', '38', '48', '58') THEN (
        SELECT CAST(substr(parent_uuid, 15, 10) AS INTEGER) FROM span
        WHERE uuid = thing.run || '2' || thing.rest
      )
      WHEN thing.what = '0a' THEN (
        SELECT CAST(substr(launch.parent_uuid, 15, 10) AS INTEGER)
        FROM span AS account JOIN span AS launch ON launch.uuid = account.parent_uuid
        WHERE account.uuid = thing.first AND substr(launch.uuid, 13, 2) = '28'
      )
    END AS task_id,
    CASE
      WHEN thing.what IN ('08', '38', '48', '58')
      THEN (SELECT substr(parent_uuid, 15) FROM span WHERE uuid = thing.run || '2' || thing.rest)
    END AS attempt,
    CASE thing.what
      WHEN '07' THEN thing.first
      WHEN '58' THEN (
        SELECT superspan_uuid FROM subspan
        WHERE subspan_uuid = thing.first
          AND superspan_uuid BETWEEN thing.run || '57' AND thing.run || '57g'
      )
    END AS worker,
    CASE thing.what
      WHEN '06' THEN thing.run || '46' || substr(thing.rest, 2)
      WHEN '07' THEN (SELECT parent_uuid FROM span WHERE uuid = thing.first)
      WHEN '48' THEN (
        SELECT superspan_uuid FROM subspan
        WHERE subspan_uuid = thing.first
          AND superspan_uuid BETWEEN thing.run || '46' AND thing.run || '46g'
      )
      WHEN '58' THEN (
        SELECT worker.parent_uuid
        FROM subspan JOIN span AS worker ON worker.uuid = subspan.superspan_uuid
        WHERE subspan.subspan_uuid = thing.first
          AND subspan.superspan_uuid BETWEEN thing.run || '57' AND thing.run || '57g'
      )
    END AS manager
  FROM thing
) AS thing
UNION ALL
-- A run that neither monitoring.db nor parsl.log names needs a root all the same.
SELECT
  run.part || '0100000000000000',
  run.trace_high || run.part,
  '0100000000000000',
  'dnpc.run',
  NULL,
  'workflow',
  1,
  run.start_unix_nano,
  max(
    run.start_unix_nano + 1,
    coalesce((SELECT max(end_unix_nano) FROM span WHERE uuid BETWEEN run.part AND run.part || 'g'), 0),
    coalesce((SELECT max(time_unix_nano) FROM event WHERE span_uuid BETWEEN run.part AND run.part || 'g'), 0)
  ),
  1, NULL, NULL, 'parsl-workflow', run.run_id,
  coalesce(
    (
      SELECT json_extract(attributes, '$."host.name"') FROM span
      WHERE uuid BETWEEN run.part || '34' AND run.part || '34g'
      LIMIT 1
    ),
    'unknown'
  ),
  NULL,
  json_object('parsl.run.id', run.run_id, 'dnpc.incomplete', json('true')),
  NULL, '', run.part || '0100000000000000'
FROM (
  SELECT
    part, trace_high,
    substr(trace_high, 1, 8) || '-' || substr(trace_high, 9, 4) || '-' || substr(trace_high, 13, 4)
      || '-' || substr(trace_high, 17, 4) || '-' || part AS run_id,
    (SELECT min(start_unix_nano) FROM span WHERE uuid BETWEEN part AND part || 'g') AS start_unix_nano
  FROM (
    SELECT
      part,
      (
        SELECT trace_high FROM span
        WHERE uuid BETWEEN part || '1' AND part || '7g'
          AND type NOT IN ('otel.span', 'jaeger.span', 'zipkin.span')
        LIMIT 1
      ) AS trace_high
    FROM run_part
    WHERE NOT EXISTS (
      SELECT 1 FROM span WHERE uuid IN (part || '1100000000000000', part || '2100000000000000')
    )
  )
  WHERE trace_high IS NOT NULL
) AS run
UNION ALL
SELECT
  span.uuid, span.trace_id, span.span_id, span.type, span.parent_uuid, span.name, span.kind,
  span.start_unix_nano, span.end_unix_nano, 0, span.status_code, span.status_message,
  json_extract(resource.attributes, '$."service.name"'),
  json_extract(resource.attributes, '$."service.instance.id"'),
  json_extract(resource.attributes, '$."host.name"'),
  json_extract(resource.attributes, '$."process.pid"'),
  span.attributes, NULL, span.uuid, span.uuid
FROM span
LEFT JOIN resource ON resource.id = span.resource_id
WHERE span.type IN ('otel.span', 'jaeger.span', 'zipkin.span');
