-- Which of Work Queue's (or TaskVine's) tasks an executor's task became. parsl.log told so until
-- 2025-03; since then debug_log shows it for most, and for the others there is order alone: the
-- executor numbers what it submits from 0, Work Queue what it gets from 1, and what lies between is a
-- queue. So task k of Work Queue's is the executor's k - 1, unless some file, the names of apps and
-- categories, or the times say that it cannot be. What is found here is said to be inferred. All of a
-- run is looked at again whenever tries, the executor's tasks or Work Queue's come or go.

CREATE TABLE IF NOT EXISTS temp.queued (run TEXT PRIMARY KEY, logged INTEGER) WITHOUT ROWID;

DELETE FROM temp.queued;

INSERT INTO temp.queued (run, logged)
WITH RECURSIVE part(run) AS (
  SELECT substr(min(uuid), 1, 12) FROM temp.touched
  UNION ALL
  SELECT (SELECT substr(min(uuid), 1, 12) FROM temp.touched WHERE uuid > part.run || char(1114111))
  FROM part WHERE part.run IS NOT NULL
)
SELECT
  run,
  EXISTS (SELECT 1 FROM span WHERE uuid > run || '28' AND uuid < run || '28g')
FROM part
WHERE run IS NOT NULL
  AND EXISTS (SELECT 1 FROM span WHERE uuid > run || '6a' AND uuid < run || '6ag')
  -- 00 stands for something that was taken out. A file that tells of neither changes nothing.
  AND EXISTS (
    SELECT 1
    FROM (
      SELECT '00' AS told UNION ALL SELECT '13' UNION ALL SELECT '28' UNION ALL SELECT '34'
      UNION ALL SELECT '66'
    )
    JOIN temp.touched ON touched.uuid >= run || told AND touched.uuid < run || told || 'g'
  );

-- What was inferred before.
DELETE FROM subspan
WHERE (superspan_uuid, subspan_uuid, key) IN (
  SELECT tie.superspan_uuid, tie.subspan_uuid, tie.key
  FROM temp.queued
  CROSS JOIN (SELECT '13' AS told UNION ALL SELECT '23' UNION ALL SELECT '28')
  CROSS JOIN subspan AS tie
    ON tie.superspan_uuid > run || told AND tie.superspan_uuid < run || told || 'g'
  WHERE tie.source_id IS NULL AND tie.note LIKE 'inferred: by Work Queue''s order%'
);

-- Work Queue's tasks, and the executor's that they are if order tells. Where the same executor had
-- several managers only those of the first bear its digits.
CREATE TABLE IF NOT EXISTS temp.queue_pair (
  run TEXT, digits TEXT, number INTEGER, task TEXT, executor_task TEXT, category TEXT,
  waiting INTEGER, ended INTEGER, try_uuid TEXT, app TEXT,
  PRIMARY KEY (run, digits, number)
) WITHOUT ROWID;

DELETE FROM temp.queue_pair;

INSERT INTO temp.queue_pair (run, digits, number, task, executor_task, category, waiting, ended)
SELECT
  run, digits, number, task, run || '28' || digits || printf('%08d', number - 1), category,
  waiting, ended
FROM (
  SELECT
    run, substr(task.uuid, 15, 6) AS digits, CAST(substr(task.uuid, 21) AS INTEGER) AS number,
    task.uuid AS task, task.name AS category, task.start_unix_nano AS waiting,
    task.end_unix_nano AS ended
  FROM temp.queued
  CROSS JOIN span AS task ON task.uuid > run || '6a' AND task.uuid < run || '6ag'
  WHERE substr(task.uuid, 21) NOT GLOB '*[^0-9]*'
)
WHERE number > 0;

-- Without parsl.log nothing tells of the executor's tasks: then it is the tries, in the order in
-- which they were launched on that executor, that have these numbers.
CREATE TABLE IF NOT EXISTS temp.queue_launch (
  run TEXT, digits TEXT, place INTEGER, try_uuid TEXT, PRIMARY KEY (run, digits, place)
) WITHOUT ROWID;

DELETE FROM temp.queue_launch;

INSERT INTO temp.queue_launch
SELECT
  queued.run, substr(manager.uuid, 15, 6),
  row_number() OVER (
    PARTITION BY queued.run, manager.uuid ORDER BY launch.time_unix_nano, launch.line
  ),
  attempt.uuid
FROM temp.queued
CROSS JOIN span AS manager ON manager.uuid > run || '66' AND manager.uuid < run || '66g'
CROSS JOIN span AS attempt ON attempt.uuid > run || '13' AND attempt.uuid < run || '13g'
JOIN event AS launch ON launch.span_uuid = attempt.uuid AND launch.type = 'launched'
WHERE NOT logged
  AND json_extract(attempt.attributes, '$."parsl.executor.label"')
    = json_extract(manager.attributes, '$."parsl.executor.label"')
  AND NOT EXISTS (
    SELECT 1 FROM span AS another
    WHERE another.uuid > run || '66' AND another.uuid < run || '66g'
      AND another.uuid <> manager.uuid AND another.attributes IS NOT NULL
      AND json_extract(another.attributes, '$."parsl.executor.label"')
        = json_extract(manager.attributes, '$."parsl.executor.label"')
  );

UPDATE temp.queue_pair
SET try_uuid = (
  SELECT try_uuid FROM temp.queue_launch AS launch
  WHERE launch.run = queue_pair.run AND launch.digits = queue_pair.digits
    AND launch.place = queue_pair.number
)
WHERE run IN (SELECT run FROM temp.queued WHERE NOT logged);

UPDATE temp.queue_pair
SET try_uuid = (
  SELECT min(superspan_uuid) FROM subspan
  WHERE subspan_uuid = executor_task
    AND superspan_uuid > run || '23' AND superspan_uuid < run || '23g'
)
WHERE run IN (SELECT run FROM temp.queued WHERE logged);

UPDATE temp.queue_pair
SET app = coalesce(
  (SELECT name FROM span WHERE uuid = run || '12' || substr(try_uuid, 15, 10) || '0000'),
  (SELECT name FROM span WHERE uuid = run || '22' || substr(try_uuid, 15, 10) || '0000')
)
WHERE try_uuid IS NOT NULL;

CREATE TABLE IF NOT EXISTS temp.queue_app (
  run TEXT, digits TEXT, app TEXT, PRIMARY KEY (run, digits, app)
) WITHOUT ROWID;

DELETE FROM temp.queue_app;

INSERT OR IGNORE INTO temp.queue_app
SELECT run, digits, app FROM temp.queue_pair WHERE app IS NOT NULL;

-- All of an executor's, if for one of them a file says otherwise, if it is of the category of
-- another app (a category may have any name), or if it was there before its launch or after its end.
-- A minute is more than a log is late.
DELETE FROM temp.queue_pair
WHERE (run, digits) IN (
  SELECT run, digits FROM temp.queue_pair AS pair
  WHERE EXISTS (
      SELECT 1 FROM subspan AS tie
      WHERE tie.superspan_uuid = pair.executor_task
        AND tie.subspan_uuid > run || '6a' AND tie.subspan_uuid < run || '6ag'
        AND tie.subspan_uuid <> pair.task
    )
    OR EXISTS (
      SELECT 1 FROM subspan AS tie
      WHERE tie.subspan_uuid = pair.task
        AND tie.superspan_uuid > run || '28' AND tie.superspan_uuid < run || '28g'
        AND tie.superspan_uuid <> pair.executor_task
    )
    OR (
      category <> app
      AND EXISTS (
        SELECT 1 FROM temp.queue_app AS other
        WHERE other.run = pair.run AND other.digits = pair.digits AND other.app = category
      )
    )
    OR waiting > (
      SELECT max(end_unix_nano) FROM span
      WHERE uuid IN (run || '13' || substr(try_uuid, 15), run || '23' || substr(try_uuid, 15))
    ) + 60000000000
    OR ended + 60000000000 < (
      SELECT min(time_unix_nano) FROM event
      WHERE span_uuid IN (run || '13' || substr(try_uuid, 15), run || '23' || substr(try_uuid, 15))
        AND type IN ('launched', 'running')
    )
);

-- Without parsl.log, only if the numbers and the launches are all there.
DELETE FROM temp.queue_pair
WHERE run IN (SELECT run FROM temp.queued WHERE NOT logged)
  AND (run, digits) NOT IN (
    SELECT run, digits FROM temp.queue_pair AS pair
    GROUP BY run, digits
    HAVING max(number) = count(*) AND count(try_uuid) = count(*)
  );

INSERT OR IGNORE INTO subspan (superspan_uuid, subspan_uuid, key, note)
SELECT
  run || told || substr(try_uuid, 15), executor_task, '',
  'inferred: by Work Queue''s order and the order of launch'
FROM temp.queue_pair
JOIN (SELECT '13' AS told UNION ALL SELECT '23')
WHERE run IN (SELECT run FROM temp.queued WHERE NOT logged);

INSERT OR IGNORE INTO subspan (superspan_uuid, subspan_uuid, key, note)
SELECT
  executor_task, task, '',
  CASE WHEN category = app
    THEN 'inferred: by Work Queue''s order, and its category is the app'
    ELSE 'inferred: by Work Queue''s order'
  END
FROM temp.queue_pair
WHERE try_uuid IS NOT NULL
  AND NOT EXISTS (
    SELECT 1 FROM subspan AS tie
    WHERE tie.superspan_uuid = executor_task AND tie.subspan_uuid = task
  );

-- The parent of Work Queue's task is the executor's, where that is known, else its manager.
UPDATE span
SET parent_uuid = coalesce(
  (
    SELECT superspan_uuid FROM subspan
    WHERE subspan_uuid = span.uuid
      AND superspan_uuid > substr(span.uuid, 1, 12) || '28'
      AND superspan_uuid < substr(span.uuid, 1, 12) || '28g'
    ORDER BY key LIMIT 1
  ),
  (
    SELECT min(superspan_uuid) FROM subspan
    WHERE subspan_uuid = span.uuid
      AND superspan_uuid > substr(span.uuid, 1, 12) || '66'
      AND superspan_uuid < substr(span.uuid, 1, 12) || '66g'
  )
)
WHERE uuid IN (
  SELECT task.uuid FROM temp.queued
  CROSS JOIN span AS task ON task.uuid > run || '6a' AND task.uuid < run || '6ag'
);

-- What debug_log tells of a worker is an account of it.
INSERT OR IGNORE INTO facet (left_uuid, right_uuid, note)
SELECT told.uuid, worker.uuid, 'same worker'
FROM temp.queued
CROSS JOIN span AS told ON told.uuid > run || '37' AND told.uuid < run || '37g'
JOIN span AS worker ON worker.uuid = run || '67' || substr(told.uuid, 15);
