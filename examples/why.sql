-- Why did it fail? Failed tries by app, host and what they failed of, the commonest first, and one
-- task of each to look at: `dnpcsql task last 42` shows all that is known of it.
SELECT
  app,
  state,
  hostname,
  substr(error, 1, 60) AS error,
  count(*) AS tries,
  min(task_id) AS a_task
FROM parsl_try
WHERE state IN ('failed', 'fail_retryable', 'dep_fail') OR error IS NOT NULL
GROUP BY app, state, hostname, error
ORDER BY tries DESC, app, state, error;
