// Renders the page from the address, which holds the whole state of the view.

let index;
let state;
// The rows that match all filters but the status, and those that match the status, too.
let matchingRows = [];
let rows = [];
let renderedFilters = null;
let deferredRender;

// The lower sections are rendered a moment later, so that a filter responds at once.
function render({ atOnce = false } = {}) {
  const filters = FILTER_KEYS.map((key) => state[key]).join("\u0000");
  const filtersChanged = renderedFilters !== filters;
  if (filtersChanged) {
    matchingRows = filterRows(index, state);
    rows = filterByStatus(state, matchingRows);
  }
  renderedFilters = filters;
  const gone = filterEntries(state, index.data.gone, (entry) => [entry.arn, entry.name, entry.account, entry.accountName, entry.rule]);
  showCounts(index, countCompliance(index, state, matchingRows, gone));
  showMatrix(index, state, matchingRows);
  showFindings(index, state, rows);
  showDetail(index, state);
  clearTimeout(deferredRender);
  const renderDeferred = () => {
    showCauses(index, state, rows);
    showChanges(index, state, rows, !state.status || state.status === "all" ? gone : []);
    showExemptions(index, state);
  };
  if (atOnce) renderDeferred();
  else deferredRender = setTimeout(renderDeferred);
  if (filtersChanged) document.querySelector("#shown").textContent = `${countRows(openRows(state, rows), "finding")}; ${countRows(rows, "verdict")} in total.`;
}

const countRows = (counted, noun) => `${pluralize(counted.length, noun)} on ${pluralize(new Set(counted.map((row) => row.loadBalancer)).size, "load balancer")}`;

// Shows another view. With `replace`, Back skips the present one.
function navigate(changes, { replace = false } = {}) {
  const firstPage = FILTER_KEYS.some((key) => key in changes) ? { page: 1 } : {};
  const address = formatAddress({ ...state, ...firstPage, ...changes });
  if (address === formatAddress(state)) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  showAddress();
}

function showAddress({ atOnce = false } = {}) {
  const before = state;
  state = parseAddress();
  showFilters(document.querySelector("#filters"), state);
  render({ atOnce });
  if (before && state.lb && state.lb !== before.lb) {
    const title = document.querySelector("#detail-title");
    title.focus({ preventScroll: true });
    title.scrollIntoView({ block: "start" });
  }
}

function setPrinting(on) {
  if (printing === on) return;
  printing = on;
  render({ atOnce: true });
  if (on) for (const details of document.querySelectorAll("details:not([open])")) details.open = true;
}

function setUp(form) {
  setUpFilters(form, index);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => navigate({ [event.target.name]: event.target.value }));
  // On a narrow screen, unused filters are folded, so that the counts come first.
  const narrow = matchMedia("(max-width: 48rem)");
  const foldFilters = () => { document.querySelector("#fold").open = !narrow.matches || FILTER_KEYS.some((key) => parseAddress()[key]); };
  narrow.addEventListener("change", foldFilters);
  foldFilters();
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
  document.querySelector("#clear").addEventListener("click", () => navigate(Object.fromEntries(FILTER_KEYS.map((key) => [key, ""]))));
  const exportedRows = () => openRows(state, rows);
  document.querySelector("#export-csv").addEventListener("click", () => downloadFile(toCsv(index, exportedRows()), "text/csv;charset=utf-8", "csv", index.data.asOf));
  document.querySelector("#export-json").addEventListener("click", () => downloadFile(toJson(index, state, exportedRows()), "application/json", "json", index.data.asOf));
  // A link within the page moves the focus only: the address is for the view.
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.querySelector("#summary").focus();
  });
  addEventListener("hashchange", () => showAddress());
  addEventListener("beforeprint", () => setPrinting(true));
  addEventListener("afterprint", () => setPrinting(false));
}

async function start() {
  const form = document.querySelector("#filters");
  index = buildIndex(await decodeData(document.querySelector("#data").textContent));
  setUp(form);
  form.hidden = false;
  for (const section of document.querySelectorAll("main > section")) section.hidden = false;
  showAddress({ atOnce: true });
  if (state.lb) document.querySelector("#detail-title").scrollIntoView({ block: "start" });
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

start().catch((error) => {
  const failureMessage = document.querySelector("#failure");
  failureMessage.textContent = `This browser cannot show the data of the page (${error.message}). The summary and the fifty worst findings are below; a current browser shows everything.`;
  failureMessage.hidden = false;
});
