// The counts at the top. alb_sg/dashboard/summary.py counts the same without filters, for the page without JavaScript.

// `rows` match all filters but the status. A load balancer in them counts with all its verdicts of the selected rules:
// if the status filter removed one, a non-compliant load balancer could count as compliant.
function countCompliance(index, state, rows, gone) {
  const ruleCount = state.rule ? 1 : index.data.rules.length;
  const before = new Set(gone.map((entry) => entry.arn));
  const now = new Set();
  const counts = { total: 0, nonCompliant: 0, internetFacing: 0, unknownScheme: 0, notJudged: 0, exempt: 0, compliant: 0, change: 0 };
  for (const loadBalancer of new Set(rows.map((row) => row.loadBalancer))) {
    const verdicts = loadBalancer.verdicts.filter((verdict) => !state.rule || verdict.rule === state.rule);
    const statuses = new Set(verdicts.map((verdict) => verdict.status));
    const nonCompliant = statuses.has("nonCompliant");
    counts.total += 1;
    if (nonCompliant) counts.nonCompliant += 1;
    if (nonCompliant && loadBalancer.scheme === "internet-facing") counts.internetFacing += 1;
    if (nonCompliant && loadBalancer.scheme === "unknown") counts.unknownScheme += 1;
    if (statuses.has("error")) counts.notJudged += 1;
    if (statuses.has("exempt")) counts.exempt += 1;
    if (statuses.has("compliant") && [...statuses].every((status) => status === "compliant" || status === "notApplicable") && verdicts.length === ruleCount) counts.compliant += 1;
    for (const verdict of verdicts) {
      const wasNonCompliant = verdict.was === "nonCompliant";
      if (wasNonCompliant) before.add(loadBalancer.arn);
      // A verdict that could not be judged keeps its last status.
      const unchanged = verdict.status === "error" && wasNonCompliant;
      if (unchanged || (verdict.status === "nonCompliant" && verdict.change !== "firstLook")) now.add(loadBalancer.arn);
    }
  }
  counts.change = now.size - before.size;
  return counts;
}

// The same as is_compliance_known of summary.py: zero would say that nothing is non-compliant.
function isComplianceKnown(data) {
  if (data.loadBalancers.length) return data.loadBalancers.some((loadBalancer) => loadBalancer.verdicts.some((verdict) => verdict.status !== "error"));
  return data.coverage.homes.some((home) => home.heard) && !data.coverage.loadBalancers && !data.errors.length;
}

function showCounts(index, counts) {
  const numberElement = (key) => document.querySelector(`[data-number="${key}"]`);
  const put = (key, text) => { numberElement(key).textContent = text; };
  for (const key of ["nonCompliant", "internetFacing", "notJudged", "exempt", "compliant"]) {
    const unknown = (key === "nonCompliant" || key === "internetFacing") && !isComplianceKnown(index.data);
    put(key, unknown ? "\u2013" : formatNumber(counts[key]));
    numberElement(key).closest(".tile").classList.toggle("zero", !unknown && counts[key] === 0);
  }
  put("total", formatNumber(counts.total));
  put("change", index.data.lastRun ? formatSigned(counts.change) : "\u2013");
  put("unknownScheme", counts.unknownScheme ? `; the scheme of ${formatNumber(counts.unknownScheme)} more is unknown` : "");
  const without = index.data.coverage.loadBalancers - index.data.loadBalancers.length;
  const more = without > 0 ? `${formatNumber(without)} more without a verdict` : "";
  // Without any load balancer to count, the markup already says why.
  if (index.data.loadBalancers.length) put("share", counts.total ? [`of ${pluralize(counts.total, "load balancer")}`, more].filter(Boolean).join("; ") : "no load balancer matches");
}
