// A load balancer as clients, security groups, listeners and targets: a lane for each recommended row.

const LANE = 46;
const MOST_LANES = 24;
const COLUMN = { clients: [0, 200], groups: [380, 170], listeners: [600, 130], targets: [910, 210] };
const PICTURE_WIDTH = 1120;

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}\u2026` : text);

function box([x, width], y, height, lines, strong) {
  return s("g", null,
    s("rect", { class: "box", x, y, width, height, rx: 6 }),
    lines.map((text, place) => s("text", { x: x + 10, y: y + 17 + place * 15, class: place && !strong ? "soft" : null }, cut(text, Math.floor((width - 14) / 7.1)))));
}

function lane(from, to, y, row) {
  const [shape, word] = STATUS[row.status];
  const end = to - 6;
  return s("g", null,
    s("path", { class: `line ${row.status}`, d: `M${from} ${y}H${end}` }),
    s("path", { class: `line ${row.status}`, d: `M${end - 6} ${y - 5}L${end} ${y}L${end - 6} ${y + 5}` }),
    s("text", { x: (from + to) / 2, y: y - 8, "text-anchor": "middle" }, row.traffic),
    s("text", { class: row.status, x: (from + to) / 2, y: y + 16, "text-anchor": "middle" }, `${shape} ${word}`));
}

function picture(one) {
  const { detail } = one;
  const inbound = detail.rows.filter((row) => row.direction === "inbound");
  const outbound = detail.rows.filter((row) => row.direction === "outbound");
  const lanes = Math.min(MOST_LANES, Math.max(inbound.length, outbound.length, 1));
  const height = lanes * LANE + 34;
  const middle = (place) => 30 + place * LANE + LANE / 2 - 3;
  const [clients, groups, listeners, targets] = Object.values(COLUMN);
  const right = ([x, width]) => x + width;
  const titles = [["clients", "Clients"], ["groups", "Security groups"], ["listeners", "Listeners"], ["targets", "Targets"]];
  const tall = lanes * LANE - 8;
  const groupLines = one.securityGroups.map((id) => cut(detail.groupNames[id] ? `${detail.groupNames[id]}` : id, 22)).flatMap((text, place) => (detail.groupNames[one.securityGroups[place]] ? [text, one.securityGroups[place]] : [text]));
  const listenerLines = detail.listeners.length ? detail.listeners.map((listener) => listener.name) : ["no listener"];
  const fits = (lines) => (lines.length * 15 + 12 > tall ? [...lines.slice(0, Math.max(1, Math.floor((tall - 12) / 15) - 1)), "\u2026"] : lines);
  const said = detail.rows.map((row) => `${row.direction} ${row.traffic} ${row.direction === "inbound" ? "from" : "to"} ${row.peer}: ${STATUS[row.status][1]}`).join("; ");
  return s("svg", { viewBox: `0 0 ${PICTURE_WIDTH} ${height}`, role: "img", "aria-labelledby": "picture-title picture-text" },
    s("title", { id: "picture-title" }, `What ${one.name} is recommended to let through`),
    s("desc", { id: "picture-text" }, said || "No rule asks for anything."),
    titles.map(([key, title]) => s("text", { class: "soft", x: COLUMN[key][0], y: 14 }, title)),
    box(groups, 26, tall, fits(groupLines), true),
    box(listeners, 26, tall, fits(listenerLines), true),
    s("path", { class: "plain", d: `M${right(groups)} ${26 + tall / 2}H${listeners[0]}` }),
    inbound.slice(0, MOST_LANES).map((row, place) => [
      box(clients, middle(place) - 19, 38, [row.peer, row.label || row.because[1]]),
      lane(right(clients), groups[0], middle(place), row)]),
    outbound.slice(0, MOST_LANES).map((row, place) => [
      box(targets, middle(place) - 19, 38, [row.peer, row.because[1]]),
      lane(right(listeners), targets[0], middle(place), row)]));
}
