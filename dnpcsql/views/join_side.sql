-- What is joined with what: each span that has a counterpart in another account or in the next
-- stage of its way, or ought to. The counts are in join_audit.
CREATE VIEW join_side AS
WITH
run(run) AS (
  SELECT DISTINCT value FROM source, json_each(source.runs)
),
-- Whose ids differ from their counterparts' in the digits that say who tells of what.
pair(name, side, told, other) AS (
  VALUES
    ('monitoring task - log task', 'left', '12', '22'),
    ('monitoring task - log task', 'right', '22', '12'),
    ('monitoring try - log try', 'left', '13', '23'),
    ('monitoring try - log try', 'right', '23', '13'),
    ('executor task - interchange', 'left', '28', '38'),
    ('executor task - interchange', 'right', '38', '28'),
    ('interchange - manager', 'left', '38', '48'),
    ('interchange - manager', 'right', '48', '38'),
    ('manager - worker', 'left', '48', '58'),
    ('manager - worker', 'right', '58', '48'),
    ('interchange - worker', 'left', '38', '58'),
    ('interchange - worker', 'right', '58', '38'),
    ('monitoring block - log block', 'left', '15', '25'),
    ('monitoring block - log block', 'right', '25', '15'),
    ('log block - submit script', 'left', '25', '75'),
    ('log block - submit script', 'right', '75', '25'),
    ('monitoring manager - interchange manager', 'left', '16', '36'),
    ('monitoring manager - interchange manager', 'right', '36', '16'),
    ('interchange manager - manager log', 'left', '36', '46'),
    ('interchange manager - manager log', 'right', '46', '36')
),
-- Executors' labels by the digits that stand for them, of those that number their tasks.
executor(run, digits, label) AS (
  SELECT DISTINCT run, substr(uuid, 15, 6), json_extract(attributes, '$."parsl.executor.label"')
  FROM run
  JOIN (SELECT '24' AS told UNION ALL SELECT '34' UNION ALL SELECT '66')
  JOIN span ON uuid > run || told AND uuid < run || told || 'g'
  WHERE type IN (
      'parsl.rundir.executor', 'parsl.executor.htex.interchange', 'workqueue.manager',
      'taskvine.manager'
    )
    AND EXISTS (
      SELECT 1
      FROM (
        SELECT '28' AS task UNION ALL SELECT '38' UNION ALL SELECT '58' UNION ALL SELECT '6a'
      )
      JOIN span AS numbered
        ON numbered.uuid > run || task || substr(span.uuid, 15, 6)
        AND numbered.uuid < run || task || substr(span.uuid, 15, 6) || 'g'
    )
)
SELECT
  substr(span.trace_high, 1, 8) || '-' || substr(span.trace_high, 9, 4) || '-' || substr(span.trace_high, 13, 4)
    || '-' || substr(span.trace_high, 17, 4) || '-' || substr(span.uuid, 1, 12) AS run_id,  -- Parsl's run id
  coalesce(
    json_extract(span.attributes, '$."parsl.executor.label"'),
    (
      SELECT json_extract(counterpart.attributes, '$."parsl.executor.label"')
      FROM span AS counterpart
      WHERE counterpart.uuid = run.run || pair.other || substr(span.uuid, 15)
    ),
    (
      SELECT label FROM executor
      WHERE executor.run = run.run AND digits = substr(span.uuid, 15, 6)
        AND pair.told IN ('28', '38', '48', '58', '75')
    )
  ) AS executor,  -- the executor's label; NULL where there is none
  pair.name AS pair,  -- the two accounts, the left one first
  pair.side AS side,  -- left or right: of which of them this span is
  span.uuid AS span_uuid,  -- the span
  EXISTS (
    SELECT 1 FROM span AS counterpart
    WHERE counterpart.uuid = run.run || pair.other || substr(span.uuid, 15)
  ) AS matched,  -- 1 if its counterpart is there
  0 AS inferred,  -- 1 if no file states that these two belong together
  span.source_id AS source_id,  -- the file that tells of it
  span.line AS line  -- where in it
FROM run
CROSS JOIN pair
CROSS JOIN span ON span.uuid > run.run || pair.told AND span.uuid < run.run || pair.told || 'g'
WHERE span.type LIKE 'parsl.%'
  -- Work Queue's and TaskVine's executors have no interchange.
  AND NOT (pair.other = '38' AND span.type LIKE 'parsl.executors.%')
UNION ALL
-- Work Queue and TaskVine number their tasks themselves: which is which is told by ties.
SELECT
  run_id, label, 'executor task - queue task', side, uuid, note IS NOT NULL,
  coalesce(note LIKE 'inferred: %', 0), source_id, line
FROM (
  SELECT
    substr(task.trace_high, 1, 8) || '-' || substr(task.trace_high, 9, 4) || '-' || substr(task.trace_high, 13, 4)
      || '-' || substr(task.trace_high, 17, 4) || '-' || substr(task.uuid, 1, 12) AS run_id,
    label, 'left' AS side, task.uuid AS uuid, task.source_id AS source_id, task.line AS line,
    (
      SELECT coalesce(note, '') FROM subspan
      WHERE superspan_uuid = task.uuid
        AND subspan_uuid > run.run || '6a' AND subspan_uuid < run.run || '6ag'
        AND EXISTS (SELECT 1 FROM span AS counterpart WHERE counterpart.uuid = subspan_uuid)
      ORDER BY key LIMIT 1
    ) AS note
  FROM run
  CROSS JOIN span AS task ON task.uuid > run.run || '28' AND task.uuid < run.run || '28g'
  JOIN executor ON executor.run = run.run AND digits = substr(task.uuid, 15, 6)
  WHERE task.type LIKE 'parsl.executors.%'
  UNION ALL
  SELECT
    substr(task.trace_high, 1, 8) || '-' || substr(task.trace_high, 9, 4) || '-' || substr(task.trace_high, 13, 4)
      || '-' || substr(task.trace_high, 17, 4) || '-' || substr(task.uuid, 1, 12),
    label, 'right', task.uuid, task.source_id, task.line,
    (
      SELECT coalesce(note, '') FROM subspan
      WHERE subspan_uuid = task.uuid
        AND superspan_uuid > run.run || '28' AND superspan_uuid < run.run || '28g'
        AND EXISTS (SELECT 1 FROM span AS counterpart WHERE counterpart.uuid = superspan_uuid)
      ORDER BY key LIMIT 1
    )
  FROM run
  CROSS JOIN span AS task ON task.uuid > run.run || '6a' AND task.uuid < run.run || '6ag'
  JOIN executor ON executor.run = run.run AND digits = substr(task.uuid, 15, 6)
)
UNION ALL
SELECT
  substr(attempt.trace_high, 1, 8) || '-' || substr(attempt.trace_high, 9, 4) || '-' || substr(attempt.trace_high, 13, 4)
    || '-' || substr(attempt.trace_high, 17, 4) || '-' || substr(attempt.uuid, 1, 12),
  label, 'try - executor task', 'left', attempt.uuid, tie.subspan_uuid IS NOT NULL,
  coalesce(tie.note LIKE 'inferred: %', 0), attempt.source_id, attempt.line
FROM run
CROSS JOIN (SELECT '13' AS told UNION ALL SELECT '23') AS account
CROSS JOIN span AS attempt
  ON attempt.uuid > run.run || account.told AND attempt.uuid < run.run || account.told || 'g'
JOIN executor
  ON executor.run = run.run
  AND label = json_extract(attempt.attributes, '$."parsl.executor.label"')
LEFT JOIN subspan AS tie
  ON tie.superspan_uuid = run.run || '23' || substr(attempt.uuid, 15)
  AND tie.subspan_uuid > run.run || '28' AND tie.subspan_uuid < run.run || '28g'
WHERE EXISTS (
    SELECT 1 FROM event
    WHERE span_uuid IN (run.run || '13' || substr(attempt.uuid, 15), run.run || '23' || substr(attempt.uuid, 15))
      AND type = 'launched'
  )
  AND (
    account.told = '13'
    OR NOT EXISTS (
      SELECT 1 FROM span AS stored WHERE stored.uuid = run.run || '13' || substr(attempt.uuid, 15)
    )
  )
UNION ALL
SELECT
  substr(task.trace_high, 1, 8) || '-' || substr(task.trace_high, 9, 4) || '-' || substr(task.trace_high, 13, 4)
    || '-' || substr(task.trace_high, 17, 4) || '-' || substr(task.uuid, 1, 12),
  label, 'try - executor task', 'right', task.uuid, tie.subspan_uuid IS NOT NULL,
  coalesce(tie.note LIKE 'inferred: %', 0), task.source_id, task.line
FROM run
CROSS JOIN (
  SELECT '28' AS told UNION ALL SELECT '38' UNION ALL SELECT '48' UNION ALL SELECT '58'
) AS account
CROSS JOIN span AS task
  ON task.uuid > run.run || account.told AND task.uuid < run.run || account.told || 'g'
JOIN executor ON executor.run = run.run AND digits = substr(task.uuid, 15, 6)
LEFT JOIN subspan AS tie
  ON tie.subspan_uuid = run.run || '28' || substr(task.uuid, 15)
  AND tie.superspan_uuid > run.run || '23' AND tie.superspan_uuid < run.run || '23g'
WHERE NOT EXISTS (
  SELECT 1 FROM (SELECT '28' AS told UNION ALL SELECT '38' UNION ALL SELECT '48') AS earlier
  JOIN span AS known ON known.uuid = run.run || earlier.told || substr(task.uuid, 15)
  WHERE earlier.told < account.told
)
UNION ALL
-- funcX and Globus Compute: all their tasks have one run part (see funcx_task), and their run is
-- the start of the client, if its log is here.
SELECT
  (
    SELECT client.trace_id FROM subspan JOIN span AS client ON client.uuid = superspan_uuid
    WHERE subspan_uuid = '6205a822e48da8' || substr(task.uuid, 15)
      AND superspan_uuid > '6205a822e48da1' AND superspan_uuid < '6205a822e48da1g'
    LIMIT 1
  ),
  NULL, pair.column1, pair.column2, task.uuid,
  EXISTS (
    SELECT 1 FROM span AS counterpart
    WHERE counterpart.uuid = '6205a822e48d' || pair.column4 || substr(task.uuid, 15)
  ),
  0, task.source_id, task.line
FROM (
  VALUES
    ('funcX client - endpoint', 'left', 'a8', 'b8'),
    ('funcX client - endpoint', 'right', 'b8', 'a8'),
    ('funcX client - cloud', 'left', 'a8', 'e8'),
    ('funcX client - cloud', 'right', 'e8', 'a8'),
    ('funcX client - worker', 'left', 'a8', 'd8'),
    ('funcX client - worker', 'right', 'd8', 'a8'),
    ('funcX endpoint - audit', 'left', 'b8', 'f8'),
    ('funcX endpoint - audit', 'right', 'f8', 'b8'),
    ('funcX endpoint - manager', 'left', 'b8', 'c8'),
    ('funcX endpoint - manager', 'right', 'c8', 'b8'),
    ('funcX endpoint - worker', 'left', 'b8', 'd8'),
    ('funcX endpoint - worker', 'right', 'd8', 'b8')
) AS pair
CROSS JOIN span AS task
  ON task.uuid > '6205a822e48d' || pair.column3 AND task.uuid < '6205a822e48d' || pair.column3 || 'g';
