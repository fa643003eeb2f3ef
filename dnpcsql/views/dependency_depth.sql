-- How deep each task lies in the graph of dependencies, and how many it waits for. A dependency that
-- another one of the same task has too does not count for depth, since the way through that other
-- one is longer: so a chain whose tasks all share an input stays quick.
CREATE VIEW dependency_depth AS
WITH RECURSIVE
edge(run_id, task_id, depends_on) AS (
  SELECT run_id, task_id, depends_on FROM parsl_dependency WHERE task_id <> depends_on
),
fan(run_id, task_id, fan_in) AS (
  SELECT run_id, task_id, count(*) FROM edge GROUP BY run_id, task_id
),
-- The dependencies that are needed to know all depths.
needed(run_id, task_id, depends_on) AS (
  SELECT edge.run_id, edge.task_id, edge.depends_on
  FROM edge
  JOIN fan ON fan.run_id = edge.run_id AND fan.task_id = edge.task_id
  WHERE fan.fan_in = 1 OR fan.fan_in > 50
    OR NOT EXISTS (
      SELECT 1 FROM edge AS beside
      JOIN edge AS beyond
        ON beyond.task_id = beside.depends_on AND beyond.depends_on = edge.depends_on
        AND beyond.run_id = edge.run_id
      WHERE beside.task_id = edge.task_id AND beside.run_id = edge.run_id
    )
),
reached(run_id, task_id, depth) AS (
  SELECT run_id, depends_on, 0 FROM edge
  WHERE NOT EXISTS (
    SELECT 1 FROM fan WHERE fan.run_id = edge.run_id AND fan.task_id = edge.depends_on
  )
  UNION
  SELECT needed.run_id, needed.task_id, reached.depth + 1
  FROM reached
  JOIN needed ON needed.depends_on = reached.task_id AND needed.run_id = reached.run_id
),
depth(run_id, task_id, depth) AS (
  SELECT run_id, task_id, max(depth) FROM reached GROUP BY run_id, task_id
),
wanted(run_id, task_id, fan_out) AS (
  SELECT run_id, depends_on, count(*) FROM edge GROUP BY run_id, depends_on
)
SELECT
  task.run_id AS run_id,  -- Parsl's run id
  task.task_id AS task_id,  -- Parsl's task id
  task.app AS app,  -- the app's name
  coalesce(depth.depth, 0) AS depth,  -- tasks on the longest way to it, itself left out: 0 waits for none
  coalesce(fan.fan_in, 0) AS fan_in,  -- how many tasks it waits for
  coalesce(wanted.fan_out, 0) AS fan_out  -- how many wait for it
FROM parsl_task AS task
LEFT JOIN depth ON depth.task_id = task.task_id AND depth.run_id = task.run_id
LEFT JOIN fan ON fan.task_id = task.task_id AND fan.run_id = task.run_id
LEFT JOIN wanted ON wanted.task_id = task.task_id AND wanted.run_id = task.run_id;
