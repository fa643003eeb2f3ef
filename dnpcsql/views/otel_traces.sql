-- Every span by the names of ClickHouse's table otel_traces, for those who know these. Maps and
-- arrays are JSON text. Each account is a row: what several files tell of one thing stands there
-- several times, but otlp_span has it folded into one.
CREATE VIEW otel_traces AS
SELECT
  strftime('%Y-%m-%d %H:%M:%S', span.start_unix_nano / 1000000000, 'unixepoch')
    || printf('.%09d', span.start_unix_nano % 1000000000) AS "Timestamp",  -- its start, UTC, exact
  span.trace_id AS TraceId,  -- 32 hex digits
  span.span_id AS SpanId,  -- 16 hex digits
  coalesce(
    (SELECT parent.span_id FROM span AS parent WHERE parent.uuid = span.parent_uuid),
    substr(span.parent_uuid, 13), ''
  ) AS ParentSpanId,  -- 16 hex digits; empty for a root
  coalesce(span.trace_state, '') AS TraceState,  -- W3C tracestate
  coalesce(span.name, span.type) AS SpanName,  -- of low cardinality: the app's name
  CASE span.kind
    WHEN 2 THEN 'Server' WHEN 3 THEN 'Client' WHEN 4 THEN 'Producer' WHEN 5 THEN 'Consumer'
    WHEN 1 THEN 'Internal' ELSE 'Unspecified'
  END AS SpanKind,  -- Internal, Server, Client, Producer, Consumer or Unspecified
  coalesce(
    json_extract(resource.attributes, '$."service.name"'),
    CASE
      WHEN span.type LIKE 'parsl.executor.htex.interchange%' THEN 'parsl-interchange'
      WHEN span.type LIKE 'parsl.executor.htex.manager%' THEN 'parsl-manager'
      WHEN span.type LIKE 'parsl.executor.htex.worker%' THEN 'parsl-worker'
      WHEN span.type LIKE 'workqueue.%' THEN 'workqueue'
      WHEN span.type LIKE 'parsl.%' THEN 'parsl-workflow'
      ELSE ''
    END
  ) AS ServiceName,  -- who told
  coalesce(resource.attributes, '{}') AS ResourceAttributes,  -- JSON
  coalesce(scope.name, '') AS ScopeName,  -- the instrumentation
  coalesce(scope.version, '') AS ScopeVersion,  -- its version
  coalesce(span.attributes, '{}') AS SpanAttributes,  -- JSON
  span.end_unix_nano - span.start_unix_nano AS Duration,  -- nanoseconds; NULL: never ended, as far as is known
  CASE span.status_code WHEN 1 THEN 'Ok' WHEN 2 THEN 'Error' ELSE 'Unset' END AS StatusCode,  -- Unset, Ok or Error
  coalesce(span.status_message, '') AS StatusMessage,  -- what went wrong
  (
    SELECT json_group_array(
      strftime('%Y-%m-%d %H:%M:%S', time_unix_nano / 1000000000, 'unixepoch') || printf('.%09d', time_unix_nano % 1000000000)
    )
    FROM event WHERE span_uuid = span.uuid
  ) AS "Events.Timestamp",  -- JSON array, in the order of Events.Name
  (SELECT json_group_array(type) FROM event WHERE span_uuid = span.uuid) AS "Events.Name",  -- JSON array
  (
    SELECT json_group_array(json(coalesce(attributes, '{}'))) FROM event WHERE span_uuid = span.uuid
  ) AS "Events.Attributes",  -- JSON array of objects
  (
    SELECT json_group_array(coalesce(link.trace_id, substr(span.trace_id, 1, 20) || substr(linked_uuid, 1, 12)))
    FROM link WHERE span_uuid = span.uuid
  ) AS "Links.TraceId",  -- JSON array
  (
    SELECT json_group_array(coalesce(link.span_id, substr(linked_uuid, 13)))
    FROM link WHERE span_uuid = span.uuid
  ) AS "Links.SpanId",  -- JSON array
  (
    SELECT json_group_array(coalesce(link.trace_state, '')) FROM link WHERE span_uuid = span.uuid
  ) AS "Links.TraceState",  -- JSON array
  (
    SELECT json_group_array(json(coalesce(link.attributes, '{}'))) FROM link WHERE span_uuid = span.uuid
  ) AS "Links.Attributes"  -- JSON array of objects
FROM span
LEFT JOIN resource ON resource.id = span.resource_id
LEFT JOIN scope ON scope.id = span.scope_id;
