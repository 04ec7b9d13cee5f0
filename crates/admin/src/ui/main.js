// Asks the process every two seconds and shows what it says. It only reads.

import { ask, backendName, difference, Rates, value } from "./data.js";
import { element, List } from "./list.js";
import { wrong } from "./verdict.js";

const EVERY = 2000; // milliseconds between two questions
const CHANGES_MAX = 500; // that are kept

const $ = (id) => document.getElementById(id);
const rates = new Rates();
const asked = { routes: [], endpoints: [], generation: null };
const shown = { backends: [], routes: [], problems: [], certificates: [], changes: [] };
let phase = null;

const seconds = (time) => (time === null || time === undefined ? "–" : time < 0.001 ? "< 1 ms" : time < 1 ? `${Math.round(time * 1000)} ms` : `${time.toFixed(1)} s`);
const percent = (share) => (share > 0 ? `${(100 * share).toFixed(1)} %` : "0 %");
const leadsTo = (route) => (route.backend ? `${route.backend.service}:${route.backend.port}` : route.split ? route.split.shares.map(({ backend, weight }) => `${backend.service} ${weight}/${route.split.total}`).join(", ") : "an answer of our own");

const lists = {
  backends: new List($("backends"), "Backends, those with something wrong first", [
    { title: "Backend", width: "3fr", text: (row) => row.name },
    { title: "Endpoints", width: "1fr", number: true, text: (row) => `${row.usable} of ${row.all}`, tone: (row) => (row.usable === 0 ? "bad" : row.usable < row.all ? "warn" : "") },
    { title: "In flight", width: "1fr", number: true, text: (row) => String(row.inFlight) },
    { title: "Requests/s", width: "1fr", number: true, text: (row) => row.rate.toFixed(1) },
    { title: "5xx", width: "1fr", number: true, text: (row) => percent(row.errors), tone: (row) => (row.errors > 0.05 ? "bad" : row.errors > 0 ? "warn" : "") },
    { title: "p50", width: "1fr", number: true, text: (row) => seconds(row.p50) },
    { title: "p99", width: "1fr", number: true, text: (row) => seconds(row.p99) },
    { title: "Protocol", width: "1fr", text: (row) => row.protocol },
  ], "no backend"),
  routes: new List($("routes"), "Routes", [
    { title: "Host", width: "3fr", text: (row) => row.host },
    { title: "Path", width: "3fr", text: (row) => row.path },
    { title: "Type", width: "1fr", text: (row) => row.pathType },
    { title: "Leads to", width: "3fr", text: leadsTo },
    { title: "Because of", width: "3fr", text: (row) => `${row.origin.namespace}/${row.origin.name} ${row.origin.field}` },
  ], "no route"),
  problems: new List($("problems"), "Problems", [
    { title: "", width: "5rem", text: (row) => row.severity, tone: (row) => (row.severity === "error" ? "bad" : "warn") },
    { title: "Object", width: "2fr", text: (row) => `${row.kind} ${row.namespace}/${row.name}` },
    { title: "Field", width: "2fr", text: (row) => row.field },
    { title: "What", width: "4fr", text: (row) => row.message },
    { title: "Remedy", width: "4fr", text: (row) => row.remedy },
  ], "no problem"),
  certificates: new List($("certificates"), "Certificates, those that end first at the top", [
    { title: "Secret", width: "3fr", text: (row) => row.name },
    { title: "Ends", width: "2fr", text: (row) => new Date(row.ends * 1000).toISOString().slice(0, 16).replace("T", " ") + " UTC" },
    { title: "In", width: "1fr", number: true, text: (row) => `${Math.floor(row.left / 86400)} days`, tone: (row) => (row.left <= 0 ? "bad" : row.left < 7 * 86400 ? "warn" : "") },
  ], "no certificate"),
  changes: new List($("changes"), "What has changed since this page was opened, newest first", [
    { title: "At", width: "7rem", text: (row) => row.at },
    { title: "What", width: "8rem", text: (row) => row.what, tone: (row) => (row.what.startsWith("−") ? "warn" : "") },
    { title: "", width: "1fr", text: (row) => row.of },
  ], "nothing has changed since this page was opened"),
};

function changed(what, of) {
  shown.changes.unshift({ at: new Date().toLocaleTimeString(), what, of });
  shown.changes.length = Math.min(shown.changes.length, CHANGES_MAX);
}

async function readTable(generation) {
  if (generation === asked.generation) return;
  const [routes, endpoints] = await Promise.all([ask("routes"), ask("endpoints")]);
  if (asked.generation !== null) {
    const of = (route) => `${route.host}${route.path}`;
    const routeChanges = difference(asked.routes, routes.routes, of);
    const backends = difference(asked.endpoints, endpoints.backends, backendName);
    for (const [kind, differs] of [["route", routeChanges], ["backend", backends]]) {
      differs.added.forEach((name) => changed(`+ ${kind}`, name));
      differs.removed.forEach((name) => changed(`− ${kind}`, name));
      differs.changed.forEach((name) => changed(`~ ${kind}`, name));
    }
  }
  Object.assign(asked, { routes: routes.routes, endpoints: endpoints.backends, generation });
}

function rowsOf(metrics, now, took, problems) {
  const backends = asked.endpoints.map((backend) => {
    const name = backendName(backend);
    const counted = took.backends.get(name) ?? { rate: 0, errors: 0, inFlight: 0, p50: null, p99: null };
    const usable = backend.endpoints.filter((endpoint) => endpoint.takesRequests).length;
    return { name, protocol: backend.protocol, all: backend.endpoints.length, usable, ...counted };
  });
  const trouble = (row) => (row.usable === 0 ? 2 : 0) + row.errors;
  shown.backends = backends.sort((one, other) => trouble(other) - trouble(one) || other.rate - one.rate || one.name.localeCompare(other.name));
  shown.routes = asked.routes;
  shown.problems = problems.sort((one, other) => one.severity.localeCompare(other.severity));
  shown.certificates = (metrics.get("sluicegate_certificate_expiry_timestamp_seconds") ?? [])
    .map(({ labels, value }) => ({ name: `${labels.namespace}/${labels.name}`, ends: value, left: value - now }))
    .sort((one, other) => one.ends - other.ends);
}

function line(of) {
  const values = rates.history.map(of);
  const most = Math.max(...values, 1e-9);
  const points = values.map((value, place) => `${(place * 100) / Math.max(1, values.length - 1)},${20 - (19 * value) / most}`).join(" ");
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, is] of [["viewBox", "0 0 100 20"], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]]) drawing.setAttribute(name, is);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  for (const [name, is] of [["points", points], ["fill", "none"], ["stroke", "currentColor"], ["vector-effect", "non-scaling-stroke"]]) path.setAttribute(name, is);
  drawing.append(path);
  return drawing;
}

function showTiles(metrics, took) {
  const tiles = [
    ["Requests per second", took.rate.toFixed(1), (one) => one.rate],
    ["In flight", String(value(metrics, "sluicegate_requests_in_flight")), (one) => one.inFlight],
    ["Connections", String(value(metrics, "sluicegate_connections_open")), (one) => one.connections],
    ["Answers of 5xx", percent(took.errors)],
    ["Half are faster than", seconds(took.p50)],
    ["99 of 100 are faster than", seconds(took.p99)],
  ];
  $("tiles").replaceChildren(...tiles.map(([title, text, of]) => {
    const tile = element("div");
    const said = element("dd", text);
    if (of) said.append(line(of));
    tile.append(element("dt", title), said);
    return tile;
  }));
}

function showVerdict(all, state, metrics) {
  const bad = all.filter((one) => one.tone === "bad").length;
  const verdict = all.length === 0 ? "All is well" : bad > 0 ? "Something is wrong" : "Worth a look";
  if ($("verdict").textContent !== verdict) $("verdict").textContent = verdict;
  $("verdict").className = all.length === 0 ? "good" : bad > 0 ? "bad" : "warn";
  $("wrong").replaceChildren(...all.map(({ tone, what, more, tab }) => {
    const item = element("li", undefined, { className: tone });
    const told = element("span", more ? `${what}: ${more}` : what);
    item.append(told);
    if (tab) item.append(" ", element("a", "show", { href: `#${tab}`, onclick: () => choose(tab) }));
    return item;
  }));
  const version = metrics.get("sluicegate_build_info")?.[0]?.labels.version ?? "";
  $("phase").textContent = state.phase;
  $("phase").className = `pill ${state.phase === "serving" ? "good" : "warn"}`;
  $("about").textContent = `${version}, process ${state.pid}, table ${asked.generation} with ${asked.routes.length} routes`;
  if (phase !== null && phase !== state.phase) changed("phase", `${phase} → ${state.phase}; ${state.connections} connections, ${state.requests} requests`);
  phase = state.phase;
}

function current() {
  return document.querySelector("[role=tab][aria-selected=true]").getAttribute("aria-controls");
}

function show() {
  const tab = current();
  if (!(tab in lists)) return void ($("count").textContent = "");
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (row) => Object.values(row).map((part) => (typeof part === "object" ? JSON.stringify(part) : String(part))).join(" ").toLowerCase();
  const rows = words.length === 0 ? shown[tab] : shown[tab].filter((row) => { const all = text(row); return words.every((word) => all.includes(word)); });
  lists[tab].show(rows);
  $("count").textContent = rows.length === shown[tab].length ? `${rows.length}` : `${rows.length} of ${shown[tab].length}`;
}

function choose(tab) {
  for (const button of document.querySelectorAll("[role=tab]")) {
    const is = button.getAttribute("aria-controls") === tab;
    button.setAttribute("aria-selected", String(is));
    button.tabIndex = is ? 0 : -1;
    $(button.getAttribute("aria-controls")).hidden = !is;
  }
  show();
}

async function explain(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  const answer = await fetch(`explain?${new URLSearchParams(form)}`, { cache: "no-store" });
  $("explain").querySelector("pre").textContent = await answer.text();
}

async function look() {
  const [ready, state, metrics, { problems }] = await Promise.all(["ready", "state", "metrics", "problems"].map(ask));
  await readTable(value(metrics, "sluicegate_generation"));
  const now = Date.now() / 1000;
  const took = rates.take(metrics, Date.now());
  rowsOf(metrics, now, took, problems);
  showVerdict(wrong({ ready, state, metrics, rates: took, endpoints: asked.endpoints, problems, certificates: shown.certificates, now }), state, metrics);
  showTiles(metrics, took);
  show();
}

async function keepLooking() {
  try {
    if (!document.hidden) await look();
  } catch (error) {
    $("verdict").textContent = "The process does not answer";
    $("verdict").className = "bad";
    $("wrong").replaceChildren(element("li", `${error.message}; what is shown below is old. Asking again …`, { className: "bad" }));
  }
  setTimeout(keepLooking, EVERY);
}

document.querySelector("nav").addEventListener("click", (event) => event.target.role === "tab" && choose(event.target.getAttribute("aria-controls")));
document.querySelector("nav").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (event.target.role !== "tab" || !step) return;
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const next = tabs.at((tabs.indexOf(event.target) + step) % tabs.length);
  choose(next.getAttribute("aria-controls"));
  next.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input")) return;
  event.preventDefault();
  $("search").focus();
});
$("search").addEventListener("input", show);
document.querySelector("#explain form").addEventListener("submit", explain);
// A link may name a tab, and a request to explain: #routes, #explain?url=https://shop.example.com/cart
const [begin, query] = location.hash.slice(1).split(/\?(.*)/s);
if ($(`tab-${begin}`)) choose(begin);
if (begin === "explain" && query) {
  const form = document.querySelector("#explain form");
  for (const [name, is] of new URLSearchParams(query)) if (form.elements[name]) form.elements[name].value = is;
  form.requestSubmit();
}
keepLooking();
