-- The links of the rows of otlp_span: what a span refers to that is not its parent. What is linked
-- to is a row there too, unless the link itself has the trace id of another program's span.
CREATE VIEW otlp_link AS
SELECT
  CASE
    WHEN substr(link.span_uuid, 13, 1) BETWEEN '1' AND '7'
      AND substr(link.span_uuid, 13, 2) NOT IN ('38', '48', '58')
    THEN substr(link.span_uuid, 1, 12) || '0' || substr(link.span_uuid, 14)
    ELSE link.span_uuid
  END AS uuid,  -- of otlp_span
  CASE
    WHEN substr(link.linked_uuid, 13, 1) BETWEEN '1' AND '7' AND substr(link.linked_uuid, 13, 2) NOT IN ('38', '48', '58')
      AND coalesce(target.original_span_id IS NULL AND target.type NOT IN ('otel.span', 'jaeger.span', 'zipkin.span'), 1)
    THEN substr(link.linked_uuid, 1, 12) || '0' || substr(link.linked_uuid, 14)
    ELSE link.linked_uuid
  END AS linked_uuid,  -- of otlp_span, where it is here
  link.type AS type,  -- depends_on, joins: the later to the earlier; within: held by it, and by its parent; facet: the same thing
  link.ordinal AS ordinal,  -- its place among those of its type
  link.trace_id AS trace_id,  -- of the linked span, where it is foreign
  link.span_id AS span_id,  -- of the linked span, where it is foreign
  link.trace_state AS trace_state,  -- W3C tracestate
  link.flags AS flags,  -- OTLP's
  link.attributes AS attributes,  -- a JSON object
  link.dropped_attributes_count AS dropped_attributes_count,  -- OTLP's
  link.span_uuid AS account_uuid  -- the account that it is in: span.uuid
FROM link
LEFT JOIN span AS target ON target.uuid = link.linked_uuid
WHERE link.type NOT IN ('otel', 'parsl', 'worker')
  AND (link.trace_id IS NOT NULL OR (
    target.uuid IS NOT NULL
    OR substr(link.linked_uuid, 13, 1) BETWEEN '1' AND '7' AND substr(link.linked_uuid, 14, 1) <> '8' AND EXISTS (
      SELECT 1 FROM span
      WHERE uuid IN (
        substr(link.linked_uuid, 1, 12) || '1' || substr(link.linked_uuid, 14), substr(link.linked_uuid, 1, 12) || '2' || substr(link.linked_uuid, 14), substr(link.linked_uuid, 1, 12) || '3' || substr(link.linked_uuid, 14),
        substr(link.linked_uuid, 1, 12) || '4' || substr(link.linked_uuid, 14), substr(link.linked_uuid, 1, 12) || '5' || substr(link.linked_uuid, 14), substr(link.linked_uuid, 1, 12) || '6' || substr(link.linked_uuid, 14), substr(link.linked_uuid, 1, 12) || '7' || substr(link.linked_uuid, 14)
      )
    )
  ))
  -- monitoring.db tells the same
  AND NOT EXISTS (
    SELECT 1 FROM link AS other
    WHERE other.span_uuid = substr(link.span_uuid, 1, 12) || '1' || substr(link.span_uuid, 14)
      AND other.linked_uuid = substr(link.linked_uuid, 1, 12) || '1' || substr(link.linked_uuid, 14)
      AND other.type = link.type
      AND substr(link.span_uuid, 13, 1) = '2'
  )
UNION ALL
-- What interchange, manager and worker do for a task lies in the executor's task, and on them.
SELECT
  subspan_uuid,
  CASE
    WHEN substr(superspan_uuid, 13, 1) BETWEEN '1' AND '7' AND substr(superspan_uuid, 13, 2) NOT IN ('38', '48', '58')
      AND coalesce(target.original_span_id IS NULL AND target.type NOT IN ('otel.span', 'jaeger.span', 'zipkin.span'), 1)
    THEN substr(superspan_uuid, 1, 12) || '0' || substr(superspan_uuid, 14)
    ELSE superspan_uuid
  END,
  'within', 0, NULL, NULL, NULL, NULL, NULL, NULL, subspan_uuid
FROM subspan
LEFT JOIN span AS target ON target.uuid = superspan_uuid
WHERE (substr(subspan_uuid, 13, 2) IN ('38', '48', '58') OR substr(subspan_uuid, 13, 1) NOT BETWEEN '1' AND '7')
  AND key <> 'otel' AND key <> 'parsl'
  AND (
    target.uuid IS NOT NULL
    OR substr(superspan_uuid, 13, 1) BETWEEN '1' AND '7' AND substr(superspan_uuid, 14, 1) <> '8' AND EXISTS (
      SELECT 1 FROM span
      WHERE uuid IN (
        substr(superspan_uuid, 1, 12) || '1' || substr(superspan_uuid, 14), substr(superspan_uuid, 1, 12) || '2' || substr(superspan_uuid, 14), substr(superspan_uuid, 1, 12) || '3' || substr(superspan_uuid, 14),
        substr(superspan_uuid, 1, 12) || '4' || substr(superspan_uuid, 14), substr(superspan_uuid, 1, 12) || '5' || substr(superspan_uuid, 14), substr(superspan_uuid, 1, 12) || '6' || substr(superspan_uuid, 14), substr(superspan_uuid, 1, 12) || '7' || substr(superspan_uuid, 14)
      )
    )
  )
UNION ALL
-- Two accounts of one thing that have no id in common.
SELECT
  right_uuid,
  CASE
    WHEN substr(left_uuid, 13, 1) BETWEEN '1' AND '7' AND substr(left_uuid, 13, 2) NOT IN ('38', '48', '58')
      AND coalesce(target.original_span_id IS NULL AND target.type NOT IN ('otel.span', 'jaeger.span', 'zipkin.span'), 1)
    THEN substr(left_uuid, 1, 12) || '0' || substr(left_uuid, 14)
    ELSE left_uuid
  END,
  'facet', 0, NULL, NULL, NULL, NULL, NULL, NULL, right_uuid
FROM facet
LEFT JOIN span AS target ON target.uuid = left_uuid
WHERE substr(right_uuid, 14) <> substr(left_uuid, 14)
  AND (
    target.uuid IS NOT NULL
    OR substr(left_uuid, 13, 1) BETWEEN '1' AND '7' AND substr(left_uuid, 14, 1) <> '8' AND EXISTS (
      SELECT 1 FROM span
      WHERE uuid IN (
        substr(left_uuid, 1, 12) || '1' || substr(left_uuid, 14), substr(left_uuid, 1, 12) || '2' || substr(left_uuid, 14), substr(left_uuid, 1, 12) || '3' || substr(left_uuid, 14),
        substr(left_uuid, 1, 12) || '4' || substr(left_uuid, 14), substr(left_uuid, 1, 12) || '5' || substr(left_uuid, 14), substr(left_uuid, 1, 12) || '6' || substr(left_uuid, 14), substr(left_uuid, 1, 12) || '7' || substr(left_uuid, 14)
      )
    )
  )
UNION ALL
SELECT
  span_uuid, linked_uuid, type, ordinal, trace_id, span_id, trace_state, flags, attributes,
  dropped_attributes_count, span_uuid
FROM link
WHERE type = 'otel';
