-- The types of moments that there are: of events, and start and end.
CREATE VIEW event_type AS
SELECT DISTINCT
  event.type AS type  -- running_ended, …
FROM event
UNION
SELECT 'start' WHERE EXISTS (SELECT 1 FROM span WHERE start_unix_nano IS NOT NULL)
UNION
SELECT 'end' WHERE EXISTS (SELECT 1 FROM span WHERE end_unix_nano IS NOT NULL);
