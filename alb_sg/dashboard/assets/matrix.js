// Rules by account or organizational unit.

const MATRIX_BY = { account: ["account", "By account"], unit: ["organizational unit", "By organizational unit"], owner: ["owner", "By owner"] };

const matrixRowKey = (state, entry) => (state.by === "unit" ? unitName(entry.unit) : state.by === "owner" ? entry.owner ?? NO_OWNER : entry.account);

function showMatrix(index, state, rows) {
  const byAccount = state.by === "account";
  const gaps = coverageGaps(index, state);
  const groups = [...matrixGroups(index, state, rows).values()].sort((left, right) => right.nonCompliant - left.nonCompliant || (left.key < right.key ? -1 : 1));
  const rules = index.data.rules.filter((rule) => matchesRule(index, state, rule.name));
  const choice = ([by, [, text]]) => h("button", { type: "button", "aria-pressed": String(state.by === by), onclick: () => navigate({ by }, { focus: "#matrix [aria-pressed=true]" }) }, text);
  const [noun] = MATRIX_BY[state.by];
  const columns = [
    { title: { account: "Account", unit: "Unit", owner: "Owner" }[state.by], header: true, cell: (group) => (byAccount ? accountText(group.first) : isolatedText(group.key)), value: (group) => (byAccount ? group.first.accountName || group.key : group.key).toLowerCase() },
    ...rules.map((rule) => ({ title: rule.subject, kind: "number cell", cell: (group) => matrixCell(state, group, rule, gaps), value: (group) => group.rules.get(rule.name)?.nonCompliant ?? 0 })),
  ];
  document.querySelector("#matrix .body").replaceChildren(
    h("div", { class: "choice", role: "group", "aria-label": "Rows" }, Object.entries(MATRIX_BY).filter(([by]) => by !== "owner" || index.hasOwners).map(choice)),
    h("p", { class: "note" }, "How many load balancers are ", statusBadge("nonCompliant"), " or, where none is, ", statusBadge("error"), ", of those that the rule applies to; ", statusBadge("exempt"), " ones are counted separately. A number links to its findings."),
    expandableTable("matrix", `Non-compliant load balancers by ${noun} and rule`, columns, groups, noun, MATRIX_ROWS),
  );
}

// The rows of the matrix by key, each with the number of verdicts of each rule and status.
function matrixGroups(index, state, rows) {
  const groups = new Map();
  const groupOf = (entry) => {
    const key = matrixRowKey(state, entry);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { key, first: entry, nonCompliant: 0, rules: new Map(), accounts: new Set(), hasUnitsBelow: false }));
    group.accounts.add(entry.account);
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
  if (state.by !== "owner" && !(state.q || ["name", "owner", "rule", "scheme", "severity", "tag"].some((key) => state[key].length))) {
    for (const { account, region } of index.data.coverage.homes) {
      const entry = { account, region };
      addAccountName(index.data, entry);
      if (matchesLoadBalancer(state, entry)) groupOf(entry);
    }
  }
  if (state.by === "unit") for (const key of groups.keys()) for (const [above, group] of groups) if (key.startsWith(`${above}/`)) group.hasUnitsBelow = true;
  return groups;
}

// The gaps in the data of accounts and regions, by row of the matrix.
function coverageGaps(index, state) {
  const gaps = new Map();
  // What is not covered has no known owner.
  if (state.by === "owner") return gaps;
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

// The filters for the accounts of a unit: a filter for the unit holds the units below it, which have rows of their own.
function unitFilters(state, { key, accounts, hasUnitsBelow }) {
  return hasUnitsBelow ? { account: [...accounts].sort() } : { unit: key };
}

function matrixCell(state, group, rule, gaps) {
  const counts = group.rules.get(rule.name);
  const notes = gapNotes(gaps.get(group.key), rule);
  const note = notes.length ? h("span", { class: "aside" }, notes.join("; ")) : null;
  if (counts === undefined) return [h("span", { class: "none" }, notes.length ? "not covered" : "none"), note];
  const applicable = counts.nonCompliant + counts.error + counts.compliant;
  const status = ["nonCompliant", "error", "compliant", "exempt"].find((each) => counts[each]) ?? "notApplicable";
  const open = OPEN_STATUSES.includes(status);
  const shown = open ? `${formatNumber(counts[status])} of ${formatNumber(applicable)}` : status === "compliant" ? `0 of ${formatNumber(applicable)}` : formatNumber(counts[status]);
  const allCounts = Object.entries(counts).filter(([, count]) => count).map(([each, count]) => `${formatNumber(count)} ${STATUS_LABELS[each][1]}`).join(", ");
  const filters = state.by === "unit" ? unitFilters(state, group) : { [state.by]: group.key };
  const statusFilter = open && state.status.every((each) => ["all", status].includes(each)) ? state.status : status;
  return [
    link(state, { ...filters, rule: rule.name, status: statusFilter },
      h("span", { class: `status ${status}` }, h("span", { "aria-hidden": "true" }, STATUS_LABELS[status][0]), ` ${shown}`),
      h("span", { class: "visually-hidden" }, ` (${allCounts}) of `, isolatedText(state.by === "account" ? group.first.accountName || group.key : group.key), `, ${rule.subject}`)),
    counts.exempt && status !== "exempt" ? h("span", { class: "aside" }, `${formatNumber(counts.exempt)} exempt`) : null,
    note,
  ];
}
