-- How well the accounts fit together: for each pair of them, by run and executor, how many things
-- are in both and in one only. Where one of the two was not imported, or its log does not tell (a
-- manager's at INFO level), all of the other stand alone. `dnpcsql audit` lists the unmatched.
CREATE VIEW join_audit AS
SELECT
  run_id AS run_id,  -- Parsl's run id
  executor AS executor,  -- the executor's label; NULL where there is none
  pair AS pair,  -- the two accounts, the left one first
  sum(side = 'left' AND matched) AS matched,  -- in both
  sum(side = 'left' AND NOT matched) AS left_only,  -- in the left one only
  sum(side = 'right' AND NOT matched) AS right_only,  -- in the right one only
  sum(side = 'left' AND inferred) AS inferred  -- of the matched, those that no file states
FROM join_side
GROUP BY run_id, executor, pair;
