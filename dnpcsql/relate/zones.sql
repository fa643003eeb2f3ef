-- A worker or a manager whose tasks come in by quarters of an hour before their launch or after
-- their return was read by a wrong zone: its file shows none. That is not mended, but told of, with
-- the offset that fits. One task of each is looked at, and all only if that one does not fit.
CREATE TABLE IF NOT EXISTS temp.carrier (
  uuid TEXT PRIMARY KEY, kind TEXT, source_id INTEGER, late INTEGER
) WITHOUT ROWID;

DELETE FROM temp.carrier;

-- Those that were touched, and all of a run of which the submitting side was.
INSERT OR IGNORE INTO temp.carrier (uuid, source_id)
SELECT span.uuid, span.source_id
FROM temp.touched JOIN span ON span.uuid = touched.uuid
WHERE substr(touched.uuid, 13, 2) IN ('46', '57');

INSERT OR IGNORE INTO temp.carrier (uuid, source_id)
SELECT span.uuid, span.source_id
FROM temp.touched
JOIN (SELECT '46' AS told UNION ALL SELECT '57')
JOIN span
  ON span.uuid > substr(touched.uuid, 1, 12) || told
  AND span.uuid < substr(touched.uuid, 1, 12) || told || 'g'
WHERE substr(touched.uuid, 13, 2) IN ('00', '11', '21');

UPDATE temp.carrier
SET kind = substr(uuid, 1, 12) || CASE substr(uuid, 13, 2) WHEN '46' THEN '48' ELSE '58' END;

DELETE FROM problem
WHERE kind = 'zone suspected' AND source_id IN (SELECT source_id FROM temp.carrier);

-- When a carrier's tasks came in, and when they can have been on their way.
CREATE TEMPORARY VIEW IF NOT EXISTS arrival AS
SELECT
  carrier.uuid AS carrier_uuid,
  task.subspan_uuid AS task_uuid,
  (
    SELECT min(time_unix_nano) FROM event
    WHERE span_uuid = task.subspan_uuid AND type IN ('worker_received_task', 'manager_got_task')
  ) AS received,
  (
    SELECT min(time_unix_nano) FROM event
    WHERE span_uuid IN (
        substr(tie.superspan_uuid, 1, 12) || '13' || substr(tie.superspan_uuid, 15),
        substr(tie.superspan_uuid, 1, 12) || '23' || substr(tie.superspan_uuid, 15)
      )
      AND type = 'launched'
  ) AS launched,
  (
    SELECT max(end_unix_nano) FROM span
    WHERE uuid IN (
        substr(tie.superspan_uuid, 1, 12) || '13' || substr(tie.superspan_uuid, 15),
        substr(tie.superspan_uuid, 1, 12) || '23' || substr(tie.superspan_uuid, 15)
      )
  ) AS returned
FROM temp.carrier
JOIN subspan AS task
  ON task.superspan_uuid = carrier.uuid
  AND task.subspan_uuid > carrier.kind AND task.subspan_uuid < carrier.kind || 'g'
JOIN subspan AS tie
  ON tie.subspan_uuid = substr(carrier.kind, 1, 12) || '28' || substr(task.subspan_uuid, 15);

DELETE FROM temp.carrier
WHERE NOT EXISTS (
  SELECT 1 FROM arrival
  WHERE carrier_uuid = carrier.uuid
    AND task_uuid = (
      SELECT min(subspan_uuid) FROM subspan
      WHERE superspan_uuid = carrier.uuid
        AND subspan_uuid > carrier.kind AND subspan_uuid < carrier.kind || 'g'
    )
    AND (received < launched - 600000000000 OR received > returned + 600000000000)
);

-- How late they come in, at least (after their return) and at most (after their launch).
UPDATE temp.carrier
SET late = (
  SELECT CASE
      WHEN late BETWEEN least - 60000000000 AND most + 60000000000 AND late <> 0 THEN late
    END
  FROM (
    SELECT
      least, most,
      CAST(round((least + most) / 2 / 900e9) AS INTEGER) * 900000000000 AS late
    FROM (
      SELECT max(received - returned) AS least, min(received - launched) AS most
      FROM arrival WHERE carrier_uuid = carrier.uuid
    )
  )
);

INSERT INTO problem (source_id, kind, line, text, count)
SELECT
  source_id, 'zone suspected', 0,
  printf(
    'its tasks come in %s h too %s: if its host''s zone is %s, import again with --timezone %s=%s',
    printf('%d:%02d', abs(late) / 60, abs(late) % 60),
    CASE WHEN late > 0 THEN 'late' ELSE 'early' END, zone, place, zone
  ),
  1
FROM (
  SELECT
    source_id, late, place,
    CASE WHEN offset < 0 THEN '-' ELSE '+' END
      || printf('%02d:%02d', abs(offset) / 60, abs(offset) % 60) AS zone
  FROM (
    SELECT
      carrier.source_id, late / 60000000000 AS late,
      rtrim(path, replace(path, '/', '')) AS place,
      late / 60000000000
        + CASE WHEN utc_offset LIKE '-%' THEN -1 ELSE 1 END
        * (substr(utc_offset, 2, 2) * 60 + substr(utc_offset, 5, 2)) AS offset
    FROM temp.carrier JOIN source ON source.id = carrier.source_id
    WHERE late IS NOT NULL AND utc_offset IS NOT NULL
  )
);

UPDATE source
SET problems = (SELECT coalesce(sum(count), 0) FROM problem WHERE source_id = source.id)
WHERE id IN (SELECT source_id FROM temp.carrier);
