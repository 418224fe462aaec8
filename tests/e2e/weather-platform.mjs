// The weather as it is inside workerd: every operation of KV and of the Cache API passes here, and meets what was
// ordered for it. weather.mjs puts this text before the worker and says what an order may be. It replaces the
// methods where the platform has them, not the objects that are handed out, so nothing goes past it: neither a
// Durable Object nor a cache opened by name. An operation that meets nothing is the platform's own, untouched.

import { env } from "cloudflare:workers";

/** More operations than any test looks at; a longer journal says so. */
const JOURNAL_MAX = 50_000;

/** How often what waits looks whether it still has to. */
const TICK_MS = 20;

/** How often a body that drips gives something. */
const DROP_MS = 10;

/** What waits and has not looked for so long never will: the request it was for is over. */
const ABANDONED_MS = 1_000;

const TIERS = new Map([
  [env.VIDEO_TRANSFORMATIONS_CACHE, "kv"],
  [env.VIDEO_CONFIGURATION_STORE, "config"],
]);
const KV = ["get", "getWithMetadata", "put", "delete", "list"];
const EDGE = ["match", "put", "delete"];
const WRITES = ["put", "delete"];
const ON = ["kv", "config", "edge", ...KV.flatMap((m) => [`kv.${m}`, `config.${m}`]), ...EDGE.map((m) => `edge.${m}`)];
const ORDER = ["on", "key", "prefix", "nth", "times"];
const EFFECTS = ["late", "fails", "unacknowledged", "misses", "missesForMs", "as", "metadata", "body", "weighed"];

/** What a tier answers when it has nothing, and when it did nothing. */
const NOTHING = {
  get: () => null,
  getWithMetadata: () => ({ value: null, metadata: null, cacheStatus: null }),
  list: () => ({ keys: [], list_complete: true, cacheStatus: null }),
  match: () => undefined,
  put: () => undefined,
  delete: (tier) => (tier === "edge" ? false : undefined),
};

let orders = new Map();
let journal = [];
let turns = 0;
let ordered = 0;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until nothing is left to wait. Some timer is always running, so the platform does not take it for hung. */
async function waits(operation, leftMs) {
  for (let ms = leftMs(); ms > 0; ms = leftMs()) {
    operation.waiting = Date.now();
    await sleep(Math.min(ms, TICK_MS));
  }
  delete operation.waiting;
}

/** Until it is taken back. */
const held = (operation, order) => waits(operation, () => (orders.has(order.id) ? Infinity : 0));

/** What the journal says of an operation. */
const told = ({ waiting, ...operation }) => {
  const isAbandoned = operation.ended === undefined && Date.now() - waiting > ABANDONED_MS;
  return isAbandoned ? { ...operation, outcome: "abandoned" } : operation;
};

const keyOf = (args) => {
  const [first] = args;
  if (Array.isArray(first)) throw new Error("the weather knows no reads of several keys at once");
  if (first === undefined || typeof first === "string") return first ?? "";
  return first.url ?? first.prefix ?? String(first);
};

function matches({ on, key, prefix }, operation) {
  const [tier] = operation.on.split(".");
  if (![on].flat().some((name) => name === operation.on || name === tier)) return false;
  return (key === undefined || key === operation.key) && operation.key.startsWith(prefix ?? "");
}

/** The orders that this operation meets, each counting for itself; of two that disagree, the younger is met. */
function met(operation) {
  const striking = [...orders.values()].filter((order) => {
    if (!matches(order, operation)) return false;
    order.matched += 1;
    const since = order.matched - (order.nth ?? 1);
    if (since < 0 || since >= (order.times ?? (order.nth === undefined ? Infinity : 1))) return false;
    order.struck += 1;
    return true;
  });
  return striking.length > 0 ? Object.assign({}, ...striking, { orders: striking }) : undefined;
}

function operate(tier, method, target, real, args) {
  const operation = { n: (turns += 1), on: `${tier}.${method}`, key: keyOf(args), began: Date.now(), outcome: "under way" };
  if (method === "put" && tier !== "edge") operation.ttlS = args[2]?.expirationTtl;
  if (journal.length < JOURNAL_MAX) journal.push(operation);
  const failed = (error) => end(operation, String(error?.message ?? error));
  try {
    const weather = met(operation);
    const go = (...given) => real.apply(target, given);
    const answer = weather ? through(weather, operation, tier, method, args, go) : go(...args);
    const nothing = (found) => !WRITES.includes(method) && isNothing(found);
    answer.then((found) => end(operation, nothing(found) ? "nothing" : "done"), failed);
    return answer;
  } catch (error) {
    failed(error);
    throw error;
  }
}

function end(operation, outcome) {
  operation.outcome = outcome;
  operation.ended = Date.now();
  operation.endedAs = turns += 1;
}

const isNothing = (found) => found === null || found === undefined || found.value === null;

async function through(weather, operation, tier, method, args, go) {
  const writes = WRITES.includes(method);
  if (!writes) await late(weather, operation);
  if (weather.fails) {
    discard(args[1]);
    throw new Error(typeof weather.fails === "string" ? weather.fails : `${operation.on} failed: 500 Internal Server Error`);
  }
  const missing = weather.orders.find(({ missed }) => missed?.get(operation.key) > Date.now());
  if (weather.misses || (missing && !writes)) {
    if (method === "put") await drained(args[1]);
    return NOTHING[method](tier);
  }
  const [key, ...rest] = args;
  const shaped = shaping(weather, operation, writes);
  if (method === "put") rest[0] = await reshaped(rest[0], shaped);
  const found = await go(weather.as ?? key, ...rest);
  if (writes) await late(weather, operation);
  if (weather.unacknowledged) {
    discard(found);
    throw new Error(`${operation.on} failed: its answer was lost`);
  }
  if (writes || method === "list") return found;
  if (isNothing(found)) {
    for (const order of weather.orders) order.missed?.set(operation.key, Date.now() + order.missesForMs);
    return found;
  }
  if (method !== "getWithMetadata") return reshaped(found, shaped);
  const metadata = weather.metadata ? { ...found.metadata, ...weather.metadata } : found.metadata;
  return { ...found, metadata, value: await reshaped(found.value, shaped) };
}

async function late({ orders: striking }, operation) {
  // What is late for two reasons is late for both.
  const ms = striking.reduce((sum, order) => sum + (typeof order.late === "number" ? order.late : 0), 0);
  const until = Date.now() + ms;
  await waits(operation, () => until - Date.now());
  for (const order of striking) if (order.late === "forever") await held(operation, order);
}

/** What is to be done to a body on its way, if anything. */
function shaping(weather, operation, writes) {
  if (!weather.body && !weather.weighed) return undefined;
  const { at = Infinity, then = "ends", bytesPerS } = weather.body ?? {};
  const order = weather.orders.findLast(({ body }) => body);
  return {
    at,
    then,
    bytesPerS,
    writes,
    weigh: (bytes) => void (operation.bytes = (operation.bytes ?? 0) + bytes),
    stalled: () => held(operation, order),
  };
}

/** A value of the same kind, of other bytes. */
async function reshaped(value, shaped) {
  if (!shaped || value === null || value === undefined) return value;
  if (value instanceof ReadableStream) return stream(value, shaped);
  if (value instanceof Response) return value.body ? new Response(stream(value.body, shaped), value) : value;
  const isBytes = typeof value === "string" || value instanceof ArrayBuffer || ArrayBuffer.isView(value);
  if (!isBytes) throw new Error("the weather does not change documents that are read as JSON");
  const changed = new Response(stream(new Response(value).body, shaped));
  return typeof value === "string" ? changed.text() : changed.arrayBuffer();
}

/** Passes a body on up to the byte from which it comes drop by drop: as a stream of the platform, like the real ones. */
function dripped(source, { at, bytesPerS, weigh }) {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const drop = Math.ceil((bytesPerS * DROP_MS) / 1000);
  const pour = async () => {
    let offset = 0;
    for await (const value of source) {
      for (let from = 0; from < value.length; ) {
        const slow = offset >= at;
        const bytes = Math.min(value.length - from, slow ? drop : at - offset);
        if (slow) await new Promise((resolve) => setTimeout(resolve, DROP_MS));
        await writer.write(value.slice(from, from + bytes));
        weigh(bytes);
        [from, offset] = [from + bytes, offset + bytes];
      }
    }
    await writer.close();
  };
  pour().catch(() => {}); // its reader has left
  return readable;
}

/** Passes a body on up to the byte where something happens to it. */
function stream(source, shaped) {
  const { at, then, writes, weigh, stalled } = shaped;
  if (then === "drips") return dripped(source, shaped);
  const reader = source.getReader();
  let offset = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        for (;;) {
          if (then === "stalls" && offset >= at) await stalled();
          const { done, value } = await reader.read();
          if (done) return controller.close();
          const from = offset;
          offset += value.length;
          if (then === "lies" && from <= at && at < offset) {
            const lie = value.slice();
            lie[at - from] ^= 0xff;
            weigh(lie.length);
            return controller.enqueue(lie);
          }
          const passes = then === "lies" || offset <= at ? value : value.subarray(0, Math.max(0, at - from));
          weigh(passes.length);
          if (passes.length > 0) controller.enqueue(passes);
          if (passes.length === value.length) return;
          if (then === "stalls") {
            await stalled();
            weigh(value.length - passes.length);
            return controller.enqueue(value.subarray(passes.length));
          }
          if (then === "breaks") {
            const error = new Error("Network connection lost.");
            await reader.cancel(error);
            return controller.error(error);
          }
          // A platform that keeps less than it is sent takes the rest all the same.
          if (writes) continue;
          await reader.cancel();
          return controller.close();
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

const bodyOf = (value) => (value instanceof ReadableStream ? value : (value?.body ?? value?.value));
const isFree = (body) => body instanceof ReadableStream && !body.locked;

function discard(value) {
  const body = bodyOf(value);
  if (isFree(body)) void body.cancel().catch(() => {});
}

async function drained(value) {
  const body = bodyOf(value);
  if (isFree(body)) await body.pipeTo(new WritableStream());
}

function refusal({ id, ...order }) {
  const unknown = Object.keys(order).filter((name) => ![...ORDER, ...EFFECTS].includes(name));
  if (unknown.length > 0) return `nothing is known of ${unknown}`;
  const nowhere = [order.on].flat().filter((name) => !ON.includes(name));
  if (nowhere.length > 0) return `there is no operation ${nowhere}`;
  if (!EFFECTS.some((name) => name in order)) return "it does nothing";
  if (order.body && !["ends", "breaks", "stalls", "drips", "lies"].includes(order.body.then)) return `a body never ${order.body.then}`;
  return undefined;
}

/** Answers the test: what it orders, takes back and asks. */
async function forecast(request) {
  const { searchParams } = new URL(request.url);
  if (request.method === "POST") {
    const order = { ...(await request.json()), id: (ordered += 1) };
    const refused = refusal(order);
    if (refused) return new Response(refused, { status: 400 });
    orders.set(order.id, { ...order, matched: 0, struck: 0, ...(order.missesForMs && { missed: new Map() }) });
    return Response.json({ id: order.id });
  }
  if (request.method === "DELETE") {
    if (searchParams.has("journal")) journal = [];
    else if (searchParams.has("id")) orders.delete(Number(searchParams.get("id")));
    else orders = new Map();
    return new Response(null, { status: 204 });
  }
  const known = [...orders.values()].map(({ id, struck }) => ({ id, struck }));
  return Response.json({ orders: known, operations: journal.map(told), full: journal.length >= JOURNAL_MAX });
}

for (const [prototype, methods, tierOf] of [
  [Object.getPrototypeOf(env.VIDEO_TRANSFORMATIONS_CACHE), KV, (target) => TIERS.get(target) ?? "kv"],
  [Object.getPrototypeOf(caches.default), EDGE, () => "edge"],
]) {
  for (const method of methods) {
    const real = prototype[method];
    prototype[method] = function (...args) {
      return operate(tierOf(this), method, this, real, args);
    };
  }
}
