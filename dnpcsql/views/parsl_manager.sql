-- One row for each manager, told of by monitoring.db, by interchange.log or by its own log. A manager
-- is a pilot job's process on a node, with its workers. monitoring.db writes a row at each change:
-- what it holds last counts, never their sum.
CREATE VIEW parsl_manager AS
WITH
work(run, manager_id, tasks, busy_s) AS (
  SELECT substr(uuid, 1, 12), manager_id, count(*), sum(freed - busy_from) FROM parsl_worker_task
  WHERE manager_id IS NOT NULL GROUP BY substr(uuid, 1, 12), manager_id
)
SELECT
  life.run_id AS run_id,  -- Parsl's run id
  life.executor AS executor,  -- the executor's label
  life.block_id AS block_id,  -- as its executor numbers blocks
  life.manager_id AS manager_id,  -- its uid
  life.host AS host,  -- where it ran
  life.state AS state,  -- lost, drained, ended, held (gets no more tasks), or connected as far as is known
  life.workers AS workers,  -- its capacity, as was told last
  life.cpus AS cpus,  -- of its host
  life.memory AS memory,  -- of its host, bytes
  life.registered AS registered,  -- unix seconds
  life.ended AS ended,  -- unix seconds; NULL: no file tells of its end
  life.last_heard AS last_heard,  -- the last record of or about it, unix seconds
  life.connected_s AS connected_s,  -- seconds from its registration to its end, else until it was last heard of
  coalesce(work.tasks, 0) AS tasks,  -- how many its workers took
  coalesce(work.busy_s, 0.0) AS busy_s,  -- seconds that tasks held its workers, of all of them together
  life.python_version AS python_version,  -- on its host
  life.uuid AS uuid  -- the manager's own id, whoever tells of it
FROM manager_life AS life
LEFT JOIN work ON work.run = substr(life.uuid, 1, 12) AND work.manager_id = life.manager_id;
