-- Where the time of each app's tries went: seconds summed over the tries, by phase. Where Parsl's
-- monitoring was off, a worker's receiving and completing of a task stand for its running. Of the run
-- that started last: name another in the WHERE, `run_id LIKE '1ba6c4b2%'`.
SELECT
  app,
  count(*) AS tries,
  round(sum(launched - pending), 3) AS waiting_s,
  round(sum(coalesce(running, worker_received) - launched), 3) AS queued_s,
  round(sum(coalesce(running_ended, worker_completed) - coalesce(running, worker_received)), 3)
    AS running_s,
  round(sum(returned - coalesce(running_ended, worker_completed)), 3) AS returning_s,
  sum(returned IS NULL) AS unfinished
FROM parsl_try
WHERE run_id = (SELECT run_id FROM parsl_run ORDER BY started DESC LIMIT 1)
GROUP BY app
ORDER BY sum(coalesce(returned, launched, pending) - pending) DESC
LIMIT 20;
