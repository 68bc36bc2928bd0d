// One load balancer, down to the security group rule.

// A partition without a host here has no console that AWS documents, and gets no links.
const CONSOLE_HOSTS = {
  aws: "console.aws.amazon.com",
  "aws-cn": "console.amazonaws.cn",
  "aws-eusc": "console.amazonaws-eusc.eu",
  "aws-us-gov": "console.amazonaws-us-gov.com",
};

// A page of the console; through the access portal, it opens in the load balancer's own account.
function consoleUrl(loadBalancer, path, fragment) {
  const partition = loadBalancer.arn.split(":")[1];
  if (!Object.hasOwn(CONSOLE_HOSTS, partition)) return null;
  const region = encodeURIComponent(loadBalancer.region);
  const destination = `https://${region}.${CONSOLE_HOSTS[partition]}/${path}?region=${region}#${fragment}`;
  const portal = index.data.accessPortal;
  if (!portal) return destination;
  return `${portal.url}/#/console?account_id=${encodeURIComponent(loadBalancer.account)}&role_name=${encodeURIComponent(portal.role)}&destination=${encodeURIComponent(destination)}`;
}

const externalLink = (href, ...content) => href === null ? content : h("a", { href, rel: "noreferrer noopener", target: "_blank" }, ...content);
const groupUrl = (loadBalancer, id) => consoleUrl(loadBalancer, "ec2/home", `SecurityGroup:groupId=${encodeURIComponent(id)}`);

function showDetail(index, state) {
  const title = document.querySelector("#detail-title");
  const body = document.querySelector("#detail .body");
  const loadBalancer = index.byArn.get(state.lb);
  document.querySelector("#detail").classList.toggle("empty", loadBalancer === undefined);
  if (loadBalancer === undefined) {
    title.textContent = "One load balancer";
    body.replaceChildren(state.lb
      ? h("p", { class: "alarm" }, "This page has no load balancer ", isolatedText(state.lb), "; it may be gone, or was not covered.")
      : h("p", null, "Choose a load balancer in a table above to see its diagram, its recommended rows with the rules that meet them, its fix and its history."));
    return;
  }
  title.replaceChildren(isolatedText(loadBalancer.name));
  body.replaceChildren(
    h("p", { class: "full-width" }, h("a", { href: formatAddress({ ...state, lb: "" }), class: "close" }, "Close"), " ", isolatedText(loadBalancer.arn)),
    verdictTable(index, loadBalancer),
    factList(index, loadBalancer),
    ...(loadBalancer.detail ? explanationElements(index, loadBalancer) : [h("p", { class: "note" }, index.data.audit.verdicts === "recorded" ? ["This page shows the verdicts that AWS Config has recorded, and has no diagram, table or fix. With ", h("code", null, "--verdicts own"), " it has them; so has "] : "This page has no diagram, table or fix of it: its configuration was not read, or it is not among the worst load balancers. They are in ", h("code", null, `alb-sg explain ${loadBalancer.arn}`), ".")]),
    ...automationLinks(index, loadBalancer),
    ...historyElements(index, loadBalancer),
  );
}

function factList(index, loadBalancer) {
  const { detail, accountName, unit } = loadBalancer;
  const tags = Object.entries(loadBalancer.tags ?? {}).map(([key, value]) => `${key}=${value}`);
  const facts = [
    ["Account", [isolatedText(accountName || loadBalancer.account), accountName ? [" (", isolatedText(loadBalancer.account), ")"] : "", unit === null ? "" : [", ", isolatedText(unitName(unit))]]],
    ["Owner", index.hasOwners ? isolatedText(loadBalancer.owner ?? NO_OWNER) : null],
    ["Region", loadBalancer.region],
    ["Scheme", loadBalancer.scheme === "unknown" ? "unknown" : `${loadBalancer.scheme}${detail ? `, ${detail.ipAddressType}, ${detail.state}` : ""}`],
    ["Security groups", loadBalancer.securityGroups.map((id, position) => [position ? ", " : "", h("span", { class: "nowrap" }, externalLink(groupUrl(loadBalancer, id), isolatedText(id)))])],
    ["VPC", detail?.vpc ? `${detail.vpc}${detail.vpcCidrs ? ` (${detail.vpcCidrs.join(", ")})` : ""}` : null],
    ["Behind", detail?.fronts.length ? isolatedText(detail.fronts.join(", ")) : null],
    ["Tags", tags.length ? reasonElement(tags.join(", ")) : null],
  ];
  return h("dl", { class: "facts" }, facts.filter(([, value]) => value !== null && value.length !== 0).map(([title, value]) => h("div", null, h("dt", null, title), h("dd", null, value))));
}

function verdictTable(index, loadBalancer) {
  const exemptionText = ({ owner, ticket, expires, reason }) => aside(isolatedText(`${owner} (${ticket}), until ${expires}: ${reason}`));
  const columns = [
    { title: "Rule", header: true, cell: (verdict) => index.subjects.get(verdict.rule) ?? verdict.rule },
    { title: "Status", kind: "nowrap", cell: (verdict) => statusBadge(verdict.status, verdict.unresolved ? ", unresolved" : "") },
    { title: "Severity", cell: (verdict) => severityText(index, verdict), text: (verdict) => severityText(index, verdict) },
    { title: "Reason", kind: "text", cell: (verdict) => [isolatedText(verdict.annotation), verdict.exemption ? exemptionText(verdict.exemption) : null] },
    { title: "Age", kind: "nowrap", cell: (verdict) => ageElement(index, verdict), text: (verdict) => ageText(index, verdict) },
  ];
  const verdicts = [...loadBalancer.verdicts].sort((left, right) => left.rank - right.rank);
  const empty = ({ text }) => !text || verdicts.some((verdict) => text(verdict) !== "");
  return table("Verdicts", columns.filter(empty), verdicts);
}

function explanationElements(index, loadBalancer) {
  const { detail } = loadBalancer;
  const countRows = (direction) => detail.rows.filter((row) => row.direction === direction).length;
  const drawn = [...detail.rows, ...unusedRows(detail)];
  const omitted = Math.max(countRows("inbound") + unusedRows(detail).length, pathsToTargets(detail.rows).length) - MAX_LANES;
  return [
    h("h3", null, "Recommended traffic"),
    omitted > 0 ? h("p", { class: "note" }, `${pluralize(omitted, "row")} of one direction ${omitted === 1 ? "is" : "are"} in the table and not in the diagram.`) : null,
    drawn.length ? laneList(drawn) : null,
    drawn.length ? h("div", { class: "picture", role: "region", tabindex: "0", "aria-label": "Diagram" }, buildDiagram(loadBalancer)) : null,
    ...detail.unread.map((text) => h("p", { class: "alarm" }, "Not read: ", isolatedText(text))),
    detail.rows.length ? recommendedRowTable(index, detail.rows) : h("p", null, "No rule requires any traffic of it."),
    ...detail.remarks.map((text) => h("p", { class: "alarm" }, "Remark: ", isolatedText(text))),
    ...[...new Set(detail.notes.map(([, text]) => text))].map((text) => h("p", { class: "note" }, isolatedText(text))),
    ...unusedElements(loadBalancer),
    ...fixElements(index, loadBalancer),
  ].filter(Boolean);
}

function recommendedRowTable(index, rows) {
  return table("Recommended and actual rules", [
    { title: "Status", kind: "nowrap", cell: (row) => statusBadge(row.status) },
    { title: "Recommended", kind: "text", header: true, cell: (row) => [describeRow(row), row.label ? aside(isolatedText(row.label)) : null] },
    { title: "For", cell: (row) => [isolatedText(row.because[1]), aside(index.subjects.get(row.rule) ?? row.rule)] },
    { title: "Actual rules", kind: "text", cell: (row) => (row.why.length ? row.why.map((text) => aside(isolatedText(text))) : "no rule allows any of it") },
  ], missingFirst(rows));
}

// What is open and unused, and the commands that remove it.
function unusedElements({ detail, verdicts }) {
  const unused = verdicts.flatMap((verdict) => verdict.unused ?? []);
  if (!unused.length) return [];
  return [
    h("h3", null, "Unused openings"),
    h("ul", null, unused.map((text) => h("li", null, isolatedText(text)))),
    detail.removal ? h("details", null, h("summary", null, "AWS CLI"), h("pre", { tabindex: "0", role: "region", "aria-label": "Commands that remove unused openings" }, detail.removal)) : null,
  ];
}

// --- the fix

function fixElements(index, loadBalancer) {
  const proposedFix = loadBalancer.detail.fix;
  if (!proposedFix || !proposedFix.advice.length) return [];
  const code = (title, text) => (text ? h("details", null, h("summary", null, title), h("pre", { tabindex: "0", role: "region", "aria-label": title }, text)) : null);
  const elements = [
    h("h3", null, "Fix"),
    h("p", { class: "note" }, "What ", h("code", null, `alb-sg fix ${loadBalancer.arn}`), " does. It never changes a managed security group, nor a shared one of the load balancer. Before a change it reads the account again, and it can undo the change."),
    h("ul", null, proposedFix.advice.map(([rule, text]) => h("li", null, h("span", { class: "aside" }, index.subjects.get(rule) ?? rule), isolatedText(text)))),
  ];
  if (proposedFix.rules.length) {
    elements.push(
      h("details", { open: true }, h("summary", null, "In the console"), h("ol", null, proposedFix.rules.map((rule) => consoleStep(loadBalancer, rule)))),
      code("AWS CLI", proposedFix.cli), code("CloudFormation", proposedFix.cloudFormation), code("Terraform", proposedFix.terraform));
  }
  return elements;
}

function consoleStep(loadBalancer, rule) {
  const [page, preposition] = rule.direction === "inbound" ? ["ModifyInboundSecurityGroupRules", "from"] : ["ModifyOutboundSecurityGroupRules", "to"];
  const step = rule.group
    ? externalLink(consoleUrl(loadBalancer, "ec2/home", `${page}:securityGroupId=${encodeURIComponent(rule.group)}`), `Edit the ${rule.direction} rules of `, isolatedText(rule.group))
    : `Create a security group, add it to the load balancer, and edit its ${rule.direction} rules`;
  return h("li", null, step, `: add ${rule.what} ${preposition} `, isolatedText(rule.peer), rule.everyone ? " (open to everyone, as recommended for its clients)" : "", ", for ", isolatedText(rule.because.join(", ")), rule.alsoOpens ? ["; ", isolatedText(rule.alsoOpens)] : null, "; save.");
}

// Links that open the Systems Manager Automation document of a rule with its parameter filled in.
function automationLinks(index, loadBalancer) {
  const fixable = new Set(loadBalancer.verdicts.filter((verdict) => verdict.status === "nonCompliant" && !verdict.unresolved).map((verdict) => verdict.rule));
  const rules = index.data.rules.filter((rule) => rule.document && fixable.has(rule.name));
  if (!rules.length) return [];
  const documentUrl = (rule) => consoleUrl(loadBalancer, `systems-manager/automation/execute/${rule.document}`, `LoadBalancerArn=${encodeURIComponent(loadBalancer.arn)}`);
  return [
    h("h3", null, "Start the fix in Systems Manager Automation"),
    h("p", { class: "note" }, "In the load balancer's own account, where the documents are deployed. Each first plans and changes nothing (DryRun)."),
    h("ul", null, rules.map((rule) => h("li", null, externalLink(documentUrl(rule), rule.document), `: ${rule.title}`))),
  ];
}

// --- history

function historyElements(index, loadBalancer) {
  const transitions = loadBalancer.verdicts.flatMap((verdict) => {
    const earlier = verdict.history ?? [];
    const latest = verdict.history && verdict.change ? [[index.data.asOf, verdict.status]] : [];
    return [...earlier, ...latest].map(([time, status]) => ({ time, status, rule: verdict.rule }));
  });
  if (!transitions.length) return [];
  transitions.sort((left, right) => (left.time < right.time ? 1 : left.time > right.time ? -1 : 0));
  return [
    h("h3", null, "History"),
    table("When verdicts changed, the latest first", [
      { title: "Run (UTC)", header: true, cell: ({ time }) => timeElement(time) },
      { title: "Rule", cell: ({ rule }) => index.subjects.get(rule) ?? rule },
      { title: "New status", cell: ({ status }) => (status === "gone" ? "gone" : statusBadge(status)) },
    ], transitions),
  ];
}
