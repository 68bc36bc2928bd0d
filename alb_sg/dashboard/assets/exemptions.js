// Exemptions, those that need attention first.

const EXEMPTION_STATUS = { expired: ["\u25b2", "expired", "nonCompliant"], expiring: ["\u25c6", "expiring", "error"], inForce: ["\u25a0", "in force", "exempt"] };
const EXEMPTION_ORDER = Object.keys(EXEMPTION_STATUS);

function showExemptions(index, state) {
  const report = index.data.exemptions;
  const body = document.querySelector("#exemptions .body");
  if (report === null) {
    body.replaceChildren(h("p", null, "No exemptions: every verdict counts."));
    return;
  }
  const entries = filterEntries(index, state, report.entries.map((entry) => withLoadBalancerFacts(index, entry)), (entry) => [entry.arn, entry.rule, entry.exemptionOwner, entry.ticket, entry.reason, entry.account, entry.accountName]);
  const counts = countExemptions(entries);
  const elements = [
    ...[...report.malformed, ...report.errors].map((text) => h("p", { class: "alarm" }, "Has no effect: ", reasonElement(text))),
    h("p", { class: "note" }, "As of ", report.date, " (UTC), from ", isolatedText(report.source), "."),
    h("dl", { class: "tiles" },
      tile("exempt", "In force", formatNumber(counts.inForce)),
      tile(counts.expiring ? "warning" : "", `In force, ending within ${report.days} days`, formatNumber(counts.expiring)),
      tile(counts.expired ? "bad" : "", "Expired, without effect", formatNumber(counts.expired)),
      tile(counts.unused ? "warning" : "", "Unused", formatNumber(counts.unused))),
  ];
  if (entries.length) {
    entries.sort((left, right) => EXEMPTION_ORDER.indexOf(left.status) - EXEMPTION_ORDER.indexOf(right.status) || (left.expires < right.expires ? -1 : left.expires > right.expires ? 1 : 0));
    elements.push(expandableTable("exemptions", "Exemptions, those that need attention first", exemptionColumns(index, state), entries, "exemption"));
  }
  body.replaceChildren(...elements);
}

// `inForce` includes the expiring ones.
function countExemptions(entries) {
  const counts = { inForce: 0, expiring: 0, expired: 0, unused: 0 };
  for (const entry of entries) {
    counts[entry.status] += 1;
    if (entry.status === "expiring") counts.inForce += 1;
    if (entry.use === "unused" && entry.status !== "expired") counts.unused += 1;
  }
  return counts;
}

const exemptionColumns = (index, state) => [
  { title: "Status", kind: "nowrap", cell: exemptionStatus, text: exemptionStatusText, value: ({ status }) => EXEMPTION_ORDER.indexOf(status) },
  { title: "Until", kind: "nowrap", cell: ({ expires }) => expires, text: ({ expires }) => expires, value: ({ expires }) => expires },
  { title: "Load balancer", header: true, cell: (entry) => [nameOrLink(index, state, entry), aside(isolatedText(entry.accountName || entry.account), ` ${entry.region}`)], value: ({ name }) => name.toLowerCase() },
  { title: "Rule", cell: ({ rule }) => index.subjects.get(rule) ?? rule, text: ({ rule }) => index.subjects.get(rule) ?? rule, value: ({ rule }) => index.subjects.get(rule) ?? rule },
  { title: "Owner and reason", kind: "text", cell: (entry) => [reasonElement(`${entry.exemptionOwner} (${entry.ticket}): ${entry.reason}`), aside(isolatedText(entry.because))], value: ({ exemptionOwner }) => exemptionOwner.toLowerCase() },
];

const EXEMPTION_USE = { used: null, unused: "unused", unknown: "use unknown" };
const exemptionStatusText = ({ status, use }) => [EXEMPTION_STATUS[status][1], EXEMPTION_USE[use]].filter(Boolean).join(", ");

function exemptionStatus(entry) {
  const [shape, label, color] = EXEMPTION_STATUS[entry.status];
  const use = EXEMPTION_USE[entry.use];
  return [h("span", { class: `status ${color}` }, h("span", { "aria-hidden": "true" }, shape), ` ${label}`), use ? aside(use) : null];
}

// An exemption with the fields that filters need: its account's name and unit, its load balancer's scheme and tags.
function withLoadBalancerFacts(index, entry) {
  const loadBalancer = index.byArn.get(entry.arn);
  const facts = { ...entry, scheme: loadBalancer?.scheme ?? "unknown", tags: loadBalancer?.tags ?? null, owner: loadBalancer?.owner ?? null, exemptionOwner: entry.owner };
  addAccountName(index.data, facts);
  return facts;
}
