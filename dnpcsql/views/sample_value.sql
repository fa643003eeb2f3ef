-- Readings, a row a number.
CREATE VIEW sample_value AS
SELECT
  sample.span_uuid AS span_uuid,  -- what was measured
  sample.time_unix_nano AS time_unix_nano,  -- exact
  sample.time_unix_nano / 1e9 AS time,  -- unix seconds
  metric.key AS name,  -- psutil_process_memory_resident, …
  metric.value AS value,  -- as its source gives it
  sample.source_id AS source_id,  -- the file that tells
  sample.line AS line  -- where in it
FROM sample, json_each(sample.metrics) AS metric;
