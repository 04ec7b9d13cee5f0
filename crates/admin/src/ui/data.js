// What the process says, and what follows from two answers one after the other.

const HISTORY = 150; // samples that are kept: five minutes

export async function ask(page) {
  const answer = await fetch(page, { cache: "no-store" });
  const text = await answer.text();
  return page === "metrics" ? parseMetrics(text) : JSON.parse(text);
}

// Prometheus' text format: name -> [{ labels, value }].
export function parseMetrics(text) {
  const families = new Map();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const space = line.lastIndexOf(" ");
    const brace = line.indexOf("{");
    const name = line.slice(0, brace < 0 ? space : brace);
    const labels = {};
    if (brace >= 0) {
      for (const [, label, value] of line.slice(brace, space).matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
        labels[label] = value.replace(/\\(.)/g, (_, byte) => (byte === "n" ? "\n" : byte));
      }
    }
    if (!families.has(name)) families.set(name, []);
    families.get(name).push({ labels, value: Number(line.slice(space + 1)) });
  }
  return families;
}

export function value(metrics, name, wanted = {}) {
  let sum = 0;
  for (const { labels, value } of metrics.get(name) ?? []) {
    if (Object.entries(wanted).every(([label, is]) => labels[label] === is)) sum += value;
  }
  return sum;
}

export const backendName = ({ namespace, service, port }) => `${namespace}/${service}:${port}`;
const bucket = ({ labels, value }) => [labels.le === "+Inf" ? Infinity : Number(labels.le), value];

// For each backend: its counters.
function backendCounters(metrics) {
  const backends = new Map();
  const of = (labels) => {
    const name = backendName(labels);
    if (!backends.has(name)) backends.set(name, { classes: {}, buckets: [], inFlight: 0 });
    return backends.get(name);
  };
  for (const { labels, value } of metrics.get("sluicegate_backend_responses_total") ?? []) of(labels).classes[labels.class] = value;
  for (const { labels, value } of metrics.get("sluicegate_backend_requests_in_flight") ?? []) of(labels).inFlight = value;
  for (const sample of metrics.get("sluicegate_backend_request_duration_seconds_bucket") ?? []) of(sample.labels).buckets.push(bucket(sample));
  return backends;
}

// The time below which a share of the requests since `before` took, in seconds; null if there were none.
export function quantile(share, now, before) {
  const grown = now.map(([bound, count], place) => [bound, count - (before?.[place]?.[1] ?? 0)]);
  const total = grown.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  let [low, below] = [0, 0];
  for (const [bound, count] of grown) {
    if (count >= share * total) {
      if (bound === Infinity) return low;
      return count === below ? bound : low + ((bound - low) * (share * total - below)) / (count - below);
    }
    [low, below] = [bound, count];
  }
  return low;
}

const buckets = (metrics) => (metrics.get("sluicegate_request_duration_seconds_bucket") ?? []).map(bucket);
const sum = (classes) => Object.values(classes).reduce((all, one) => all + one, 0);

export class Rates {
  #last = null;
  history = []; // { at, rate, connections, inFlight }

  // Takes what the process says now; returns rates since the answer before.
  take(metrics, at) {
    const now = { at, total: value(metrics, "sluicegate_responses_total"), errors: value(metrics, "sluicegate_responses_total", { class: "5xx" }), buckets: buckets(metrics), backends: backendCounters(metrics), refusals: new Map((metrics.get("sluicegate_refusals_total") ?? []).map(({ labels, value }) => [labels.reason, value])) };
    const before = this.#last;
    this.#last = now;
    const seconds = before ? (at - before.at) / 1000 : 0;
    const rate = (later, earlier) => (seconds > 0 ? Math.max(0, later - (earlier ?? 0)) / seconds : 0);
    const backends = new Map();
    for (const [name, counters] of now.backends) {
      const earlier = before?.backends.get(name);
      const requests = rate(sum(counters.classes), earlier ? sum(earlier.classes) : sum(counters.classes));
      const failed = rate(counters.classes["5xx"] ?? 0, earlier ? (earlier.classes["5xx"] ?? 0) : counters.classes["5xx"]);
      backends.set(name, { rate: requests, errors: requests > 0 ? failed / requests : 0, inFlight: counters.inFlight, p50: quantile(0.5, counters.buckets, earlier?.buckets), p99: quantile(0.99, counters.buckets, earlier?.buckets) });
    }
    const refused = [...now.refusals].map(([reason, count]) => [reason, before ? rate(count, before.refusals.get(reason)) : 0]).filter(([, each]) => each > 0);
    const rates = { rate: before ? rate(now.total, before.total) : 0, errors: before && now.total > before.total ? (now.errors - before.errors) / (now.total - before.total) : 0, p50: before ? quantile(0.5, now.buckets, before.buckets) : null, p99: before ? quantile(0.99, now.buckets, before.buckets) : null, backends, refused };
    this.history.push({ at, rate: rates.rate, connections: value(metrics, "sluicegate_connections_open"), inFlight: value(metrics, "sluicegate_requests_in_flight") });
    if (this.history.length > HISTORY) this.history.shift();
    return rates;
  }
}

// What two answers of /routes or /endpoints differ in.
export function difference(before, after, name) {
  const old = new Map(before.map((one) => [name(one), JSON.stringify(one)]));
  const added = [], changed = [];
  for (const one of after) {
    const was = old.get(name(one));
    if (was === undefined) added.push(name(one));
    else if (was !== JSON.stringify(one)) changed.push(name(one));
    old.delete(name(one));
  }
  return { added, changed, removed: [...old.keys()] };
}
