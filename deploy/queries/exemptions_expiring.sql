-- Exemptions in force whose last day is within thirty days of the last run.
SELECT
  exemption_expires, exemption_owner, exemption_ticket, account, region, rule, load_balancer, name, annotation
FROM history
WHERE
  record = 'verdict'
  AND exempt
  AND as_of = (SELECT max(as_of) FROM history)
  AND CAST(exemption_expires AS date) <= CAST(substr(as_of, 1, 10) AS date) + INTERVAL '30' DAY
ORDER BY exemption_expires, load_balancer, rule
