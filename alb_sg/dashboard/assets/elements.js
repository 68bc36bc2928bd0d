// Elements without markup in text: whatever a name holds, it is only ever text.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
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

const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// A text that somebody else wrote, kept from turning the text around it.
const name = (text) => h("bdi", null, text);

const { format: number } = new Intl.NumberFormat("en");
const counted = (value, noun, plural) => `${number(value)} ${value === 1 ? noun : plural ?? noun + "s"}`;
const signed = (value) => (value > 0 ? `+${number(value)}` : value < 0 ? `\u2212${number(-value)}` : "\u00b10");
const time = (iso) => (iso ? h("time", { datetime: iso, class: "nowrap" }, `${iso.slice(0, 10)} ${iso.slice(11, 16)}`) : "");

const STATUS = {
  nonCompliant: ["\u25b2", "non-compliant"],
  error: ["\u25c6", "not judged"],
  exempt: ["\u25a0", "exempt"],
  compliant: ["\u25cf", "compliant"],
  notApplicable: ["\u25cb", "not applicable"],
  met: ["\u25cf", "met"],
  missing: ["\u25b2", "missing"],
  unread: ["\u25c6", "not read"],
};

// A status in shape and word; colour only repeats it.
function status(kind, more) {
  const [shape, word] = STATUS[kind];
  return h("span", { class: `status ${kind}` }, h("span", { "aria-hidden": "true" }, shape), ` ${word}${more ?? ""}`);
}
