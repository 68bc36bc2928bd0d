// Findings by kind of cause, and by security group.

const MAX_MISSING_RULES = 3;

function showCauses(index, state, rows) {
  const { kinds, groups, unjudged } = countCauses(rows);
  const elements = [];
  if (kinds.size) {
    elements.push(
      h("h3", null, "Kinds of cause"),
      expandableTable("causes:kinds", "What is wrong, most findings first", causeColumns(index, state, "nonCompliant"), mostFindingsFirst(kinds), "cause"),
      h("h3", null, "Security groups"),
      h("p", { class: "note" }, "A load balancer counts under each of its security groups, and a finding about targets under each of theirs: a rule in any one of them is enough. An unused opening counts under the group that has it."),
      expandableTable("causes", "Security groups with findings, most findings first", groupColumns(state), mostFindingsFirst(groups), "security group"));
  }
  if (unjudged.size) {
    elements.push(
      h("h3", null, "Not judged"),
      expandableTable("causes:unjudged", "What could not be judged, most verdicts first", causeColumns(index, state, "error"), mostFindingsFirst(unjudged), "cause"));
  }
  document.querySelector("#causes .body").replaceChildren(...(elements.length ? elements : [h("p", null, filtersInUse(state).length ? "No findings match these filters." : "No findings.")]));
}

// Findings and load balancers of each kind of cause and each security group; `unjudged`: what was not judged, by why.
function countCauses(rows) {
  const [kinds, groups, unjudged] = [new Map(), new Map(), new Map()];
  const count = (counts, key, facts, { loadBalancer, verdict }) => {
    let entry = counts.get(key);
    if (entry === undefined) counts.set(key, (entry = { ...facts, findings: 0, arns: new Set(), missing: new Map() }));
    entry.findings += 1;
    entry.arns.add(loadBalancer.arn);
    for (const { recommended } of verdict.missing ?? []) addOne(entry.missing, recommended);
    for (const text of verdict.unused ?? []) if (groupOfUnused(text) === facts.id) addOne(entry.missing, `unused: ${text.replace(UNUSED_GROUP, "")}`);
  };
  for (const row of rows) {
    const { loadBalancer, verdict } = row;
    if (!OPEN_STATUSES.includes(verdict.status)) continue;
    const bad = verdict.status === "nonCompliant";
    for (const code of verdict.causes ?? []) count(bad ? kinds : unjudged, code, { code }, row);
    if (bad) for (const id of groupsOf(loadBalancer, verdict)) count(groups, `${loadBalancer.account} ${loadBalancer.region} ${id}`, { id, loadBalancer }, row);
  }
  return { kinds, groups, unjudged };
}

const addOne = (counts, key) => counts.set(key, (counts.get(key) ?? 0) + 1);

// `… in sg-1 (sgr-1)`: the group that lets in what is unused, and its rules.
const UNUSED_GROUP = / in (sg-[^\s,]+)( \([^)]*\))?/;
const groupOfUnused = (text) => text.match(UNUSED_GROUP)?.[1];

// The groups that a finding is about.
function groupsOf(loadBalancer, verdict) {
  if (verdict.unused) return new Set(verdict.unused.map(groupOfUnused).filter(Boolean));
  return verdict.groups ?? loadBalancer.securityGroups;
}

const mostFindingsFirst = (counts) => [...counts.values()].sort((left, right) => right.findings - left.findings || right.arns.size - left.arns.size);

const countColumns = (linkTo) => [
  { title: "Findings", kind: "number", cell: (entry) => linkTo(entry, formatNumber(entry.findings)), value: (entry) => entry.findings },
  { title: "Load balancers", kind: "number", cell: (entry) => linkTo(entry, formatNumber(entry.arns.size)), value: (entry) => entry.arns.size },
];

const causeColumns = (index, state, status) => [
  { title: "Cause", header: true, cell: ({ code }) => isolatedText(index.data.causes[code] ?? sentenceCase(code)), value: ({ code }) => index.data.causes[code] ?? code },
  ...countColumns(({ code }, text) => link(state, { status, cause: code }, text)),
];

const groupColumns = (state) => [
  { title: "Security group", header: true, cell: groupCell(state), value: ({ id }) => id },
  { title: "Account", cell: ({ loadBalancer }) => accountText(loadBalancer), text: ({ loadBalancer }) => accountLabel(loadBalancer), value: ({ loadBalancer }) => (loadBalancer.accountName || loadBalancer.account).toLowerCase() },
  ...countColumns((group, text) => link(state, groupFilters(group), text)),
  { title: "Missing and unused rules", kind: "text", cell: missingRules },
];

const groupFilters = ({ id, loadBalancer }) => ({ q: id, account: loadBalancer.account, region: loadBalancer.region, status: "nonCompliant" });

const groupCell = (state) => (group) => {
  const name = group.loadBalancer.detail?.groupNames[group.id];
  return [link(state, groupFilters(group), h("span", { class: "nowrap" }, isolatedText(group.id))), aside(name ? [isolatedText(name), ", "] : null, group.loadBalancer.region)];
};

function missingRules(group) {
  const rules = [...group.missing].sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1));
  const omitted = rules.length - MAX_MISSING_RULES;
  return [
    ...rules.slice(0, MAX_MISSING_RULES).map(([text, count]) => aside(isolatedText(text), count > 1 ? ` (${formatNumber(count)}\u00d7)` : "")),
    omitted > 0 ? aside(`and ${formatNumber(omitted)} more`) : null,
  ];
}
