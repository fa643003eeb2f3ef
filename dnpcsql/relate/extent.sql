-- Start, end and status of each span whose source does not state them, from its events in that
-- source: what other files tell of it does not move its ends. A span of Parsl's has ended when an
-- event says so, and so have funcX's tasks: one that was cut off stays open, and so does one of
-- Work Queue's or TaskVine's, of which the importer says it. Spans of other logs end with their last
-- event, if it is behind the start that their source states. Spans of other programs' tracing stay
-- as they came.
UPDATE span
SET (start_unix_nano, end_unix_nano, status_code) = (
  SELECT
    coalesce(span.start_unix_nano, min(event.time_unix_nano)),
    coalesce(
      span.end_unix_nano,
      max(
        CASE
          WHEN event.type IN (
            'returned', 'exec_done', 'memo_done', 'failed', 'dep_fail', 'fail_retryable',
            'interchange_removing_task', 'interchange_cancelling_task', 'worker_completed_task',
            'worker_all_finished_task', 'retrieved', 'endpoint.forwarded', 'endpoint.failed',
            'worker.completed', 'worker.sending', 'manager.sent',
            'lost', 'drained', 'COMPLETED', 'FAILED', 'CANCELLED', 'TIMEOUT', 'SCALED_IN', 'MISSING'
          )
          OR (
            (substr(span.type, 1, 6) <> 'parsl.' OR substr(span.type, 1, 14) = 'parsl.tracing.')
            AND (span.start_unix_nano IS NULL OR event.time_unix_nano > span.start_unix_nano)
            AND span.type NOT LIKE 'workqueue.%' AND span.type NOT LIKE 'taskvine.%'
            AND span.type NOT IN (
              'funcx.client.task', 'funcx.endpoint.task', 'funcx.manager.task', 'funcx.worker.task'
            )
          )
          THEN event.time_unix_nano
        END
      )
    ),
    coalesce(
      span.status_code,
      max(
        CASE
          WHEN event.type IN ('failed', 'dep_fail', 'fail_retryable', 'FAILED') THEN 2
          WHEN event.type IN ('exec_done', 'memo_done') THEN 1
        END
      )
    )
  FROM event
  WHERE event.span_uuid = span.uuid AND event.source_id = span.source_id
)
WHERE uuid IN (SELECT uuid FROM temp.touched)
  AND type NOT IN ('otel.span', 'jaeger.span', 'zipkin.span')
  AND (
    start_unix_nano IS NULL OR end_unix_nano IS NULL
    -- Of a task the database tells both ends, and its events tell of no failure.
    OR (status_code IS NULL AND type <> 'parsl.monitoring.task')
  );
