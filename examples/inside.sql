-- What ran inside each task: the app's own span, and those that lie in it.
SELECT
  task_id, try_id, outer_span.name AS app, span.name AS part, count(*) AS times,
  round(sum(span.end_unix_nano - span.start_unix_nano) / 1e9, 3) AS seconds,
  how
FROM task_span AS outer_span
JOIN subspan ON superspan_uuid = outer_span.uuid AND subspan.key = 'otel'
JOIN span ON span.uuid = subspan_uuid
GROUP BY run_id, task_id, try_id, outer_span.name, span.name
ORDER BY task_id, min(span.start_unix_nano);
