// The page, put together: the address says what is shown, and everything follows it.

let index;
let state;
let base = [];
let rows = [];
let shownFor = null;
let below;

// What is further down the page follows a moment later, so that a filter answers at once.
function render({ atOnce = false } = {}) {
  const filters = FILTERS.map((key) => state[key]).join("\u0000");
  const same = shownFor === filters;
  if (!same) {
    base = filtered(index, state);
    rows = withStatus(state, base);
  }
  shownFor = filters;
  const gone = filteredOthers(state, index.data.gone, (one) => [one.arn, one.name, one.account, one.accountName, one.rule]);
  const found = standing(index, state, base, gone);
  showStanding(index, found);
  showMatrix(index, state, base);
  showWorst(index, state, rows);
  showDetail(index, state);
  clearTimeout(below);
  const rest = () => {
    showCauses(index, state, rows);
    showChanges(index, state, rows, !state.status || state.status === "all" ? gone : []);
    showExemptions(index, state);
  };
  if (atOnce) rest();
  else below = setTimeout(rest);
  const items = listed(state, rows).length;
  if (!same) document.querySelector("#shown").textContent = `${counted(items, "finding")} on ${counted(new Set(listed(state, rows).map((row) => row.one)).size, "load balancer")}; ${counted(rows.length, "verdict")} on ${counted(new Set(rows.map((row) => row.one)).size, "load balancer")} in all.`;
}

// Goes to another view; `replacing` leaves no step for Back.
function go(changes, replacing) {
  const turned = FILTERS.some((key) => key in changes) ? { page: 1 } : {};
  const address = addressOf({ ...state, ...turned, ...changes });
  if (address === addressOf(state)) return;
  if (replacing) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  follow();
}

function follow({ atOnce = false } = {}) {
  const before = state;
  state = stateOfAddress();
  showFilters(document.querySelector("#filters"), state);
  render({ atOnce });
  if (before && state.lb && state.lb !== before.lb) {
    const title = document.querySelector("#detail-title");
    title.focus({ preventScroll: true });
    title.scrollIntoView({ block: "start" });
  }
}

function paper(on) {
  if (onPaper === on) return;
  onPaper = on;
  render({ atOnce: true });
  if (on) for (const one of document.querySelectorAll("details:not([open])")) one.open = true;
}

function setUp(form) {
  setUpFilters(form, index);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => go({ [event.target.name]: event.target.value }));
  // On a narrow screen the numbers come first, unless filters are in use.
  const narrow = matchMedia("(max-width: 48rem)");
  const fold = () => { document.querySelector("#fold").open = !narrow.matches || FILTERS.some((key) => stateOfAddress()[key]); };
  narrow.addEventListener("change", fold);
  fold();
  // A search is followed while it is written; it becomes a step for Back when it is done.
  let typed = null;
  form.elements.q.addEventListener("input", (event) => {
    if (typed === null) {
      history.pushState(null, "", location.hash || "#");
      typed = true;
    }
    go({ q: event.target.value }, true);
  });
  form.elements.q.addEventListener("change", () => { typed = null; });
  document.querySelector("#clear").addEventListener("click", () => go(Object.fromEntries(FILTERS.map((key) => [key, ""]))));
  const exported = () => listed(state, rows);
  document.querySelector("#export-csv").addEventListener("click", () => save(csvOf(exported()), "text/csv;charset=utf-8", "csv", index.data.asOf));
  document.querySelector("#export-json").addEventListener("click", () => save(jsonOf(index, state, exported()), "application/json", "json", index.data.asOf));
  // Links within the page move the focus; the address is for the view.
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.querySelector("#summary").focus();
  });
  addEventListener("hashchange", () => follow());
  addEventListener("beforeprint", () => paper(true));
  addEventListener("afterprint", () => paper(false));
}

async function start() {
  const form = document.querySelector("#filters");
  index = indexed(await unpacked(document.querySelector("#data").textContent));
  setUp(form);
  form.hidden = false;
  for (const section of document.querySelectorAll("main > section")) section.hidden = false;
  follow({ atOnce: true });
  if (state.lb) document.querySelector("#detail-title").scrollIntoView({ block: "start" });
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

start().catch((error) => {
  const said = document.querySelector("#failure");
  said.textContent = `The data of this page cannot be shown here (${error.message}). What is below was written without it; a current browser shows all.`;
  said.hidden = false;
});
