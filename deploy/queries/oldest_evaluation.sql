-- The last run over each account, region and rule, the oldest first, and whether it found all load balancers.
WITH looks AS (
  SELECT
    account, account_name, unit, region, rule, as_of, complete,
    row_number() OVER (PARTITION BY account, region, rule ORDER BY as_of DESC) AS place
  FROM history
  WHERE record = 'scope'
)
SELECT account, account_name, unit, region, rule, as_of AS last_look, complete
FROM looks
WHERE place = 1
ORDER BY as_of, account, region, rule
