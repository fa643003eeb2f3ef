-- How long each span lasted.
CREATE VIEW span_duration AS
SELECT
  uuid AS uuid,  -- the span
  type AS type,  -- whose account of what
  name AS name,  -- the app's name, for tasks
  start_unix_nano AS start_unix_nano,  -- exact
  end_unix_nano AS end_unix_nano,  -- NULL: never ended, as far as is known
  start_unix_nano / 1e9 AS start,  -- unix seconds
  (end_unix_nano - start_unix_nano) / 1e9 AS duration_s  -- seconds; below 0 where clocks or threads race
FROM span
WHERE start_unix_nano IS NOT NULL;
