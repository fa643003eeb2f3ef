-- Why did it fail? Failed tries by run, app, host and what they failed of, the commonest first, and
-- one task of each to look at: `dnpcsql task cc55368f 42` shows all that is known of it.
SELECT
  substr(run_id, 1, 8) AS run,
  app,
  state,
  hostname,
  substr(error, 1, 60) AS error,
  count(*) AS tries,
  min(task_id) AS a_task
FROM parsl_try
WHERE state IN ('failed', 'fail_retryable', 'dep_fail') OR error IS NOT NULL
GROUP BY run_id, app, state, hostname, error
ORDER BY tries DESC, run, app, state, error;
