-- One row for each task of funcX or Globus Compute, with the hops of its way from the client to a
-- worker and back, in unix seconds. A hop that no imported log tells of is NULL: any of the client's,
-- the service's, the endpoint's and the workers' logs may be missing. Tasks of clients whose log is
-- not here have no client_uuid. All of funcX's uuids begin with the same 12 digits, 6205a822e48d.
CREATE VIEW funcx_task AS
SELECT
  json_extract(task.attributes, '$."funcx.task.id"') AS task_id,  -- its UUID; NULL: the client never learned it
  (SELECT json_extract(attributes, '$."funcx.task.number"') FROM span WHERE uuid = task.client_uuid) AS number,  -- the client's own number of it
  (
    SELECT min(superspan_uuid) FROM subspan
    WHERE subspan_uuid = task.client_uuid
      AND superspan_uuid > '6205a822e48da1' AND superspan_uuid < '6205a822e48da1g'
  ) AS client_uuid,  -- the start of the client that submitted it; NULL: of no client whose log is here
  coalesce(
    (
      SELECT min(json_extract(attributes, '$."funcx.endpoint.id"'))
      FROM subspan JOIN span ON uuid = superspan_uuid
      WHERE subspan_uuid = '6205a822e48db8' || task.digits
        AND superspan_uuid > '6205a822e48db4' AND superspan_uuid < '6205a822e48db4g'
    ),
    (
      SELECT json_extract(attributes, '$."funcx.endpoint.id"') FROM span
      WHERE uuid = '6205a822e48df8' || task.digits
    )
  ) AS endpoint_id,  -- the UUID of the endpoint that had it
  coalesce(
    (
      SELECT json_extract(attributes, '$."parsl.manager.id"')
      FROM subspan JOIN span ON uuid = superspan_uuid
      WHERE subspan_uuid = '6205a822e48dd8' || task.digits
        AND superspan_uuid > '6205a822e48dd7' AND superspan_uuid < '6205a822e48dd7g'
      ORDER BY superspan_uuid LIMIT 1
    ),
    (
      SELECT json_extract(attributes, '$."parsl.manager.id"')
      FROM subspan JOIN span ON uuid = superspan_uuid
      WHERE subspan_uuid = substr(task.executor_task, 1, 12) || '58' || substr(task.executor_task, 15)
        AND superspan_uuid > substr(task.executor_task, 1, 12) || '57'
        AND superspan_uuid < substr(task.executor_task, 1, 12) || '57g'
      ORDER BY superspan_uuid LIMIT 1
    ),
    (
      SELECT json_extract(attributes, '$."parsl.manager.id"') FROM event
      WHERE span_uuid = '6205a822e48db8' || task.digits AND type = 'interchange.sent' LIMIT 1
    )
  ) AS manager_id,  -- the uid of the manager
  coalesce(
    (
      SELECT json_extract(attributes, '$."parsl.worker.id"')
      FROM subspan JOIN span ON uuid = superspan_uuid
      WHERE subspan_uuid = '6205a822e48dd8' || task.digits
        AND superspan_uuid > '6205a822e48dd7' AND superspan_uuid < '6205a822e48dd7g'
      ORDER BY superspan_uuid LIMIT 1
    ),
    (
      SELECT json_extract(attributes, '$."parsl.worker.id"')
      FROM subspan JOIN span ON uuid = superspan_uuid
      WHERE subspan_uuid = substr(task.executor_task, 1, 12) || '58' || substr(task.executor_task, 15)
        AND superspan_uuid > substr(task.executor_task, 1, 12) || '57'
        AND superspan_uuid < substr(task.executor_task, 1, 12) || '57g'
      ORDER BY superspan_uuid LIMIT 1
    )
  ) AS worker_id,  -- its number in its manager
  CAST(substr(task.executor_task, 21) AS INTEGER) AS executor_task_id,  -- the number that Parsl's executor gave it (inferred); NULL in funcX's own
  (SELECT min(time) FROM event WHERE span_uuid = task.client_uuid AND type = 'submit') AS submit,  -- the client begins to submit it
  (SELECT min(time) FROM event WHERE span_uuid = task.client_uuid AND type = 'submitted') AS submitted,  -- the client is done with that
  (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48de8' || task.digits AND type = 'funcx_web_service-received') AS cloud_received,  -- the web service has it
  (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48de8' || task.digits AND type = 'funcx_forwarder.forwarder-dispatched_to_endpoint') AS cloud_dispatched,  -- the service sends it to the endpoint
  coalesce(
    (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48db8' || task.digits AND type = 'endpoint.received'),
    (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48df8' || task.digits AND type = 'RECEIVED')
  ) AS endpoint_received,  -- the endpoint has it
  coalesce(
    (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48db8' || task.digits AND type = 'interchange.received'),
    (SELECT min(time) FROM event WHERE span_uuid = substr(task.executor_task, 1, 12) || '38' || substr(task.executor_task, 15) AND type = 'interchange_received_task')
  ) AS interchange_received,  -- the endpoint's interchange has it
  coalesce(
    (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48db8' || task.digits AND type = 'interchange.sent'),
    (SELECT min(time) FROM event WHERE span_uuid = substr(task.executor_task, 1, 12) || '38' || substr(task.executor_task, 15) AND type = 'interchange_to_manager')
  ) AS interchange_sent,  -- sent to a manager (logged after sending)
  coalesce(
    (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48dc8' || task.digits AND type = 'manager.received'),
    (SELECT min(time) FROM event WHERE span_uuid = substr(task.executor_task, 1, 12) || '48' || substr(task.executor_task, 15) AND type = 'manager_got_task')
  ) AS manager_received,  -- by the worker host's clock
  (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48dc8' || task.digits AND type = 'manager.sent') AS manager_sent,  -- sent to a worker
  coalesce(
    (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48dd8' || task.digits AND type = 'worker.received'),
    (SELECT min(time) FROM event WHERE span_uuid = substr(task.executor_task, 1, 12) || '58' || substr(task.executor_task, 15) AND type = 'worker_received_task')
  ) AS worker_received,  -- by the worker host's clock
  (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48dd8' || task.digits AND type = 'worker.executing') AS worker_executing,  -- the worker unpacks it
  (SELECT min(time) FROM event WHERE span_uuid = task.client_uuid AND type = 'remote.start') AS remote_start,  -- its body begins, as it says itself
  (SELECT min(time) FROM event WHERE span_uuid = task.client_uuid AND type = 'remote.end') AS remote_end,  -- its body is done, as it says itself
  (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48dd8' || task.digits AND type = 'worker.executed') AS worker_executed,  -- the worker has its result; NULL if it raised
  coalesce(
    (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48dd8' || task.digits AND type = 'worker.completed'),
    (SELECT min(time) FROM event WHERE span_uuid = substr(task.executor_task, 1, 12) || '58' || substr(task.executor_task, 15) AND type = 'worker_completed_task')
  ) AS worker_completed,  -- by the worker host's clock
  coalesce(
    (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48dd8' || task.digits AND type = 'worker.sending'),
    (SELECT min(time) FROM event WHERE span_uuid = substr(task.executor_task, 1, 12) || '58' || substr(task.executor_task, 15) AND type = 'worker_all_finished_task')
  ) AS worker_sending,  -- the result goes to the manager
  (SELECT min(time) FROM event WHERE span_uuid = substr(task.executor_task, 1, 12) || '38' || substr(task.executor_task, 15) AND type = 'interchange_removing_task') AS interchange_result,  -- the executor's interchange has the result
  coalesce(
    (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48db8' || task.digits AND type = 'endpoint.forwarded'),
    (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48df8' || task.digits AND type = 'EXEC_END')
  ) AS endpoint_forwarded,  -- the endpoint passes the result on to the service
  (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48de8' || task.digits AND type = 'funcx_forwarder.forwarder-result_enqueued') AS cloud_result,  -- the service has the result
  (SELECT min(time) FROM event WHERE span_uuid = '6205a822e48de8' || task.digits AND type = 'funcx_websocket_service.server-dispatched_to_user') AS cloud_sent,  -- the service sends it to the client
  (SELECT min(time) FROM event WHERE span_uuid = task.client_uuid AND type = 'retrieved') AS retrieved,  -- the client has the result
  coalesce(
    (SELECT status_message FROM span WHERE uuid = '6205a822e48dd8' || task.digits),
    (
      SELECT json_extract(attributes, '$."exception.message"') FROM event
      WHERE span_uuid = '6205a822e48db8' || task.digits AND type = 'error' LIMIT 1
    )
  ) AS error,  -- what it failed of, as far as is told
  CASE
    WHEN EXISTS (
        SELECT 1 FROM span
        WHERE uuid IN ('6205a822e48dd8' || task.digits, '6205a822e48df8' || task.digits)
          AND status_code = 2
      )
      OR EXISTS (
        SELECT 1 FROM event
        WHERE span_uuid = '6205a822e48db8' || task.digits AND type = 'endpoint.failed'
      )
    THEN 'failed'
    ELSE (
      SELECT hop.column2
      FROM event
      JOIN (
        VALUES
          ('submit', 'submit', 1),
          ('submitted', 'submitted', 2),
          ('endpoint.received', 'endpoint.received', 3),
          ('RECEIVED', 'endpoint.received', 3),
          ('interchange.received', 'interchange.received', 4),
          ('interchange_received_task', 'interchange.received', 4),
          ('interchange.sent', 'interchange.sent', 5),
          ('interchange_to_manager', 'interchange.sent', 5),
          ('manager.received', 'manager.received', 6),
          ('manager_got_task', 'manager.received', 6),
          ('manager.sent', 'manager.sent', 7),
          ('worker.received', 'worker.received', 8),
          ('worker_received_task', 'worker.received', 8),
          ('worker.executing', 'worker.executing', 9),
          ('worker.completed', 'worker.completed', 10),
          ('worker_completed_task', 'worker.completed', 10),
          ('worker.sending', 'worker.sending', 11),
          ('worker_all_finished_task', 'worker.sending', 11),
          ('interchange_removing_task', 'interchange.result', 12),
          ('endpoint.stored', 'endpoint.stored', 13),
          ('endpoint.forwarded', 'endpoint.forwarded', 14),
          ('EXEC_END', 'endpoint.forwarded', 14),
          ('retrieved', 'retrieved', 15)
      ) AS hop ON hop.column1 = event.type
      WHERE event.span_uuid IN (
        task.client_uuid, '6205a822e48db8' || task.digits, '6205a822e48dc8' || task.digits,
        '6205a822e48dd8' || task.digits, '6205a822e48df8' || task.digits,
        substr(task.executor_task, 1, 12) || '38' || substr(task.executor_task, 15),
        substr(task.executor_task, 1, 12) || '48' || substr(task.executor_task, 15),
        substr(task.executor_task, 1, 12) || '58' || substr(task.executor_task, 15)
      )
      ORDER BY hop.column3 DESC LIMIT 1
    )
  END AS state,  -- failed, or the furthest that any log tells of
  task.uuid AS uuid  -- the first account of it
FROM (
  SELECT
    account.uuid, account.attributes, account.digits, account.client_uuid,
    (
      SELECT min(subspan_uuid) FROM subspan
      WHERE superspan_uuid = '6205a822e48db8' || account.digits
    ) AS executor_task
  FROM (
    SELECT uuid, attributes, substr(uuid, 15) AS digits, '6205a822e48da8' || substr(uuid, 15) AS client_uuid
    FROM span WHERE uuid > '6205a822e48da8' AND uuid < '6205a822e48da8g'
    UNION ALL
    SELECT uuid, attributes, substr(uuid, 15), uuid
    FROM span WHERE uuid > '6205a822e48da2' AND uuid < '6205a822e48da2g'
    UNION ALL
    SELECT uuid, attributes, substr(uuid, 15) AS digits, '6205a822e48da8' || substr(uuid, 15) AS client_uuid
    FROM span WHERE uuid > '6205a822e48db8' AND uuid < '6205a822e48db8g'
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48da8' || substr(span.uuid, 15))
    UNION ALL
    SELECT uuid, attributes, substr(uuid, 15) AS digits, '6205a822e48da8' || substr(uuid, 15) AS client_uuid
    FROM span WHERE uuid > '6205a822e48dc8' AND uuid < '6205a822e48dc8g'
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48da8' || substr(span.uuid, 15))
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48db8' || substr(span.uuid, 15))
    UNION ALL
    SELECT uuid, attributes, substr(uuid, 15) AS digits, '6205a822e48da8' || substr(uuid, 15) AS client_uuid
    FROM span WHERE uuid > '6205a822e48dd8' AND uuid < '6205a822e48dd8g'
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48da8' || substr(span.uuid, 15))
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48db8' || substr(span.uuid, 15))
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48dc8' || substr(span.uuid, 15))
    UNION ALL
    SELECT uuid, attributes, substr(uuid, 15) AS digits, '6205a822e48da8' || substr(uuid, 15) AS client_uuid
    FROM span WHERE uuid > '6205a822e48de8' AND uuid < '6205a822e48de8g'
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48da8' || substr(span.uuid, 15))
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48db8' || substr(span.uuid, 15))
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48dc8' || substr(span.uuid, 15))
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48dd8' || substr(span.uuid, 15))
    UNION ALL
    SELECT uuid, attributes, substr(uuid, 15) AS digits, '6205a822e48da8' || substr(uuid, 15) AS client_uuid
    FROM span WHERE uuid > '6205a822e48df8' AND uuid < '6205a822e48df8g'
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48da8' || substr(span.uuid, 15))
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48db8' || substr(span.uuid, 15))
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48dc8' || substr(span.uuid, 15))
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48dd8' || substr(span.uuid, 15))
      AND NOT EXISTS (SELECT 1 FROM span AS known WHERE known.uuid = '6205a822e48de8' || substr(span.uuid, 15))
  ) AS account
) AS task;
