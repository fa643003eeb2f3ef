-- The events of the rows of otlp_span, whichever account tells of them.
CREATE VIEW otlp_event AS
SELECT
  CASE
    WHEN substr(event.span_uuid, 13, 1) BETWEEN '1' AND '7'
      AND substr(event.span_uuid, 13, 2) NOT IN ('38', '48', '58')
      AND account.type NOT IN ('otel.span', 'jaeger.span', 'zipkin.span')
      AND account.original_span_id IS NULL
    THEN substr(event.span_uuid, 1, 12) || '0' || substr(event.span_uuid, 14)
    ELSE event.span_uuid
  END AS uuid,  -- of otlp_span
  event.time_unix_nano AS time_unix_nano,  -- exact
  event.type AS name,  -- as its source spells it: running_ended
  event.attributes AS attributes,  -- a JSON object
  event.note AS note,  -- free words
  source.path AS source,  -- the file that tells of it
  event.line AS line,  -- where in it
  event.dropped_attributes_count AS dropped_attributes_count,  -- OTLP's
  event.span_uuid AS account_uuid  -- the account that it is in: span.uuid
FROM event
LEFT JOIN span AS account ON account.uuid = event.span_uuid
LEFT JOIN source ON source.id = event.source_id;
