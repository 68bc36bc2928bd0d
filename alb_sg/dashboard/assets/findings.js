// The findings, worst first.

const schemeText = (scheme) => (scheme === "unknown" ? "scheme unknown" : scheme);

const findingColumns = (index, state) => [
  { title: "Severity", kind: "severity", cell: ({ verdict }) => severityText(index, verdict), text: ({ verdict }) => severityText(index, verdict), value: ({ verdict }) => severityOf(index, verdict) },
  { title: "Status", kind: "nowrap", cell: ({ verdict }) => [statusBadge(verdict.status, verdict.unresolved ? ", unresolved" : ""), isChanged(index, verdict) ? aside(CHANGES[verdict.change][0]) : null], text: ({ verdict }) => `${STATUS_LABELS[verdict.status][1]}${verdict.unresolved ? ", unresolved" : ""}${isChanged(index, verdict) ? `, ${CHANGES[verdict.change][0]}` : ""}` },
  { title: "Load balancer", header: true, cell: ({ loadBalancer }) => [loadBalancerLink(state, loadBalancer), aside(h("span", { class: "nowrap" }, schemeText(loadBalancer.scheme)), ", ", h("span", { class: "nowrap" }, loadBalancer.region))], value: ({ loadBalancer }) => loadBalancer.name.toLowerCase() },
  { title: "Account", cell: ({ loadBalancer }) => accountText(loadBalancer), text: ({ loadBalancer }) => accountLabel(loadBalancer), value: ({ loadBalancer }) => (loadBalancer.accountName || loadBalancer.account).toLowerCase() },
  ...ownerColumns(index, ({ loadBalancer }) => loadBalancer),
  { title: "What is wrong", kind: "text", cell: ({ verdict }) => [aside(index.subjects.get(verdict.rule) ?? verdict.rule), reasonElement(verdict.annotation)], value: ({ verdict }) => index.subjects.get(verdict.rule) ?? verdict.rule },
  { title: "Targets", kind: "number", cell: ({ loadBalancer }) => (loadBalancer.targets === null ? "" : formatNumber(loadBalancer.targets)), text: ({ loadBalancer }) => (loadBalancer.targets === null ? "" : formatNumber(loadBalancer.targets)), value: ({ loadBalancer }) => loadBalancer.targets },
  { title: "Age", kind: "nowrap", cell: ({ verdict }) => ageElement(index, verdict), text: ({ verdict }) => ageText(index, verdict), value: ({ verdict }) => ageInDays(index, verdict) },
];

const isChanged = (index, verdict) => Boolean(verdict.change && index.data.lastRun);

const severityOf = (index, verdict) => (verdict.status === "nonCompliant" ? index.severityRanks.get(verdict.rule) ?? 0 : null);
const severityText = (index, verdict) => (verdict.status === "nonCompliant" ? (index.severities.get(verdict.rule) ?? "HIGH").toLowerCase() : "");

// --- age

// Since which run a verdict has its status; null where no run but the present one is known.
function sinceOf(index, verdict) {
  if (verdict.since) return verdict.since;
  return isChanged(index, verdict) ? index.data.asOf : null;
}

function ageInDays(index, verdict) {
  const since = sinceOf(index, verdict);
  return since === null ? null : Math.floor((Date.parse(index.data.asOf) - Date.parse(since)) / 86400000);
}

// `8 days`, or `8+ days` where it is as old as the oldest run that is compared.
function describeAge(index, since) {
  if (since === null) return "";
  const days = Math.floor((Date.parse(index.data.asOf) - Date.parse(since)) / 86400000);
  if (days < 1) return "today";
  return `${formatNumber(days)}${since === index.data.trend?.points[0]?.asOf ? "+" : ""} ${days === 1 ? "day" : "days"}`;
}

const ageText = (index, verdict) => describeAge(index, sinceOf(index, verdict));

function ageElement(index, verdict) {
  const since = sinceOf(index, verdict);
  return since === null ? "" : h("time", { datetime: since, title: `since ${since.slice(0, 10)} ${since.slice(11, 16)} UTC` }, describeAge(index, since));
}

// --- reasons

const MAX_REASON = 200;

// A reason in full; where it is long, its end is folded.
function reasonElement(text) {
  if (printing || text.length <= MAX_REASON) return isolatedText(text);
  const end = text.lastIndexOf(" ", MAX_REASON);
  const cut = end > MAX_REASON / 2 ? end : MAX_REASON;
  return h("details", { class: "reason" }, h("summary", null, isolatedText(text.slice(0, cut)), "\u2026"), isolatedText(text));
}

// --- the table

// The rows that need work, or all where a status or a standing is chosen.
function openRows(state, rows) {
  const all = state.status.length || state.change || (state.is && !["nonCompliant", "unreachable"].includes(state.is));
  return all ? rows : rows.filter((row) => OPEN_STATUSES.includes(row.verdict.status));
}

// The order in the address, such as `-age`, and back.
const SORT_KEYS = { severity: "Severity", name: "Load balancer", account: "Account", owner: "Owner", rule: "What is wrong", targets: "Targets", age: "Age" };

function parseOrder(sort) {
  const title = SORT_KEYS[sort.replace(/^-/, "")];
  return title ? { title, descending: sort.startsWith("-") } : null;
}

function formatOrder({ title, descending }) {
  const key = Object.keys(SORT_KEYS).find((each) => SORT_KEYS[each] === title);
  return `${descending ? "-" : ""}${key}`;
}

function showFindings(index, state, rows) {
  const findings = openRows(state, rows);
  const columns = findingColumns(index, state);
  const order = parseOrder(state.sort);
  const { kept, sentences } = distinctColumns(columns, findings);
  const sorted = sortItems(columns, findings, order);
  const pages = Math.max(1, Math.ceil(findings.length / PAGE_ROWS));
  const page = Math.min(state.page, pages);
  const first = (page - 1) * PAGE_ROWS;
  const shown = printing ? sorted : sorted.slice(first, first + PAGE_ROWS);
  const note = [findingsNote(index, findings, shown, first, rows.length - findings.length), ...sentences].join(" ");
  const onSort = (chosen) => navigate({ sort: formatOrder(chosen), page: 1 }, { focus: "#worst th[aria-sort] button" });
  const elements = [h("p", { class: "note" }, note)];
  if (shown.length) elements.push(table(order ? `Findings by ${order.title.toLowerCase()}` : "Findings, the worst first", kept, shown, { order, onSort }));
  if (pages > 1 && !printing) elements.push(pager(page, pages));
  document.querySelector("#worst .body").replaceChildren(...elements);
}

function findingsNote(index, findings, shown, first, omitted) {
  if (!index.data.loadBalancers.length) return "No load balancers.";
  if (!index.rows.some((row) => OPEN_STATUSES.includes(row.verdict.status)) && !findings.length && !filtersInUse(state).length) return "No findings: nothing is known to be non-compliant.";
  if (!findings.length) return "No findings match these filters.";
  const sentences = [];
  const range = findings.length > shown.length ? `; this table has ${formatNumber(first + 1)} to ${formatNumber(first + shown.length)}` : "";
  sentences.push(`${pluralize(findings.length, "finding")}${range}.`);
  if (omitted) sentences.push(`${pluralize(omitted, "verdict")} that ${omitted === 1 ? "needs" : "need"} no work ${omitted === 1 ? "is" : "are"} omitted: choose a status to see ${omitted === 1 ? "it" : "them"}.`);
  if (index.data.lastRun) sentences.push("Age counts from the oldest run that is compared: 8+ days may be more.");
  const explained = index.explainedCount;
  if (explained && explained < index.data.loadBalancers.length) sentences.push(`This page has the diagram and fix of the ${pluralize(explained, "worst load balancer")}, and not of the others.`);
  return sentences.join(" ");
}

function pager(page, pages) {
  const turnTo = (target) => {
    navigate({ page: target });
    showTop("worst");
  };
  const button = (target, text) => h("button", { type: "button", disabled: target < 1 || target > pages, onclick: () => turnTo(target) }, text);
  return h("nav", { class: "pager", "aria-label": "Pages of findings" }, button(page - 1, "Previous"), h("p", null, `Page ${formatNumber(page)} of ${formatNumber(pages)}`), button(page + 1, "Next"));
}

// Scrolls to the top of a section, and puts the focus there: the next Tab is in it.
function showTop(section) {
  const title = document.querySelector(`#${section}-title`);
  title.focus({ preventScroll: true });
  title.scrollIntoView({ block: "start" });
}
