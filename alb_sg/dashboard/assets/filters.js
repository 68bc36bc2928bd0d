// What is looked at stands in the address, after the #: it can be sent to a colleague, and Back goes back.

const FILTERS = ["q", "unit", "account", "region", "rule", "scheme", "status", "tag"];

function stateOfAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const state = { by: given.get("by") === "unit" ? "unit" : "account", page: Math.max(1, Number.parseInt(given.get("page"), 10) || 1), lb: given.get("lb") ?? "" };
  for (const key of FILTERS) state[key] = given.get(key) ?? "";
  return state;
}

function addressOf(state) {
  const parts = new URLSearchParams();
  for (const key of FILTERS) if (state[key]) parts.set(key, state[key]);
  if (state.by === "unit") parts.set("by", "unit");
  if (state.page > 1) parts.set("page", state.page);
  if (state.lb) parts.set("lb", state.lb);
  return `#${parts}`;
}

function matchesTag(tags, wanted) {
  if (!wanted) return true;
  if (!tags) return false;
  const equals = wanted.indexOf("=");
  if (equals < 0) return Object.hasOwn(tags, wanted);
  const key = wanted.slice(0, equals);
  return Object.hasOwn(tags, key) && tags[key] === wanted.slice(equals + 1);
}

// Whether a load balancer, or something that has its account, region and scheme, is asked for.
function matchesPlace(state, one) {
  if (state.account && one.account !== state.account) return false;
  if (state.region && one.region !== state.region) return false;
  if (state.scheme && one.scheme !== state.scheme) return false;
  if (state.unit && !(one.unit === state.unit || one.unit?.startsWith(`${state.unit}/`))) return false;
  return matchesTag(one.tags, state.tag);
}

// The rows that all filters but the status let through.
function filtered(index, state) {
  const needle = state.q.trim().toLowerCase();
  const places = new Map();
  const found = [];
  for (const row of index.rows) {
    const { one, verdict } = row;
    if (state.rule && verdict.rule !== state.rule) continue;
    let here = places.get(one);
    if (here === undefined) places.set(one, (here = matchesPlace(state, one)));
    if (!here) continue;
    if (needle && !loadBalancerText(one).includes(needle) && !verdictText(verdict).includes(needle)) continue;
    found.push(row);
  }
  return found;
}

// Those of them that have the status that is asked for.
const withStatus = (state, base) => (state.status && state.status !== "all" ? base.filter((row) => row.verdict.status === state.status) : base);

// What is gone, and exemptions, have no verdict here: of the filters all that they can answer count.
function filteredOthers(state, others, parts) {
  const needle = state.q.trim().toLowerCase();
  return others.filter(
    (one) =>
      (!state.rule || one.rule === state.rule) &&
      matchesPlace(state, one) &&
      (!needle || searchable(one, () => parts(one)).includes(needle)),
  );
}

// --- the form

function options(select, first, values, label) {
  select.replaceChildren(h("option", { value: "" }, first), ...values.map((value) => h("option", { value }, label ? label(value) : value)));
}

function setUpFilters(form, index) {
  const { data } = index;
  const homes = data.coverage.homes;
  const unique = (values) => [...new Set(values)].sort();
  const units = new Set();
  for (const { unit } of Object.values(data.accounts)) {
    const parts = unit ? unit.split("/") : [];
    parts.forEach((_, place) => units.add(parts.slice(0, place + 1).join("/")));
  }
  const accounts = unique([...homes.map((one) => one.account), ...data.loadBalancers.map((one) => one.account)]);
  options(form.elements.unit, "all units", unique(units));
  options(form.elements.account, "all accounts", accounts, (id) => (data.accounts[id]?.name ? `${data.accounts[id].name} (${id})` : id));
  options(form.elements.region, "all regions", unique(homes.map((one) => one.region)));
  options(form.elements.rule, "all rules", data.rules.map((rule) => rule.name), (rule) => index.subjects.get(rule));
  options(form.elements.scheme, "both", ["internet-facing", "internal", ...(data.loadBalancers.some((one) => one.scheme === "unknown") ? ["unknown"] : [])]);
  options(form.elements.status, "to fix or look at", [...TO_DO, "exempt", "compliant", "notApplicable", "all"], (kind) => (kind === "all" ? "all" : STATUS[kind][1]));
  const tags = new Set();
  for (const one of data.loadBalancers) {
    for (const [key, value] of Object.entries(one.tags ?? {})) tags.add(key).add(`${key}=${value}`);
    if (tags.size > 500) break;
  }
  form.querySelector("datalist").replaceChildren(...unique(tags).map((value) => h("option", { value })));
}

function showFilters(form, state) {
  for (const key of FILTERS) {
    const field = form.elements[key];
    if (field.value === state[key]) continue;
    if (field.tagName === "SELECT" && ![...field.options].some((option) => option.value === state[key])) {
      // An address may ask for what is not here: it is shown, and finds nothing.
      field.append(h("option", { value: state[key] }, state[key]));
    }
    field.value = state[key];
  }
}
