-- Findings that are new, fixed or exempted, run by run. Each verdict is compared with the one before it for the same load
-- balancer and rule. The first run over an account, region and rule is left out: nobody knows what was there before.
WITH looks AS (
  SELECT account, region, rule, min(as_of) AS first_look
  FROM history
  WHERE record = 'scope'
  GROUP BY account, region, rule
),
verdicts AS (
  SELECT
    as_of, account, region, rule, load_balancer, name, status, annotation,
    lag(status) OVER (PARTITION BY load_balancer, rule ORDER BY as_of) AS was
  FROM history
  WHERE record = 'verdict'
)
SELECT
  v.as_of,
  CASE
    WHEN v.status = 'nonCompliant' THEN 'new'
    WHEN v.status = 'exempt' THEN 'exempted'
    ELSE 'fixed'
  END AS change,
  v.account, v.region, v.rule, v.load_balancer, v.name, v.annotation
FROM verdicts v
JOIN looks l ON l.account = v.account AND l.region = v.region AND l.rule = v.rule
WHERE
  v.as_of > l.first_look
  AND (
    (v.status = 'nonCompliant' AND (v.was IS NULL OR v.was <> 'nonCompliant'))
    OR (v.status <> 'nonCompliant' AND v.was = 'nonCompliant')
  )
ORDER BY v.as_of DESC, change, v.load_balancer, v.rule
