-- What each try used, from monitoring.db's readings of its process. A worker's process serves one
-- try after the other, and its counters (CPU, disk, context switches) never restart: what counts is
-- how far they rose in this try, so a try with a single reading has none.
CREATE VIEW resource_use AS
SELECT
  substr(used.trace_high, 1, 8) || '-' || substr(used.trace_high, 9, 4) || '-' || substr(used.trace_high, 13, 4)
    || '-' || substr(used.trace_high, 17, 4) || '-' || substr(used.uuid, 1, 12) AS run_id,  -- Parsl's run id
  CAST(substr(used.uuid, 15, 10) AS INTEGER) AS task_id,  -- Parsl's task id
  CAST(substr(used.uuid, 25, 4) AS INTEGER) AS try_id,  -- from 0 in a task
  (SELECT name FROM span AS task WHERE task.uuid = substr(used.uuid, 1, 12) || '12' || substr(used.uuid, 15, 10) || '0000') AS app,  -- the app's name
  used.host AS host,  -- where it ran
  sum(used.readings) AS readings,  -- how many there are
  (max(used.last) - min(used.first)) / 1e9 AS seconds,  -- from the first reading to the last
  max(used.memory) AS memory_peak,  -- bytes, the most resident at a reading
  max(used.memory_virtual) AS memory_virtual_peak,  -- bytes, the most at a reading
  max(used.memory_percent) AS memory_percent_peak,  -- of the host's memory
  sum(used.cpu_user_s) AS cpu_user_s,  -- seconds of CPU between first and last reading, own code
  sum(used.cpu_system_s) AS cpu_system_s,  -- likewise, the kernel's for it
  sum(used.cpu_user_s) + sum(used.cpu_system_s) AS cpu_s,  -- both
  (sum(used.cpu_user_s) + sum(used.cpu_system_s)) * 1e9 / nullif(max(used.last) - min(used.first), 0) AS cpus,  -- CPUs kept busy, as a mean: cpu_s / seconds
  sum(used.disk_read) AS disk_read,  -- bytes between first and last reading
  sum(used.disk_written) AS disk_written,  -- likewise
  substr(used.uuid, 1, 12) || '03' || substr(used.uuid, 15) AS uuid  -- the try's own id, as in parsl_try
FROM (
  SELECT
    reading.uuid, reading.trace_high, reading.host,
    count(*) AS readings, min(reading.time_unix_nano) AS first, max(reading.time_unix_nano) AS last,
    max(json_extract(told, '$[1]')) AS memory,
    max(json_extract(told, '$[2]')) AS memory_virtual,
    max(json_extract(told, '$[3]')) AS memory_percent,
    CASE WHEN count(*) > 1 THEN max(json_extract(told, '$[4]')) - min(json_extract(told, '$[4]')) END AS cpu_user_s,
    CASE WHEN count(*) > 1 THEN max(json_extract(told, '$[5]')) - min(json_extract(told, '$[5]')) END AS cpu_system_s,
    CASE WHEN count(*) > 1 THEN max(json_extract(told, '$[6]')) - min(json_extract(told, '$[6]')) END AS disk_read,
    CASE WHEN count(*) > 1 THEN max(json_extract(told, '$[7]')) - min(json_extract(told, '$[7]')) END AS disk_written
  FROM (
    SELECT
      span.uuid, span.trace_high, sample.time_unix_nano,
      json_extract(span.attributes, '$."host.name"') AS host,
      json_extract(
        sample.metrics,
        '$.psutil_process_pid', '$.psutil_process_memory_resident',
        '$.psutil_process_memory_virtual', '$.psutil_process_memory_percent',
        '$.psutil_process_time_user', '$.psutil_process_time_system',
        '$.psutil_process_disk_read', '$.psutil_process_disk_write'
      ) AS told
    FROM sample
    CROSS JOIN span ON span.uuid = sample.span_uuid
    WHERE span.type = 'parsl.monitoring.try'
  ) AS reading
  GROUP BY reading.uuid, json_extract(told, '$[0]')
) AS used
GROUP BY used.uuid;
