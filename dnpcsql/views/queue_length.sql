-- How many tries wait, or are, at each stage of their way over time. A row for each moment at which
-- one comes or goes, valid until the next row of the same run, executor and stage. A try is at the
-- stage of the furthest hop that it passed, and leaves it at the next hop that any file tells of.
CREATE VIEW queue_length AS
WITH
stage(number, stage) AS (
  VALUES
    (1, 'pending'), (2, 'launched'), (3, 'interchange_received'), (4, 'interchange_sent'),
    (5, 'manager_got'), (6, 'worker_received'), (7, 'running'), (8, 'running_ended'),
    (9, 'worker_completed'), (10, 'interchange_result')
)
SELECT
  step.run_id AS run_id,  -- Parsl's run id
  step.executor AS executor,  -- the executor's label
  step.stage AS stage,  -- pending: for dependencies; launched: to reach the executor; interchange_received: for a manager; manager_got: for a worker; …
  step.time AS time,  -- unix seconds, from when on it is so
  step.tries AS tries  -- how many are there from then on
FROM (
  SELECT
    run_id, executor, stage, time,
    -- All that come and go at one moment count at once.
    sum(change) OVER (PARTITION BY stage, executor, run_id ORDER BY time) AS tries,
    lead(time) OVER (PARTITION BY stage, executor, run_id ORDER BY time) AS next
  FROM (
    SELECT
      stay.run_id, stay.executor, stay.stage, sign.sign AS change,
      CASE sign.sign WHEN 1 THEN stay.came ELSE stay.went END AS time
    FROM (
      SELECT
        run_id, executor, stage,
        CASE number
          WHEN 1 THEN pending WHEN 2 THEN launched WHEN 3 THEN interchange_received
          WHEN 4 THEN interchange_sent WHEN 5 THEN manager_got WHEN 6 THEN worker_received
          WHEN 7 THEN running WHEN 8 THEN running_ended WHEN 9 THEN worker_completed
          ELSE interchange_result
        END AS came,
        coalesce(
          CASE WHEN number < 2 THEN launched END,
          CASE WHEN number < 3 THEN interchange_received END,
          CASE WHEN number < 4 THEN interchange_sent END,
          CASE WHEN number < 5 THEN manager_got END,
          CASE WHEN number < 6 THEN worker_received END,
          CASE WHEN number < 7 THEN running END,
          CASE WHEN number < 8 THEN running_ended END,
          CASE WHEN number < 9 THEN worker_completed END,
          CASE WHEN number < 10 THEN interchange_result END,
          returned
        ) AS went
      FROM (
        -- LIMIT keeps the hops from being looked up once for each stage.
        SELECT
          run_id, executor, pending, launched, interchange_received, interchange_sent, manager_got,
          worker_received, running, running_ended, worker_completed, interchange_result, returned
        FROM parsl_try LIMIT -1
      ) CROSS JOIN stage
    ) AS stay
    CROSS JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS sign
    WHERE stay.came IS NOT NULL
      AND (sign.sign = 1 OR stay.went IS NOT NULL)
      AND (stay.went IS NULL OR stay.went > stay.came)
  )
) AS step
WHERE step.next IS NULL OR step.next > step.time;
