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
  if (data.part !== null && data.lastRun === null) elements.push(h("p", null, "No earlier run is known to this page."));
  else if (data.trend === null && data.part === null) elements.push(h("p", null, "No history is kept. With --history, each run is compared with the runs before it."));
  else if (data.lastRun === null) elements.push(h("p", null, "This is the first run that covers any of this; the next one will be compared with it."));
  else elements.push(...changeElements(index, state, collectChanges(rows, gone)));
  if (data.trend && data.trend.points.length > 1) elements.push(...trendElements(data.trend));
  document.querySelector("#changes .body").replaceChildren(...elements);
}

function collectChanges(rows, gone) {
  const changes = rows.filter((row) => row.verdict.change).map(({ loadBalancer, verdict }) => ({ kind: verdict.change, loadBalancer, rule: verdict.rule, text: verdict.annotation }));
  for (const entry of gone) changes.push({ kind: "gone", loadBalancer: entry, rule: entry.rule, text: GONE_TEXT });
  const order = Object.keys(CHANGES);
  return changes.sort((left, right) => order.indexOf(left.kind) - order.indexOf(right.kind));
}

function changeElements(index, state, changes) {
  const counts = Object.fromEntries(Object.keys(CHANGES).map((kind) => [kind, 0]));
  for (const change of changes) counts[change.kind] += 1;
  const listed = changes.filter((change) => change.kind !== "firstLook");
  const elements = [
    h("p", { class: "note" }, "Each account, region and rule is compared with the last run that covered it. The latest of these is of ", timeElement(index.data.lastRun), " UTC. What this run does not cover counts as neither fixed nor gone."),
    h("dl", { class: "tiles" }, Object.entries(CHANGES).map(([kind, [label, color]]) => tile(counts[kind] ? color : "", label, counts[kind] && kind !== "gone" ? link(state, { change: kind, status: "" }, formatNumber(counts[kind])) : formatNumber(counts[kind])))),
  ];
  if (!listed.length) return elements;
  const order = Object.keys(CHANGES);
  return [...elements, expandableTable("changes", "Changes", [
    { title: "Change", cell: ({ kind }) => CHANGES[kind][0], value: ({ kind }) => order.indexOf(kind) },
    { title: "Load balancer", header: true, cell: ({ loadBalancer }) => [nameOrLink(index, state, loadBalancer), aside(loadBalancer.region)], value: ({ loadBalancer }) => loadBalancer.name.toLowerCase() },
    { title: "Account", cell: ({ loadBalancer }) => accountText(loadBalancer), text: ({ loadBalancer }) => loadBalancer.accountName || loadBalancer.account, value: ({ loadBalancer }) => loadBalancer.accountName || loadBalancer.account },
    { title: "Rule", cell: ({ rule }) => index.subjects.get(rule) ?? rule, text: ({ rule }) => index.subjects.get(rule) ?? rule, value: ({ rule }) => index.subjects.get(rule) ?? rule },
    { title: "Now", kind: "text", cell: ({ text }) => reasonElement(text) },
  ], listed, "change")];
}

function trendElements({ points, leftOut }) {
  const carriedOver = points.some((point) => point.carried) ? " What a run did not cover counts with its last known status." : "";
  const omitted = leftOut ? ` ${pluralize(leftOut, "older run")} ${leftOut === 1 ? "is" : "are"} omitted.` : "";
  return [
    h("h3", null, "Trend"),
    h("p", { class: "note" }, `All non-compliant load balancers after each run; filters do not apply.${carriedOver}${omitted}`),
    trendChart(points),
    h("details", null, h("summary", null, "The same as a table"),
      table("Runs", [{ title: "Run (UTC)", header: true, cell: (point) => timeElement(point.asOf) }, numberColumn("Load balancers", (point) => point.loadBalancers), numberColumn("Findings", (point) => point.findings), numberColumn("Accounts and regions covered", (point) => point.heard), numberColumn("Not covered", (point) => point.carried)], points)),
  ];
}

function trendChart(points) {
  const [width, height, left, bottom] = [narrowScreen.matches ? 340 : 920, 200, 48, 26];
  const highest = Math.max(1, ...points.map((point) => point.loadBalancers));
  const start = Date.parse(points[0].asOf);
  const span = Math.max(1, Date.parse(points.at(-1).asOf) - start);
  const x = (point) => left + ((Date.parse(point.asOf) - start) / span) * (width - left - 16);
  const y = (value) => 12 + (1 - value / highest) * (height - bottom - 12);
  const last = points.at(-1);
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": "trend-title" },
    s("title", { id: "trend-title" }, trendTitle(points)),
    [...new Set([0, Math.round(highest / 2), highest])].map((value) => [s("line", { class: "grid", x1: left, x2: width - 16, y1: y(value), y2: y(value) }), s("text", { class: "muted", x: left - 8, y: y(value) + 4, "text-anchor": "end" }, formatNumber(value))]),
    s("polyline", { class: "trend", points: points.map((point) => `${x(point).toFixed(1)},${y(point.loadBalancers).toFixed(1)}`).join(" ") }),
    points.map((point) => s("circle", { class: "dot", cx: x(point).toFixed(1), cy: y(point.loadBalancers).toFixed(1), r: 3.5 })),
    s("text", { class: "muted", x: left, y: height - 6 }, points[0].asOf.slice(0, 10)),
    s("text", { class: "muted", x: width - 16, y: height - 6, "text-anchor": "end" }, last.asOf.slice(0, 10)));
}
