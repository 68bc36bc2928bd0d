// Renders the page from the address, which holds the whole state of the view.

let index;
let state;
// The rows that match all filters but those of findings, and those that match them, too.
let matchingRows = [];
let rows = [];
let gone = [];
let renderedFilters = null;
let deferredRender;
// Where the reader opened a load balancer, to return there.
let openedFrom = null;
const pageTitle = document.title;
// As in page.css: below this width, tables are cards and the diagram is a list.
const narrowScreen = matchMedia("screen and (max-width: 60rem)");

// The lower sections are rendered a moment later, so that a filter responds at once.
function render({ atOnce = false } = {}) {
  const filters = JSON.stringify(FILTER_KEYS.map((key) => state[key]));
  const filtersChanged = renderedFilters !== filters;
  if (filtersChanged) {
    matchingRows = filterRows(index, state);
    rows = filterFindings(index, state, matchingRows);
    gone = filterEntries(index, state, index.data.gone, (entry) => [entry.arn, entry.name, entry.account, entry.accountName, entry.rule]);
    showChips(index, state);
  }
  renderedFilters = filters;
  showCounts(index, state, countCompliance(index, state, matchingRows, gone));
  showFirstChanges(index, state, matchingRows);
  showFindings(index, state, rows);
  showDetail(index, state);
  showTitle();
  clearTimeout(deferredRender);
  const renderDeferred = () => {
    showMatrix(index, state, matchingRows);
    showCauses(index, state, rows);
    showChanges(index, state, rows, goneShown());
    showExemptions(index, state);
  };
  if (atOnce) renderDeferred();
  else deferredRender = setTimeout(renderDeferred);
  if (filtersChanged) document.querySelector("#shown").textContent = `${countRows(openRows(state, rows), "finding")}; ${countRows(rows, "verdict")} in total.`;
}

// What is gone has no status and no cause.
const goneShown = () => ((state.status.length && !state.status.includes("all")) || state.is || state.cause || (state.change && state.change !== "gone") ? [] : gone);

const countRows = (counted, noun) => `${pluralize(counted.length, noun)} on ${pluralize(loadBalancersOf(counted).length, "load balancer")}`;

// The title names the view, for tabs, history and paper.
function showTitle() {
  const view = [index.byArn.get(state.lb)?.name, describeFilters(index, state)].filter(Boolean);
  document.title = view.length ? `${view.join(" \u2013 ")} \u2013 ${pageTitle}` : pageTitle;
}

// Shows another view. With `replace`, Back skips the present one; `focus` selects what has the focus then.
function navigate(changes, { replace = false, focus = null } = {}) {
  const firstPage = FILTER_KEYS.some((key) => key in changes) ? { page: 1 } : {};
  const address = formatAddress({ ...state, ...firstPage, ...changes });
  filtersFollowed = false;
  if (address === formatAddress(state)) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  showAddress({ atOnce: focus !== null });
  if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
}

function showAddress({ atOnce = false } = {}) {
  const before = state;
  state = parseAddress();
  showFilters(document.querySelector("#filters"), state);
  // Closing a load balancer returns to a link, which must be rendered by then.
  render({ atOnce: atOnce || Boolean(before?.lb && !state.lb) });
  if (!before) return;
  if (state.lb && state.lb !== before.lb) showTop("detail");
  else if (before.lb && !state.lb) returnFrom(before.lb);
  // A number leads to its findings: show them.
  else if (filtersFollowed) showTop("worst");
  filtersFollowed = false;
}

// Whether the reader followed a link to other findings.
let filtersFollowed = false;

// Remembers where a link was followed.
function followLink(event) {
  const anchor = event.target.closest?.("a[href^='#']");
  if (!anchor || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (anchor.dataset.arn) openedFrom = { arn: anchor.dataset.arn, section: anchor.closest("section").id, top: anchor.getBoundingClientRect().top };
  else filtersFollowed = !anchor.classList.contains("close");
}

// Puts the reader back where the load balancer was opened; where that is not known, at the findings.
function returnFrom(arn) {
  const from = openedFrom?.arn === arn ? openedFrom : null;
  openedFrom = null;
  const anchor = document.querySelector(`#${from?.section ?? "worst"} a[data-arn="${CSS.escape(arn)}"]`);
  if (!anchor) {
    showTop("worst");
    return;
  }
  anchor.focus({ preventScroll: true });
  if (from) scrollBy(0, anchor.getBoundingClientRect().top - from.top);
  else anchor.scrollIntoView({ block: "center" });
}

// The margin of each printed page says what the page shows: its filters cannot be seen on paper.
const marginSheet = new CSSStyleSheet();
document.adoptedStyleSheets = [marginSheet];

const cssString = (text) => `"${text.replace(/["\\\u0000-\u001f]/g, (character) => `\\${character.charCodeAt(0).toString(16)} `)}"`;

function showMargins() {
  const filters = describeFilters(index, state);
  const text = filters ? `Only ${filters}` : "All load balancers";
  marginSheet.replaceSync(`@page { @top-left { content: ${cssString(text)}; font: 8pt sans-serif; } @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; } }`);
}

function setPrinting(on) {
  if (printing === on) return;
  printing = on;
  showMargins();
  render({ atOnce: true });
  // A long list of gaps would push the summary off its one page: it goes to the last page.
  const gaps = document.querySelector(".gaps");
  const place = document.querySelector(on && gaps.children.length > MAX_PRINTED_GAPS ? "#audit" : "#coverage");
  if (gaps.parentElement !== place) place.append(gaps);
  if (on) {
    unfolded = [...document.querySelectorAll("details:not([open])")];
    for (const details of unfolded) details.open = true;
  } else {
    for (const details of unfolded) details.open = false;
    unfolded = [];
  }
}

const MAX_PRINTED_GAPS = 12;
// What was unfolded for paper.
let unfolded = [];

function setUp(form) {
  setUpFilters(form, index);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => { if (FILTER_KEYS.includes(event.target.name)) navigate({ [event.target.name]: chosenValues(form, state, event.target) }); });
  // A search applies while it is typed, and is one step for Back.
  let typing = false;
  form.elements.q.addEventListener("input", (event) => {
    if (!typing) {
      history.pushState(null, "", location.hash || "#");
      typing = true;
    }
    navigate({ q: event.target.value }, { replace: true });
  });
  form.elements.q.addEventListener("change", () => { typing = false; });
  document.querySelector("#clear").addEventListener("click", () => {
    navigate(Object.fromEntries(FILTER_KEYS.map((key) => [key, ""])));
    document.querySelector("#fold > summary").focus();
  });
  const exportedRows = () => openRows(state, rows);
  document.querySelector("#export-csv").addEventListener("click", () => downloadFile(toCsv(index, [...exportedRows(), ...generalErrorRows(index, state)]), "text/csv;charset=utf-8", "csv", index.data.asOf));
  document.querySelector("#export-json").addEventListener("click", () => downloadFile(toJson(index, state, exportedRows()), "application/json", "json", index.data.asOf));
  // A link within the page moves the focus only: the address is for the view.
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.querySelector("#summary").focus();
  });
  for (const jump of document.querySelectorAll("#jump a")) {
    jump.addEventListener("click", (event) => {
      event.preventDefault();
      showTop(jump.hash.slice(1));
    });
  }
  document.addEventListener("click", followLink);
  narrowScreen.addEventListener("change", () => render());
  addEventListener("hashchange", () => showAddress());
  addEventListener("beforeprint", () => setPrinting(true));
  addEventListener("afterprint", () => setPrinting(false));
}

async function start() {
  const form = document.querySelector("#filters");
  index = buildIndex(await decodeData(document.querySelector("#data").textContent));
  setUp(form);
  form.hidden = false;
  document.querySelector("#jump").hidden = false;
  for (const section of document.querySelectorAll("main > section")) section.hidden = false;
  showSparkline(index.data);
  showAddress({ atOnce: true });
  if (state.lb) document.querySelector("#detail-title").scrollIntoView({ block: "start" });
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

start().catch((error) => {
  const failureMessage = document.querySelector("#failure");
  failureMessage.textContent = `This browser cannot show the data of the page (${error.message}). The summary and the fifty worst findings are below; a current browser shows everything.`;
  failureMessage.hidden = false;
});
