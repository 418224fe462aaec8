// The zone's own cache is purged by the same call: in few requests, within what the API grants, again when it fails,
// and until it is done. The API is a stand-in that refuses what the real one refuses.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { eventually, json, tiers } from "./ask.mjs";
import { startCloudflareApi, TOKEN } from "./cloudflare-api.mjs";
import { OPERATOR, openStage, sampleFor } from "./stage.mjs";

/** @type {import("./cloudflare-api.mjs").CloudflareApi} */
let api;
/** @type {import("./stage.mjs").Stage} */
let stage;
before(async () => {
  api = await startCloudflareApi();
  const purge = { ...api.config.purge, requestsPerMinute: 3_000, refreshMs: 1_000, readFrom: "ledger" };
  stage = await openStage({ config: () => ({ purge, tags: { prefix: "v-" } }), vars: api.vars });
});
after(async () => {
  await stage?.stop();
  await api?.stop();
});
beforeEach(() => api.forgetCalls());

/** Orders a purge that is recorded. @param {Record<string, unknown>} order @returns {Promise<any>} */
async function purged(order) {
  const headers = { ...OPERATOR, "content-type": "application/json" };
  const answer = await stage.ask("/_resizer/purge", { method: "POST", headers, body: JSON.stringify(order) });
  assert.equal(answer.status, 202, answer.body.toString());
  return json(answer);
}

/** @param {string} id @returns {Promise<any>} */
const receipt = async (id) => json(await stage.ask(`/_resizer/purge/${id}`, { headers: OPERATOR }));

/** The zone's part of a receipt, once it is so. @param {string} id @param {(zone: any) => boolean} check @param {string} what @returns {Promise<any>} */
const zoneOf = (id, check, what) =>
  eventually(async () => {
    const { zone } = (await receipt(id)).tiers;
    return check(zone) && zone;
  }, what);

const purges = () => api.calls().filter(({ path }) => path.endsWith("/purge_cache"));

test("a purge reaches the zone by tag, and is complete when every isolate has heard of it too", async () => {
  const { id, complete, tiers: first } = await purged({ paths: ["/clips/a.mp4"], prefixes: ["/clips/b"], tags: ["campaign"] });
  assert.deepEqual([complete, first.zone.state, first.zone.requests], [false, "pending", 3]);
  await zoneOf(id, ({ state }) => state === "done", "the zone is done");
  const tags = purges().flatMap(({ body }) => body.tags);
  assert.deepEqual(tags.sort(), ["campaign", "v-asset:clips/a.mp4", "v-folder:clips"]);
  const whole = await eventually(async () => {
    const now = await receipt(id);
    return now.complete && now;
  }, "it is complete");
  assert.equal(whole.tiers.isolates.state, "done");
  assert.ok(whole.complete_at >= whole.tiers.isolates.heard_everywhere_by);
});

test("everything of ours is purged, and nothing else of the zone", async () => {
  const { id } = await purged({ everything: true });
  await zoneOf(id, ({ state }) => state === "done", "the zone is done");
  assert.deepEqual(purges().map(({ body }) => body), [{ tags: ["v-origin:default"] }]);
});

test("many targets take few requests of at most a hundred items", async () => {
  const { id } = await purged({ tags: Array.from({ length: 950 }, (_, index) => `many-${index}`) });
  await zoneOf(id, ({ state, done }) => state === "done" && done === 950, "the zone is done");
  const sizes = purges().map(({ body }) => body.tags.length);
  assert.ok(sizes.every((size) => size <= 100), `${sizes}`);
  assert.equal(sizes.reduce((sum, size) => sum + size, 0), 950);
});

test("a zone that is too busy is asked again when it said, and a broken one until it works", async () => {
  for (const fault of [{ status: 429, retryAfter: 2 }, { status: 503 }, { status: 200, body: "<html>" }]) {
    api.forgetCalls();
    const heal = api.order({ on: "purge", ...fault });
    const beganMs = Date.now();
    const { id } = await purged({ tags: [`busy-${fault.status}-${fault.body ?? ""}`.replace(/[<>]/g, "")] });
    const zone = await zoneOf(id, ({ last_error }) => last_error, "it says what is wrong");
    assert.equal(zone.state, "pending");
    assert.match(zone.last_error, new RegExp(`${fault.status}`));
    heal();
    await zoneOf(id, ({ state }) => state === "done", "the zone is done");
    if (fault.retryAfter) assert.ok(Date.now() - beganMs >= 2_000, "it was asked too early");
  }
});

test("a zone that refuses the token is failing, and says so", async () => {
  const heal = api.order({ on: "purge", status: 403 });
  const { id } = await purged({ tags: ["refused"] });
  const zone = await zoneOf(id, ({ state }) => state === "failing", "it is failing");
  assert.match(zone.last_error, /403: told to fail/);
  assert.ok(Date.parse(zone.next_try_at) > Date.now() + 600_000);
  assert.equal((await receipt(id)).complete, false);
  heal();
});

test("isolates that ask the ledger itself hear of a purge without KV", async () => {
  const target = sampleFor("purge-ledger", "width=64&height=36&mode=frame&time=1s");
  const old = await stage.warm(target);
  await purged({ tags: [`v-asset:case/purge-ledger${target.slice(target.indexOf("/videos"), target.indexOf("?"))}`] });
  await stage.restart();
  await stage.kv.cache.delete("purges");
  const again = await stage.ask(target);
  assert.notEqual(tiers(again).kv?.hit, true, again.headers["cache-status"]);
  assert.notEqual(again.headers.etag, old.headers.etag);
});

test("the token of the API is in no line of the log", () => {
  const lines = stage.logs().map((line) => JSON.stringify(line));
  assert.ok(lines.some((line) => line.includes("the zone was not purged")));
  assert.ok(lines.every((line) => !line.includes(TOKEN)));
});
