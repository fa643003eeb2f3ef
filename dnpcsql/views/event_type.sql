-- The types of events that event_pair knows. Those that there are, start and end of spans, and Parsl's
-- own, for that none of them is there may be the answer.
CREATE VIEW event_type AS
SELECT DISTINCT
  event.type AS type  -- running_ended, …
FROM event
UNION
SELECT known.column1
FROM (
  VALUES
    ('start'), ('end'), ('invoked'), ('returned'), ('pending'), ('launched'), ('running'),
    ('running_ended'), ('joining'), ('fail_retryable'), ('exec_done'), ('memo_done'), ('failed'),
    ('dep_fail'), ('interchange_received_task'), ('interchange_to_manager'),
    ('interchange_removing_task'), ('manager_got_task'), ('worker_received_task'),
    ('worker_completed_task'), ('worker_all_finished_task')
) AS known
WHERE EXISTS (SELECT 1 FROM span);
