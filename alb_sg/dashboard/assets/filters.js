// The filters are in the address, after the #, so that a view can be sent to a colleague, and Back goes back.
//
// docs/command-line.md, "Narrowing", defines the keys that the command has as well and how their values fit;
// alb_sg/observations/filter_patterns.py follows the same definition, and tests/filter_cases.py holds both to it.

// The filters that may have several values, of which one must fit; those of one value; and those that only links set. All
// are shown above the findings while they are in use.
const MULTIPLE_KEYS = ["name", "unit", "account", "owner", "region", "rule", "severity", "scheme", "status", "tag"];
const FORM_KEYS = ["q", ...MULTIPLE_KEYS];
const LINK_KEYS = ["is", "cause", "change"];
const FILTER_KEYS = [...FORM_KEYS, ...LINK_KEYS];
// More tags than these are not suggested.
const MAX_SUGGESTED_TAGS = 500;

const IS_LABELS = { judged: "judged", unreachable: "non-compliant and unreachable", nonCompliant: "non-compliant", error: "not judged, partly or completely", exempt: "exempt", compliant: "compliant", notApplicable: "not applicable" };

// The statuses as the command spells them.
const STATUS_WORDS = { nonCompliant: "non-compliant", error: "error", exempt: "exempt", compliant: "compliant", notApplicable: "not-applicable", all: "all" };

// A value of the address in the spelling that the page compares: letter case makes no difference in any of these.
const SPELLINGS = {
  rule: (value) => value.toUpperCase().replace(/^(?!ALB_SG_)/, "ALB_SG_"),
  severity: (value) => value.toLowerCase(),
  region: (value) => value.toLowerCase(),
  scheme: (value) => value.toLowerCase(),
  status: (value) => Object.keys(STATUS_WORDS).find((status) => status.toLowerCase() === value.toLowerCase().replaceAll("-", "")) ?? value,
};

function parseAddress() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const by = parameters.get("by");
  const state = { by: Object.hasOwn(MATRIX_BY, by ?? "") ? by : "account", page: Math.max(1, Number.parseInt(parameters.get("page"), 10) || 1), sort: parameters.get("sort") ?? "", since: parameters.get("since") ?? "", trend: Object.hasOwn(TREND_LINES, parameters.get("trend") ?? "") ? parameters.get("trend") ?? "" : "", lb: parameters.get("lb") ?? "" };
  for (const key of ["q", ...LINK_KEYS]) state[key] = parameters.get(key) ?? "";
  for (const key of MULTIPLE_KEYS) state[key] = [...new Set(parameters.getAll(key).filter(Boolean).map(SPELLINGS[key] ?? String))];
  return state;
}

function formatAddress(state) {
  const parameters = new URLSearchParams();
  for (const key of FILTER_KEYS) for (const value of filterValues(state, key)) parameters.append(key, key === "status" ? STATUS_WORDS[value] ?? value : value);
  if (state.by !== "account") parameters.set("by", state.by);
  for (const key of ["sort", "since", "trend"]) if (state[key]) parameters.set(key, state[key]);
  if (state.page > 1) parameters.set("page", state.page);
  if (state.lb) parameters.set("lb", state.lb);
  return `#${parameters}`;
}

// The values of a filter; a change that a link makes may be one text.
const filterValues = (state, key) => [state[key]].flat().filter(Boolean);

const filtersInUse = (state) => FILTER_KEYS.filter((key) => state[key].length);

// --- how values fit

// Whether one of the patterns fits the whole text, in any letter case: * is any characters, ? is one.
function fits(text, patterns) {
  const characters = [...text.toLowerCase()];
  return patterns.some((pattern) => fitsPattern(characters, [...pattern.toLowerCase()]));
}

// Goes back to the last star alone, so that no pattern takes longer than the product of both lengths.
function fitsPattern(text, pattern) {
  let [at, position, star, resume] = [0, 0, -1, 0];
  while (at < text.length) {
    if (pattern[position] === "*") {
      star = position;
      position += 1;
      resume = at;
    } else if (pattern[position] === "?" || pattern[position] === text[at]) {
      position += 1;
      at += 1;
    } else if (star >= 0) {
      position = star + 1;
      resume += 1;
      at = resume;
    } else return false;
  }
  while (pattern[position] === "*") position += 1;
  return position === pattern.length;
}

const ownerFits = (owner, patterns) => fits(owner || NO_OWNER, patterns);

// A unit, or one above it.
function unitFits(unit, patterns) {
  const trimmed = patterns.map((pattern) => pattern.replace(/^\/+|\/+$/g, ""));
  const parts = (unit ?? "").split("/");
  return [unitName(unit), ...parts.slice(1).map((_, position) => parts.slice(0, position + 1).join("/"))].some((each) => fits(each, trimmed));
}

// A tag's key, or its text `KEY=VALUE`.
const tagsFit = (tags, patterns) => Object.entries(tags ?? {}).some(([key, value]) => fits(key, patterns) || fits(`${key}=${value}`, patterns));

// Applies the filters of load balancers to one, or to an entry with such fields.
function matchesLoadBalancer(state, entry) {
  if (state.account.length && !state.account.includes(entry.account)) return false;
  if (state.region.length && !state.region.includes(entry.region)) return false;
  if (state.scheme.length && !state.scheme.includes(entry.scheme)) return false;
  if (state.owner.length && !ownerFits(entry.owner, state.owner)) return false;
  if (state.name.length && !fits(entry.name ?? "", state.name)) return false;
  if (state.unit.length && !unitFits(entry.unit, state.unit)) return false;
  return !state.tag.length || tagsFit(entry.tags, state.tag);
}

// Applies the filters of rules.
const matchesRule = (index, state, rule) => (!state.rule.length || state.rule.includes(rule)) && (!state.severity.length || state.severity.includes(index.severities.get(rule)?.toLowerCase()));

// The rows that match all filters but those of findings. What concerns a load balancer is decided once for it.
function filterRows(index, state) {
  const needle = state.q.trim().toLowerCase();
  for (const loadBalancer of index.data.loadBalancers) {
    loadBalancer.matches = matchesLoadBalancer(state, loadBalancer);
    loadBalancer.hasText = !needle || (loadBalancer.matches && loadBalancerText(loadBalancer).includes(needle));
  }
  return index.rows.filter(({ loadBalancer, verdict }) =>
    loadBalancer.matches &&
    matchesRule(index, state, verdict.rule) &&
    (loadBalancer.hasText || verdictText(verdict).includes(needle)));
}

// The filters of findings: numbers on top and in the matrix count whatever they are.
function filterFindings(index, state, rows) {
  let found = rows;
  if (state.status.length && !state.status.includes("all")) found = found.filter((row) => state.status.includes(row.verdict.status));
  if (state.is === "judged") found = found.filter((row) => !["error", "notApplicable"].includes(standingOf(index, state, row.loadBalancer)));
  else if (state.is === "unreachable") found = found.filter((row) => isUnreachable(index, state, row.loadBalancer));
  else if (state.is) found = found.filter((row) => standingOf(index, state, row.loadBalancer) === state.is);
  if (state.cause) found = found.filter((row) => row.verdict.causes?.includes(state.cause));
  if (state.change) found = found.filter((row) => row.verdict.change === state.change);
  return found;
}

// Load balancers that are gone, and exemptions: they have no verdict, so the filters for it do not apply.
function filterEntries(index, state, entries, parts) {
  const needle = state.q.trim().toLowerCase();
  return entries.filter(
    (entry) =>
      matchesRule(index, state, entry.rule) &&
      matchesLoadBalancer(state, entry) &&
      (!needle || searchText(entry, () => parts(entry)).includes(needle)),
  );
}

// --- filters in words

const FILTER_LABELS = {
  q: ["Search", (value) => value],
  name: ["Name", (value) => value],
  unit: ["Unit", (value) => value],
  account: ["Account", (value, { data }) => (data.accounts[value]?.name ? `${data.accounts[value].name} (${value})` : value)],
  owner: ["Owner", (value) => value],
  region: ["Region", (value) => value],
  rule: ["Rule", (value, { subjects }) => subjects.get(value) ?? value],
  severity: ["Severity", (value) => value],
  scheme: ["Scheme", (value) => value],
  status: ["Status", (value) => (value === "all" ? "all" : STATUS_LABELS[value]?.[1] ?? value)],
  tag: ["Tag", (value) => value],
  is: ["Load balancers", (value) => IS_LABELS[value] ?? value],
  cause: ["Cause", (value, { data }) => data.causes[value] ?? value],
  change: ["Change", (value) => CHANGES[value]?.[0] ?? value],
};

// A filter in words, such as `Region: eu-west-1 or us-east-1`.
function describeFilter(index, state, key) {
  const [label, text] = FILTER_LABELS[key];
  return `${label}: ${filterValues(state, key).map((value) => text(value, index)).join(" or ")}`;
}

const describeFilters = (index, state) => filtersInUse(state).map((key) => describeFilter(index, state, key)).join("; ");

// The values of the filters in use, each a button that removes it.
function showChips(index, state) {
  const values = filtersInUse(state).flatMap((key) => filterValues(state, key).map((value) => ({ key, value })));
  const chips = document.querySelector("#chips");
  chips.hidden = values.length === 0;
  document.querySelector("#clear").hidden = values.length === 0;
  chips.replaceChildren(...values.map(({ key, value }) => {
    const [label, text] = FILTER_LABELS[key];
    const remove = () => navigate({ [key]: filterValues(state, key).filter((each) => each !== value) }, { focus: values.length > 1 ? "#chips button" : "#fold > summary" });
    return h("button", { type: "button", class: "chip", title: "Remove this filter", onclick: remove }, `${label}: `, isolatedText(text(value, index)), h("span", { "aria-hidden": "true" }, " \u00d7"), h("span", { class: "visually-hidden" }, ", remove"));
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
    if (!unit) units.add(unitName(unit));
    else unit.split("/").forEach((_, position, parts) => units.add(parts.slice(0, position + 1).join("/")));
  }
  const schemes = ["internet-facing", "internal", ...(data.loadBalancers.some((loadBalancer) => loadBalancer.scheme === "unknown") ? ["unknown"] : [])];
  fillOptions(form.elements.unit, "All units", unique(units));
  fillOptions(form.elements.account, "All accounts", accounts, (id) => (data.accounts[id]?.name ? `${data.accounts[id].name} (${id})` : id));
  fillOptions(form.elements.owner, "All owners", unique(data.loadBalancers.map((loadBalancer) => loadBalancer.owner ?? NO_OWNER)));
  form.querySelector("[data-owner]").hidden = !index.hasOwners;
  fillOptions(form.elements.region, "All regions", unique(accountRegions.map((accountRegion) => accountRegion.region)));
  fillOptions(form.elements.rule, "All rules", data.rules.map((rule) => rule.name), (rule) => index.subjects.get(rule));
  fillOptions(form.elements.severity, "All severities", [...new Set(data.rules.map((rule) => rule.severityLabel.toLowerCase()))]);
  fillOptions(form.elements.scheme, "All schemes", schemes);
  fillOptions(form.elements.status, "Open findings", [...OPEN_STATUSES, "exempt", "compliant", "notApplicable", "all"], (status) => (status === "all" ? "all" : STATUS_LABELS[status][1]));
  const tags = new Set();
  for (const loadBalancer of data.loadBalancers) {
    for (const [key, value] of Object.entries(loadBalancer.tags ?? {})) tags.add(key).add(`${key}=${value}`);
    if (tags.size > MAX_SUGGESTED_TAGS) break;
  }
  form.querySelector("datalist").replaceChildren(...unique(tags).map((value) => h("option", { value })));
}

// What the reader typed, as a pattern: a part of a name or of a tag is enough, unless it is a pattern already or one of
// the suggestions. Of `KEY=VALUE`, a part of each.
function patternOf(field, text) {
  const typed = text.trim();
  if (!typed || /[*?]/.test(typed) || [...(field.list?.options ?? [])].some((option) => option.value === typed)) return typed;
  return `*${typed.replace("=", field.name === "tag" ? "*=*" : "=")}*`;
}

// The values of a filter after the reader has chosen one, which joins those in use if the reader wants that.
function chosenValues(form, state, field) {
  const value = ["name", "tag"].includes(field.name) ? patternOf(field, field.value) : field.value;
  return value && form.elements.add.checked && MULTIPLE_KEYS.includes(field.name) ? [...state[field.name], value] : value;
}

function showFilters(form, state) {
  for (const key of FORM_KEYS) {
    const field = form.elements[key];
    const values = filterValues(state, key);
    if (field.tagName === "SELECT") {
      for (const option of field.querySelectorAll("[data-several]")) option.remove();
      if (values.length > 1) {
        // It shows what is in use, and is none to choose.
        field.append(h("option", { "data-several": true, disabled: true, selected: true }, describeFilter(index, state, key).slice(FILTER_LABELS[key][0].length + 2)));
        continue;
      }
      // An address may name a value that the data does not have. Show it; it matches nothing.
      if (values.length && ![...field.options].some((option) => option.value === values[0])) field.append(h("option", { value: values[0] }, values[0]));
    }
    // Several patterns are shown above the findings alone: together they are none.
    const value = values.length > 1 ? "" : values[0] ?? "";
    if (field.value !== value) field.value = value;
  }
}
