-- One row for each try after a task's first, with what made it needed and what that cost.
CREATE VIEW retry AS
SELECT
  again.run_id AS run_id,  -- Parsl's run id
  again.task_id AS task_id,  -- Parsl's task id
  again.try_id AS try_id,  -- from 1: the try before it failed
  again.app AS app,  -- the app's name
  again.executor AS executor,  -- the executor's label
  again.state AS state,  -- how this one ended, or how far it came
  before.error AS cause,  -- what the try before it failed of, as far as is told
  before.hostname AS failed_on,  -- where the try before it ran
  again.hostname AS hostname,  -- where this one ran
  before.returned AS failed,  -- when the try before it failed, unix seconds
  again.launched AS launched,  -- when this one was launched, unix seconds; NULL: never
  again.launched - before.returned AS delay_s,  -- seconds between the two
  before.returned - before.launched AS lost_s,  -- seconds that the failed try took, from its launch
  again.uuid AS uuid  -- this try's own id, as in parsl_try
FROM parsl_try AS again
LEFT JOIN parsl_try AS before
  ON before.run_id = again.run_id AND before.task_id = again.task_id
  AND before.try_id = again.try_id - 1
WHERE again.try_id > 0;
