-- A manager of funcX's is told of by its endpoint's log (b6) and by its own (c6). All of funcX has
-- one run part; the ids differ in the digit of the teller.
INSERT OR IGNORE INTO facet (left_uuid, right_uuid, note)
SELECT min(touched.uuid, other.uuid), max(touched.uuid, other.uuid), 'same manager'
FROM temp.touched
JOIN span AS other
  ON other.uuid IN (
    substr(touched.uuid, 1, 12) || 'b' || substr(touched.uuid, 14),
    substr(touched.uuid, 1, 12) || 'c' || substr(touched.uuid, 14)
  )
WHERE substr(touched.uuid, 1, 12) = '6205a822e48d'
  AND substr(touched.uuid, 13, 2) IN ('b6', 'c6')
  AND other.uuid <> touched.uuid;
