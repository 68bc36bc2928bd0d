// The filters are in the address, after the #, so that a view can be sent to a colleague, and Back goes back.

// The filters in the form, and those that only links set. Both are shown above the findings while they are in use.
const FORM_KEYS = ["q", "unit", "account", "owner", "region", "rule", "severity", "scheme", "status", "tag"];
const LINK_KEYS = ["is", "cause", "change"];
const FILTER_KEYS = [...FORM_KEYS, ...LINK_KEYS];
// More tags than these are not suggested.
const MAX_SUGGESTED_TAGS = 500;

const IS_LABELS = { judged: "judged", unreachable: "non-compliant and unreachable", nonCompliant: "non-compliant", error: "not judged, partly or completely", exempt: "exempt", compliant: "compliant", notApplicable: "not applicable" };

function parseAddress() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const by = parameters.get("by");
  const state = { by: Object.hasOwn(MATRIX_BY, by ?? "") ? by : "account", page: Math.max(1, Number.parseInt(parameters.get("page"), 10) || 1), sort: parameters.get("sort") ?? "", since: parameters.get("since") ?? "", trend: Object.hasOwn(TREND_LINES, parameters.get("trend") ?? "") ? parameters.get("trend") ?? "" : "", lb: parameters.get("lb") ?? "" };
  for (const key of FILTER_KEYS) state[key] = parameters.get(key) ?? "";
  return state;
}

function formatAddress(state) {
  const parameters = new URLSearchParams();
  for (const key of FILTER_KEYS) if (state[key]) parameters.set(key, state[key]);
  if (state.by !== "account") parameters.set("by", state.by);
  for (const key of ["sort", "since", "trend"]) if (state[key]) parameters.set(key, state[key]);
  if (state.page > 1) parameters.set("page", state.page);
  if (state.lb) parameters.set("lb", state.lb);
  return `#${parameters}`;
}

const filtersInUse = (state) => FILTER_KEYS.filter((key) => state[key]);

// A part of `key=value`, or with an `=` a part of a key and of its value, in any case.
function matchesTag(tags, filter) {
  if (!filter) return true;
  if (!tags) return false;
  const wanted = filter.toLowerCase();
  const equals = wanted.indexOf("=");
  if (equals < 0) return Object.entries(tags).some(([key, value]) => key.toLowerCase().includes(wanted) || value.toLowerCase().includes(wanted));
  const [keyPart, valuePart] = [wanted.slice(0, equals), wanted.slice(equals + 1)];
  return Object.entries(tags).some(([key, value]) => key.toLowerCase().includes(keyPart) && value.toLowerCase().includes(valuePart));
}

// A filter of an empty text would be none: the root and an unknown unit have words.
const unitFilter = (unit) => unitName(unit);

function matchesUnit(filter, unit) {
  if (!filter) return true;
  if (filter === UNKNOWN_UNIT) return unit === null || unit === undefined;
  if (filter === ROOT_UNIT && unit === "") return true;
  return unit === filter || Boolean(unit?.startsWith(`${filter}/`));
}

// Applies the filters for account, region, scheme, unit and tag to a load balancer, or to an entry with such fields.
function matchesAccountAndRegion(state, entry) {
  if (state.account && entry.account !== state.account) return false;
  if (state.region && entry.region !== state.region) return false;
  if (state.owner && (entry.owner ?? NO_OWNER) !== state.owner) return false;
  if (state.scheme && entry.scheme !== state.scheme) return false;
  return matchesUnit(state.unit, entry.unit) && matchesTag(entry.tags, state.tag);
}

// The rows that match all filters but those of findings. What concerns a load balancer is decided once for it.
function filterRows(index, state) {
  const needle = state.q.trim().toLowerCase();
  for (const loadBalancer of index.data.loadBalancers) {
    loadBalancer.matches = matchesAccountAndRegion(state, loadBalancer);
    loadBalancer.hasText = !needle || (loadBalancer.matches && loadBalancerText(loadBalancer).includes(needle));
  }
  return index.rows.filter(({ loadBalancer, verdict }) =>
    loadBalancer.matches &&
    (!state.rule || verdict.rule === state.rule) &&
    (!state.severity || index.severities.get(verdict.rule) === state.severity) &&
    (loadBalancer.hasText || verdictText(verdict).includes(needle)));
}

// The filters of findings: numbers on top and in the matrix count whatever they are.
function filterFindings(index, state, rows) {
  let found = rows;
  if (state.status && state.status !== "all") found = found.filter((row) => row.verdict.status === state.status);
  if (state.is === "judged") found = found.filter((row) => !["error", "notApplicable"].includes(standingOf(index, state.rule, row.loadBalancer)));
  else if (state.is === "unreachable") found = found.filter((row) => isUnreachable(index, state.rule, row.loadBalancer));
  else if (state.is) found = found.filter((row) => standingOf(index, state.rule, row.loadBalancer) === state.is);
  if (state.cause) found = found.filter((row) => row.verdict.causes?.includes(state.cause));
  if (state.change) found = found.filter((row) => row.verdict.change === state.change);
  return found;
}

// Load balancers that are gone, and exemptions: they have no verdict, so the filters for it do not apply.
function filterEntries(index, state, entries, parts) {
  const needle = state.q.trim().toLowerCase();
  return entries.filter(
    (entry) =>
      (!state.rule || entry.rule === state.rule) &&
      (!state.severity || index.severities.get(entry.rule) === state.severity) &&
      matchesAccountAndRegion(state, entry) &&
      (!needle || searchText(entry, () => parts(entry)).includes(needle)),
  );
}

// --- filters in words

const FILTER_LABELS = {
  q: ["Search", (value) => value],
  unit: ["Unit", (value) => value],
  account: ["Account", (value, { data }) => (data.accounts[value]?.name ? `${data.accounts[value].name} (${value})` : value)],
  owner: ["Owner", (value) => value],
  region: ["Region", (value) => value],
  rule: ["Rule", (value, { subjects }) => subjects.get(value) ?? value],
  severity: ["Severity", (value) => value.toLowerCase()],
  scheme: ["Scheme", (value) => value],
  status: ["Status", (value) => (value === "all" ? "all" : STATUS_LABELS[value]?.[1] ?? value)],
  tag: ["Tag", (value) => value],
  is: ["Load balancers", (value) => IS_LABELS[value] ?? value],
  cause: ["Cause", (value, { data }) => data.causes[value] ?? value],
  change: ["Change", (value) => CHANGES[value]?.[0] ?? value],
};

function describeFilter(index, state, key) {
  const [label, text] = FILTER_LABELS[key];
  return [label, text(state[key], index)];
}

const describeFilters = (index, state) => filtersInUse(state).map((key) => describeFilter(index, state, key).join(": ")).join("; ");

// The filters in use, each a button that removes it.
function showChips(index, state) {
  const keys = filtersInUse(state);
  const chips = document.querySelector("#chips");
  chips.hidden = keys.length === 0;
  document.querySelector("#clear").hidden = keys.length === 0;
  chips.replaceChildren(...keys.map((key) => {
    const [label, text] = describeFilter(index, state, key);
    const remove = () => navigate({ [key]: "" }, { focus: keys.length > 1 ? "#chips button" : "#fold > summary" });
    return h("button", { type: "button", class: "chip", title: "Remove this filter", onclick: remove }, `${label}: `, isolatedText(text), h("span", { "aria-hidden": "true" }, " \u00d7"), h("span", { class: "visually-hidden" }, ", remove"));
  }));
}

// --- the form

function fillOptions(select, first, values, label) {
  select.replaceChildren(h("option", { value: "" }, first), ...values.map((value) => h("option", { value }, label ? label(value) : value)));
}

function setUpFilters(form, index) {
  const { data } = index;
  const accountRegions = data.coverage.homes;
  const unique = (values) => [...new Set(values)].sort();
  const accounts = unique([...accountRegions, ...data.loadBalancers].map((entry) => entry.account));
  const units = new Set();
  for (const account of accounts) {
    const unit = data.accounts[account]?.unit;
    if (!unit) units.add(unitFilter(unit));
    else unit.split("/").forEach((_, position, parts) => units.add(parts.slice(0, position + 1).join("/")));
  }
  const schemes = ["internet-facing", "internal", ...(data.loadBalancers.some((loadBalancer) => loadBalancer.scheme === "unknown") ? ["unknown"] : [])];
  fillOptions(form.elements.unit, "All units", unique(units));
  fillOptions(form.elements.account, "All accounts", accounts, (id) => (data.accounts[id]?.name ? `${data.accounts[id].name} (${id})` : id));
  fillOptions(form.elements.owner, "All owners", unique(data.loadBalancers.map((loadBalancer) => loadBalancer.owner ?? NO_OWNER)));
  form.querySelector("[data-owner]").hidden = !index.hasOwners;
  fillOptions(form.elements.region, "All regions", unique(accountRegions.map((accountRegion) => accountRegion.region)));
  fillOptions(form.elements.rule, "All rules", data.rules.map((rule) => rule.name), (rule) => index.subjects.get(rule));
  fillOptions(form.elements.severity, "All severities", [...new Set(data.rules.map((rule) => rule.severityLabel))], (label) => label.toLowerCase());
  fillOptions(form.elements.scheme, "All schemes", schemes);
  fillOptions(form.elements.status, "Open findings", [...OPEN_STATUSES, "exempt", "compliant", "notApplicable", "all"], (status) => (status === "all" ? "all" : STATUS_LABELS[status][1]));
  const tags = new Set();
  for (const loadBalancer of data.loadBalancers) {
    for (const [key, value] of Object.entries(loadBalancer.tags ?? {})) tags.add(key).add(`${key}=${value}`);
    if (tags.size > MAX_SUGGESTED_TAGS) break;
  }
  form.querySelector("datalist").replaceChildren(...unique(tags).map((value) => h("option", { value })));
}

function showFilters(form, state) {
  for (const key of FORM_KEYS) {
    const field = form.elements[key];
    if (field.value === state[key]) continue;
    if (field.tagName === "SELECT" && ![...field.options].some((option) => option.value === state[key])) {
      // An address may name a value that the data does not have. Show it; it matches nothing.
      field.append(h("option", { value: state[key] }, state[key]));
    }
    field.value = state[key];
  }
}
