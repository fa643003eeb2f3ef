-- monitoring.db and parsl.log give two accounts of the same run, tasks, tries and blocks. Their
-- ids differ in one digit, which says who tells: 1 and 2.
INSERT OR IGNORE INTO facet (left_uuid, right_uuid, note)
SELECT touched.uuid, logged.uuid, 'same run and name'
FROM temp.touched
JOIN span AS logged
  ON logged.uuid = substr(touched.uuid, 1, 12) || '2' || substr(touched.uuid, 14)
WHERE substr(touched.uuid, 13, 1) = '1' AND logged.type LIKE 'parsl.rundir.%';

INSERT OR IGNORE INTO facet (left_uuid, right_uuid, note)
SELECT stored.uuid, touched.uuid, 'same run and name'
FROM temp.touched
JOIN span AS stored
  ON stored.uuid = substr(touched.uuid, 1, 12) || '1' || substr(touched.uuid, 14)
WHERE substr(touched.uuid, 13, 1) = '2' AND stored.type LIKE 'parsl.monitoring.%';
