-- Which of an executor's tasks a try was, in runs of which no log tells: Parsl 1.2.0 did not write
-- it, and logging may be switched off. What is found here is said to be inferred. All of a run is
-- looked at again whenever anything of it comes or goes, and nothing of runs whose log tells.

-- The runs that were touched. (A look-up a run: there may be a million spans.)
CREATE TABLE IF NOT EXISTS temp.untied (run TEXT PRIMARY KEY, logged INTEGER) WITHOUT ROWID;

DELETE FROM temp.untied;

INSERT INTO temp.untied (run)
WITH RECURSIVE part(run) AS (
  SELECT substr(min(uuid), 1, 12) FROM temp.touched
  UNION ALL
  SELECT (SELECT substr(min(uuid), 1, 12) FROM temp.touched WHERE uuid > part.run || char(1114111))
  FROM part WHERE part.run IS NOT NULL
)
SELECT run FROM part WHERE run IS NOT NULL;

-- Not those that a log has just told of, but what was inferred before it came.
DELETE FROM subspan
WHERE (superspan_uuid, subspan_uuid, key) IN (
  SELECT tie.superspan_uuid, tie.subspan_uuid, tie.key
  FROM temp.untied
  JOIN (SELECT '13' AS told UNION ALL SELECT '23')
  JOIN subspan AS tie
    ON tie.superspan_uuid > run || told AND tie.superspan_uuid < run || told || 'g'
  WHERE tie.source_id IS NULL AND tie.note LIKE 'inferred: %'
    AND tie.note NOT LIKE 'inferred: by Work Queue%'  -- workqueue.sql's
    AND (
      NOT EXISTS (SELECT 1 FROM span WHERE uuid > run || '28' AND uuid < run || '28g')
      OR EXISTS (SELECT 1 FROM temp.touched WHERE uuid > run || '28' AND uuid < run || '28g')
    )
);

DELETE FROM temp.untied
WHERE EXISTS (SELECT 1 FROM span WHERE uuid > run || '28' AND uuid < run || '28g')
  OR NOT (
    EXISTS (SELECT 1 FROM span WHERE uuid > run || '38' AND uuid < run || '38g')
    OR EXISTS (SELECT 1 FROM span WHERE uuid > run || '58' AND uuid < run || '58g')
  )
  OR NOT (
    EXISTS (SELECT 1 FROM span WHERE uuid > run || '13' AND uuid < run || '13g')
    OR EXISTS (SELECT 1 FROM span WHERE uuid > run || '23' AND uuid < run || '23g')
  );

UPDATE temp.untied
SET logged = EXISTS (SELECT 1 FROM span WHERE uuid > run || '23' AND uuid < run || '23g');

-- 1. By the worker's process and the time. The database knows the process of a try that was
-- measured, and when its body ran; the worker's log, by the same clock, what each process had then.
CREATE TABLE IF NOT EXISTS temp.worked (
  run TEXT, block TEXT, pid INTEGER, received INTEGER, completed INTEGER, executor_task TEXT,
  PRIMARY KEY (run, block, pid, received, executor_task)
) WITHOUT ROWID;

DELETE FROM temp.worked;

INSERT OR IGNORE INTO temp.worked
SELECT run, block, pid, received, completed, executor_task
FROM (
  SELECT
    run, received, completed, executor_task,
    coalesce(json_extract(worker.attributes, '$."parsl.block.id"'), '') AS block,
    coalesce(
      (
        SELECT json_extract(attributes, '$."process.pid"') FROM event
        WHERE span_uuid = worker.uuid AND type = 'worker_started' AND time_unix_nano <= received
        ORDER BY time_unix_nano DESC LIMIT 1
      ),
      json_extract(worker.attributes, '$."process.pid"')
    ) AS pid
  FROM (
    SELECT
      run, subspan.superspan_uuid AS worker_uuid,
      run || '28' || substr(task.uuid, 15) AS executor_task,
      (
        SELECT min(time_unix_nano) FROM event
        WHERE span_uuid = task.uuid AND type = 'worker_received_task'
      ) AS received,
      (
        SELECT max(time_unix_nano) FROM event
        WHERE span_uuid = task.uuid AND type = 'worker_completed_task'
      ) AS completed
    FROM temp.untied
    JOIN span AS task ON task.uuid > run || '58' AND task.uuid < run || '58g'
    JOIN subspan
      ON subspan_uuid = task.uuid
      AND superspan_uuid > run || '57' AND superspan_uuid < run || '57g'
    WHERE NOT logged
  )
  JOIN span AS worker ON worker.uuid = worker_uuid
)
WHERE received IS NOT NULL AND pid IS NOT NULL;

INSERT OR IGNORE INTO subspan (superspan_uuid, subspan_uuid, key, note)
SELECT
  substr(try_uuid, 1, 12) || told || substr(try_uuid, 15), executor_task, '',
  'inferred: by the worker''s process and the time'
FROM (
  SELECT min(try_uuid) AS try_uuid, executor_task
  FROM (
    SELECT
      try_uuid,
      -- Logs of before 2026 cut off what is below a millisecond.
      (
        SELECT executor_task FROM temp.worked
        WHERE worked.run = ran.run AND worked.block = ran.block AND worked.pid = ran.pid
          AND received <= running AND (completed IS NULL OR completed + 1000000 > ended)
        ORDER BY received DESC LIMIT 1
      ) AS executor_task
    FROM (
      SELECT
        run, attempt.uuid AS try_uuid,
        coalesce(json_extract(attempt.attributes, '$."parsl.block.id"'), '') AS block,
        (
          SELECT json_extract(metrics, '$.psutil_process_pid') FROM sample
          WHERE span_uuid = attempt.uuid LIMIT 1
        ) AS pid,
        (
          SELECT min(time_unix_nano) FROM event
          WHERE span_uuid = attempt.uuid AND type = 'running'
        ) AS running,
        coalesce(
          (
            SELECT max(time_unix_nano) FROM event
            WHERE span_uuid = attempt.uuid AND type = 'running_ended'
          ),
          0
        ) AS ended
      FROM temp.untied
      JOIN span AS attempt ON attempt.uuid > run || '13' AND attempt.uuid < run || '13g'
      WHERE NOT logged
    ) AS ran
  )
  WHERE executor_task IS NOT NULL
  GROUP BY executor_task
  HAVING count(*) = 1
)
JOIN (SELECT '13' AS told UNION ALL SELECT '23');

-- 2. By order of launch: executors number from 1, a launch at a time. Only if there is but one
-- executor that numbers its tasks, if all its numbers and launches are there, if no two kernels
-- wrote one log, and if no task arrives before its launch or after its end.
CREATE TABLE IF NOT EXISTS temp.launched (
  run TEXT, place INTEGER, try_uuid TEXT, executor_task TEXT, PRIMARY KEY (run, place)
) WITHOUT ROWID;

DELETE FROM temp.launched;

INSERT INTO temp.launched
WITH numbered(run, digits, number) AS (
  SELECT DISTINCT run, substr(task.uuid, 15, 6), CAST(substr(task.uuid, 21) AS INTEGER)
  FROM temp.untied
  CROSS JOIN (SELECT '38' AS told UNION ALL SELECT '58')
  CROSS JOIN span AS task ON task.uuid > run || told AND task.uuid < run || told || 'g'
),
sole(run, digits, numbers) AS (
  SELECT run, min(digits), count(*) FROM numbered GROUP BY run
  HAVING count(DISTINCT digits) = 1 AND min(number) = 1 AND max(number) = count(*)
),
executor(run, digits, numbers, label) AS (
  SELECT DISTINCT
    sole.run, sole.digits, numbers, json_extract(attributes, '$."parsl.executor.label"')
  FROM sole
  CROSS JOIN (SELECT '24' AS told UNION ALL SELECT '34')
  CROSS JOIN span
    ON uuid > sole.run || told || sole.digits AND uuid < sole.run || told || sole.digits || 'g'
),
launch(run, digits, numbers, try_uuid, place, launches) AS (
  SELECT
    executor.run, digits, numbers, attempt.uuid,
    row_number() OVER (PARTITION BY executor.run ORDER BY time_unix_nano, event.line),
    count(*) OVER (PARTITION BY executor.run)
  FROM executor
  CROSS JOIN temp.untied ON untied.run = executor.run
  CROSS JOIN span AS attempt
    ON attempt.uuid > executor.run || CASE WHEN logged THEN '23' ELSE '13' END
    AND attempt.uuid < executor.run || CASE WHEN logged THEN '23g' ELSE '13g' END
  JOIN event ON event.span_uuid = attempt.uuid AND event.type = 'launched'
  WHERE json_extract(attempt.attributes, '$."parsl.executor.label"') = label
    AND NOT EXISTS (
      SELECT 1 FROM span
      WHERE uuid = executor.run || '2100000000000000'
        AND json_extract(attributes, '$."parsl.kernels.mixed"')
    )
)
SELECT run, place, try_uuid, run || '28' || digits || printf('%08d', place)
FROM launch
WHERE launches = numbers
  AND NOT EXISTS (
    SELECT 1 FROM subspan
    WHERE superspan_uuid > run || '13' AND superspan_uuid < run || '13g'
      AND note LIKE 'inferred: by the worker%'
  );

-- A minute is more than clocks of one site are apart.
DELETE FROM temp.launched
WHERE run IN (
  SELECT launched.run
  FROM temp.launched
  JOIN span AS attempt ON attempt.uuid = try_uuid
  JOIN event
    ON event.span_uuid = substr(executor_task, 1, 12) || '58' || substr(executor_task, 15)
    AND event.type = 'worker_received_task'
  WHERE event.time_unix_nano > attempt.end_unix_nano + 60000000000
    OR event.time_unix_nano + 60000000000 < (
      SELECT min(time_unix_nano) FROM event
      WHERE span_uuid = attempt.uuid AND type = 'launched'
    )
);

INSERT OR IGNORE INTO subspan (superspan_uuid, subspan_uuid, key, note)
SELECT
  substr(try_uuid, 1, 12) || told || substr(try_uuid, 15), executor_task, '',
  'inferred: by order of launch'
FROM temp.launched JOIN (SELECT '13' AS told UNION ALL SELECT '23');
