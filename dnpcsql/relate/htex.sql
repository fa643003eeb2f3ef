-- A manager is told of by monitoring.db (16), by interchange.log (36) and by its own log (46), an
-- executor by parsl.log (24) and interchange.log (34). Their ids differ in the digit of the teller.
INSERT OR IGNORE INTO facet (left_uuid, right_uuid, note)
SELECT
  min(touched.uuid, other.uuid), max(touched.uuid, other.uuid),
  CASE substr(touched.uuid, 14, 1) WHEN '6' THEN 'same manager' ELSE 'same executor' END
FROM temp.touched
JOIN span AS other
  ON other.uuid IN (
    substr(touched.uuid, 1, 12) || '1' || substr(touched.uuid, 14),
    substr(touched.uuid, 1, 12) || '2' || substr(touched.uuid, 14),
    substr(touched.uuid, 1, 12) || '3' || substr(touched.uuid, 14),
    substr(touched.uuid, 1, 12) || '4' || substr(touched.uuid, 14)
  )
WHERE substr(touched.uuid, 13, 2) IN ('16', '36', '46', '24', '34')
  AND other.uuid <> touched.uuid;
