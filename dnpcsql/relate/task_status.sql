-- A task failed if one of its tries failed for good. (After extent.sql, which finds the tries'.)
UPDATE span
SET status_code = 2
WHERE uuid IN (
  SELECT substr(attempt.uuid, 1, 13) || '2' || substr(attempt.uuid, 15, 10) || '0000'
  FROM temp.touched
  JOIN span AS attempt ON attempt.uuid = touched.uuid
  WHERE substr(touched.uuid, 13, 2) IN ('13', '23')
    AND attempt.status_code = 2
    AND EXISTS (
      SELECT 1 FROM event
      WHERE event.span_uuid = attempt.uuid AND event.type IN ('failed', 'dep_fail')
    )
)
  AND type IN ('parsl.monitoring.task', 'parsl.rundir.task');
