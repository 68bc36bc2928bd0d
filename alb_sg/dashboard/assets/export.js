// What is in the table of findings, as a file; a spreadsheet must not take a name for a formula.

const EXPORTED = [
  ["accountId", (one) => one.account],
  ["accountName", (one) => one.accountName],
  ["unit", (one) => one.unit ?? ""],
  ["region", (one) => one.region],
  ["loadBalancerArn", (one) => one.arn],
  ["loadBalancerName", (one) => one.name],
  ["scheme", (one) => one.scheme],
  ["securityGroups", (one) => one.securityGroups.join(" ")],
  ["rule", (_, verdict) => verdict.rule],
  ["status", (_, verdict) => verdict.status],
  ["unresolved", (_, verdict) => String(Boolean(verdict.unresolved))],
  ["annotation", (_, verdict) => verdict.annotation],
  ["allow", (_, verdict) => (verdict.missing ?? []).map((missing) => missing.allow).join("; ")],
  ["causes", (_, verdict) => (verdict.causes ?? []).join(" ")],
  ["change", (_, verdict) => verdict.change ?? ""],
  ["since", (_, verdict) => verdict.since ?? ""],
  ["exemption", (_, verdict) => (verdict.exemption ? `${verdict.exemption.owner} (${verdict.exemption.ticket}) until ${verdict.exemption.expires}: ${verdict.exemption.reason}` : "")],
];

function csvCell(text) {
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

function csvOf(rows) {
  const lines = [EXPORTED.map(([column]) => column), ...rows.map(({ one, verdict }) => EXPORTED.map(([, value]) => csvCell(value(one, verdict))))];
  return `${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
}

function jsonOf(index, state, rows) {
  const findings = rows.map(({ one: { verdicts, detail, ...one }, verdict: { rank, ...verdict } }) => ({ ...one, ...verdict }));
  return `${JSON.stringify({ version: index.data.version, asOf: index.data.asOf, filters: Object.fromEntries(FILTERS.filter((key) => state[key]).map((key) => [key, state[key]])), findings }, null, 1)}\n`;
}

function save(content, type, ending, asOf) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const anchor = h("a", { href: address, download: `alb-sg-findings-${asOf.replaceAll(":", "")}.${ending}` });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
