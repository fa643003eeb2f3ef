-- How many workers are connected, and how many of them busy, over time. A row for each moment at
-- which one of the two changes, valid until the next row of the same level and name. The count
-- begins at 0 before the first. A worker that holds several tasks at once is busy once.
CREATE VIEW worker_load AS
WITH
sign(sign) AS (VALUES (1), (-1)),
change(run_id, executor, block_id, manager_id, time, connected, busy) AS (
  SELECT
    run_id, executor, block_id, manager_id,
    CASE sign WHEN 1 THEN connected ELSE gone END, sign * workers, 0
  FROM worker_capacity CROSS JOIN sign
  UNION ALL
  SELECT
    run_id, executor, block_id, manager_id, CASE sign WHEN 1 THEN busy_from ELSE freed END, 0, sign
  FROM parsl_worker_task CROSS JOIN sign
),
level(level) AS (VALUES ('manager'), ('block'), ('run')),
step AS (
  SELECT
    level, run_id,
    CASE WHEN level <> 'run' THEN executor END AS executor,
    CASE WHEN level <> 'run' THEN block_id END AS block_id,
    CASE WHEN level = 'manager' THEN manager_id END AS manager_id,
    time, sum(connected) AS connected, sum(busy) AS busy
  FROM level CROSS JOIN change
  WHERE level <> 'manager' OR manager_id IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT
  step.level AS level,  -- manager, block or run
  step.run_id AS run_id,  -- Parsl's run id
  step.executor AS executor,  -- the executor's label; NULL for a run
  step.block_id AS block_id,  -- as its executor numbers blocks; NULL for a run, and for Work Queue
  step.manager_id AS manager_id,  -- the uid of the manager; NULL for a block and a run
  step.time AS time,  -- unix seconds, from when on it is so
  sum(step.connected) OVER so_far AS connected,  -- workers that are there
  sum(step.busy) OVER so_far AS busy,  -- workers that a task holds
  max(sum(step.connected) OVER so_far - sum(step.busy) OVER so_far, 0) AS idle  -- workers without; hosts' clocks may differ by more than a task lasts
FROM step
WINDOW so_far AS (
  PARTITION BY step.level, step.run_id, step.executor, step.block_id, step.manager_id
  ORDER BY step.time ROWS UNBOUNDED PRECEDING
);
