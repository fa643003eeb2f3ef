-- The run parts that uuids begin with: one row for each run, and for each trace of another program.
CREATE VIEW run_part AS
WITH RECURSIVE found (part) AS (
  SELECT (SELECT substr(uuid, 1, 12) FROM span ORDER BY uuid LIMIT 1)
  UNION ALL
  SELECT (SELECT substr(uuid, 1, 12) FROM span WHERE uuid > found.part || 'g' ORDER BY uuid LIMIT 1)
  FROM found
  WHERE found.part IS NOT NULL
)
SELECT
  part AS part  -- the first 12 digits of span.uuid
FROM found
WHERE part IS NOT NULL;
