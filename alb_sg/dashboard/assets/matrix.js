// Rules by account or organizational unit.

const matrixRowKey = (state, entry) => (state.by === "unit" ? entry.unit ?? "(unit unknown)" : entry.account);

function showMatrix(index, state, rows) {
  const byUnit = state.by === "unit";
  const gaps = coverageGaps(index, state);
  const groups = [...matrixGroups(index, state, rows).values()].sort((left, right) => right.nonCompliant - left.nonCompliant || (left.key < right.key ? -1 : 1));
  const rules = index.data.rules.filter((rule) => !state.rule || rule.name === state.rule);
  const choice = (by, text) => h("button", { type: "button", "aria-pressed": String(state.by === by), onclick: () => navigate({ by }) }, text);
  document.querySelector("#matrix .body").replaceChildren(
    h("div", { class: "choice", role: "group", "aria-label": "Rows" }, choice("account", "By account"), choice("unit", "By organizational unit")),
    h("p", { class: "note" }, "How many load balancers are ", statusBadge("nonCompliant"), " or, where none is, ", statusBadge("error"), ", of those that the rule applies to; ", statusBadge("exempt"), " ones are counted separately. A number links to its findings."),
    ...expandableTable("matrix", byUnit ? "Non-compliant load balancers by organizational unit and rule" : "Non-compliant load balancers by account and rule",
      [[byUnit ? "Unit" : "Account"], ...rules.map((rule) => [rule.subject, "number"])],
      groups,
      (group) => h("tr", null, headerCell(...(byUnit ? [isolatedText(group.key)] : accountText(group.first))), rules.map((rule) => matrixCell(state, group, rule, gaps))),
      byUnit ? "unit" : "account", MATRIX_ROWS),
  );
}

// The rows of the matrix by key, each with the number of verdicts of each rule and status.
function matrixGroups(index, state, rows) {
  const groups = new Map();
  const groupOf = (entry) => {
    const key = matrixRowKey(state, entry);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { key, first: entry, nonCompliant: 0, rules: new Map() }));
    return group;
  };
  for (const { loadBalancer, verdict } of rows) {
    const group = groupOf(loadBalancer);
    let counts = group.rules.get(verdict.rule);
    if (counts === undefined) group.rules.set(verdict.rule, (counts = { nonCompliant: 0, error: 0, exempt: 0, compliant: 0, notApplicable: 0 }));
    counts[verdict.status] += 1;
    if (verdict.status === "nonCompliant") group.nonCompliant += 1;
  }
  // Accounts and regions without a load balancer, too, unless a filter is for load balancers alone.
  if (!(state.q || state.rule || state.scheme || state.tag)) {
    for (const { account, region } of index.data.coverage.homes) {
      const entry = { account, region };
      addAccountName(index.data, entry);
      if (matchesAccountAndRegion(state, entry)) groupOf(entry);
    }
  }
  return groups;
}

// The gaps in the data of accounts and regions, by row of the matrix.
function coverageGaps(index, state) {
  const gaps = new Map();
  for (const home of index.data.coverage.homes) {
    const key = matrixRowKey(state, { account: home.account, unit: index.data.accounts[home.account]?.unit });
    let gap = gaps.get(key);
    if (gap === undefined) gaps.set(key, (gap = { unobserved: 0, observed: 0, partlyRead: 0, missingRules: new Map() }));
    if (home.heard) gap.observed += 1;
    else gap.unobserved += 1;
    // An error that names no account may concern any.
    const concerns = (error) => error.loadBalancer === null && (!error.account || (error.account === home.account && error.region === home.region));
    if (home.heard && index.data.errors.some(concerns)) gap.partlyRead += 1;
    for (const rule of home.missingRules) gap.missingRules.set(rule, (gap.missingRules.get(rule) ?? 0) + 1);
  }
  return gaps;
}

function gapNotes(gap, rule) {
  const count = (value) => pluralize(value, "account and region", "accounts and regions");
  const notes = [];
  if (gap?.unobserved) notes.push(gap.observed ? `no data of ${count(gap.unobserved)}` : "no data");
  if (gap?.partlyRead) notes.push(`${count(gap.partlyRead)} partly read`);
  const missing = gap?.missingRules.get(rule.name);
  if (missing) notes.push(`rule missing in ${count(missing)}`);
  return notes;
}

function matrixCell(state, group, rule, gaps) {
  const counts = group.rules.get(rule.name);
  const notes = gapNotes(gaps.get(group.key), rule);
  const note = notes.length ? h("span", { class: "aside" }, notes.join("; ")) : null;
  if (counts === undefined) return h("td", { class: "cell" }, h("span", { class: "none" }, notes.length ? "not covered" : "none"), note);
  const applicable = counts.nonCompliant + counts.error + counts.compliant;
  const status = ["nonCompliant", "error", "compliant", "exempt"].find((each) => counts[each]) ?? "notApplicable";
  const open = OPEN_STATUSES.includes(status);
  const shown = open ? `${formatNumber(counts[status])} of ${formatNumber(applicable)}` : status === "compliant" ? `0 of ${formatNumber(applicable)}` : formatNumber(counts[status]);
  const allCounts = Object.entries(counts).filter(([, count]) => count).map(([each, count]) => `${formatNumber(count)} ${STATUS_LABELS[each][1]}`).join(", ");
  const filters = state.by === "unit" ? { unit: group.first.unit ?? "" } : { account: group.key };
  const statusFilter = open && ["", "all", status].includes(state.status) ? state.status : status;
  return h("td", { class: "cell" },
    link(state, { ...filters, rule: rule.name, status: statusFilter },
      h("span", { class: `status ${status}` }, h("span", { "aria-hidden": "true" }, STATUS_LABELS[status][0]), ` ${shown}`),
      h("span", { class: "visually-hidden" }, ` (${allCounts}) of `, isolatedText(state.by === "unit" ? group.key : group.first.accountName || group.key), `, ${rule.subject}`)),
    counts.exempt && status !== "exempt" ? h("span", { class: "aside" }, `${formatNumber(counts.exempt)} exempt`) : null,
    note);
}
