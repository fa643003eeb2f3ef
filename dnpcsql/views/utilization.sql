-- How much of the time of connected workers was work, for each manager, block and run.
-- What a manager told last of its workers counts, for as long as it was connected.
CREATE VIEW utilization AS
WITH
manager AS (
  SELECT
    run_id, executor, block_id, manager_id, workers, registered,
    registered + connected_s AS gone, workers * connected_s AS worker_s, tasks, busy_s
  FROM parsl_manager
),
change(run_id, executor, block_id, time, workers) AS (
  SELECT run_id, executor, block_id, registered, workers FROM manager
  UNION ALL SELECT run_id, executor, block_id, gone, -workers FROM manager
),
connected(run_id, executor, block_id, of_run, of_block) AS (
  SELECT
    run_id, executor, block_id,
    sum(workers) OVER (PARTITION BY run_id ORDER BY time, workers ROWS UNBOUNDED PRECEDING),
    sum(workers) OVER (
      PARTITION BY run_id, executor, block_id ORDER BY time, workers ROWS UNBOUNDED PRECEDING
    )
  FROM change
),
-- What a run's tries did that no single manager can be told for is the block's all the same.
work(run_id, executor, block_id, tasks, busy_s) AS (
  SELECT run_id, executor, block_id, count(*), sum(freed - received)
  FROM parsl_worker_task GROUP BY run_id, executor, block_id
)
SELECT
  share.level AS level,  -- manager, block or run
  share.run_id AS run_id,  -- Parsl's run id
  share.executor AS executor,  -- the executor's label; NULL for a run
  share.block_id AS block_id,  -- as its executor numbers blocks; NULL for a run
  share.manager_id AS manager_id,  -- the uid of the manager; NULL for a block and a run
  share.managers AS managers,  -- how many there were
  share.workers AS workers,  -- the most that were connected at once
  share.tasks AS tasks,  -- that they took
  share.worker_s AS worker_s,  -- seconds that workers were connected, of all of them together
  share.busy_s AS busy_s,  -- seconds that tasks held them
  max(share.worker_s - share.busy_s, 0.0) AS idle_s,  -- seconds that they had none
  share.busy_s / nullif(share.worker_s, 0) AS utilization  -- busy_s / worker_s, from 0 to 1
FROM (
  SELECT
    'manager' AS level, run_id, executor, block_id, manager_id, 1 AS managers, workers, tasks,
    worker_s, busy_s
  FROM manager
  UNION ALL
  SELECT
    'block', manager.run_id, manager.executor, manager.block_id, NULL, count(*),
    (
      SELECT max(of_block) FROM connected
      WHERE connected.run_id = manager.run_id AND connected.executor IS manager.executor
        AND connected.block_id IS manager.block_id
    ),
    (
      SELECT coalesce(sum(work.tasks), 0) FROM work
      WHERE work.run_id = manager.run_id AND work.executor IS manager.executor
        AND work.block_id IS manager.block_id
    ),
    sum(worker_s),
    (
      SELECT coalesce(sum(work.busy_s), 0.0) FROM work
      WHERE work.run_id = manager.run_id AND work.executor IS manager.executor
        AND work.block_id IS manager.block_id
    )
  FROM manager
  GROUP BY manager.run_id, manager.executor, manager.block_id
  UNION ALL
  SELECT
    'run', manager.run_id, NULL, NULL, NULL, count(*),
    (SELECT max(of_run) FROM connected WHERE connected.run_id = manager.run_id),
    (SELECT coalesce(sum(work.tasks), 0) FROM work WHERE work.run_id = manager.run_id),
    sum(worker_s),
    (SELECT coalesce(sum(work.busy_s), 0.0) FROM work WHERE work.run_id = manager.run_id)
  FROM manager
  GROUP BY manager.run_id
) AS share;
