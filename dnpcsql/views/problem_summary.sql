-- What was not understood, by kind.
CREATE VIEW problem_summary AS
SELECT
  problem.kind AS kind,  -- what is wrong
  sum(problem.count) AS count,  -- how often
  count(DISTINCT problem.source_id) AS files,  -- in how many files
  min(source.path || ':' || problem.line || ' ' || problem.text) AS example  -- where, and what stands there
FROM problem
JOIN source ON source.id = problem.source_id
GROUP BY problem.kind;
