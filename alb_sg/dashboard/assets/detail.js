// Section 8: one load balancer, down to the security group rule.

const PARTITIONS = { "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com" };

function consoleAddress(one, path, fragment) {
  const host = PARTITIONS[one.arn.split(":")[1]] ?? "console.aws.amazon.com";
  const region = encodeURIComponent(one.region);
  return `https://${region}.${host}/${path}?region=${region}#${fragment}`;
}

const outside = (href, ...content) => h("a", { href, rel: "noreferrer noopener", target: "_blank" }, ...content);

function showDetail(index, state) {
  const section = document.querySelector("#detail");
  const title = document.querySelector("#detail-title");
  const body = section.querySelector(".body");
  if (!state.lb) {
    title.textContent = "One load balancer";
    body.replaceChildren(h("p", null, "Choose a load balancer in a table above: its picture, its recommended rows with the rules that meet them, its fix and its history are shown here."));
    return;
  }
  const one = index.byArn.get(state.lb);
  if (one === undefined) {
    title.textContent = "One load balancer";
    body.replaceChildren(h("p", { class: "alarm" }, "This page has no load balancer ", name(state.lb), "; it may be gone, or was not looked at."));
    return;
  }
  title.replaceChildren(name(one.name));
  body.replaceChildren(
    h("p", { class: "whole" }, h("a", { href: addressOf({ ...state, lb: "" }) }, "Close"), " ", name(one.arn)),
    facts(one),
    table("Verdicts", [["Rule"], ["Status"], ["What it says"], ["Since"]], [...one.verdicts].sort((left, right) => left.rank - right.rank).map((verdict) => cells([
      head(index.subjects.get(verdict.rule) ?? verdict.rule), status(verdict.status, verdict.unresolved ? ", unresolved" : ""),
      cell("text", name(verdict.annotation), verdict.exemption ? h("span", { class: "aside" }, name(`${verdict.exemption.owner} (${verdict.exemption.ticket}), until ${verdict.exemption.expires}: ${verdict.exemption.reason}`)) : null),
      cell("nowrap", time(verdict.since))]))),
    ...(one.detail ? drawn(index, one) : [h("p", { class: "note" }, "There is no picture, table or fix of it in this page: its configuration was not read, or it is beyond those that pictures are made of. ", h("code", null, `alb-sg explain ${one.arn}`), " has them.")]),
    ...startLinks(index, one),
    ...past(index, one),
  );
}

function facts(one) {
  const { detail } = one;
  const tags = Object.entries(one.tags ?? {});
  const given = [
    ["Account", [name(one.accountName || one.account), one.accountName ? ` (${one.account})` : "", one.unit ? [", ", name(one.unit)] : ""]],
    ["Region", one.region],
    ["Scheme", one.scheme === "unknown" ? "not known" : `${one.scheme}${detail ? `, ${detail.ipAddressType}, ${detail.state}` : ""}`],
    ["Security groups", one.securityGroups.map((id, place) => [place ? ", " : "", outside(groupAddress(one, id), name(id))])],
    ["VPC", detail?.vpc ? `${detail.vpc}${detail.vpcCidrs ? ` (${detail.vpcCidrs.join(", ")})` : ""}` : null],
    ["Behind", detail?.fronts.length ? name(detail.fronts.join(", ")) : null],
    ["Tags", tags.length ? name(tags.map(([key, value]) => `${key}=${value}`).join(", ")) : null],
  ];
  return h("dl", { class: "facts" }, given.filter(([, value]) => value !== null && value.length !== 0).map(([title, value]) => h("div", null, h("dt", null, title), h("dd", null, value))));
}

const groupAddress = (one, id) => consoleAddress(one, "ec2/home", `SecurityGroup:groupId=${encodeURIComponent(id)}`);

function drawn(index, one) {
  const { detail } = one;
  const more = Math.max(detail.rows.filter((row) => row.direction === "inbound").length, detail.rows.filter((row) => row.direction === "outbound").length) - MOST_LANES;
  return [
    h("h3", null, "What it is recommended to let through"),
    more > 0 ? h("p", { class: "note" }, `${counted(more, "more row")} of one direction ${more === 1 ? "is" : "are"} in the table and not in the picture.`) : null,
    detail.rows.length ? h("div", { class: "picture", role: "region", tabindex: "0", "aria-label": "Picture" }, picture(one)) : null,
    ...detail.unread.map((text) => h("p", { class: "alarm" }, "Not read: ", name(text))),
    detail.rows.length
      ? table("Recommended rules, and the actual ones", [["Status"], ["Recommended"], ["For"], ["Actual rules"]], detail.rows.map((row) => cells([
          status(row.status),
          head(`${row.direction} ${row.traffic} ${row.direction === "inbound" ? "from" : "to"} `, name(row.peer), row.label ? h("span", { class: "aside" }, name(row.label)) : null),
          cell(null, name(row.because[1]), h("span", { class: "aside" }, index.subjects.get(row.rule) ?? row.rule)),
          cell("text", row.why.length ? row.why.map((text) => h("span", { class: "aside" }, name(text))) : "no rule lets any of it through")])))
      : h("p", null, "No rule asks for anything of it."),
    ...[...new Set(detail.notes.map(([, text]) => text))].map((text) => h("p", { class: "note" }, name(text))),
    ...fix(one),
  ].filter(Boolean);
}

// --- the fix

function fix(one) {
  const given = one.detail.fix;
  if (!given || !(given.rules.length || given.refused.length)) return [];
  const code = (title, text) => (text ? h("details", null, h("summary", null, title), h("pre", { tabindex: "0", role: "region", "aria-label": title }, text)) : null);
  const found = [
    h("h3", null, "The fix"),
    h("p", { class: "note" }, "Exactly these rules are missing. ", h("code", null, `alb-sg fix ${one.arn}`), " also looks at who else carries the group, who manages it and whether its quota suffices, and can apply and undo it."),
    ...given.refused.map(([, text]) => h("p", { class: "alarm" }, name(text))),
  ];
  if (given.rules.length) {
    found.push(
      h("details", { open: true }, h("summary", null, "In the console"), h("ol", null, given.rules.map((rule) => consoleStep(one, rule)))),
      code("AWS CLI", given.cli), code("CloudFormation", given.cloudFormation), code("Terraform", given.terraform));
  }
  return found;
}

function consoleStep(one, rule) {
  const kind = rule.direction === "inbound" ? "Inbound" : "Outbound";
  const group = rule.group
    ? outside(consoleAddress(one, "ec2/home", `Modify${kind}SecurityGroupRules:securityGroupId=${encodeURIComponent(rule.group)}`), `Edit the ${rule.direction} rules of `, name(rule.group))
    : `Make a security group for it, add it to the load balancer, and edit its ${rule.direction} rules`;
  return h("li", null, group, `: add ${rule.what} ${rule.direction === "inbound" ? "from" : "to"} `, name(rule.peer), rule.everyone ? " (open to everyone, as is recommended for its clients)" : "", ", for ", name(rule.because.join(", ")), "; save.");
}

// Starts the document of Systems Manager Automation that fixes a rule's finding, its parameter filled in.
function startLinks(index, one) {
  const wanted = one.verdicts.filter((verdict) => verdict.status === "nonCompliant" && !verdict.unresolved);
  const rules = index.data.rules.filter((rule) => rule.document && wanted.some((verdict) => verdict.rule === rule.name));
  if (!rules.length) return [];
  return [
    h("h3", null, "Start the fix in Systems Manager Automation"),
    h("p", { class: "note" }, "In the load balancer's own account, where the documents are deployed; each first plans and changes nothing (DryRun)."),
    h("ul", null, rules.map((rule) => h("li", null, outside(consoleAddress(one, `systems-manager/automation/execute/${rule.document}`, `LoadBalancerArn=${encodeURIComponent(one.arn)}`), rule.document), `: ${rule.title}`))),
  ];
}

// --- history

function past(index, one) {
  const steps = one.verdicts.flatMap((verdict) => [...(verdict.history ?? []), ...(verdict.history && verdict.change ? [[index.data.asOf, verdict.status]] : [])].map(([at, kind]) => ({ at, kind, rule: verdict.rule })));
  if (!steps.length) return [];
  steps.sort((left, right) => (left.at < right.at ? 1 : left.at > right.at ? -1 : 0));
  return [
    h("h3", null, "History"),
    table("When verdicts changed, the latest first", [["Run (UTC)"], ["Rule"], ["Became"]], steps.map(({ at, kind, rule }) => cells([head(time(at)), index.subjects.get(rule) ?? rule, kind === "gone" ? "not there" : status(kind)]))),
  ];
}
