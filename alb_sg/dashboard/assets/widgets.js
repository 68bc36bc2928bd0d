// Sections 2 to 7, each from the rows that the filters let through.

const link = (state, changes, ...content) => h("a", { href: addressOf({ ...state, page: 1, lb: "", ...changes }) }, ...content);
const loadBalancerLink = (state, one) => h("a", { href: addressOf({ ...state, lb: one.arn }) }, name(one.name));
const where = (one) => [name(one.accountName || one.account), h("span", { class: "aside" }, one.accountName ? `${one.account} ` : "", one.unit ? name(one.unit) : "")];

// --- 2: how they stand

// `base`: the rows that all filters but the status let through. A load balancer in them counts with all that is asked
// about it, so that none is in order for want of the verdict that was filtered away.
function standing(index, state, base, gone) {
  const all = new Map();
  const rows = [];
  for (const one of new Set(base.map((row) => row.one))) {
    for (const verdict of one.verdicts) if (!state.rule || verdict.rule === state.rule) rows.push({ one, verdict });
  }
  const asked = state.rule ? 1 : index.data.rules.length;
  const before = new Set(gone.map((one) => one.arn));
  const now = new Set();
  for (const { one, verdict } of rows) {
    let known = all.get(one);
    if (known === undefined) all.set(one, (known = { bad: false, error: false, exempt: false, compliant: false, verdicts: 0 }));
    known.verdicts += 1;
    if (verdict.status === "nonCompliant") known.bad = true;
    else if (verdict.status === "error") known.error = true;
    else if (verdict.status === "exempt") known.exempt = true;
    else if (verdict.status === "compliant") known.compliant = true;
    const wasBad = verdict.was === "nonCompliant";
    if (wasBad) before.add(one.arn);
    // What could not be judged is what it was.
    if ((verdict.status === "error" && wasBad) || (verdict.status === "nonCompliant" && verdict.change !== "firstLook")) now.add(one.arn);
  }
  const found = { total: all.size, nonCompliant: 0, facing: 0, unknownScheme: 0, notJudged: 0, exempt: 0, inOrder: 0, change: now.size - before.size };
  for (const [one, known] of all) {
    if (known.bad) found.nonCompliant += 1;
    if (known.bad && one.scheme === "internet-facing") found.facing += 1;
    if (known.bad && one.scheme === "unknown") found.unknownScheme += 1;
    if (known.error) found.notJudged += 1;
    if (known.exempt) found.exempt += 1;
    if (known.compliant && !known.bad && !known.error && !known.exempt && known.verdicts === asked) found.inOrder += 1;
  }
  return found;
}

function showStanding(index, found) {
  const put = (key, text) => { document.querySelector(`[data-number="${key}"]`).textContent = text; };
  for (const key of ["nonCompliant", "facing", "notJudged", "exempt", "inOrder", "total"]) {
    put(key, number(found[key]));
    if (key !== "total") document.querySelector(`[data-number="${key}"]`).closest(".tile").classList.toggle("zero", found[key] === 0);
  }
  put("change", index.data.lastRun ? signed(found.change) : "\u2013");
  put("unknownScheme", found.unknownScheme ? `; of ${number(found.unknownScheme)} more the scheme is not known` : "");
  put("share", found.total ? `of ${counted(found.total, "load balancer")}` : "no load balancer matches");
}

// --- 3: rule by account or unit

function showMatrix(index, state, rows) {
  const groups = new Map();
  for (const { one, verdict } of rows) {
    const key = rowOf(state, one);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { key, one, bad: 0, rules: new Map() }));
    let counts = group.rules.get(verdict.rule);
    if (counts === undefined) group.rules.set(verdict.rule, (counts = { nonCompliant: 0, error: 0, exempt: 0, compliant: 0, notApplicable: 0 }));
    counts[verdict.status] += 1;
    if (verdict.status === "nonCompliant") group.bad += 1;
  }
  for (const home of index.data.coverage.homes) {
    const known = index.data.accounts[home.account];
    const one = { account: home.account, region: home.region, accountName: known?.name ?? "", unit: known?.unit ?? null };
    const key = rowOf(state, one);
    const filters = state.q || state.rule || state.scheme || state.tag;
    if (!filters && matchesPlace(state, one) && !groups.has(key)) groups.set(key, { key, one, bad: 0, rules: new Map() });
  }
  const ordered = [...groups.values()].sort((left, right) => right.bad - left.bad || (left.key < right.key ? -1 : 1));
  const rules = index.data.rules.filter((rule) => !state.rule || rule.name === state.rule);
  const unit = state.by === "unit";
  const choose = (by, text) => h("button", { type: "button", "aria-pressed": String(state.by === by), onclick: () => go({ by }) }, text);
  const homes = gaps(index, state);
  document.querySelector("#matrix .body").replaceChildren(
    h("div", { class: "choice", role: "group", "aria-label": "Rows" }, choose("account", "By account"), choose("unit", "By organizational unit")),
    h("p", { class: "note" }, "How many load balancers are ", status("nonCompliant"), " or, where none is, ", status("error"), ", of those that the rule was asked about; those ", status("exempt"), " count apart. A number leads to its findings."),
    ...shortTable("matrix", unit ? "Non-compliant load balancers by organizational unit and rule" : "Non-compliant load balancers by account and rule",
      [[unit ? "Unit" : "Account"], ...rules.map((rule) => [rule.subject, "number"])],
      ordered,
      (group) => h("tr", null, head(...(unit ? [name(group.key)] : where(group.one))), rules.map((rule) => matrixCell(state, group, rule, homes))),
      unit ? "unit" : "account", MATRIX_ROWS),
  );
}

const rowOf = (state, one) => (state.by === "unit" ? one.unit ?? "(unit not known)" : one.account);

// What accounts and regions did not answer, by row.
function gaps(index, state) {
  const found = new Map();
  for (const home of index.data.coverage.homes) {
    const key = rowOf(state, { account: home.account, unit: index.data.accounts[home.account]?.unit });
    let known = found.get(key);
    if (known === undefined) found.set(key, (known = { silent: 0, heard: 0, unread: 0, without: new Map() }));
    if (home.heard) known.heard += 1;
    else known.silent += 1;
    // What failed and is of no account may be of any.
    if (home.heard && index.data.errors.some((one) => one.loadBalancer === null && (!one.account || (one.account === home.account && one.region === home.region)))) known.unread += 1;
    for (const rule of home.missingRules) known.without.set(rule, (known.without.get(rule) ?? 0) + 1);
  }
  return found;
}

function matrixCell(state, group, rule, homes) {
  const counts = group.rules.get(rule.name);
  const filter = state.by === "unit" ? { unit: group.one.unit ?? "" } : { account: group.key };
  const gap = homes.get(group.key);
  const partial = [];
  if (gap?.silent) partial.push(gap.heard ? `not heard from in ${counted(gap.silent, "place")}` : "not heard from");
  if (gap?.unread) partial.push(`not read whole in ${counted(gap.unread, "place")}`);
  const without = gap?.without.get(rule.name);
  if (without) partial.push(`rule missing in ${counted(without, "place")}`);
  const note = partial.length ? h("span", { class: "aside" }, partial.join("; ")) : null;
  if (counts === undefined) return h("td", { class: "cell" }, h("span", { class: "none" }, partial.length ? "not looked at" : "none"), note);
  const asked = counts.nonCompliant + counts.error + counts.compliant;
  const kind = counts.nonCompliant ? "nonCompliant" : counts.error ? "error" : counts.compliant ? "compliant" : counts.exempt ? "exempt" : "notApplicable";
  const shown = kind === "nonCompliant" || kind === "error" ? `${number(counts[kind])} of ${number(asked)}` : kind === "compliant" ? `0 of ${number(asked)}` : number(counts[kind]);
  const said = Object.entries(counts).filter(([, count]) => count).map(([which, count]) => `${number(count)} ${STATUS[which][1]}`).join(", ");
  return h("td", { class: "cell" },
    link(state, { ...filter, rule: rule.name, status: kind === "nonCompliant" || kind === "error" ? (["", "all", kind].includes(state.status) ? state.status : kind) : kind },
      h("span", { class: `status ${kind}` }, h("span", { "aria-hidden": "true" }, STATUS[kind][0]), ` ${shown}`),
      h("span", { class: "heard" }, ` (${said}) of `, name(state.by === "unit" ? group.key : group.one.accountName || group.key), `, ${rule.subject}`)),
    counts.exempt && kind !== "exempt" ? h("span", { class: "aside" }, `${number(counts.exempt)} exempt`) : null,
    note);
}

// --- 4: worst first

// The rows of the table: those that want something done, unless a status is asked for.
const listed = (state, rows) => (state.status ? rows : rows.filter((row) => TO_DO.includes(row.verdict.status)));

function showWorst(index, state, rows) {
  const items = listed(state, rows);
  const pages = Math.max(1, Math.ceil(items.length / PAGE_ROWS));
  const page = Math.min(state.page, pages);
  const shown = onPaper ? items : items.slice((page - 1) * PAGE_ROWS, page * PAGE_ROWS);
  const left = rows.length - items.length;
  const body = [];
  body.push(h("p", { class: "note" },
    `${counted(items.length, "finding")}${items.length > shown.length ? `, of which ${number((page - 1) * PAGE_ROWS + 1)} to ${number((page - 1) * PAGE_ROWS + shown.length)} are in this table` : ""}. ` +
    (left ? `${counted(left, "verdict")} that ${left === 1 ? "wants" : "want"} nothing done ${left === 1 ? "is" : "are"} left out: choose a status to see ${left === 1 ? "it" : "them"}. ` : "") +
    (index.data.lastRun ? "Since goes back as far as runs are kept. " : "") +
    (index.drawn && index.drawn < index.data.loadBalancers.length ? `The ${counted(index.drawn, "worst load balancer")} ${index.drawn === 1 ? "has its" : "have their"} picture and fix in this page; the others do not.` : "")));
  if (shown.length) {
    body.push(table("Findings, the worst first", WORST_COLUMNS, shown.map(({ one, verdict }) => worstRow(index, state, one, verdict))));
  }
  if (pages > 1 && !onPaper) {
    const turn = (to, text) => h("button", { type: "button", disabled: to < 1 || to > pages, onclick: () => { go({ page: to }); document.querySelector("#worst .scroll")?.focus(); } }, text);
    body.push(h("nav", { class: "pager", "aria-label": "Pages of findings" }, turn(page - 1, "Previous"), h("p", null, `Page ${number(page)} of ${number(pages)}`), turn(page + 1, "Next")));
  }
  document.querySelector("#worst .body").replaceChildren(...body);
}

const WORST_COLUMNS = [["Status"], ["Load balancer"], ["Account"], ["What is wrong"], ["Since"]];

function worstRow(index, state, one, verdict) {
  return cells([
    cell(null, status(verdict.status, verdict.unresolved ? ", unresolved" : ""), verdict.change && index.data.lastRun ? h("span", { class: "aside" }, CHANGES[verdict.change][0]) : null),
    head(loadBalancerLink(state, one), h("span", { class: "aside" }, `${one.scheme === "unknown" ? "scheme not known" : one.scheme}, ${one.region}`)),
    cell(null, where(one)),
    cell("text", h("span", { class: "aside" }, index.subjects.get(verdict.rule) ?? verdict.rule), name(verdict.annotation)),
    cell("nowrap", time(verdict.since ?? (verdict.change && index.data.lastRun ? index.data.asOf : ""))),
  ]);
}

// --- 5: by cause

function showCauses(index, state, rows) {
  const kinds = new Map();
  const groups = new Map();
  const count = (map, key, make, { one, verdict }) => {
    let known = map.get(key);
    if (known === undefined) map.set(key, (known = { ...make(), findings: 0, arns: new Set(), missing: new Map() }));
    known.findings += 1;
    known.arns.add(one.arn);
    for (const missing of verdict.missing ?? []) known.missing.set(missing.allow, (known.missing.get(missing.allow) ?? 0) + 1);
  };
  for (const row of rows) {
    if (row.verdict.status !== "nonCompliant") continue;
    for (const code of row.verdict.causes ?? []) count(kinds, code, () => ({ code }), row);
    for (const id of row.one.securityGroups) count(groups, `${row.one.account} ${row.one.region} ${id}`, () => ({ id, one: row.one }), row);
  }
  const worst = (map) => [...map.values()].sort((left, right) => right.findings - left.findings || right.arns.size - left.arns.size);
  const missing = (one) => {
    const ordered = [...one.missing].sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1));
    const shown = ordered.slice(0, 3).map(([text, many]) => h("span", { class: "aside" }, name(text), many > 1 ? ` (${number(many)}\u00d7)` : ""));
    return [...shown, ordered.length > 3 ? h("span", { class: "aside" }, `and ${number(ordered.length - 3)} more`) : null];
  };
  const numbers = (one) => [cell("number", number(one.findings)), cell("number", number(one.arns.size))];
  const body = groups.size + kinds.size === 0 ? [h("p", null, "Nothing is non-compliant among what is shown.")] : [
    h("h3", null, "Kinds of cause"),
    table("What is wrong, most findings first", [["Cause"], ["Findings", "number"], ["Load balancers", "number"]],
      worst(kinds).map((one) => h("tr", null, head(index.data.causes[one.code] ?? one.code), numbers(one)))),
    h("h3", null, "Security groups"),
    h("p", { class: "note" }, "A load balancer counts under each of its security groups: a rule in any one of them is enough."),
    ...shortTable("causes", "Security groups that findings are behind, most findings first", [["Security group"], ["Account"], ["Findings", "number"], ["Load balancers", "number"], ["What it lacks"]],
      worst(groups),
      (one) => h("tr", null, head(link(state, { q: one.id, account: one.one.account, region: one.one.region }, h("span", { class: "nowrap" }, name(one.id))), h("span", { class: "aside" }, one.one.detail?.groupNames[one.id] ? [name(one.one.detail.groupNames[one.id]), ", "] : null, one.one.region)), cell(null, where(one.one)), numbers(one), cell("text", missing(one))),
      "security group"),
  ];
  document.querySelector("#causes .body").replaceChildren(...body);
}

// --- 6: since the last run

const CHANGES = {
  new: ["new", "bad"],
  reopened: ["reopened", "bad"],
  fixed: ["fixed", "good"],
  exempted: ["now exempt", "exempt"],
  gone: ["gone", ""],
  firstLook: ["first look", "doubt"],
};

function changesOf(rows, gone) {
  const found = rows.filter((row) => row.verdict.change).map(({ one, verdict }) => ({ kind: verdict.change, one, rule: verdict.rule, text: verdict.annotation }));
  for (const one of gone) found.push({ kind: "gone", one, rule: one.rule, text: "It was non-compliant and has no verdict any more: it is gone, or the rule asks nothing of it." });
  const order = Object.keys(CHANGES);
  return found.sort((left, right) => order.indexOf(left.kind) - order.indexOf(right.kind));
}

function tile(kind, title, value, of) {
  return h("div", { class: `tile ${kind}` }, h("dt", null, title), h("dd", null, h("span", { class: "number" }, value), of ? h("span", { class: "of" }, ` ${of}`) : null));
}

function showChanges(index, state, rows, gone) {
  const { data } = index;
  const body = [];
  if (data.trend === null) body.push(h("p", null, "No history is kept: with --history each run is compared with those before it."));
  else if (data.lastRun === null) body.push(h("p", null, "This is the first run that looked at any of this; the next one is compared with it."));
  else {
    const changes = changesOf(rows, gone);
    const counts = Object.fromEntries(Object.keys(CHANGES).map((kind) => [kind, 0]));
    for (const change of changes) counts[change.kind] += 1;
    const shown = changes.filter((change) => change.kind !== "firstLook");
    body.push(
      h("p", { class: "note" }, "Compared with the run of ", time(data.lastRun), " UTC, or for each account, region and rule with the last one that looked at it. What was not looked at this time counts as neither fixed nor gone."),
      h("dl", { class: "tiles" }, Object.entries(CHANGES).map(([kind, [word, colour]]) => tile(counts[kind] ? colour : "", word, number(counts[kind])))),
    );
    if (shown.length) {
      body.push(...shortTable("changes", "What changed", [["Change"], ["Load balancer"], ["Account"], ["Rule"], ["Now"]], shown,
        ({ kind, one, rule, text }) => cells([CHANGES[kind][0], head(index.byArn.has(one.arn) ? loadBalancerLink(state, one) : name(one.name), h("span", { class: "aside" }, one.region)), cell(null, where(one)), index.subjects.get(rule) ?? rule, cell("text", name(text))]),
        "change"));
    }
  }
  if (data.trend && data.trend.points.length > 1) body.push(...trend(data.trend));
  document.querySelector("#changes .body").replaceChildren(...body);
}

function trend({ points, leftOut }) {
  const [width, height, left, bottom] = [920, 200, 48, 26];
  const most = Math.max(1, ...points.map((point) => point.loadBalancers));
  const first = Date.parse(points[0].asOf);
  const span = Math.max(1, Date.parse(points.at(-1).asOf) - first);
  const x = (point) => left + ((Date.parse(point.asOf) - first) / span) * (width - left - 16);
  const y = (value) => 12 + (1 - value / most) * (height - bottom - 12);
  const last = points.at(-1);
  const picture = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": "trend-title" },
    s("title", { id: "trend-title" }, `Non-compliant load balancers over ${counted(points.length, "run")}, from ${points[0].loadBalancers} to ${last.loadBalancers}`),
    [...new Set([0, Math.round(most / 2), most])].map((value) => [s("line", { class: "grid", x1: left, x2: width - 16, y1: y(value), y2: y(value) }), s("text", { class: "soft", x: left - 8, y: y(value) + 4, "text-anchor": "end" }, number(value))]),
    s("polyline", { class: "trend", points: points.map((point) => `${x(point).toFixed(1)},${y(point.loadBalancers).toFixed(1)}`).join(" ") }),
    points.map((point) => s("circle", { class: "dot", cx: x(point).toFixed(1), cy: y(point.loadBalancers).toFixed(1), r: 3.5 })),
    s("text", { class: "soft", x: left, y: height - 6 }, points[0].asOf.slice(0, 10)),
    s("text", { class: "soft", x: width - 16, y: height - 6, "text-anchor": "end" }, last.asOf.slice(0, 10)));
  const carried = points.some((point) => point.carried);
  return [
    h("h3", null, "Trend"),
    h("p", { class: "note" }, `Non-compliant load balancers after each run, all of them: filters do not apply. ${carried ? "What a run did not look at counts as it last stood. " : ""}${leftOut ? `${counted(leftOut, "older run")} ${leftOut === 1 ? "is" : "are"} left out.` : ""}`),
    h("div", { class: "chart", role: "region", tabindex: "0", "aria-label": "Trend" }, picture),
    h("details", null, h("summary", null, "The same as a table"),
      table("Runs", [["Run (UTC)"], ["Load balancers", "number"], ["Findings", "number"], ["Accounts and regions heard from", "number"], ["As they last stood", "number"]],
        points.map((point) => cells([head(time(point.asOf)), cell("number", number(point.loadBalancers)), cell("number", number(point.findings)), cell("number", number(point.heard)), cell("number", number(point.carried))])))),
  ];
}

// --- 7: exemptions

const EXEMPTION_STATUS = { expired: ["\u25b2", "expired", "nonCompliant"], expiring: ["\u25c6", "expiring", "error"], inForce: ["\u25a0", "in force", "exempt"] };
const EXEMPTION_ORDER = ["expired", "expiring", "inForce"];

function exemptionCounts(entries) {
  const found = { inForce: 0, expiring: 0, expired: 0, unused: 0 };
  for (const one of entries) {
    found[one.status] += 1;
    if (one.status === "expiring") found.inForce += 1;
    if (one.use === "unused" && one.status !== "expired") found.unused += 1;
  }
  return found;
}

function showExemptions(index, state) {
  const given = index.data.exemptions;
  const body = [];
  if (given === null) {
    document.querySelector("#exemptions .body").replaceChildren(h("p", null, "No exemptions were given: every verdict counts."));
    return;
  }
  const placed = given.entries.map((one) => exemptionOf(index, one));
  const entries = filteredOthers(state, placed, (one) => [one.arn, one.rule, one.owner, one.ticket, one.reason, one.account, one.accountName]);
  const counts = exemptionCounts(entries);
  for (const text of [...given.malformed, ...given.errors]) body.push(h("p", { class: "alarm" }, "Hides nothing: ", name(text)));
  body.push(
    h("p", { class: "note" }, "As of ", given.date, " (UTC), from ", name(given.source), "."),
    h("dl", { class: "tiles" },
      tile("exempt", "in force", number(counts.inForce)),
      tile(counts.expiring ? "doubt" : "", `of them ending within ${given.days} days`, number(counts.expiring)),
      tile(counts.expired ? "bad" : "", "expired, hiding nothing", number(counts.expired)),
      tile(counts.unused ? "doubt" : "", "unused", number(counts.unused))));
  if (entries.length) {
    entries.sort((left, right) => EXEMPTION_ORDER.indexOf(left.status) - EXEMPTION_ORDER.indexOf(right.status) || (left.expires < right.expires ? -1 : left.expires > right.expires ? 1 : 0));
    body.push(...shortTable("exemptions", "Exemptions, what wants attention first", [["Status"], ["Until"], ["Load balancer"], ["Rule"], ["Who and why"]], entries,
      (one) => {
        const [shape, word, colour] = EXEMPTION_STATUS[one.status];
        return cells([
          cell(null, h("span", { class: `status ${colour}` }, h("span", { "aria-hidden": "true" }, shape), ` ${word}`), one.use === "used" ? null : h("span", { class: "aside" }, one.use === "unused" ? "unused" : "use not known")),
          cell("nowrap", one.expires),
          head(index.byArn.has(one.arn) ? loadBalancerLink(state, one) : name(one.name), h("span", { class: "aside" }, name(one.accountName || one.account), ` ${one.region}`)),
          index.subjects.get(one.rule) ?? one.rule,
          cell("text", name(`${one.owner} (${one.ticket}): ${one.reason}`), h("span", { class: "aside" }, name(one.because))),
        ]);
      }, "exemption"));
  }
  document.querySelector("#exemptions .body").replaceChildren(...body);
}

// An exemption with what filters ask of: its account's name and unit, and its load balancer's scheme and tags.
function exemptionOf(index, one) {
  const known = index.data.accounts[one.account];
  const found = index.byArn.get(one.arn);
  return { accountName: known?.name ?? "", unit: known?.unit ?? null, scheme: found?.scheme ?? "unknown", tags: found?.tags ?? null, ...one };
}
