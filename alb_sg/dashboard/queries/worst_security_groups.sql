-- Security groups behind the most findings: changing one changes all of them.
WITH latest AS (
  SELECT account, region, rule, max(as_of) AS as_of
  FROM history
  WHERE record = 'scope'
  GROUP BY account, region, rule
)
SELECT
  g.security_group,
  v.account,
  v.region,
  count(*) AS findings,
  count(DISTINCT v.load_balancer) AS load_balancers,
  min(v.severity) AS worst_severity
FROM history v
JOIN latest l ON l.account = v.account AND l.region = v.region AND l.rule = v.rule AND l.as_of = v.as_of
CROSS JOIN UNNEST(v.security_groups) AS g (security_group)
WHERE v.record = 'verdict' AND v.status = 'nonCompliant'
GROUP BY g.security_group, v.account, v.region
ORDER BY findings DESC, g.security_group
