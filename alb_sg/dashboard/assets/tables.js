// Tables. A note before a table tells what it omits; a printed table omits nothing.
//
// A column is {title, cell}, where `cell` makes the content for an item, and optionally:
// `kind` (the class of its cells), `header` (its cells head their rows), `value` (what it sorts by),
// `text` (what it says in words: a column that says the same in every row is told once, before the table).

let printing = false;

const PAGE_ROWS = 25;
const FIRST_ROWS = 10;
const MATRIX_ROWS = 25;

function table(caption, columns, items, { order = null, onSort = null } = {}) {
  // The roles keep a table's meaning where a narrow screen lays its rows out as cards.
  return h(
    "div",
    { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    h(
      "table",
      { role: "table" },
      h("caption", null, caption),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map((column) => columnHeader(column, order, onSort)))),
      h("tbody", { role: "rowgroup" }, items.map((item) => tableRow(columns, item))),
    ),
  );
}

function columnHeader({ title, kind, value }, order, onSort) {
  const sorted = order?.title === title ? (order.descending ? "descending" : "ascending") : null;
  const content = value && onSort && !printing
    ? h("button", { type: "button", class: "sort", onclick: () => onSort({ title, descending: sorted === "ascending" }) }, title, h("span", { "aria-hidden": "true" }, sorted ? (order.descending ? "\u00a0\u25bc" : "\u00a0\u25b2") : "\u00a0\u2195"))
    : title;
  return h("th", { scope: "col", role: "columnheader", class: kind, "aria-sort": sorted }, content);
}

const tableRow = (columns, item) =>
  h("tr", { role: "row" }, columns.map((column) => h(column.header ? "th" : "td", { scope: column.header ? "row" : null, role: column.header ? "rowheader" : "cell", class: column.kind, "data-label": column.title }, column.cell(item))));

// The columns that tell rows apart, and sentences on the others.
function distinctColumns(columns, items) {
  const sentences = [];
  const kept = columns.filter(({ title, text }) => {
    if (!text || !items.length) return true;
    const first = text(items[0]);
    const same = (first === "" || items.length > 1) && items.every((item) => text(item) === first);
    if (same && first) sentences.push(`${title} in every row: ${first}.`);
    return !same;
  });
  return { kept, sentences };
}

const compareValues = (left, right) => (left < right ? -1 : left > right ? 1 : 0);

// Items by a column; those that are equal keep their order. No value comes last.
function sortItems(columns, items, order) {
  const value = columns.find((column) => column.title === order?.title)?.value;
  if (!value) return items;
  const sign = order.descending ? -1 : 1;
  const keyed = items.map((item) => ({ item, key: value(item) }));
  keyed.sort((left, right) => (left.key === null) - (right.key === null) || (left.key === null ? 0 : sign * compareValues(left.key, right.key)));
  return keyed.map(({ item }) => item);
}

// The keys of the tables that the reader has expanded, and the orders that the reader has chosen.
const expandedTables = new Set();
const chosenOrders = new Map();

// A table of the first rows, with a button that shows all. `key` is the id of its section, with a suffix for a second
// table in it.
function expandableTable(key, caption, columns, items, noun, maxRows = FIRST_ROWS) {
  const section = key.split(":")[0];
  const order = chosenOrders.get(key) ?? null;
  const { kept, sentences } = distinctColumns(columns, items);
  const expanded = printing || expandedTables.has(key) || items.length <= maxRows;
  const renderAgain = (selector) => {
    render({ atOnce: true });
    document.querySelector(`#${section} [data-table="${key}"] ${selector}`)?.focus({ preventScroll: true });
  };
  const notes = sentences.map((sentence) => `${sentence} `);
  if (!expanded) {
    const expand = () => {
      expandedTables.add(key);
      renderAgain(".scroll");
    };
    notes.push(`The first ${maxRows} of ${pluralize(items.length, noun)}; ${formatNumber(items.length - maxRows)} omitted. `, h("button", { type: "button", onclick: expand }, `Show all ${formatNumber(items.length)}`));
  }
  const onSort = (chosen) => {
    chosenOrders.set(key, chosen);
    renderAgain("th[aria-sort] button");
  };
  const sorted = sortItems(columns, items, order);
  return h("div", { "data-table": key }, notes.length ? h("p", { class: "note" }, notes) : null, table(caption, kept, expanded ? sorted : sorted.slice(0, maxRows), { order, onSort: items.length > 1 ? onSort : null }));
}

// --- cells that several tables share

const link = (state, changes, ...content) => h("a", { href: formatAddress({ ...state, page: 1, lb: "", ...changes }) }, ...content);
const loadBalancerLink = (state, loadBalancer) => h("a", { href: formatAddress({ ...state, lb: loadBalancer.arn }), "data-arn": loadBalancer.arn }, isolatedText(loadBalancer.name));
// Accounts may share a name.
const accountLabel = (entry) => (entry.accountName ? `${entry.accountName} (${entry.account})` : entry.account);
const aside = (...content) => h("span", { class: "aside" }, ...content);
const accountText = (entry) => [isolatedText(entry.accountName || entry.account), aside(entry.accountName ? [isolatedText(entry.account), " "] : null, entry.unit === null || entry.unit === undefined ? null : isolatedText(unitName(entry.unit)))];

// The name of a load balancer that may not be in the data; then it is no link.
const nameOrLink = (index, state, entry) => (index.byArn.has(entry.arn) ? loadBalancerLink(state, entry) : isolatedText(entry.name));

const tile = (kind, title, value) => h("div", { class: `tile ${kind}` }, h("dt", null, title), h("dd", null, h("span", { class: "number" }, value)));

const accountColumn = { title: "Account", cell: accountText, text: accountLabel, value: (entry) => (entry.accountName || entry.account).toLowerCase() };
// Whom to ask, where the page knows: `of` is the load balancer of an item.
const ownerColumns = (index, of) => (index.hasOwners ? [{ title: "Owner", cell: (item) => isolatedText(of(item).owner ?? NO_OWNER), text: (item) => of(item).owner ?? NO_OWNER, value: (item) => (of(item).owner ?? "\uffff").toLowerCase() }] : []);
const numberColumn = (title, value) => ({ title, kind: "number", cell: (item) => formatNumber(value(item)), value });
