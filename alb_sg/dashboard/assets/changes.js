// Changes since the last run, and the trend.

const CHANGES = {
  new: ["new", "bad"],
  reopened: ["reopened", "bad"],
  fixed: ["fixed", "good"],
  exempted: ["now exempt", "exempt"],
  gone: ["gone", ""],
  firstLook: ["first seen", "warning"],
};
const GONE_TEXT = "It was non-compliant and has no verdict any more: the load balancer is gone, or the rule does not apply to it any more.";

function showChanges(index, state, rows, gone) {
  const { data } = index;
  const elements = [];
  if (data.trend === null) elements.push(h("p", null, "No history is kept. With --history, each run is compared with the runs before it."));
  else if (data.lastRun === null) elements.push(h("p", null, "This is the first run that covers any of this; the next one will be compared with it."));
  else elements.push(...changeElements(index, state, collectChanges(index, state, rows, gone)));
  if (data.trend && data.trend.points.length > 1) elements.push(...trendElements(index, state));
  document.querySelector("#changes .body").replaceChildren(...elements);
}

function collectChanges(index, state, rows, gone) {
  const changes = [];
  for (const { loadBalancer, verdict } of rows) {
    const kind = state.since ? changeSince(verdict, state.since) : verdict.change;
    if (kind) changes.push({ kind, loadBalancer, rule: verdict.rule, text: verdict.annotation });
  }
  for (const entry of gone) changes.push({ kind: "gone", loadBalancer: entry, rule: entry.rule, text: GONE_TEXT });
  const order = Object.keys(CHANGES);
  return changes.sort((left, right) => order.indexOf(left.kind) - order.indexOf(right.kind));
}

// The status of a verdict at the time of a run; undefined where no run until then had it.
function statusAt(verdict, time) {
  if (!verdict.history) return verdict.since && verdict.since <= time ? verdict.status : undefined;
  return verdict.history.filter(([when]) => when <= time).at(-1)?.[1];
}

// The change of a verdict since a run, as alb_sg/dashboard/changes.py has it for the last run.
function changeSince(verdict, time) {
  const before = statusAt(verdict, time);
  if (verdict.status === "nonCompliant" && before !== "nonCompliant") {
    if (verdict.history?.some(([when, status]) => when <= time && status === "nonCompliant")) return "reopened";
    return before === undefined || before === "error" ? "firstLook" : "new";
  }
  if (before === "nonCompliant" && !["nonCompliant", "error"].includes(verdict.status)) return verdict.status === "exempt" ? "exempted" : "fixed";
  return null;
}

// Which run to compare with: the last one, or one that the reader picks.
function runPicker(index, state) {
  const earlier = (index.data.trend?.points ?? []).slice(0, -1).reverse();
  if (earlier.length < 2) return null;
  const option = (value, text) => h("option", { value, selected: state.since === value }, text);
  const select = h("select", null, option("", "the last run"), earlier.map(({ asOf }) => option(asOf, `${asOf.slice(0, 10)} ${asOf.slice(11, 16)} UTC`)));
  select.addEventListener("change", () => navigate({ since: select.value }, { focus: "#changes .picker select" }));
  return h("label", { class: "picker" }, "Compare with ", select);
}

function changeElements(index, state, changes) {
  const counts = Object.fromEntries(Object.keys(CHANGES).map((kind) => [kind, 0]));
  for (const change of changes) counts[change.kind] += 1;
  const listed = changes.filter((change) => change.kind !== "firstLook");
  const elements = [
    runPicker(index, state),
    state.since ? h("p", { class: "note" }, "Compared with what was known after the run of ", timeElement(state.since), " UTC. Load balancers that were gone before the last run are not listed.") : h("p", { class: "note" }, "Each account, region and rule is compared with the last run that covered it. The latest of these is of ", timeElement(index.data.lastRun), " UTC. What this run does not cover counts as neither fixed nor gone."),
    h("dl", { class: "tiles" }, Object.entries(CHANGES).map(([kind, [label, color]]) => tile(counts[kind] ? color : "", sentenceCase(label), counts[kind] && kind !== "gone" && !state.since ? link(state, { change: kind, status: "" }, formatNumber(counts[kind])) : formatNumber(counts[kind])))),
  ];
  if (!listed.length) return elements.filter(Boolean);
  const order = Object.keys(CHANGES);
  return [...elements.filter(Boolean), expandableTable("changes", "Changes", [
    { title: "Change", cell: ({ kind }) => CHANGES[kind][0], text: ({ kind }) => CHANGES[kind][0], value: ({ kind }) => order.indexOf(kind) },
    { title: "Load balancer", header: true, cell: ({ loadBalancer }) => [nameOrLink(index, state, loadBalancer), aside(loadBalancer.region)], value: ({ loadBalancer }) => loadBalancer.name.toLowerCase() },
    { title: "Account", cell: ({ loadBalancer }) => accountText(loadBalancer), text: ({ loadBalancer }) => accountLabel(loadBalancer), value: ({ loadBalancer }) => loadBalancer.accountName || loadBalancer.account },
    { title: "Rule", cell: ({ rule }) => index.subjects.get(rule) ?? rule, text: ({ rule }) => index.subjects.get(rule) ?? rule, value: ({ rule }) => index.subjects.get(rule) ?? rule },
    { title: "Now", kind: "text", cell: ({ text }) => reasonElement(text) },
  ], listed, "change")];
}

const TREND_LINES = {
  "": ["All", () => [["Load balancers", (point) => point.loadBalancers]]],
  rule: ["By rule", ({ data }) => data.rules.map((rule) => [rule.subject, (point) => point.rules[rule.name] ?? 0])],
  severity: ["By severity", ({ data }) => [...new Set(data.rules.map((rule) => rule.severityLabel))].map((label) => [sentenceCase(label.toLowerCase()), (point) => data.rules.filter((rule) => rule.severityLabel === label).reduce((sum, rule) => sum + (point.rules[rule.name] ?? 0), 0)])],
};

function trendElements(index, state) {
  const { points, leftOut, timeToFix } = index.data.trend;
  const gaps = points.filter((point) => point.carried);
  const sentences = [state.trend ? "Non-compliant findings after each run; filters do not apply." : "Non-compliant load balancers after each run; filters do not apply."];
  if (gaps.length) sentences.push(`${pluralize(gaps.length, "run")} (\u25cb) did not cover everything that earlier runs covered: what ${gaps.length === 1 ? "it" : "they"} left out counts with its last known status.`);
  if (leftOut) sentences.push(`${pluralize(leftOut, "older run")} ${leftOut === 1 ? "is" : "are"} omitted.`);
  sentences.push(timeToFix.fixed ? `Time to fix: half of ${pluralize(timeToFix.fixed, "fixed finding")} took ${pluralize(timeToFix.medianDays, "day")} or less.` : "Time to fix: nothing was fixed in these runs.");
  const choice = ([key, [text]]) => h("button", { type: "button", "aria-pressed": String(state.trend === key), onclick: () => navigate({ trend: key }, { focus: "#changes .trend-choice [aria-pressed=true]" }) }, text);
  const [, linesOf] = TREND_LINES[state.trend];
  const column = (title, value) => numberColumn(title, value);
  return [
    h("h3", null, "Trend"),
    h("div", { class: "choice trend-choice", role: "group", "aria-label": "Lines" }, Object.entries(TREND_LINES).map(choice)),
    h("p", { class: "note" }, sentences.join(" ")),
    trendChart(points, linesOf(index)),
    h("h3", null, "New, reopened and fixed findings of each run"),
    changeBars(points.slice(1)),
    h("details", null, h("summary", null, "The same as a table"),
      table("Runs", [
        { title: "Run (UTC)", header: true, cell: (point) => timeElement(point.asOf) },
        column("Load balancers", (point) => point.loadBalancers), column("Findings", (point) => point.findings),
        column("Accounts and regions covered", (point) => point.heard), column("Not covered", (point) => point.carried),
        column("New", (point) => point.new), column("Reopened", (point) => point.reopened), column("Fixed", (point) => point.fixed),
        ...TREND_LINES.rule[1](index).map(([title, value]) => column(title, value)),
      ], points)),
  ];
}

// Room for the labels at the end of lines, by whether the screen is narrow.
const LABEL_WIDTH = { true: 178, false: 210 };
const LABEL_CHARACTER = { true: 6.1, false: 7 };
const chartWidth = () => (narrowScreen.matches ? 340 : 920);

// Values stand at the points while there is room for them, else at the first, the last and the highest.
function labeledPoints(values, room) {
  const highest = values.indexOf(Math.max(...values));
  return values.map((_, position) => values.length <= room || position === 0 || position === values.length - 1 || position === highest);
}

// Lines of one color are told apart by dashes and by the label at their end.
function trendChart(points, lines) {
  const [width, height, left, right, bottom] = [chartWidth(), 220, 48, lines.length > 1 ? LABEL_WIDTH[narrowScreen.matches] : 30, 26];
  const highest = Math.max(1, ...points.flatMap((point) => lines.map(([, value]) => value(point))));
  const start = Date.parse(points[0].asOf);
  const span = Math.max(1, Date.parse(points.at(-1).asOf) - start);
  const x = (point) => left + ((Date.parse(point.asOf) - start) / span) * (width - left - right);
  const y = (value) => 20 + (1 - value / highest) * (height - bottom - 20);
  const last = points.at(-1);
  const room = Math.floor((width - left - right) / 40);
  // Labels at the end of lines keep a distance from each other.
  const ends = lines.map(([label, value]) => ({ label, value: value(last), at: y(value(last)) })).sort((one, other) => one.at - other.at);
  ends.forEach((end, position) => { if (position) end.at = Math.max(end.at, ends[position - 1].at + 14); });
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": "trend-title" },
    s("title", { id: "trend-title" }, lines.length > 1 ? `Non-compliant findings over ${pluralize(points.length, "run")}: ${lines.map(([label, value]) => `${label} from ${formatNumber(value(points[0]))} to ${formatNumber(value(last))}`).join(", ")}` : trendTitle(points)),
    [...new Set([0, Math.round(highest / 2), highest])].map((value) => [s("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }), s("text", { class: "muted", x: left - 8, y: y(value) + 4, "text-anchor": "end" }, formatNumber(value))]),
    lines.map(([, value], number) => {
      const labeled = labeledPoints(points.map(value), room);
      return [
        s("polyline", { class: `trend dash${number % 4}`, points: points.map((point) => `${x(point).toFixed(1)},${y(value(point)).toFixed(1)}`).join(" ") }),
        points.map((point, position) => [
          s("circle", { class: point.carried ? "gap" : "dot", cx: x(point).toFixed(1), cy: y(value(point)).toFixed(1), r: 3.5 }, s("title", null, `${point.asOf.slice(0, 10)}: ${formatNumber(value(point))}${point.carried ? `, ${pluralize(point.carried, "account and region", "accounts and regions")} not covered` : ""}`)),
          lines.length === 1 && labeled[position] ? s("text", { class: "value", x: x(point).toFixed(1), y: (y(value(point)) - 8).toFixed(1), "text-anchor": "middle" }, formatNumber(value(point))) : null,
        ])];
    }),
    lines.length > 1 ? ends.map((end) => s("text", { class: narrowScreen.matches ? "small" : null, x: width - right + 8, y: end.at + 4 }, truncate(`${formatNumber(end.value)} ${end.label}`, Math.floor(right / LABEL_CHARACTER[narrowScreen.matches])))) : null,
    s("text", { class: "muted", x: left, y: height - 6 }, points[0].asOf.slice(0, 10)),
    s("text", { class: "muted", x: width - right, y: height - 6, "text-anchor": "end" }, last.asOf.slice(0, 10)));
}

const BARS = [["new", "bar-new", "New"], ["reopened", "bar-reopened", "Reopened"], ["fixed", "bar-fixed", "Fixed"]];
const MAX_BAR_RUNS = 30;

function changeBars(points) {
  const width = chartWidth();
  const shown = points.slice(-(narrowScreen.matches ? 8 : MAX_BAR_RUNS));
  const [height, left, base] = [190, 10, 150];
  const highest = Math.max(1, ...shown.flatMap((point) => BARS.map(([key]) => point[key])));
  const slot = (width - left) / shown.length;
  const bar = Math.min(26, (slot - 6) / BARS.length);
  const tall = (value) => (value / highest) * (base - 40);
  const describe = (point) => `${point.asOf.slice(0, 10)}: ${BARS.map(([key, , label]) => `${point[key]} ${label.toLowerCase()}`).join(", ")}`;
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": "bars-title" },
    s("title", { id: "bars-title" }, shown.map(describe).join("; ")),
    BARS.map(([, kind, label], number) => [s("rect", { class: kind, x: left + number * 110, y: 2, width: 12, height: 12 }), s("text", { x: left + number * 110 + 18, y: 13 }, label)]),
    s("line", { class: "grid", x1: left, x2: width, y1: base, y2: base }),
    shown.map((point, position) => BARS.map(([key, kind], number) => {
      const x = left + position * slot + number * bar;
      return [
        s("rect", { class: kind, x: x.toFixed(1), y: (base - tall(point[key])).toFixed(1), width: (bar - 1).toFixed(1), height: tall(point[key]).toFixed(1) }),
        point[key] && bar > 8 ? s("text", { class: "value", x: (x + bar / 2).toFixed(1), y: (base - tall(point[key]) - 4).toFixed(1), "text-anchor": "middle" }, formatNumber(point[key])) : null];
    })),
    shown.map((point, position) => (position % Math.max(1, Math.ceil(shown.length / Math.floor(width / 90))) === 0 ? s("text", { class: "muted", x: left + position * slot, y: height - 20 }, point.asOf.slice(0, 10)) : null)));
}
