// Builds elements. Names from the data are only ever text, never markup.

const SVG = "http://www.w3.org/2000/svg";

function buildElement(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "onclick") node.addEventListener("click", value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child);
  }
  return node;
}

const h = (tag, attributes, ...children) => buildElement(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => buildElement(document.createElementNS(SVG, tag), attributes, children);

// A name or text from the data, isolated so that its writing direction does not change that of the page.
const isolatedText = (text) => h("bdi", null, text);

const { format: formatNumber } = new Intl.NumberFormat("en");
const pluralize = (value, noun, plural) => `${formatNumber(value)} ${value === 1 ? noun : plural ?? noun + "s"}`;
const formatSigned = (value) => (value > 0 ? `+${formatNumber(value)}` : value < 0 ? `\u2212${formatNumber(-value)}` : "\u00b10");
const sentenceCase = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
const timeElement = (iso) => (iso ? h("time", { datetime: iso, class: "nowrap" }, `${iso.slice(0, 10)} ${iso.slice(11, 16)}`) : "");

const STATUS_LABELS = {
  nonCompliant: ["\u25b2", "non-compliant"],
  error: ["\u25c6", "not judged"],
  exempt: ["\u25a0", "exempt"],
  compliant: ["\u25cf", "compliant"],
  notApplicable: ["\u25cb", "not applicable"],
  met: ["\u25cf", "met"],
  missing: ["\u25b2", "missing"],
  unread: ["\u25c6", "not read"],
  unused: ["\u25c6", "unused"],
};

// A status as shape and word; the color only repeats it.
function statusBadge(status, suffix) {
  const [shape, label] = STATUS_LABELS[status];
  return h("span", { class: `status ${status}` }, h("span", { "aria-hidden": "true" }, shape), ` ${label}${suffix ?? ""}`);
}
