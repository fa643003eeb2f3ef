-- One row for each start of a funcX client, with how many of its tasks each account tells of; and
-- one, without uuid, for the tasks of clients whose log is not here: an endpoint serves many. What
-- no account tells of is NULL in funcx_task.
CREATE VIEW funcx_client AS
SELECT
  client.uuid AS uuid,  -- the client's; NULL: the tasks of clients whose log is not here
  json_extract(client.attributes, '$."funcx.task_group.id"') AS task_group_id,  -- as the service calls its tasks
  client.start_unix_nano / 1e9 AS started,  -- unix seconds
  client.end_unix_nano / 1e9 AS ended,  -- unix seconds, of its last record
  count(task.uuid) AS tasks,  -- how many
  count(task.uuid) AS client,  -- of these, those that the client's log tells of
  coalesce(sum(task.endpoint), 0) AS endpoint,  -- of these, those that an endpoint's log tells of
  coalesce(sum(task.worker), 0) AS worker,  -- of these, those that a worker's log tells of
  coalesce(sum(task.cloud), 0) AS cloud  -- of these, those that the service's logs tell of
FROM span AS client
LEFT JOIN (
  SELECT
    superspan_uuid AS client_uuid,
    subspan_uuid AS uuid,
    EXISTS (
      SELECT 1 FROM span
      WHERE uuid IN (
        '6205a822e48db8' || substr(subspan_uuid, 15), '6205a822e48df8' || substr(subspan_uuid, 15)
      )
    ) AS endpoint,
    EXISTS (SELECT 1 FROM span WHERE uuid = '6205a822e48dd8' || substr(subspan_uuid, 15))
      OR EXISTS (
        SELECT 1 FROM subspan AS tie
        JOIN span ON span.uuid = substr(tie.subspan_uuid, 1, 12) || '58' || substr(tie.subspan_uuid, 15)
        WHERE tie.superspan_uuid = '6205a822e48db8' || substr(subspan.subspan_uuid, 15)
      ) AS worker,
    EXISTS (SELECT 1 FROM span WHERE uuid = '6205a822e48de8' || substr(subspan_uuid, 15)) AS cloud
  FROM subspan
  WHERE superspan_uuid > '6205a822e48da1' AND superspan_uuid < '6205a822e48da1g'
) AS task ON task.client_uuid = client.uuid
WHERE client.uuid > '6205a822e48da1' AND client.uuid < '6205a822e48da1g'
GROUP BY client.uuid
UNION ALL
SELECT NULL, NULL, NULL, NULL, count(*), 0, sum(endpoint), sum(worker), sum(cloud)
FROM (
  SELECT
    max(told IN ('b8', 'f8')) AS endpoint,
    max(
      told = 'd8'
      OR EXISTS (
        SELECT 1 FROM subspan AS tie
        JOIN span ON span.uuid = substr(tie.subspan_uuid, 1, 12) || '58' || substr(tie.subspan_uuid, 15)
        WHERE tie.superspan_uuid = '6205a822e48db8' || digits
      )
    ) AS worker,
    max(told = 'e8') AS cloud
  FROM (
    SELECT account.column1 AS told, substr(uuid, 15) AS digits
    FROM (VALUES ('b8'), ('c8'), ('d8'), ('e8'), ('f8')) AS account
    CROSS JOIN span
      ON uuid > '6205a822e48d' || account.column1 AND uuid < '6205a822e48d' || account.column1 || 'g'
    WHERE NOT EXISTS (
      SELECT 1 FROM span AS submitted WHERE submitted.uuid = '6205a822e48da8' || substr(span.uuid, 15)
    )
  )
  GROUP BY digits
)
HAVING count(*) > 0;
