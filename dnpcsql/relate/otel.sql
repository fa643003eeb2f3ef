-- Spans of other programs lie in their parents.
INSERT OR IGNORE INTO subspan (superspan_uuid, subspan_uuid, key, source_id)
SELECT span.parent_uuid, span.uuid, 'otel', span.source_id
FROM temp.touched
JOIN span ON span.uuid = touched.uuid
WHERE span.type IN ('otel.span', 'jaeger.span', 'zipkin.span')
  AND span.parent_uuid <> span.uuid;

-- Such a span may say which run, task and try of Parsl's it belongs to, in its own attributes or its
-- resource's. The link goes to the thing itself, whose id is computed from its name, so that it
-- holds before anything of the run was imported.
INSERT OR IGNORE INTO link (span_uuid, linked_uuid, type, ordinal, source_id)
SELECT
  uuid,
  substr(run, 21) || CASE
    WHEN task IS NULL THEN '0100000000000000'
    WHEN attempt IS NULL THEN '02' || printf('%010d', task) || '0000'
    ELSE '03' || printf('%010d', task) || printf('%04d', attempt)
  END,
  'parsl',
  0,
  source_id
FROM (
  SELECT
    span.uuid AS uuid,
    span.source_id AS source_id,
    lower(replace(coalesce(
      json_extract(span.attributes, '$."parsl.run.id"'),
      json_extract(resource.attributes, '$."parsl.run.id"')
    ), '-', '')) AS run,
    CAST(coalesce(
      json_extract(span.attributes, '$."parsl.task.id"'),
      json_extract(resource.attributes, '$."parsl.task.id"')
    ) AS INTEGER) AS task,
    CAST(coalesce(
      json_extract(span.attributes, '$."parsl.try.id"'),
      json_extract(resource.attributes, '$."parsl.try.id"')
    ) AS INTEGER) AS attempt
  FROM temp.touched
  JOIN span ON span.uuid = touched.uuid
  LEFT JOIN resource ON resource.id = span.resource_id
  WHERE span.type IN ('otel.span', 'jaeger.span', 'zipkin.span')
    AND (
      instr(span.attributes, '"parsl.run.id"') > 0
      OR instr(resource.attributes, '"parsl.run.id"') > 0
    )
)
WHERE length(run) = 32 AND run NOT GLOB '*[^0-9a-f]*'
  AND coalesce(task, 0) BETWEEN 0 AND 9999999999 AND coalesce(attempt, 0) BETWEEN 0 AND 9999;

-- Or a W3C traceparent says so: as the parent that it has, 02 task or 03 task and try, or as an
-- attribute, 00-<trace id>-<span id>-01.
INSERT OR IGNORE INTO link (span_uuid, linked_uuid, type, ordinal, source_id)
SELECT span.uuid, span.parent_uuid, 'parsl', 0, span.source_id
FROM temp.touched
JOIN span ON span.uuid = touched.uuid
WHERE span.type IN ('otel.span', 'jaeger.span', 'zipkin.span')
  AND substr(span.parent_uuid, 13, 2) IN ('02', '03')
  AND substr(span.parent_uuid, 15) NOT GLOB '*[^0-9]*';

INSERT OR IGNORE INTO link (span_uuid, linked_uuid, type, ordinal, source_id)
SELECT uuid, substr(traceparent, 24, 12) || substr(traceparent, 37, 16), 'parsl', 0, source_id
FROM (
  SELECT
    span.uuid AS uuid,
    span.source_id AS source_id,
    coalesce(
      json_extract(span.attributes, '$."traceparent"'),
      json_extract(resource.attributes, '$."traceparent"')
    ) AS traceparent
  FROM temp.touched
  JOIN span ON span.uuid = touched.uuid
  LEFT JOIN resource ON resource.id = span.resource_id
  WHERE span.type IN ('otel.span', 'jaeger.span', 'zipkin.span')
    AND (
      instr(span.attributes, '"traceparent"') > 0
      OR instr(resource.attributes, '"traceparent"') > 0
    )
)
WHERE length(traceparent) = 55;

-- Where monitoring.db's or parsl.log's account of that thing is here, the span lies in it.
INSERT OR IGNORE INTO subspan (superspan_uuid, subspan_uuid, key, note)
SELECT account.uuid, link.span_uuid, 'parsl', 'by the ids that it bears'
FROM temp.touched
CROSS JOIN link ON link.span_uuid = touched.uuid
CROSS JOIN span AS account ON account.uuid IN (
  substr(link.linked_uuid, 1, 12) || '1' || substr(link.linked_uuid, 14),
  substr(link.linked_uuid, 1, 12) || '2' || substr(link.linked_uuid, 14)
)
WHERE link.type = 'parsl';

-- The other way round: the account has come, and the span was here.
INSERT OR IGNORE INTO subspan (superspan_uuid, subspan_uuid, key, note)
SELECT account.uuid, link.span_uuid, 'parsl', 'by the ids that it bears'
FROM temp.touched
CROSS JOIN span AS account ON account.uuid = touched.uuid
CROSS JOIN link INDEXED BY link_parsl
  ON link.linked_uuid = substr(account.uuid, 1, 12) || '0' || substr(account.uuid, 14)
WHERE link.type = 'parsl' AND substr(account.uuid, 13, 1) IN ('1', '2');

-- Where no ids are told, a worker of HTEX and the time may do: its environment says which manager's
-- worker it is, dnpcsql.tracing makes this attributes of the resource. What a span of its own process
-- lies in does not lie in the worker's task but in that. The worker's run is not known here: the
-- link goes to its span id, which is the same in all runs.
INSERT OR IGNORE INTO link (span_uuid, linked_uuid, type, ordinal, source_id)
SELECT
  span.uuid,
  worker_span_id(
    json_extract(resource.attributes, '$."parsl.manager.id"'),
    json_extract(resource.attributes, '$."parsl.worker.id"')
  ),
  'worker', 0, span.source_id
FROM temp.touched
CROSS JOIN span ON span.uuid = touched.uuid
CROSS JOIN resource ON resource.id = span.resource_id
WHERE span.type IN ('otel.span', 'jaeger.span', 'zipkin.span')
  AND instr(resource.attributes, '"parsl.manager.id"') > 0
  AND json_extract(resource.attributes, '$."parsl.manager.id"') IS NOT NULL
  AND json_extract(resource.attributes, '$."parsl.worker.id"') IS NOT NULL
  AND NOT EXISTS (
    SELECT 1 FROM span AS parent
    WHERE parent.uuid = span.parent_uuid AND parent.resource_id = span.resource_id
  )
  AND NOT EXISTS (SELECT 1 FROM link WHERE link.span_uuid = span.uuid AND link.type = 'parsl');

-- In which of the worker's tasks it lies: the one within whose times it was. Some logs cut off what
-- is below a millisecond.
INSERT OR IGNORE INTO subspan (superspan_uuid, subspan_uuid, key, note)
SELECT task.uuid, span.uuid, 'parsl', 'inferred: by the worker and the time'
FROM temp.touched
CROSS JOIN link ON link.span_uuid = touched.uuid
CROSS JOIN span ON span.uuid = link.span_uuid
CROSS JOIN (
  SELECT substr(uuid, 1, 12) AS run FROM span WHERE type = 'parsl.monitoring.workflow'
  UNION
  SELECT substr(uuid, 1, 12) FROM span WHERE type = 'parsl.rundir.workflow'
  UNION
  SELECT substr(uuid, 1, 12) FROM span WHERE type = 'parsl.executor.htex.interchange'
)
CROSS JOIN subspan AS had ON had.superspan_uuid = run || link.linked_uuid
CROSS JOIN span AS task ON task.uuid = had.subspan_uuid
WHERE link.type = 'worker'
  AND task.start_unix_nano <= span.start_unix_nano
  AND coalesce(task.end_unix_nano + 1000000 >= span.end_unix_nano, 1);

-- The other way round: the worker's log has come, and the span was here.
INSERT OR IGNORE INTO subspan (superspan_uuid, subspan_uuid, key, note)
SELECT task.uuid, span.uuid, 'parsl', 'inferred: by the worker and the time'
FROM temp.touched
CROSS JOIN span AS task ON task.uuid = touched.uuid
CROSS JOIN subspan AS had
  ON had.subspan_uuid = task.uuid
  AND had.superspan_uuid > substr(task.uuid, 1, 12) || '57'
  AND had.superspan_uuid < substr(task.uuid, 1, 12) || '57g'
CROSS JOIN link ON link.linked_uuid = substr(had.superspan_uuid, 13)
CROSS JOIN span ON span.uuid = link.span_uuid
WHERE task.type = 'parsl.executor.htex.worker.task'
  AND link.type = 'worker'
  AND task.start_unix_nano <= span.start_unix_nano
  AND coalesce(task.end_unix_nano + 1000000 >= span.end_unix_nano, 1);
