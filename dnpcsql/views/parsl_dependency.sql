-- Which task waits for which. A row for each pair, whoever tells of it.
CREATE VIEW parsl_dependency AS
SELECT
  substr(pair.trace_high, 1, 8) || '-' || substr(pair.trace_high, 9, 4) || '-' || substr(pair.trace_high, 13, 4)
    || '-' || substr(pair.trace_high, 17, 4) || '-' || substr(pair.uuid, 1, 12) AS run_id,  -- Parsl's run id
  CAST(substr(pair.uuid, 15, 10) AS INTEGER) AS task_id,  -- the task that waits
  CAST(substr(pair.linked_uuid, 15, 10) AS INTEGER) AS depends_on  -- the task that it waits for
FROM (
  SELECT span.uuid, span.trace_high, link.linked_uuid
  FROM span JOIN link ON link.span_uuid = span.uuid
  WHERE span.type = 'parsl.monitoring.task' AND link.type = 'depends_on'
  UNION ALL
  SELECT span.uuid, span.trace_high, link.linked_uuid
  FROM span JOIN link ON link.span_uuid = span.uuid
  WHERE span.type = 'parsl.rundir.task' AND link.type = 'depends_on'
    AND NOT EXISTS (
      SELECT 1 FROM link AS stored
      WHERE stored.span_uuid = substr(span.uuid, 1, 12) || '12' || substr(span.uuid, 15)
        AND stored.linked_uuid
          = substr(link.linked_uuid, 1, 12) || '12' || substr(link.linked_uuid, 15)
        AND stored.type = 'depends_on'
    )
) AS pair;
