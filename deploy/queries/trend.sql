-- Each run: its verdicts by kind, the load balancers with findings, and how many accounts and regions it covers. A run
-- that covers fewer has fewer findings for that reason alone.
SELECT
  as_of,
  sum(CASE WHEN record = 'verdict' AND status = 'nonCompliant' THEN 1 ELSE 0 END) AS findings,
  count(DISTINCT CASE WHEN record = 'verdict' AND status = 'nonCompliant' THEN load_balancer END) AS load_balancers,
  sum(CASE WHEN record = 'verdict' AND status = 'compliant' THEN 1 ELSE 0 END) AS compliant,
  sum(CASE WHEN record = 'verdict' AND status = 'exempt' THEN 1 ELSE 0 END) AS exempt,
  sum(CASE WHEN record = 'error' THEN 1 ELSE 0 END) AS errors,
  count(DISTINCT CASE WHEN record = 'scope' THEN account || ' ' || region END) AS accounts_and_regions
FROM history
GROUP BY as_of
ORDER BY as_of
