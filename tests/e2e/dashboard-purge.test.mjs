// A purge made in Cloudflare's dashboard, of which nobody tells the worker: it reads it in the account's audit log.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { eventually } from "./ask.mjs";
import { startCloudflareApi } from "./cloudflare-api.mjs";
import { assertExact, read } from "./reader.mjs";
import { ADMIN_TOKEN, OPERATOR } from "./stage.mjs";
import { openStore } from "./store.mjs";
import { cacheStatus } from "./viewer.mjs";

const ONE = 10_000;
const MINUTE_MS = 60_000;

/** @type {import("./cloudflare-api.mjs").CloudflareApi} */
let cloudflare;
/** @type {import("./store.mjs").Store} */
let store;

before(async () => {
  cloudflare = await startCloudflareApi();
  store = await openStore({}, { log: { level: "debug" }, purge: { ...cloudflare.config.purge, refreshMs: 1_000 } }, { ADMIN_TOKEN, ...cloudflare.vars });
  await strike();
});
after(async () => {
  await store?.stop();
  await cloudflare?.stop();
});
beforeEach(() => {
  Object.assign(cloudflare.settings, { delayMs: 0, pageSize: 100, repeats: false, endless: false, filters: true });
  cloudflare.forgetCalls();
});

/** What a run of the minute says it did. @returns {Promise<Record<string, any>>} */
async function strike() {
  const lines = () => store.logs().filter(({ message }) => message === "the audit log was read");
  const before = lines().length;
  const ran = await fetch(`${store.worker}/cdn-cgi/local/scheduled?cron=*+*+*+*+*`);
  assert.deepEqual([ran.status, await ran.text()], [200, "ok"]);
  return eventually(() => lines()[before], "the run's line in the log");
}

/** A rendition on every tier. */
async function kept() {
  const it = store.video(ONE);
  const { seed } = await store.keep(it);
  await assertKept({ ...it, seed });
  return { ...it, seed };
}

/** @param {import("./store.mjs").Video & { seed: number }} it */
async function assertKept(it) {
  // Another's look at KV has emptied the edge.
  await read(it.url);
  await store.quiet();
  const atEdge = await read(it.url);
  assert.equal(cacheStatus(atEdge).edge, "hit");
  assert.equal(assertExact(atEdge, { total: ONE }), it.seed);
  const inKv = await store.fromKv(it);
  assert.equal(cacheStatus(inKv).kv, "hit");
  assert.equal(assertExact(inKv, { total: ONE }), it.seed);
  await store.quiet();
}

/**
 * Until the purge is heard old bytes are served; the first new ones are on no tier before, and on every one afterwards.
 *
 * @param {import("./store.mjs").Video & { seed: number }} it
 */
async function assertPurged(it) {
  const { answer, seed } = await eventually(async () => {
    const answer = await read(it.url);
    const seed = assertExact(answer, { total: ONE });
    return seed !== it.seed && { answer, seed };
  }, `new bytes of ${it.path}`);
  const { edge, kv } = cacheStatus(answer);
  assert.ok(edge !== "hit" && kv !== "hit", `${edge}, ${kv}`);
  await store.quiet();
  const anew = { ...it, seed };
  await assertKept(anew);
  return anew;
}

/** @type {[string, (it: { path: string, url: string }, host: string) => unknown, boolean][]} */
const FORMS = [
  ["tag", ({ path }) => ({ tags: [`asset:${path}`] }), false],
  ["prefix", ({ path }, host) => ({ prefixes: [`${host}/${path.slice(0, path.lastIndexOf("/") + 1)}`] }), false],
  ["URL", ({ url }) => ({ files: [url] }), false],
  ["URL with headers", ({ url }) => ({ files: [{ url, headers: { "CF-Device-Type": "mobile" } }] }), false],
  ["host", (_, host) => ({ hosts: [host] }), true],
  ["everything", () => ({ purge_everything: true }), true],
];

for (const [form, request, isAll] of FORMS) {
  test(`what is purged in the dashboard by ${form} is made anew on every tier, once, and what is not stays`, async () => {
    const [it, other] = [await kept(), await kept()];
    cloudflare.addOthers();
    cloudflare.purgeInDashboard(request(it, new URL(store.worker).host));
    assert.equal((await strike()).purges, 1);
    const anew = await assertPurged(it);
    if (isAll) await assertPurged(other);
    else await assertKept(other);

    assert.equal((await strike()).purges, 0, "its record is seen again");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await assertKept(anew);
  });
}

test("a record that comes late is taken, and one that failed is not", async () => {
  const [it, refused] = [await kept(), await kept()];
  const at = Date.now();
  cloudflare.purgeInDashboard({ tags: [`asset:${it.path}`] }, { at, delayMs: 1_000 });
  cloudflare.purgeInDashboard({ tags: [`asset:${refused.path}`] }, {
    at,
    alter: ({ action, raw }) => Object.assign(action, { result: "failure" }) && Object.assign(raw, { status_code: 429 }),
  });
  assert.equal((await strike()).purges, 0);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  assert.equal((await strike()).purges, 1);
  await assertPurged(it);
  await assertKept(refused);
});

test("purges on many pages that overlap are taken once each, also by a worker that was down meanwhile", async () => {
  const all = [await kept(), await kept(), await kept()];
  await strike();
  for (const it of all) cloudflare.purgeInDashboard({ tags: [`asset:${it.path}`] }, { at: Date.now() - MINUTE_MS });
  Object.assign(cloudflare.settings, { pageSize: 2, repeats: true });
  await store.restart();
  assert.equal((await strike()).purges, 3);
  for (const it of all) await assertPurged(it);
  await store.restart();
  assert.equal((await strike()).purges, 0);
});

for (const fault of [{ status: 429, retryAfter: 1 }, { status: 500 }, { status: 403 }, { body: "<html>" }, { ms: 200 }]) {
  test(`no purge is lost to an API that answers ${JSON.stringify(fault)}`, async () => {
    const it = await kept();
    cloudflare.purgeInDashboard({ tags: [`asset:${it.path}`] });
    const withdraw = cloudflare.order({ on: "audit", ...fault });
    const during = await strike();
    withdraw();
    const afterwards = await strike();
    const lost = "ms" in fault ? 0 : 1;
    assert.deepEqual([during.purges, afterwards.purges], [1 - lost, lost]);
    await assertPurged(it);
  });
}

test("what the operator's own purge did to the zone is known again in the log, and purges nothing", async () => {
  const it = await kept();
  const before = cloudflare.calls().length;
  const asked = await fetch(`${store.worker}/_resizer/purge`, {
    method: "POST",
    headers: { ...OPERATOR, "content-type": "application/json" },
    body: JSON.stringify({ tags: [`asset:${it.path}`] }),
  });
  assert.equal(asked.status, 202, await asked.text());
  const told = await eventually(() => cloudflare.calls().slice(before).find(({ method, status }) => method === "POST" && status === 200), "the zone is told");
  assert.deepEqual(told.body, { tags: [`asset:${it.path}`] });
  const anew = await assertPurged(it);
  const { purges, own } = await strike();
  assert.deepEqual({ purges, own }, { purges: 0, own: 1 });
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await assertKept(anew);
});

test("a purge that nobody understands has everything renewed", async () => {
  const it = await kept();
  cloudflare.purgeInDashboard({ everything_of: "the zone" });
  const { purges, unread } = await strike();
  assert.deepEqual({ purges, unread }, { purges: 1, unread: 1 });
  await eventually(async () => assertExact(await read(it.url), { total: ONE }) !== it.seed, "new bytes");
});

test("a run asks the log for our zone's purges since an hour before the last, the oldest first", async () => {
  await strike();
  cloudflare.forgetCalls();
  await strike();
  const [{ path, query }] = cloudflare.calls();
  assert.match(path, /\/client\/v4\/accounts\/[0-9a-f]{32}\/logs\/audit$/);
  const { since, before, ...rest } = query;
  assert.deepEqual(rest, { direction: "asc", limit: "100", resource_product: "purge_cache", zone_id: cloudflare.config.purge.zoneId });
  const hourMs = Date.parse(before) - Date.parse(since);
  assert.ok(hourMs >= 60 * MINUTE_MS && hourMs < 62 * MINUTE_MS, `${since} to ${before}`);
});
