// The filters are in the address, after the #, so that a view can be sent to a colleague, and Back goes back.

const FILTER_KEYS = ["q", "unit", "account", "region", "rule", "scheme", "status", "tag"];
// More tags than these are not suggested.
const MAX_SUGGESTED_TAGS = 500;

function parseAddress() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const state = { by: parameters.get("by") === "unit" ? "unit" : "account", page: Math.max(1, Number.parseInt(parameters.get("page"), 10) || 1), lb: parameters.get("lb") ?? "" };
  for (const key of FILTER_KEYS) state[key] = parameters.get(key) ?? "";
  return state;
}

function formatAddress(state) {
  const parameters = new URLSearchParams();
  for (const key of FILTER_KEYS) if (state[key]) parameters.set(key, state[key]);
  if (state.by === "unit") parameters.set("by", "unit");
  if (state.page > 1) parameters.set("page", state.page);
  if (state.lb) parameters.set("lb", state.lb);
  return `#${parameters}`;
}

function matchesTag(tags, filter) {
  if (!filter) return true;
  if (!tags) return false;
  const equals = filter.indexOf("=");
  if (equals < 0) return Object.hasOwn(tags, filter);
  const key = filter.slice(0, equals);
  return Object.hasOwn(tags, key) && tags[key] === filter.slice(equals + 1);
}

// Applies the filters for account, region, scheme, unit and tag to a load balancer, or to an entry with such fields.
function matchesAccountAndRegion(state, entry) {
  if (state.account && entry.account !== state.account) return false;
  if (state.region && entry.region !== state.region) return false;
  if (state.scheme && entry.scheme !== state.scheme) return false;
  if (state.unit && !(entry.unit === state.unit || entry.unit?.startsWith(`${state.unit}/`))) return false;
  return matchesTag(entry.tags, state.tag);
}

// The rows that match all filters but the status.
function filterRows(index, state) {
  const needle = state.q.trim().toLowerCase();
  const matches = new Map();
  return index.rows.filter(({ loadBalancer, verdict }) => {
    if (state.rule && verdict.rule !== state.rule) return false;
    let matching = matches.get(loadBalancer);
    if (matching === undefined) matches.set(loadBalancer, (matching = matchesAccountAndRegion(state, loadBalancer)));
    return matching && (!needle || loadBalancerText(loadBalancer).includes(needle) || verdictText(verdict).includes(needle));
  });
}

const filterByStatus = (state, rows) => (state.status && state.status !== "all" ? rows.filter((row) => row.verdict.status === state.status) : rows);

// Load balancers that are gone, and exemptions: they have no verdict, so the filters for it do not apply.
function filterEntries(state, entries, parts) {
  const needle = state.q.trim().toLowerCase();
  return entries.filter(
    (entry) =>
      (!state.rule || entry.rule === state.rule) &&
      matchesAccountAndRegion(state, entry) &&
      (!needle || searchText(entry, () => parts(entry)).includes(needle)),
  );
}

// --- the form

function fillOptions(select, first, values, label) {
  select.replaceChildren(h("option", { value: "" }, first), ...values.map((value) => h("option", { value }, label ? label(value) : value)));
}

function setUpFilters(form, index) {
  const { data } = index;
  const accountRegions = data.coverage.homes;
  const unique = (values) => [...new Set(values)].sort();
  const units = new Set();
  for (const { unit } of Object.values(data.accounts)) {
    const parts = unit ? unit.split("/") : [];
    parts.forEach((_, position) => units.add(parts.slice(0, position + 1).join("/")));
  }
  const accounts = unique([...accountRegions, ...data.loadBalancers].map((entry) => entry.account));
  const schemes = ["internet-facing", "internal", ...(data.loadBalancers.some((loadBalancer) => loadBalancer.scheme === "unknown") ? ["unknown"] : [])];
  fillOptions(form.elements.unit, "all units", unique(units));
  fillOptions(form.elements.account, "all accounts", accounts, (id) => (data.accounts[id]?.name ? `${data.accounts[id].name} (${id})` : id));
  fillOptions(form.elements.region, "all regions", unique(accountRegions.map((accountRegion) => accountRegion.region)));
  fillOptions(form.elements.rule, "all rules", data.rules.map((rule) => rule.name), (rule) => index.subjects.get(rule));
  fillOptions(form.elements.scheme, "all schemes", schemes);
  fillOptions(form.elements.status, "open findings", [...OPEN_STATUSES, "exempt", "compliant", "notApplicable", "all"], (status) => (status === "all" ? "all" : STATUS_LABELS[status][1]));
  const tags = new Set();
  for (const loadBalancer of data.loadBalancers) {
    for (const [key, value] of Object.entries(loadBalancer.tags ?? {})) tags.add(key).add(`${key}=${value}`);
    if (tags.size > MAX_SUGGESTED_TAGS) break;
  }
  form.querySelector("datalist").replaceChildren(...unique(tags).map((value) => h("option", { value })));
}

function showFilters(form, state) {
  for (const key of FILTER_KEYS) {
    const field = form.elements[key];
    if (field.value === state[key]) continue;
    if (field.tagName === "SELECT" && ![...field.options].some((option) => option.value === state[key])) {
      // An address may name a value that the data does not have. Show it; it matches nothing.
      field.append(h("option", { value: state[key] }, state[key]));
    }
    field.value = state[key];
  }
}
