-- A task of TaskVine's that reads what another wrote depends on it. The link is its graph's, and goes
-- with it.
INSERT OR IGNORE INTO link (span_uuid, linked_uuid, type, ordinal, source_id)
SELECT reads.span_uuid, writes.span_uuid, 'depends_on', 0, reads.source_id
FROM temp.touched
JOIN span AS file ON file.uuid = touched.uuid AND file.type = 'taskvine.file'
JOIN link AS writes ON writes.linked_uuid = file.uuid AND writes.type = 'writes'
JOIN link AS reads ON reads.linked_uuid = file.uuid AND reads.type = 'reads'
WHERE reads.span_uuid <> writes.span_uuid;
