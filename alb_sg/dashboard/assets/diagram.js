// A diagram of a load balancer: clients, security groups, listeners and targets, with a lane for each recommended row.

const LANE = 46;
const MAX_LANES = 24;
const COLUMN = { clients: [0, 200], groups: [370, 160], listeners: [570, 120], targets: [930, 190] };
const DIAGRAM_WIDTH = 1120;
const LINE_HEIGHT = 15;

const truncate = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}\u2026` : text);

function labeledBox([x, width], y, height, lines, strong) {
  return s("g", null,
    s("rect", { class: "box", x, y, width, height, rx: 6 }),
    lines.map((text, position) => s("text", { x: x + 10, y: y + 17 + position * LINE_HEIGHT, class: position && !strong ? "muted" : null }, truncate(text, Math.floor((width - 14) / 7.1)))));
}

function lane(from, to, y, row) {
  const [shape, label] = STATUS_LABELS[row.status];
  const end = to - 6;
  return s("g", null,
    s("path", { class: `line ${row.status}`, d: `M${from} ${y}H${end}` }),
    s("path", { class: `line ${row.status}`, d: `M${end - 6} ${y - 5}L${end} ${y}L${end - 6} ${y + 5}` }),
    s("text", { x: (from + to) / 2, y: y - 8, "text-anchor": "middle" }, row.traffic),
    s("text", { class: row.status, x: (from + to) / 2, y: y + 16, "text-anchor": "middle" }, `${shape} ${label}`));
}

// The arrows to targets. Each has two sides: what the load balancer's groups let out, and what the targets' let in.
function pathsToTargets(rows) {
  const paths = new Map();
  for (const row of rows) {
    if (row.direction === "inbound") continue;
    const key = JSON.stringify([row.traffic, row.because]);
    if (!paths.has(key)) paths.set(key, []);
    paths.get(key).push(row);
  }
  return [...paths.values()].flatMap((sides) => {
    const outbound = sides.filter((row) => row.direction === "outbound");
    const targets = sides.filter((row) => row.direction !== "outbound");
    return Array.from({ length: Math.max(outbound.length, targets.length) }, (_, position) => [outbound[position], targets[position]]);
  });
}

const ROW_ORDER = ["missing", "unread", "unused", "met"];
const missingFirst = (rows) => [...rows].sort((left, right) => ROW_ORDER.indexOf(left.status) - ROW_ORDER.indexOf(right.status));

// A row in words. That of a target's side is about inbound rules at the target.
const describeRow = (row) => [`${row.direction.split(" ")[0]} ${row.traffic} ${row.preposition} `, isolatedText(row.peer)];

// What is open and unused, as rows of the diagram.
const unusedRows = ({ unused = [] }) => unused.map(({ traffic, peer, group }) => ({ direction: "inbound", traffic, preposition: "from", peer, label: `in ${group}`, because: ["", ""], status: "unused" }));

// The diagram for a narrow screen: what is missing first.
const laneList = (rows) =>
  h("ol", { class: "lanes", "aria-label": "Recommended traffic" }, missingFirst(rows).slice(0, MAX_LANES).map((row) =>
    h("li", { class: row.status }, statusBadge(row.status), " ", describeRow(row), " ", h("span", { class: "aside" }, isolatedText(row.label || row.because[1])))));

function buildDiagram(loadBalancer) {
  const { detail } = loadBalancer;
  const inbound = [...detail.rows.filter((row) => row.direction === "inbound"), ...unusedRows(detail)];
  const paths = pathsToTargets(detail.rows);
  const lanes = Math.min(MAX_LANES, Math.max(inbound.length, paths.length, 1));
  const height = lanes * LANE + 34;
  const boxHeight = lanes * LANE - 8;
  const laneCenter = (position) => 30 + position * LANE + LANE / 2 - 3;
  const { clients, groups, listeners, targets } = COLUMN;
  const right = ([x, width]) => x + width;
  const titles = [["clients", "Clients"], ["groups", "Security groups"], ["listeners", "Listeners"], ["targets", "Targets"]];
  const groupLines = loadBalancer.securityGroups.flatMap((id) => (detail.groupNames[id] ? [truncate(detail.groupNames[id], 22), id] : [truncate(id, 22)]));
  const listenerLines = detail.listeners.length ? detail.listeners.map((listener) => listener.name) : ["no listener"];
  const fitLines = (lines) => (lines.length * LINE_HEIGHT + 12 > boxHeight ? [...lines.slice(0, Math.max(1, Math.floor((boxHeight - 12) / LINE_HEIGHT) - 1)), "\u2026"] : lines);
  const description = [...detail.rows, ...unusedRows(detail)].map((row) => `${row.direction} ${row.traffic} ${row.preposition} ${row.peer}: ${STATUS_LABELS[row.status][1]}`).join("; ");
  return s("svg", { viewBox: `0 0 ${DIAGRAM_WIDTH} ${height}`, role: "img", "aria-labelledby": "diagram-title diagram-text" },
    s("title", { id: "diagram-title" }, `Recommended traffic of ${loadBalancer.name}`),
    s("desc", { id: "diagram-text" }, description || "No rule requires any traffic."),
    titles.map(([key, title]) => s("text", { class: "muted", x: COLUMN[key][0], y: 14 }, title)),
    labeledBox(groups, 26, boxHeight, fitLines(groupLines), true),
    labeledBox(listeners, 26, boxHeight, fitLines(listenerLines), true),
    s("path", { class: "plain", d: `M${right(groups)} ${26 + boxHeight / 2}H${listeners[0]}` }),
    inbound.slice(0, MAX_LANES).map((row, position) => [
      labeledBox(clients, laneCenter(position) - 19, 38, [row.peer, row.label || row.because[1]]),
      lane(right(clients), groups[0], laneCenter(position), row)]),
    paths.slice(0, MAX_LANES).map(([outbound, target], position) => {
      const either = outbound ?? target;
      const middle = (right(listeners) + targets[0]) / 2;
      return [
        labeledBox(targets, laneCenter(position) - 19, 38, [either.peer, either.because[1]]),
        outbound ? lane(right(listeners), target ? middle : targets[0], laneCenter(position), outbound) : null,
        target ? lane(outbound ? middle : right(listeners), targets[0], laneCenter(position), target) : null];
    }));
}
