-- What the tries of each app used, by run.
CREATE VIEW resource_summary AS
SELECT
  resource_use.run_id AS run_id,  -- Parsl's run id
  resource_use.app AS app,  -- the app's name
  count(*) AS tries,  -- how many were read
  sum(resource_use.readings) AS readings,  -- how often in all
  max(resource_use.memory_peak) AS memory_peak,  -- bytes, the most that any had resident
  avg(resource_use.memory_peak) AS memory_peak_mean,  -- bytes, the mean of their peaks
  count(resource_use.cpu_s) AS tries_with_cpu,  -- how many have two readings or more
  sum(resource_use.cpu_s) AS cpu_s,  -- seconds of CPU, of these together
  avg(resource_use.cpu_s) AS cpu_mean_s,  -- their mean
  sum(resource_use.cpu_s) / nullif(sum(CASE WHEN resource_use.cpu_s IS NOT NULL THEN resource_use.seconds END), 0) AS cpus,  -- CPUs kept busy while read
  sum(resource_use.disk_read) AS disk_read,  -- bytes, of these together
  sum(resource_use.disk_written) AS disk_written  -- likewise
FROM resource_use
GROUP BY resource_use.run_id, resource_use.app;
