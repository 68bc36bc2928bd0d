// The findings in the table as a file.

const CSV_STATUSES = { nonCompliant: "NON_COMPLIANT", error: "ERROR", exempt: "EXEMPT", compliant: "COMPLIANT", notApplicable: "NOT_APPLICABLE" };

// The columns of `alb-sg check --format csv`, in its order and with its contents, and after them what only the page knows.
const CSV_COLUMNS = [
  ["accountId", (loadBalancer) => loadBalancer.account],
  ["accountName", (loadBalancer) => loadBalancer.accountName],
  ["unit", (loadBalancer) => loadBalancer.unit ?? ""],
  ["region", (loadBalancer) => loadBalancer.region],
  ["loadBalancerArn", (loadBalancer) => loadBalancer.arn],
  ["loadBalancerName", (loadBalancer) => loadBalancer.name],
  ["scheme", (loadBalancer) => (loadBalancer.scheme === "unknown" ? "" : loadBalancer.scheme)],
  ["securityGroups", (loadBalancer, verdict) => (verdict.status === "error" ? [] : verdict.groups ?? loadBalancer.securityGroups).join(" ")],
  ["rule", (_, verdict) => verdict.rule],
  ["severity", (_, verdict, index) => (verdict.status === "nonCompliant" ? index.severities.get(verdict.rule) ?? "" : "")],
  ["status", (_, verdict) => CSV_STATUSES[verdict.status]],
  ["unresolved", (_, verdict) => (verdict.status === "error" ? "" : String(Boolean(verdict.unresolved)))],
  ["annotation", (_, verdict) => verdict.annotation],
  ["missing", (_, verdict) => (verdict.missing ?? []).map(describeMissing).join("; ")],
  ["advice", (loadBalancer, verdict) => (loadBalancer.detail?.fix?.advice ?? []).filter(([rule]) => rule === verdict.rule).map(([, sentence]) => sentence).join("; ")],
  ["unused", (_, verdict) => (verdict.unused ?? []).join("; ")],
  ["change", (_, verdict, index) => (isChanged(index, verdict) ? verdict.change : "")],
  ["exemption", (_, verdict) => (verdict.exemption ? describeExemption(verdict.exemption) : "")],
  ["owner", (loadBalancer) => loadBalancer.owner ?? ""],
  ["causes", (_, verdict) => (verdict.causes ?? []).join(" ")],
  ["since", (_, verdict) => verdict.since ?? ""],
];

// As describe_missing of alb_sg/report/phrasing.py: all ways to meet what is missing.
function describeMissing({ direction, recommended, peers, orSecurityGroups, securityGroups }) {
  const preposition = direction === "egress" ? "to" : "from";
  if (!peers.length && !orSecurityGroups.length) return direction === "targetIngress" ? recommended.replace("inbound", "inbound to its targets") : recommended;
  const what = recommended.slice(0, recommended.indexOf(` ${preposition} `)).replace("inbound", direction === "targetIngress" ? "inbound to its targets" : "inbound");
  const ways = [peers.length ? `${preposition} ${peers.join(", ")}` : "", orSecurityGroups.length ? `${preposition} ${orSecurityGroups.join(" or ")}` : ""];
  const text = `${what} ${(direction === "egress" ? ways : ways.reverse()).filter(Boolean).join(", or ")}`;
  return direction === "targetIngress" && peers.length ? `${text}, in ${(securityGroups ?? []).join(" or ") || "their groups, which are not known"}` : text;
}

// As describe_exemption there.
function describeExemption({ expires, owner, ticket, reason, wouldBe }) {
  return `until ${expires} by ${owner} (${ticket}): ${reason}; ${wouldBe ? `would be ${wouldBe.compliance}: ${wouldBe.annotation}` : "could not be judged"}`;
}

// What could not be read of a whole account and region: it may concern any load balancer there, so no filter but that for
// accounts and regions leaves it out.
function generalErrorRows(index, state) {
  if (state.status.length && !state.status.some((status) => ["error", "all"].includes(status))) return [];
  const isShown = (error) => matchesLoadBalancer({ ...state, name: [], owner: [], scheme: [], tag: [] }, error);
  return index.data.errors.map((error) => ({ arn: error.loadBalancer ?? "", name: "", scheme: "unknown", securityGroups: [], ...error })).filter((error) => {
    addAccountName(index.data, error);
    return !error.account || isShown(error);
  }).map((error) => ({ loadBalancer: error, verdict: { rule: error.rule ?? "", status: "error", annotation: `${error.what}: ${error.cause}` } }));
}

// An apostrophe keeps a spreadsheet from taking a name for a formula.
function csvCell(text) {
  const escaped = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return csvQuote(escaped);
}

const csvQuote = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

// For spreadsheets, as `--spreadsheet` writes it: a byte order mark, by which Excel knows UTF-8, and account ids as formulas
// that give text, which keeps their leading zeros.
function toCsv(index, rows) {
  const cell = ([column, value], { loadBalancer, verdict }) => {
    const text = value(loadBalancer, verdict, index);
    return column === "accountId" && /^[0-9]+$/.test(text) ? csvQuote(`="${text}"`) : csvCell(text);
  };
  const lines = [CSV_COLUMNS.map(([column]) => column), ...rows.map((row) => CSV_COLUMNS.map((column) => cell(column, row)))];
  return `\ufeff${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
}

function toJson(index, state, rows) {
  const findings = rows.map(({ loadBalancer: { verdicts, detail, standing, matches, hasText, seen, ...loadBalancer }, verdict: { rank, ...verdict } }) => ({ ...loadBalancer, ...verdict }));
  const filters = Object.fromEntries(filtersInUse(state).map((key) => [key, MULTIPLE_KEYS.includes(key) ? filterValues(state, key).map((value) => (key === "status" ? STATUS_WORDS[value] ?? value : value)) : state[key]]));
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
