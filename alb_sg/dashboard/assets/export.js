// The findings in the table as a file.

const CSV_STATUSES = { nonCompliant: "NON_COMPLIANT", error: "ERROR", exempt: "EXEMPT", compliant: "COMPLIANT", notApplicable: "NOT_APPLICABLE" };

// The columns of `alb-sg check --format csv`, in its order, and some more.
const CSV_COLUMNS = [
  ["accountId", (loadBalancer) => loadBalancer.account],
  ["accountName", (loadBalancer) => loadBalancer.accountName],
  ["owner", (loadBalancer) => loadBalancer.owner ?? ""],
  ["unit", (loadBalancer) => loadBalancer.unit ?? ""],
  ["region", (loadBalancer) => loadBalancer.region],
  ["loadBalancerArn", (loadBalancer) => loadBalancer.arn],
  ["loadBalancerName", (loadBalancer) => loadBalancer.name],
  ["scheme", (loadBalancer) => loadBalancer.scheme],
  ["securityGroups", (loadBalancer) => loadBalancer.securityGroups.join(" ")],
  ["rule", (_, verdict) => verdict.rule],
  ["severity", (_, verdict, index) => (verdict.status === "nonCompliant" ? index.severities.get(verdict.rule) ?? "" : "")],
  ["status", (_, verdict) => CSV_STATUSES[verdict.status]],
  ["unresolved", (_, verdict) => String(Boolean(verdict.unresolved))],
  ["annotation", (_, verdict) => verdict.annotation],
  ["missing", (_, verdict) => (verdict.missing ?? []).map((missing) => missing.recommended).join("; ")],
  ["advice", (loadBalancer, verdict) => (loadBalancer.detail?.fix?.advice ?? []).filter(([rule]) => rule === verdict.rule).map(([, sentence]) => sentence).join("; ")],
  ["unused", (_, verdict) => (verdict.unused ?? []).join("; ")],
  ["causes", (_, verdict) => (verdict.causes ?? []).join(" ")],
  ["change", (_, verdict) => verdict.change ?? ""],
  ["since", (_, verdict) => verdict.since ?? ""],
  ["exemption", (_, verdict) => (verdict.exemption ? `${verdict.exemption.owner} (${verdict.exemption.ticket}) until ${verdict.exemption.expires}: ${verdict.exemption.reason}` : "")],
];

// An apostrophe keeps a spreadsheet from taking a name for a formula.
function csvCell(text) {
  const escaped = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(escaped) ? `"${escaped.replaceAll('"', '""')}"` : escaped;
}

function toCsv(index, rows) {
  const lines = [CSV_COLUMNS.map(([column]) => column), ...rows.map(({ loadBalancer, verdict }) => CSV_COLUMNS.map(([, value]) => csvCell(value(loadBalancer, verdict, index))))];
  return `${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
}

function toJson(index, state, rows) {
  const findings = rows.map(({ loadBalancer: { verdicts, detail, standing, matches, hasText, seen, ...loadBalancer }, verdict: { rank, ...verdict } }) => ({ ...loadBalancer, ...verdict }));
  const filters = Object.fromEntries(FILTER_KEYS.filter((key) => state[key]).map((key) => [key, state[key]]));
  return `${JSON.stringify({ version: index.data.version, asOf: index.data.asOf, filters, findings }, null, 1)}\n`;
}

function downloadFile(content, type, extension, asOf) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const anchor = h("a", { href: url, download: `alb-sg-findings-${asOf.replaceAll(":", "")}.${extension}` });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
