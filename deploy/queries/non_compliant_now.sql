-- Findings now, by organizational unit, account and rule: those of the last run over each account, region and rule.
-- oldest_look is the earliest of these runs.
WITH latest AS (
  SELECT account, region, rule, max(as_of) AS as_of
  FROM history
  WHERE record = 'scope'
  GROUP BY account, region, rule
)
SELECT
  v.unit,
  v.account,
  v.account_name,
  v.rule,
  count(*) AS findings,
  count(DISTINCT v.load_balancer) AS load_balancers,
  sum(CASE WHEN v.internet_facing THEN 1 ELSE 0 END) AS internet_facing,
  min(v.as_of) AS oldest_look
FROM history v
JOIN latest l ON l.account = v.account AND l.region = v.region AND l.rule = v.rule AND l.as_of = v.as_of
WHERE v.record = 'verdict' AND v.status = 'nonCompliant'
GROUP BY v.unit, v.account, v.account_name, v.rule
ORDER BY findings DESC, v.account, v.rule
