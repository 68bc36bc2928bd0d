// Findings by kind of cause, and by security group.

const MAX_MISSING_RULES = 3;

function showCauses(index, state, rows) {
  const { kinds, groups } = countCauses(rows);
  const elements = groups.size + kinds.size === 0 ? [h("p", null, "No non-compliant load balancer matches the filters.")] : [
    h("h3", null, "Kinds of cause"),
    table("What is wrong, most findings first", [["Cause"], ["Findings", "number"], ["Load balancers", "number"]],
      mostFindingsFirst(kinds).map((kind) => h("tr", null, headerCell(index.data.causes[kind.code] ?? kind.code), countCells(kind)))),
    h("h3", null, "Security groups"),
    h("p", { class: "note" }, "A load balancer counts under each of its security groups, and a finding about targets under each of theirs: a rule in any one of them is enough."),
    ...expandableTable("causes", "Security groups with findings, most findings first", [["Security group"], ["Account"], ["Findings", "number"], ["Load balancers", "number"], ["Missing rules"]],
      mostFindingsFirst(groups), (group) => groupRow(state, group), "security group"),
  ];
  document.querySelector("#causes .body").replaceChildren(...elements);
}

// Findings and load balancers of each kind of cause and each security group.
function countCauses(rows) {
  const kinds = new Map();
  const groups = new Map();
  const count = (counts, key, facts, { loadBalancer, verdict }) => {
    let entry = counts.get(key);
    if (entry === undefined) counts.set(key, (entry = { ...facts, findings: 0, arns: new Set(), missing: new Map() }));
    entry.findings += 1;
    entry.arns.add(loadBalancer.arn);
    for (const { recommended } of verdict.missing ?? []) entry.missing.set(recommended, (entry.missing.get(recommended) ?? 0) + 1);
  };
  for (const row of rows) {
    const { loadBalancer, verdict } = row;
    if (verdict.status !== "nonCompliant") continue;
    for (const code of verdict.causes ?? []) count(kinds, code, { code }, row);
    for (const id of verdict.groups ?? loadBalancer.securityGroups) count(groups, `${loadBalancer.account} ${loadBalancer.region} ${id}`, { id, loadBalancer }, row);
  }
  return { kinds, groups };
}

const mostFindingsFirst = (counts) => [...counts.values()].sort((left, right) => right.findings - left.findings || right.arns.size - left.arns.size);
const countCells = (entry) => [cell("number", formatNumber(entry.findings)), cell("number", formatNumber(entry.arns.size))];

function groupRow(state, group) {
  const { id, loadBalancer } = group;
  const name = loadBalancer.detail?.groupNames[id];
  const groupLink = link(state, { q: id, account: loadBalancer.account, region: loadBalancer.region }, h("span", { class: "nowrap" }, isolatedText(id)));
  return h("tr", null, headerCell(groupLink, h("span", { class: "aside" }, name ? [isolatedText(name), ", "] : null, loadBalancer.region)), cell(null, accountText(loadBalancer)), countCells(group), cell("text", missingRules(group)));
}

function missingRules(group) {
  const rules = [...group.missing].sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1));
  const omitted = rules.length - MAX_MISSING_RULES;
  return [
    ...rules.slice(0, MAX_MISSING_RULES).map(([text, count]) => h("span", { class: "aside" }, isolatedText(text), count > 1 ? ` (${formatNumber(count)}\u00d7)` : "")),
    omitted > 0 ? h("span", { class: "aside" }, `and ${formatNumber(omitted)} more`) : null,
  ];
}
