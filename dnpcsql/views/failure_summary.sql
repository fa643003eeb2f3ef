-- What failed, by layer, exception, app, executor, host and block; with one example of each.
CREATE VIEW failure_summary AS
SELECT
  failure.run_id AS run_id,  -- Parsl's run id; NULL for other programs' spans
  failure.layer AS layer,  -- to blame, as in failure
  failure.what AS what,  -- what failed: try, manager, worker, block, …
  failure.exception AS exception,  -- the exception's type
  failure.app AS app,  -- the app's name, or the span's
  failure.executor AS executor,  -- the executor's label
  failure.host AS host,  -- where it ran
  failure.block_id AS block_id,  -- as its executor numbers blocks
  count(*) AS failures,  -- how many
  count(DISTINCT failure.task_id) AS tasks,  -- how many tasks' tries
  min(failure.time) AS first,  -- the first of them, unix seconds
  max(failure.time) AS last,  -- the last of them, unix seconds
  min(failure.path || ':' || failure.line) AS example  -- a file and line that tell of one
FROM failure
GROUP BY
  failure.run_id, failure.layer, failure.what, failure.exception, failure.app, failure.executor,
  failure.host, failure.block_id;
