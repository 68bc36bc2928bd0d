// The page's data, decoded once, with its verdicts in one list, worst first.

// The statuses that need work.
const OPEN_STATUSES = ["nonCompliant", "error"];

async function decodeData(text) {
  const packed = atob(text);
  const bytes = new Uint8Array(packed.length);
  for (let position = 0; position < packed.length; position += 1) bytes[position] = packed.charCodeAt(position);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

function buildIndex(data) {
  const rows = [];
  for (const loadBalancer of data.loadBalancers) {
    addAccountName(data, loadBalancer);
    for (const verdict of loadBalancer.verdicts) rows.push({ loadBalancer, verdict });
  }
  // The sort is stable: verdicts of the same rank and number of targets keep the order of account, region and ARN.
  rows.sort((left, right) => left.verdict.rank - right.verdict.rank || (right.loadBalancer.targets ?? 0) - (left.loadBalancer.targets ?? 0));
  for (const gone of data.gone) addAccountName(data, gone);
  return {
    data,
    rows,
    byArn: new Map(data.loadBalancers.map((loadBalancer) => [loadBalancer.arn, loadBalancer])),
    explainedCount: data.loadBalancers.filter((loadBalancer) => loadBalancer.detail).length,
    subjects: new Map(data.rules.map((rule) => [rule.name, rule.subject])),
    severities: new Map(data.rules.map((rule) => [rule.name, rule.severityLabel])),
    hasOwners: data.ownerTags.length > 0,
    severityRanks: new Map(data.rules.map((rule) => [rule.name, rule.severity])),
    interrupting: new Set(data.rules.filter((rule) => rule.interruptsRequests).map((rule) => rule.name)),
  };
}

function addAccountName(data, entry) {
  const account = data.accounts[entry.account];
  entry.accountName = account?.name ?? "";
  entry.unit = account?.unit ?? null;
}

// The root of an organization has no name of its own; null is an account whose unit is not known.
const ROOT_UNIT = "Root";
const UNKNOWN_UNIT = "(unit unknown)";
const NO_OWNER = "(no owner)";
const unitName = (unit) => (unit === null || unit === undefined ? UNKNOWN_UNIT : unit || ROOT_UNIT);

// The load balancers of rows, each once, in their order.
function loadBalancersOf(rows) {
  const found = [];
  const mark = Symbol("seen");
  for (const { loadBalancer } of rows) {
    if (loadBalancer.seen === mark) continue;
    loadBalancer.seen = mark;
    found.push(loadBalancer);
  }
  return found;
}

const searchTexts = new WeakMap();

// The text that a search looks in, made once for each object.
function searchText(object, parts) {
  let text = searchTexts.get(object);
  if (text === undefined) searchTexts.set(object, (text = parts().filter(Boolean).join("\n").toLowerCase()));
  return text;
}

const loadBalancerText = (loadBalancer) =>
  searchText(loadBalancer, () => [
    loadBalancer.arn, loadBalancer.name, loadBalancer.account, loadBalancer.accountName, loadBalancer.unit, ...(loadBalancer.securityGroups ?? []),
    ...Object.entries(loadBalancer.tags ?? {}).map(([key, value]) => `${key}=${value}`),
  ]);
const verdictText = (verdict) => searchText(verdict, () => [verdict.annotation, verdict.rule, verdict.exemption?.owner, verdict.exemption?.ticket]);
