-- A submit script that names its block is an account of it, as parsl.log's and monitoring.db's are.
INSERT OR IGNORE INTO facet (left_uuid, right_uuid, note)
SELECT block.uuid, touched.uuid, 'same executor and block'
FROM temp.touched
JOIN span AS block
  ON block.uuid IN (
    substr(touched.uuid, 1, 12) || '2' || substr(touched.uuid, 14),
    substr(touched.uuid, 1, 12) || '1' || substr(touched.uuid, 14)
  )
WHERE substr(touched.uuid, 13, 2) = '75';

INSERT OR IGNORE INTO facet (left_uuid, right_uuid, note)
SELECT touched.uuid, script.uuid, 'same executor and block'
FROM temp.touched
JOIN span AS script
  ON script.uuid = substr(touched.uuid, 1, 12) || '7' || substr(touched.uuid, 14)
WHERE substr(touched.uuid, 13, 2) IN ('15', '25');
