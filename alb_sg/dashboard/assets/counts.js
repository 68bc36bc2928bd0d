// The counts at the top. alb_sg/dashboard/summary.py counts the same without filters, for the page without JavaScript.

// How a load balancer counts, with its verdicts of the selected rules or of all: as the worst status that settles it. One
// without a verdict of each rule is not compliant.
function standingOf(index, { rule: rules }, loadBalancer) {
  if (!rules.length && loadBalancer.standing) return loadBalancer.standing;
  let count = 0;
  let [nonCompliant, error, exempt, compliant] = [false, false, false, false];
  for (const { rule: name, status } of loadBalancer.verdicts) {
    if (rules.length && !rules.includes(name)) continue;
    count += 1;
    if (status === "nonCompliant") nonCompliant = true;
    else if (status === "error") error = true;
    else if (status === "exempt") exempt = true;
    else if (status === "compliant") compliant = true;
  }
  const expected = rules.length ? index.data.rules.filter(({ name }) => rules.includes(name)).length : index.data.rules.length;
  const standing = nonCompliant ? "nonCompliant" : error || count < expected ? "error" : exempt ? "exempt" : compliant ? "compliant" : "notApplicable";
  if (!rules.length) loadBalancer.standing = standing;
  return standing;
}

const isUnreachable = (index, { rule: rules }, loadBalancer) =>
  loadBalancer.scheme === "internet-facing" && loadBalancer.verdicts.some((verdict) => verdict.status === "nonCompliant" && (!rules.length || rules.includes(verdict.rule)) && index.interrupting.has(verdict.rule));

// `rows` match all filters but the status. A load balancer in them counts with all its verdicts of the selected rules:
// if the status filter removed one, a non-compliant load balancer could count as compliant.
function countCompliance(index, state, rows, gone) {
  const before = new Set(gone.map((entry) => entry.arn));
  const [now, allNow] = [new Set(), new Set()];
  const counts = { judged: 0, nonCompliant: 0, internetFacing: 0, unreachable: 0, unknownScheme: 0, error: 0, exempt: 0, compliant: 0, notApplicable: 0, change: 0, firstSeen: 0 };
  for (const loadBalancer of loadBalancersOf(rows)) {
    const standing = standingOf(index, state, loadBalancer);
    counts[standing] += 1;
    if (standing === "nonCompliant") {
      if (loadBalancer.scheme === "internet-facing") counts.internetFacing += 1;
      if (loadBalancer.scheme === "unknown") counts.unknownScheme += 1;
      if (isUnreachable(index, state, loadBalancer)) counts.unreachable += 1;
    }
    for (const verdict of loadBalancer.verdicts) {
      if (state.rule.length && !state.rule.includes(verdict.rule)) continue;
      const wasNonCompliant = verdict.was === "nonCompliant";
      if (wasNonCompliant) before.add(loadBalancer.arn);
      // A verdict that could not be judged keeps its last status.
      const unchanged = verdict.status === "error" && wasNonCompliant;
      if (verdict.status === "nonCompliant") allNow.add(loadBalancer.arn);
      if (unchanged || (verdict.status === "nonCompliant" && verdict.change !== "firstLook")) now.add(loadBalancer.arn);
    }
  }
  counts.judged = counts.nonCompliant + counts.exempt + counts.compliant;
  counts.change = now.size - before.size;
  // Non-compliant in verdicts alone that no earlier run could have found: in no change.
  counts.firstSeen = [...allNow].filter((arn) => !now.has(arn)).length;
  return counts;
}

// The filters that lead to the load balancers of a number.
const NUMBER_FILTERS = {
  judged: { is: "judged", status: "all" },
  nonCompliant: { is: "nonCompliant" },
  internetFacing: { is: "nonCompliant", scheme: "internet-facing" },
  unreachable: { is: "unreachable" },
  notJudged: { is: "error", status: "all" },
  exempt: { is: "exempt", status: "all" },
  compliant: { is: "compliant", status: "all" },
  notApplicable: { is: "notApplicable", status: "all" },
};

// The same as is_compliance_known of summary.py: zero would say that nothing is non-compliant.
function isComplianceKnown(data) {
  if (data.loadBalancers.length) return data.loadBalancers.some((loadBalancer) => loadBalancer.verdicts.some((verdict) => verdict.status !== "error"));
  return data.coverage.homes.some((home) => home.heard) && !data.coverage.loadBalancers && !data.errors.length;
}

function showCounts(index, state, counts) {
  const known = isComplianceKnown(index.data);
  const numberElement = (key) => document.querySelector(`[data-number="${key}"]`);
  for (const [key, filters] of Object.entries(NUMBER_FILTERS)) {
    const element = numberElement(key);
    const count = counts[filters.is === "error" ? "error" : key];
    element.textContent = known || !["nonCompliant", "internetFacing", "unreachable"].includes(key) ? formatNumber(count) : "\u2013";
    element.classList.toggle("zero", count === 0);
    if (count) element.setAttribute("href", formatAddress({ ...state, page: 1, lb: "", status: "", ...filters }));
    else element.removeAttribute("href");
  }
  numberElement("percent").textContent = counts.judged ? `${Math.floor((100 * counts.compliant) / counts.judged)}\u00a0%` : "\u2013";
  numberElement("change").textContent = index.data.lastRun ? formatSigned(counts.change) : "";
  numberElement("firstSeen").textContent = index.data.lastRun && counts.firstSeen ? `; ${formatNumber(counts.firstSeen)} more first seen` : "";
  numberElement("unknownScheme").textContent = counts.unknownScheme ? ` (the scheme of ${formatNumber(counts.unknownScheme)} more is unknown)` : "";
  for (const element of document.querySelectorAll("[data-verb]")) element.textContent = counts[element.dataset.verb] === 1 ? element.dataset.one : element.dataset.many;
  for (const element of document.querySelectorAll("[data-when]")) element.hidden = element.dataset.when === "unjudged" ? counts.judged > 0 : !counts[element.dataset.when];
  if (!counts.judged) document.querySelector("[data-when=unjudged]").textContent = counts.error || !known ? "No load balancer was judged." : filtersInUse(state).length ? "No judged load balancers match these filters." : "No load balancers.";
}

// The trend in small, over all runs; filters do not apply.
function showSparkline(data) {
  const points = data.trend?.points ?? [];
  if (points.length < 2) return;
  const [width, height] = [150, 36];
  const highest = Math.max(1, ...points.map((point) => point.loadBalancers));
  const start = Date.parse(points[0].asOf);
  const span = Math.max(1, Date.parse(points.at(-1).asOf) - start);
  const place = (point) => [4 + ((Date.parse(point.asOf) - start) / span) * (width - 8), 4 + (1 - point.loadBalancers / highest) * (height - 8)].map((value) => value.toFixed(1));
  const [x, y] = place(points.at(-1));
  document.querySelector("#sparkline").replaceChildren(
    s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-labelledby": "sparkline-title" },
      s("title", { id: "sparkline-title" }, trendTitle(points)),
      s("polyline", { class: "trend", points: points.map((point) => place(point).join(",")).join(" ") }),
      s("circle", { class: "dot", cx: x, cy: y, r: 3 })));
}

const trendTitle = (points) => `Non-compliant load balancers over ${pluralize(points.length, "run")}, from ${formatNumber(points[0].loadBalancers)} to ${formatNumber(points.at(-1).loadBalancers)}`;
