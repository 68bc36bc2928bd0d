// Tables. A note before a table tells what it omits; a printed table omits nothing.

let printing = false;

const PAGE_ROWS = 25;
const FIRST_ROWS = 10;
const MATRIX_ROWS = 25;

function table(caption, columns, rows) {
  return h(
    "div",
    { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    h(
      "table",
      null,
      h("caption", null, caption),
      h("thead", null, h("tr", null, columns.map(([title, kind]) => h("th", { scope: "col", class: kind }, title)))),
      h("tbody", null, rows),
    ),
  );
}

// A row; values that are not cells yet become data cells.
const tableRow = (values) => h("tr", null, values.map((value) => (value instanceof HTMLTableCellElement ? value : h("td", null, value))));
const cell = (kind, ...values) => h("td", { class: kind }, ...values);
const headerCell = (...values) => h("th", { scope: "row" }, ...values);

// The keys of the tables that the reader has expanded.
const expandedTables = new Set();

// A table of the first rows, with a button that shows all. `key` is the id of its section.
function expandableTable(key, caption, columns, items, row, noun, maxRows = FIRST_ROWS) {
  const expanded = printing || expandedTables.has(key) || items.length <= maxRows;
  const elements = [];
  if (!expanded) {
    const expand = () => {
      expandedTables.add(key);
      render({ atOnce: true });
      document.querySelector(`#${key} .scroll`)?.focus();
    };
    const button = h("button", { type: "button", onclick: expand }, `Show all ${formatNumber(items.length)}`);
    elements.push(h("p", { class: "note" }, `The first ${maxRows} of ${pluralize(items.length, noun)}; ${formatNumber(items.length - maxRows)} omitted. `, button));
  }
  return [...elements, table(caption, columns, (expanded ? items : items.slice(0, maxRows)).map(row))];
}

// --- cells that several tables share

const link = (state, changes, ...content) => h("a", { href: formatAddress({ ...state, page: 1, lb: "", ...changes }) }, ...content);
const loadBalancerLink = (state, loadBalancer) => h("a", { href: formatAddress({ ...state, lb: loadBalancer.arn }) }, isolatedText(loadBalancer.name));
const accountText = (entry) => [isolatedText(entry.accountName || entry.account), h("span", { class: "aside" }, entry.accountName ? `${entry.account} ` : "", entry.unit ? isolatedText(entry.unit) : "")];

// The name of a load balancer that may not be in the data; then it is no link.
const nameOrLink = (index, state, entry) => (index.byArn.has(entry.arn) ? loadBalancerLink(state, entry) : isolatedText(entry.name));

const tile = (kind, title, value) => h("div", { class: `tile ${kind}` }, h("dt", null, title), h("dd", null, h("span", { class: "number" }, value)));
