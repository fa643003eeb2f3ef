-- What was imported, by importer, and how well it was understood.
CREATE VIEW source_summary AS
SELECT
  importer AS importer,  -- by what it was read
  count(*) AS files,  -- how many
  sum(size) AS bytes,  -- in all
  sum(lines) AS lines,  -- lines, or rows of a database
  sum(records) AS records,  -- log records, or rows
  sum(understood) AS understood,  -- how many of these became something here
  sum(problems) AS problems  -- how many were not understood
FROM source
GROUP BY importer;
