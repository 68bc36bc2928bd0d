// Real tables. What a screen leaves out is said before it, and paper leaves out nothing.

let onPaper = false;

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

// A row whose first or named cell heads it.
const cells = (values) => h("tr", null, values.map((value) => (value instanceof HTMLTableCellElement ? value : h("td", null, value))));
const cell = (kind, ...values) => h("td", { class: kind }, ...values);
const head = (...values) => h("th", { scope: "row" }, ...values);

const whole = new Set();

// A table of the first rows, until somebody asks for all; `key` remembers that.
function shortTable(key, caption, columns, items, row, noun, most = FIRST_ROWS) {
  const all = onPaper || whole.has(key) || items.length <= most;
  const shown = all ? items : items.slice(0, most);
  const found = [];
  if (!all) {
    const more = h("button", { type: "button", onclick: () => { whole.add(key); render({ atOnce: true }); document.querySelector(`#${key} .scroll`)?.focus(); } }, `Show all ${number(items.length)}`);
    found.push(h("p", { class: "note" }, `The first ${most} of ${counted(items.length, noun)}; ${number(items.length - most)} left out. `, more));
  }
  return [...found, table(caption, columns, shown.map(row))];
}
