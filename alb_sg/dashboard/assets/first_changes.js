// What to change first: the security groups whose missing rules keep most load balancers from being compliant.

const MAX_CHANGES = 5;
const MAX_CHANGE_RULES = 2;
const MAX_OWNERS = 2;
const EVERYONE = ["0.0.0.0/0", "::/0"];

function showFirstChanges(index, state, rows) {
  const changes = findFirstChanges(state, rows);
  const element = document.querySelector("#first-changes");
  element.hidden = false;
  const { kept, sentences } = distinctColumns(changeColumns(index, state), changes);
  const note = changes.length ? sentences.join(" ") : noChangeText(index, rows);
  element.replaceChildren(...[
    changes.length ? h("h3", null, "What to change first") : null,
    note ? h("p", { class: "note" }, note) : null,
    changes.length ? table("The changes that free most load balancers", kept, changes) : null,
  ].filter(Boolean));
}

function noChangeText(index, rows) {
  // The sentence above says it already.
  if (!index.data.loadBalancers.length) return "";
  if (!rows.length) return "No load balancers match these filters.";
  return rows.some((row) => row.verdict.status === "nonCompliant") ? "No security group rule is known that makes a load balancer compliant: see what is wrong below." : "Nothing to change.";
}

// At most five changes. Each is one security group with the rules that the load balancers carrying it lack. A load
// balancer counts for one change only, so the numbers add up.
function findFirstChanges(state, rows) {
  const candidates = new Map();
  for (const loadBalancer of loadBalancersOf(rows.filter(({ verdict }) => verdict.status === "nonCompliant"))) {
    const verdicts = loadBalancer.verdicts.filter((verdict) => verdict.status === "nonCompliant" && (!state.rule.length || state.rule.includes(verdict.rule)));
    // No rule to add makes an unused opening go away, or tells what could not be resolved.
    if (!verdicts.length || verdicts.some((verdict) => verdict.unresolved || verdict.unused)) continue;
    const described = verdicts.every((verdict) => verdict.missing?.length);
    if (described && !verdicts.every((verdict) => verdict.missing.every((missing) => canBeAdded(loadBalancer, missing)))) continue;
    for (const group of groupsToOpen(loadBalancer, verdicts)) {
      const key = [loadBalancer.account, loadBalancer.region, group, described].join(" ");
      let candidate = candidates.get(key);
      if (candidate === undefined) candidates.set(key, (candidate = { key, group, described, freed: [], rank: Infinity }));
      candidate.freed.push({ loadBalancer, verdicts });
      candidate.rank = Math.min(candidate.rank, ...verdicts.map((verdict) => verdict.rank));
    }
  }
  const changes = [];
  const done = new Set();
  let remaining = [...candidates.values()];
  while (changes.length < MAX_CHANGES) {
    remaining = remaining.map((candidate) => ({ ...candidate, freed: candidate.freed.filter(({ loadBalancer }) => !done.has(loadBalancer)) })).filter((candidate) => candidate.freed.length);
    if (!remaining.length) break;
    const best = remaining.reduce((left, right) => (right.freed.length - left.freed.length || left.rank - right.rank || compareValues(left.key, right.key)) > 0 ? right : left);
    for (const { loadBalancer } of best.freed) done.add(loadBalancer);
    changes.push(best);
  }
  return changes;
}

// The groups that can take all missing rules: a finding about targets needs a rule in one of theirs. A load balancer
// that lacks rules on both sides is not freed by one change.
const groupsToOpen = (loadBalancer, verdicts) =>
  (verdicts[0].groups ?? loadBalancer.securityGroups).filter((group) => verdicts.every((verdict) => (verdict.groups ?? loadBalancer.securityGroups).includes(group)));

// The peers that the rule in `recommended` names.
const addedPeers = (missing) => (missing.direction !== "ingress" && missing.orSecurityGroups.length ? missing.orSecurityGroups.slice(0, 1) : missing.required);

// Only a Network Load Balancer in front asks an internal load balancer to be open to everyone; that is no change to
// make without looking.
function canBeAdded(loadBalancer, missing) {
  const peers = addedPeers(missing);
  return peers.length > 0 && (missing.direction !== "ingress" || loadBalancer.scheme === "internet-facing" || !peers.some((peer) => EVERYONE.includes(peer)));
}

function missingRulesOf(change) {
  const rules = new Map();
  for (const { verdicts } of change.freed) for (const verdict of verdicts) for (const missing of verdict.missing ?? []) rules.set(missing.recommended, missing);
  return rules;
}

const changeColumns = (index, state) => [
  { title: "What to change", kind: "text", header: true, cell: (change) => changeText(state, change) },
  { title: "Account", cell: (change) => accountText(change.freed[0].loadBalancer), text: (change) => accountLabel(change.freed[0].loadBalancer) },
  ...(index.hasOwners ? [{ title: "Owner", cell: (change) => isolatedText(ownersOf(change)), text: ownersOf }] : []),
  { title: "Frees", kind: "number", cell: (change) => link(state, { q: change.group, account: change.freed[0].loadBalancer.account, region: change.freed[0].loadBalancer.region, is: "nonCompliant" }, pluralize(change.freed.length, "load balancer")) },
  { title: "Age", kind: "nowrap", cell: (change) => describeAge(index, oldestOf(index, change)), text: (change) => describeAge(index, oldestOf(index, change)) },
  { title: "Command", kind: "nowrap", cell: (change) => copyButton(commandFor(change), `Copy the command for ${change.group}`) },
];

// A group that several owners' load balancers carry has several people to ask.
function ownersOf(change) {
  const owners = [...new Set(change.freed.map(({ loadBalancer }) => loadBalancer.owner ?? NO_OWNER))].sort();
  return owners.length > MAX_OWNERS + 1 ? `${owners.slice(0, MAX_OWNERS).join(", ")} and ${owners.length - MAX_OWNERS} more` : owners.join(", ");
}

function oldestOf(index, change) {
  const times = change.freed.flatMap(({ verdicts }) => verdicts.map((verdict) => sinceOf(index, verdict))).filter((time) => time !== null);
  return times.length ? times.reduce((left, right) => (left < right ? left : right)) : null;
}

function changeText(state, change) {
  const { loadBalancer } = change.freed[0];
  const name = loadBalancer.detail?.groupNames[change.group];
  const group = [h("span", { class: "nowrap" }, isolatedText(change.group)), name ? [" (", isolatedText(name), ")"] : null];
  if (!change.described) return ["Open ", group, ": the source tells what is missing in words only", aside(loadBalancer.region)];
  const rules = [...missingRulesOf(change).keys()].sort();
  const omitted = rules.length - MAX_CHANGE_RULES;
  return ["Add to ", group, ": ", rules.slice(0, MAX_CHANGE_RULES).map((rule, position) => [position ? "; " : "", isolatedText(rule)]), omitted > 0 ? ` and ${pluralize(omitted, "more rule")}` : null, aside(loadBalancer.region)];
}

// --- the command

const shellQuote = (text) => (/^[\w.:/@=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

// One call for each rule, so that a rule that exists already does not stop the others.
function commandFor(change) {
  const { loadBalancer } = change.freed[0];
  if (!change.described) return `alb-sg fix --region ${shellQuote(loadBalancer.region)} ${change.freed.map(({ loadBalancer: { arn } }) => shellQuote(arn)).join(" ")}`;
  return [...missingRulesOf(change).entries()].sort(([left], [right]) => compareValues(left, right)).flatMap(([, missing]) => addedPeers(missing).map((peer) =>
    `aws ec2 authorize-security-group-${missing.direction === "egress" ? "egress" : "ingress"} --region ${shellQuote(loadBalancer.region)} --group-id ${shellQuote(change.group)} --ip-permissions ${shellQuote(JSON.stringify([ipPermission(missing, peer)]))}`)).join("\n");
}

function ipPermission(missing, peer) {
  const peers = peer.startsWith("pl-") ? { PrefixListIds: [{ PrefixListId: peer }] }
    : peer.startsWith("sg-") ? { UserIdGroupPairs: [{ GroupId: peer }] }
    : peer.includes(":") ? { Ipv6Ranges: [{ CidrIpv6: peer }] } : { IpRanges: [{ CidrIp: peer }] };
  return { IpProtocol: missing.protocol, FromPort: missing.fromPort, ToPort: missing.toPort, ...peers };
}

function copyButton(text, label) {
  const button = h("button", { type: "button", class: "copy", "aria-label": label, title: text }, "Copy");
  button.addEventListener("click", async () => {
    const copied = await copyText(text);
    button.textContent = copied ? "Copied" : "Not copied";
    document.querySelector("#shown").textContent = copied ? `${label}: copied.` : "This browser does not let the page copy: the command is in the button's title.";
  });
  return button;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without the clipboard's permission, or from a page that was not served over HTTPS.
    const field = h("textarea", { class: "visually-hidden" });
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}
