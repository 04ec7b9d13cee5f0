// What is wrong, worst first: the one thing that a reader must see at once.

import { backendName, value } from "./data.js";

const DAY = 86400;
const ENDS_SOON = 7 * DAY;
const ERRORS_MANY = 0.05; // of a backend's answers
const RATE_LEAST = 0.1; // requests per second below which a share says nothing

const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

// [{ tone, what, more, tab }]
export function wrong({ ready, state, metrics, rates, endpoints, problems, certificates, now }) {
  const all = [];
  const say = (tone, what, more, tab) => all.push({ tone, what, more, tab });
  if (!ready.ready) say("bad", "Load balancers are told to send no clients here", ready.waiting_for.join(", "));
  if (state.phase !== "serving") say("warn", `This process is ${state.phase}`, [`${state.connections} connections and ${state.requests} requests are left`, ...(state.reasons ?? [])].join("; "));
  if (ready.no_routes) say("bad", "There is no route", ready.no_routes);
  const down = endpoints.filter((backend) => !backend.endpoints.some((endpoint) => endpoint.takesRequests));
  const asked = down.filter((backend) => (rates.backends.get(backendName(backend))?.rate ?? 0) > 0);
  if (asked.length > 0) say("bad", count(asked.length, "backend that is asked has", "backends that are asked have") + " no endpoint", list(asked), "backends");
  if (down.length > asked.length) say("warn", count(down.length - asked.length, "backend has", "backends have") + " no endpoint, and no requests", list(down.filter((one) => !asked.includes(one))), "backends");
  for (const [backend, { rate, errors }] of [...rates.backends].sort((one, other) => other[1].errors - one[1].errors).slice(0, 3)) {
    if (errors > ERRORS_MANY && rate > RATE_LEAST) say("bad", `${backend}: ${percent(errors)} of the answers are 5xx`, `${rate.toFixed(1)} requests per second`, "backends");
  }
  const ours = rates.refused.filter(([reason]) => !["no-route", "client-gone"].includes(reason));
  if (ours.length > 0) say("warn", "Requests are answered by the proxy itself", ours.map(([reason, rate]) => `${reason} ${rate.toFixed(1)}/s`).join(", "));
  const errors = problems.filter((problem) => problem.severity === "error").length;
  if (errors > 0) say("warn", count(errors, "problem", "problems") + " in manifests", "field and remedy stand beside each", "problems");
  const ending = certificates.filter(({ ends }) => ends - now < ENDS_SOON);
  const over = ending.filter(({ ends }) => ends <= now);
  if (ending.length > 0) say(over.length > 0 ? "bad" : "warn", count(ending.length, "certificate ends", "certificates end") + " within a week", ending.slice(0, 5).map((one) => one.name).join(", "), "certificates");
  const dropped = value(metrics, "sluicegate_access_log_lines_dropped_total");
  if (dropped > 0) say("warn", `${dropped} lines of the access log were dropped`, "what takes them is too slow");
  return all.sort((one, other) => (one.tone === "bad" ? 0 : 1) - (other.tone === "bad" ? 0 : 1));
}

const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;
const list = (backends) => backends.slice(0, 5).map(backendName).join(", ") + (backends.length > 5 ? ", …" : "");
