-- What went between the submitting side and a worker's host, with the bound it puts on that clock.
-- Nothing arrives before it was sent: a task's way there bounds from above how far the host's clock is
-- ahead, its result's way back from below. Only records that are written in that order: interchange.log
-- tells of `Sent tasks` after it sent them, so it is their coming there that counts. Where logs at INFO
-- level tell of neither, it is from a try's pending to its worker: `launched` is logged after the launch.
-- Times as they were told.
CREATE VIEW clock_message AS
WITH
run(run) AS (
  SELECT DISTINCT value FROM source, json_each(source.runs)
)
SELECT
  substr(task.trace_high, 1, 8) || '-' || substr(task.trace_high, 9, 4) || '-' || substr(task.trace_high, 13, 4)
    || '-' || substr(task.trace_high, 17, 4) || '-' || substr(task.uuid, 1, 12) AS run_id,  -- Parsl's run id
  coalesce(
    (
      SELECT json_extract(attributes, '$."host.name"') FROM span
      WHERE uuid = run.run || '36' || substr(above.superspan_uuid, 15)
    ),
    (
      SELECT json_extract(attributes, '$."host.name"') FROM span
      WHERE uuid = run.run || '16' || substr(above.superspan_uuid, 15)
    )
  ) AS host,  -- whose clock is bounded; NULL where no file names it
  substr(above.superspan_uuid, 15) AS manager,  -- of the host: the end of its uuid
  side.way AS way,  -- there: bounds it from above; back: from below
  CAST(substr(task.uuid, 21) AS INTEGER) AS executor_task_id,  -- whose message it is, as in parsl_try
  near.type AS submit_type,  -- the event of the submitting side
  near.time_unix_nano AS submit_unix_nano,  -- when, by its own clock
  (SELECT path FROM source WHERE id = near.source_id) AS submit_file,  -- where that stands
  near.line AS submit_line,  -- in that file
  far.type AS host_type,  -- the event of the worker's host
  far.time_unix_nano AS host_unix_nano,  -- when, by its own clock
  (SELECT path FROM source WHERE id = far.source_id) AS host_file,  -- where that stands
  far.line AS host_line,  -- in that file
  (far.time_unix_nano - near.time_unix_nano) / 1e9 AS bound_s  -- the host's clock less the submitting side's: at most that (there), at least that (back)
FROM run
CROSS JOIN span AS task ON task.uuid > run.run || '58' AND task.uuid < run.run || '58g'
CROSS JOIN (
  SELECT
    'there' AS way, '38' AS near, 'interchange_received_task' AS near_type, '48' AS far,
    'manager_got_task' AS far_type
  UNION ALL SELECT 'back', '38', 'interchange_removing_task', '58', 'worker_completed_task'
  UNION ALL SELECT 'there', '23', 'pending', '58', 'worker_received_task'
) AS side
LEFT JOIN subspan AS tie
  ON side.near = '23'
  AND tie.subspan_uuid = run.run || '28' || substr(task.uuid, 15)
  AND tie.superspan_uuid > run.run || '23' AND tie.superspan_uuid < run.run || '23g'
CROSS JOIN event AS near
  ON near.span_uuid = CASE side.near
    WHEN '23' THEN tie.superspan_uuid ELSE run.run || '38' || substr(task.uuid, 15)
  END
  AND near.type = side.near_type
CROSS JOIN event AS far
  ON far.span_uuid = run.run || side.far || substr(task.uuid, 15) AND far.type = side.far_type
LEFT JOIN subspan AS held
  ON held.subspan_uuid = task.uuid
  AND held.superspan_uuid > run.run || '57' AND held.superspan_uuid < run.run || '57g'
LEFT JOIN subspan AS above
  ON above.subspan_uuid = held.superspan_uuid
  AND above.superspan_uuid > run.run || '46' AND above.superspan_uuid < run.run || '46g'
WHERE task.type = 'parsl.executor.htex.worker.task'
  AND (
    side.near = '38'
    OR NOT EXISTS (
      SELECT 1 FROM event AS got
      WHERE got.span_uuid = run.run || '48' || substr(task.uuid, 15) AND got.type = 'manager_got_task'
    )
    OR NOT EXISTS (
      SELECT 1 FROM event AS put
      WHERE put.span_uuid = run.run || '38' || substr(task.uuid, 15)
        AND put.type = 'interchange_received_task'
    )
  );
