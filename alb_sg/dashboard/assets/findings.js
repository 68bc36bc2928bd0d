// The findings, worst first.

const FINDING_COLUMNS = [["Status"], ["Load balancer"], ["Account"], ["What is wrong"], ["Since"]];

// The rows that need work, or all where a status is chosen.
const openRows = (state, rows) => (state.status ? rows : rows.filter((row) => OPEN_STATUSES.includes(row.verdict.status)));

function showFindings(index, state, rows) {
  const findings = openRows(state, rows);
  const pages = Math.max(1, Math.ceil(findings.length / PAGE_ROWS));
  const page = Math.min(state.page, pages);
  const first = (page - 1) * PAGE_ROWS;
  const shown = printing ? findings : findings.slice(first, first + PAGE_ROWS);
  const elements = [h("p", { class: "note" }, findingsNote(index, findings, shown, first, rows.length - findings.length))];
  if (shown.length) elements.push(table("Findings, the worst first", FINDING_COLUMNS, shown.map((row) => findingRow(index, state, row))));
  if (pages > 1 && !printing) elements.push(pager(page, pages));
  document.querySelector("#worst .body").replaceChildren(...elements);
}

function findingsNote(index, findings, shown, first, omitted) {
  const sentences = [];
  const range = findings.length > shown.length ? `; this table has ${formatNumber(first + 1)} to ${formatNumber(first + shown.length)}` : "";
  sentences.push(`${pluralize(findings.length, "finding")}${range}.`);
  if (omitted) sentences.push(`${pluralize(omitted, "verdict")} that ${omitted === 1 ? "needs" : "need"} no work ${omitted === 1 ? "is" : "are"} omitted: choose a status to see ${omitted === 1 ? "it" : "them"}.`);
  if (index.data.lastRun) sentences.push("Since goes back as far as runs are kept.");
  const explained = index.explainedCount;
  if (explained && explained < index.data.loadBalancers.length) sentences.push(`This page has the diagram and fix of the ${pluralize(explained, "worst load balancer")}, and not of the others.`);
  return sentences.join(" ");
}

function pager(page, pages) {
  const turnTo = (target) => {
    navigate({ page: target });
    document.querySelector("#worst .scroll")?.focus();
  };
  const button = (target, text) => h("button", { type: "button", disabled: target < 1 || target > pages, onclick: () => turnTo(target) }, text);
  return h("nav", { class: "pager", "aria-label": "Pages of findings" }, button(page - 1, "Previous"), h("p", null, `Page ${formatNumber(page)} of ${formatNumber(pages)}`), button(page + 1, "Next"));
}

const severityAside = (index, verdict) => (verdict.status === "nonCompliant" ? h("span", { class: "aside" }, index.severities.get(verdict.rule) ?? "HIGH") : null);

function findingRow(index, state, { loadBalancer, verdict }) {
  const changed = verdict.change && index.data.lastRun;
  return tableRow([
    cell(null, statusBadge(verdict.status, verdict.unresolved ? ", unresolved" : ""), severityAside(index, verdict), changed ? h("span", { class: "aside" }, CHANGES[verdict.change][0]) : null),
    headerCell(loadBalancerLink(state, loadBalancer), h("span", { class: "aside" }, `${loadBalancer.scheme === "unknown" ? "scheme unknown" : loadBalancer.scheme}, ${loadBalancer.region}`)),
    cell(null, accountText(loadBalancer)),
    cell("text", h("span", { class: "aside" }, index.subjects.get(verdict.rule) ?? verdict.rule), isolatedText(verdict.annotation)),
    cell("nowrap", timeElement(verdict.since ?? (changed ? index.data.asOf : ""))),
  ]);
}
