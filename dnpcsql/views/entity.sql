-- Which thing each span is an account of. What monitoring.db and parsl.log say of task 7 of a run
-- are two accounts of one thing, and its id is the same whichever of them was imported.
CREATE VIEW entity AS
SELECT
  span.uuid AS span_uuid,  -- the account
  CASE
    WHEN span.original_span_id IS NULL
      AND (span.type LIKE 'parsl.%' OR span.type LIKE 'workqueue.%' OR span.type LIKE 'taskvine.%')
      AND substr(span.uuid, 13, 1) BETWEEN '1' AND '7'
      -- What interchange, manager and worker do for a task are parts of it, not accounts of it.
      AND substr(span.uuid, 13, 2) NOT IN ('38', '48', '58')
    THEN substr(span.uuid, 1, 12) || '0' || substr(span.uuid, 14)
    ELSE coalesce(
      (SELECT min(facet.left_uuid) FROM facet WHERE facet.right_uuid = span.uuid),
      span.uuid
    )
  END AS entity_uuid  -- the thing
FROM span;
