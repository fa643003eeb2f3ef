-- How much of the time of connected workers was work, for each manager, block and run. Connected:
-- as worker_capacity has it. A worker is busy while it holds a task, or several at once.
CREATE VIEW utilization AS
WITH
level(level) AS (VALUES ('manager'), ('block'), ('run')),
capacity AS (
  SELECT
    level, run_id,
    CASE WHEN level <> 'run' THEN executor END AS executor,
    CASE WHEN level <> 'run' THEN block_id END AS block_id,
    CASE WHEN level = 'manager' THEN manager_id END AS manager_id,
    manager_id AS some_manager, workers, connected, gone
  FROM worker_capacity CROSS JOIN level
  WHERE level <> 'manager' OR manager_id IS NOT NULL
),
change(level, run_id, executor, block_id, manager_id, time, workers) AS (
  SELECT level, run_id, executor, block_id, manager_id, connected, workers FROM capacity
  UNION ALL
  SELECT level, run_id, executor, block_id, manager_id, gone, -workers FROM capacity
),
peak(level, run_id, executor, block_id, manager_id, workers) AS (
  SELECT level, run_id, executor, block_id, manager_id, max(workers)
  FROM (
    SELECT level, run_id, executor, block_id, manager_id, sum(workers) OVER (
      PARTITION BY level, run_id, executor, block_id, manager_id
      ORDER BY time, workers ROWS UNBOUNDED PRECEDING
    ) AS workers
    FROM change
  )
  GROUP BY 1, 2, 3, 4, 5
),
place AS (
  SELECT
    level, run_id, executor, block_id, manager_id, count(DISTINCT some_manager) AS managers,
    sum(workers * (gone - connected)) AS worker_s
  FROM capacity GROUP BY 1, 2, 3, 4, 5
),
-- What a run's tries did that no single manager can be told for is the block's all the same. A
-- manager's uid is drawn at random: it needs no other name.
work(level, run_id, executor, block_id, manager_id, tasks, busy_s, task_s) AS (
  SELECT
    level, run_id, CASE level WHEN 'block' THEN executor END, CASE level WHEN 'block' THEN block_id END,
    CASE level WHEN 'manager' THEN manager_id END,
    count(*), sum(freed - busy_from), sum(freed - received)
  FROM parsl_worker_task CROSS JOIN level
  WHERE level <> 'manager' OR manager_id IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5
)
SELECT
  place.level AS level,  -- manager, block or run
  place.run_id AS run_id,  -- Parsl's run id
  place.executor AS executor,  -- the executor's label; NULL for a run
  place.block_id AS block_id,  -- as its executor numbers blocks; NULL for a run, and for Work Queue
  place.manager_id AS manager_id,  -- the uid of the manager; NULL for a block and a run
  place.managers AS managers,  -- how many there were; Work Queue's and TaskVine's workers have none
  peak.workers AS workers,  -- the most that were connected at once
  coalesce(work.tasks, 0) AS tasks,  -- that they took
  place.worker_s AS worker_s,  -- seconds that workers were connected, of all of them together
  coalesce(work.busy_s, 0.0) AS busy_s,  -- seconds that a task held them; several at once count once
  max(place.worker_s - coalesce(work.busy_s, 0.0), 0.0) AS idle_s,  -- seconds that they had none
  coalesce(work.busy_s, 0.0) / nullif(place.worker_s, 0) AS utilization,  -- busy_s / worker_s, from 0 to 1
  coalesce(work.task_s, 0.0) AS task_s  -- seconds of all tasks added up: above busy_s where a worker holds several at once
FROM place
JOIN peak
  ON peak.level = place.level AND peak.run_id = place.run_id AND peak.executor IS place.executor
  AND peak.block_id IS place.block_id AND peak.manager_id IS place.manager_id
LEFT JOIN work
  ON work.level = place.level AND work.run_id = place.run_id
  AND CASE place.level
    WHEN 'manager' THEN work.manager_id = place.manager_id
    WHEN 'block' THEN work.executor IS place.executor AND work.block_id IS place.block_id
    ELSE 1
  END;
