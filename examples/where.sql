-- Where the time of each app's tries went: seconds in all, by phase.
SELECT
  app,
  count(*) AS tries,
  round(sum(launched - pending), 3) AS waiting_s,
  round(sum(running - launched), 3) AS queued_s,
  round(sum(running_ended - running), 3) AS running_s,
  round(sum(returned - running_ended), 3) AS returning_s
FROM parsl_try
WHERE running IS NOT NULL
GROUP BY app
ORDER BY sum(returned - pending) DESC;
