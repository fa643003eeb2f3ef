-- How long from one event to another, of one span or anywhere in a tree. A tree is all below a task,
-- whoever tells of it; in logs of your own and other programs' traces, below an outermost span. Of
-- each type the earliest counts. A row for each span or tree that has either of the two; what is
-- missing is NULL and said. In a span, `start` and `end` are such events too. Say which two types, and
-- which scope: all pairs of all types are a great many.
CREATE VIEW event_pair AS
SELECT
  CASE
    WHEN span.type IN ('otel.span', 'jaeger.span', 'zipkin.span') THEN NULL
    ELSE substr(span.trace_high, 1, 8) || '-' || substr(span.trace_high, 9, 4) || '-' || substr(span.trace_high, 13, 4)
    || '-' || substr(span.trace_high, 17, 4) || '-' || substr(span.uuid, 1, 12)
  END AS run_id,  -- the run; NULL for other programs' traces
  'span' AS scope,  -- span: both are events of one span; tree: of anything below span_uuid
  span.uuid AS span_uuid,  -- whose; in a task's tree the task's own id, as in parsl_task.uuid
  span.type AS span_type,  -- its type; of a task's tree parsl.task
  CASE
    WHEN span.type IN ('parsl.monitoring.try', 'parsl.rundir.try') THEN coalesce(
      (SELECT name FROM span AS task WHERE task.uuid = substr(span.uuid, 1, 12) || '12' || substr(span.uuid, 15, 10) || '0000'),
      (SELECT name FROM span AS task WHERE task.uuid = substr(span.uuid, 1, 12) || '22' || substr(span.uuid, 15, 10) || '0000')
    )
    ELSE span.name
  END AS app,  -- the app's name, or what the span is called
  pair.first_type AS first_type,  -- of the one event
  pair.second_type AS second_type,  -- of the other
  pair.first_unix_nano AS first_unix_nano,  -- exact
  pair.second_unix_nano AS second_unix_nano,  -- exact
  pair.first_unix_nano / 1e9 AS first_time,  -- unix seconds
  pair.second_unix_nano / 1e9 AS second_time,  -- unix seconds
  (pair.second_unix_nano - pair.first_unix_nano) / 1e9 AS duration_s,  -- from the one to the other, seconds; below 0 where the other came first
  pair.first_events AS first_events,  -- how many of the one type there are; the earliest counts
  pair.second_events AS second_events,  -- how many of the other
  CASE
    WHEN pair.first_unix_nano IS NULL THEN 'first'
    WHEN pair.second_unix_nano IS NULL THEN 'second'
  END AS missing  -- first, second, or NULL: both are there
FROM (
  SELECT
    event.span_uuid AS span_uuid, one.type AS first_type, other.type AS second_type,
    min(CASE WHEN event.type = one.type THEN event.time_unix_nano END) AS first_unix_nano,
    min(CASE WHEN event.type = other.type THEN event.time_unix_nano END) AS second_unix_nano,
    sum(event.type = one.type) AS first_events, sum(event.type = other.type) AS second_events
  -- In the events' own order, so that they need no sorting.
  FROM event
  CROSS JOIN event_type AS one
  CROSS JOIN event_type AS other
  WHERE event.type IN (one.type, other.type)
    AND one.type NOT IN ('start', 'end') AND other.type NOT IN ('start', 'end')
  GROUP BY event.span_uuid, one.type, other.type
) AS pair
CROSS JOIN span ON span.uuid = pair.span_uuid
UNION ALL
SELECT
  CASE
    WHEN bound.type IN ('otel.span', 'jaeger.span', 'zipkin.span') THEN NULL
    ELSE substr(bound.trace_high, 1, 8) || '-' || substr(bound.trace_high, 9, 4) || '-' || substr(bound.trace_high, 13, 4)
    || '-' || substr(bound.trace_high, 17, 4) || '-' || substr(bound.uuid, 1, 12)
  END,
  'span', bound.uuid, bound.type,
  CASE
    WHEN bound.type IN ('parsl.monitoring.try', 'parsl.rundir.try') THEN coalesce(
      (SELECT name FROM span AS task WHERE task.uuid = substr(bound.uuid, 1, 12) || '12' || substr(bound.uuid, 15, 10) || '0000'),
      (SELECT name FROM span AS task WHERE task.uuid = substr(bound.uuid, 1, 12) || '22' || substr(bound.uuid, 15, 10) || '0000')
    )
    ELSE bound.name
  END,
  bound.first_type, bound.second_type, bound.first, bound.second, bound.first / 1e9,
  bound.second / 1e9, (bound.second - bound.first) / 1e9,
  CASE
    WHEN bound.first_type IN ('start', 'end') THEN bound.first IS NOT NULL
    ELSE (SELECT count(*) FROM event WHERE span_uuid = bound.uuid AND type = bound.first_type)
  END,
  CASE
    WHEN bound.second_type IN ('start', 'end') THEN bound.second IS NOT NULL
    ELSE (SELECT count(*) FROM event WHERE span_uuid = bound.uuid AND type = bound.second_type)
  END,
  CASE WHEN bound.first IS NULL THEN 'first' WHEN bound.second IS NULL THEN 'second' END
FROM (
  SELECT
    span.uuid, span.trace_high, span.type, span.name,
    one.type AS first_type, other.type AS second_type,
    CASE one.type
      WHEN 'start' THEN span.start_unix_nano
      WHEN 'end' THEN span.end_unix_nano
      ELSE (
        SELECT time_unix_nano FROM event WHERE span_uuid = span.uuid AND event.type = one.type
        ORDER BY time_unix_nano LIMIT 1
      )
    END AS first,
    CASE other.type
      WHEN 'start' THEN span.start_unix_nano
      WHEN 'end' THEN span.end_unix_nano
      ELSE (
        SELECT time_unix_nano FROM event WHERE span_uuid = span.uuid AND event.type = other.type
        ORDER BY time_unix_nano LIMIT 1
      )
    END AS second
  FROM event_type AS one
  CROSS JOIN event_type AS other
  CROSS JOIN span
  WHERE one.type IN ('start', 'end') OR other.type IN ('start', 'end')
) AS bound
WHERE bound.first IS NOT NULL OR bound.second IS NOT NULL
UNION ALL
SELECT
  CASE
    WHEN root.type IN ('otel.span', 'jaeger.span', 'zipkin.span') THEN NULL
    ELSE substr(root.trace_high, 1, 8) || '-' || substr(root.trace_high, 9, 4) || '-' || substr(root.trace_high, 13, 4)
    || '-' || substr(root.trace_high, 17, 4) || '-' || substr(root.uuid, 1, 12)
  END,
  'tree', pair.tree_uuid,
  CASE WHEN substr(pair.tree_uuid, 13, 2) = '02' THEN 'parsl.task' ELSE root.type END,
  root.name, pair.first_type, pair.second_type, pair.first_unix_nano, pair.second_unix_nano,
  pair.first_unix_nano / 1e9, pair.second_unix_nano / 1e9,
  (pair.second_unix_nano - pair.first_unix_nano) / 1e9, pair.first_events, pair.second_events,
  CASE
    WHEN pair.first_unix_nano IS NULL THEN 'first'
    WHEN pair.second_unix_nano IS NULL THEN 'second'
  END
FROM (
  SELECT
    CASE
      WHEN (SELECT substr(type, 1, 6) FROM span WHERE uuid = event.span_uuid) <> 'parsl.' THEN (
        WITH RECURSIVE above(uuid, steps) AS (
          SELECT event.span_uuid, 0
          UNION
          SELECT superspan_uuid, steps + 1
          FROM above JOIN subspan ON subspan_uuid = above.uuid
          WHERE steps < 100
        )
        SELECT above.uuid FROM above JOIN span ON span.uuid = above.uuid
        ORDER BY steps DESC, above.uuid LIMIT 1
      )
      -- Accounts of a task or of a try: the task's number is in their ids.
      WHEN substr(event.span_uuid, 13, 2) IN ('12', '13', '22', '23')
      THEN substr(event.span_uuid, 1, 12) || '02' || substr(event.span_uuid, 15, 10) || '0000'
      -- What executor, interchange, manager and worker do for a try.
      WHEN substr(event.span_uuid, 13, 2) IN ('28', '38', '48', '58')
      THEN (
        SELECT substr(event.span_uuid, 1, 12) || '02' || substr(superspan_uuid, 15, 10) || '0000'
        FROM subspan
        WHERE subspan_uuid = substr(event.span_uuid, 1, 12) || '28' || substr(event.span_uuid, 15)
          AND superspan_uuid > substr(event.span_uuid, 1, 12) || '23'
          AND superspan_uuid < substr(event.span_uuid, 1, 12) || '23g'
        LIMIT 1
      )
    END AS tree_uuid,
    one.type AS first_type, other.type AS second_type,
    min(CASE WHEN event.type = one.type THEN event.time_unix_nano END) AS first_unix_nano,
    min(CASE WHEN event.type = other.type THEN event.time_unix_nano END) AS second_unix_nano,
    sum(event.type = one.type) AS first_events, sum(event.type = other.type) AS second_events
  FROM event_type AS one
  CROSS JOIN event_type AS other
  CROSS JOIN event
  WHERE event.type IN (one.type, other.type)
    AND one.type NOT IN ('start', 'end') AND other.type NOT IN ('start', 'end')
  GROUP BY 1, one.type, other.type
) AS pair
CROSS JOIN span AS root
  ON root.uuid = coalesce(
    (
      SELECT uuid FROM span
      WHERE uuid = substr(pair.tree_uuid, 1, 12) || '12' || substr(pair.tree_uuid, 15)
        AND substr(pair.tree_uuid, 13, 2) = '02'
    ),
    (
      SELECT uuid FROM span
      WHERE uuid = substr(pair.tree_uuid, 1, 12) || '22' || substr(pair.tree_uuid, 15)
        AND substr(pair.tree_uuid, 13, 2) = '02'
    ),
    pair.tree_uuid
  );
