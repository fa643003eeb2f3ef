-- Where the time of each app's tries went: seconds summed over the tries, by phase. Where Parsl's
-- monitoring was off, a worker's receiving and completing of a task stand for its running.
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
GROUP BY app
ORDER BY sum(coalesce(returned, launched, pending) - pending) DESC
LIMIT 8;
