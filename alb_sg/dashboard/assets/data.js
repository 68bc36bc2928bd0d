// The page's data: unpacked once, and its verdicts in one list, worst first.

const TO_DO = ["nonCompliant", "error"];

async function unpacked(text) {
  const packed = atob(text);
  const bytes = new Uint8Array(packed.length);
  for (let place = 0; place < packed.length; place += 1) bytes[place] = packed.charCodeAt(place);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

function indexed(data) {
  const rows = [];
  for (const one of data.loadBalancers) {
    const known = data.accounts[one.account];
    one.accountName = known?.name ?? "";
    one.unit = known?.unit ?? null;
    for (const verdict of one.verdicts) rows.push({ one, verdict });
  }
  // Sorting keeps what is alike in the order of account, region and ARN.
  rows.sort((left, right) => left.verdict.rank - right.verdict.rank);
  const byArn = new Map(data.loadBalancers.map((one) => [one.arn, one]));
  for (const gone of data.gone) {
    gone.accountName = data.accounts[gone.account]?.name ?? "";
    gone.unit = data.accounts[gone.account]?.unit ?? null;
  }
  const drawn = data.loadBalancers.filter((one) => one.detail).length;
  return { data, rows, byArn, drawn, subjects: new Map(data.rules.map((rule) => [rule.name, rule.subject])) };
}

const texts = new WeakMap();

// What a search looks at, once.
function searchable(thing, parts) {
  let text = texts.get(thing);
  if (text === undefined) texts.set(thing, (text = parts().filter(Boolean).join("\n").toLowerCase()));
  return text;
}

const loadBalancerText = (one) =>
  searchable(one, () => [
    one.arn, one.name, one.account, one.accountName, one.unit, ...(one.securityGroups ?? []),
    ...Object.entries(one.tags ?? {}).map(([key, value]) => `${key}=${value}`),
  ]);
const verdictText = (verdict) => searchable(verdict, () => [verdict.annotation, verdict.rule, verdict.exemption?.owner, verdict.exemption?.ticket]);
