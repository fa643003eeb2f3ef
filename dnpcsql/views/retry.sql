-- One row for each try after a task's first, with what made it needed and what that cost.
CREATE VIEW retry AS
SELECT
  again.run_id AS run_id,  -- Parsl's run id
  again.task_id AS task_id,  -- Parsl's task id
  again.try_id AS try_id,  -- from 1: the try before it failed
  again.app AS app,  -- the app's name
  again.executor AS executor,  -- the executor's label
  again.state AS state,  -- how this one ended, or how far it came
  again.cause AS cause,  -- what the try before it failed of, as far as is told
  again.failed_on AS failed_on,  -- where the try before it ran
  again.hostname AS hostname,  -- where this one ran
  again.failed AS failed,  -- when the try before it failed, unix seconds
  again.launched AS launched,  -- when this one was launched, unix seconds; NULL: never
  again.launched - again.failed AS delay_s,  -- seconds between the two
  again.failed - again.failed_launched AS lost_s,  -- seconds that the failed try took, from its launch
  again.uuid AS uuid  -- this try's own id, as in parsl_try
FROM (
  SELECT
    run_id, task_id, try_id, app, executor, state, hostname, launched, uuid,
    lag(error) OVER so_far AS cause, lag(hostname) OVER so_far AS failed_on,
    lag(returned) OVER so_far AS failed, lag(launched) OVER so_far AS failed_launched
  FROM (
    -- Only tasks that have a second try are looked at.
    SELECT * FROM parsl_try
    WHERE EXISTS (
      SELECT 1 FROM span
      WHERE span.uuid IN (
        substr(parsl_try.uuid, 1, 12) || '13' || substr(parsl_try.uuid, 15, 10) || '0001',
        substr(parsl_try.uuid, 1, 12) || '23' || substr(parsl_try.uuid, 15, 10) || '0001'
      )
    )
  )
  WINDOW so_far AS (PARTITION BY run_id, task_id ORDER BY try_id)
) AS again
WHERE again.try_id > 0;
