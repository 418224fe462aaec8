// One call purges every tier: what was made before is gone at the edge, in KV and at the transformation, here and in
// every other data centre; what was being made meanwhile is not served afterwards.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { eventually, json, SAMPLE, tiers } from "./ask.mjs";
import { OPERATOR, openStage, sampleFor } from "./stage.mjs";

/** @type {import("./stage.mjs").Stage} */
let stage;
before(async () => {
  stage = await openStage({ config: () => ({ purge: { refreshMs: 1000 } }) });
});
after(() => stage?.stop());
beforeEach(() => stage.drainLogs());

/** Orders a purge. @param {Record<string, unknown>} order @param {Record<string, string>} [headers] */
const purge = (order, headers = {}) =>
  stage.ask("/_resizer/purge", {
    method: "POST",
    headers: { ...OPERATOR, "content-type": "application/json", ...headers },
    body: JSON.stringify(order),
  });

/** A purge that is recorded. @param {Record<string, unknown>} order @returns {Promise<any>} */
async function purged(order) {
  const answer = await purge(order);
  assert.equal(answer.status, 202, answer.body.toString());
  return json(answer);
}

/** @param {string} id @returns {Promise<any>} */
const receipt = async (id) => json(await stage.ask(`/_resizer/purge/${id}`, { headers: OPERATOR }));

/** A rendition of a source of this test's own. @param {string} name */
const video = (name) => sampleFor(`purge-${name}`, "width=64&height=36&mode=frame&time=1s");

/** @param {string} target */
async function made(target) {
  const answer = await stage.warm(target);
  assert.equal(answer.status, 200);
  return answer;
}

/** Both tiers had something, and neither gave it. @param {import("./ask.mjs").Answer} answer */
function assertMadeAnew(answer) {
  const { edge, kv } = tiers(answer);
  assert.equal(answer.status, 200);
  assert.notEqual(edge?.hit, true, answer.headers["cache-status"]);
  assert.notEqual(kv?.hit, true, answer.headers["cache-status"]);
}

for (const [kind, order] of /** @type {[string, (target: string) => Record<string, unknown>][]} */ ([
  ["tag", (target) => ({ tags: [`asset:${path(target).slice(1)}`] })],
  ["path", (target) => ({ paths: [path(target)] })],
  ["prefix", (target) => ({ prefixes: [path(target).slice(0, -6)] })],
  ["url", (target) => ({ urls: [stage.url(target)] })],
  ["host", () => ({ hosts: [new URL(stage.url("/")).host] })],
  ["everything", () => ({ everything: true })],
])) {
  test(`after a purge by ${kind} the next request is a miss on every tier, and is new`, async () => {
    const target = video(`by-${kind}`);
    const old = await made(target);
    assert.equal(tiers(await stage.ask(target)).edge?.hit, true);

    const { id, number, mode, complete } = await purged({ ...order(target), by: "ann" });
    assert.deepEqual([mode, id, complete], ["hard", `p${number}`, false]);

    const again = await stage.ask(target);
    assertMadeAnew(again);
    assert.notEqual(again.headers.etag, old.headers.etag);
    await eventually(async () => (await stage.kept(target)).kv, "it is kept again");
    const hit = await stage.ask(target);
    assert.equal(hit.headers.etag, again.headers.etag);
  });
}

/** @param {string} target */
const path = (target) => target.slice(0, target.indexOf("?"));

test("what is made after a purge is made of the source as it is now, not of the transformation's own copy", async () => {
  const put = async (/** @type {string} */ from) => {
    const bytes = await fetch(`${stage.media}/videos/generated/${from}.mp4`).then((answer) => answer.arrayBuffer());
    const answer = await fetch(`${stage.media}/videos/purged-source.mp4`, { method: "PUT", body: bytes });
    assert.ok(answer.ok, await answer.text());
  };
  await put("1s-128x72");
  const target = "/videos/purged-source.mp4?width=64&height=36&mode=frame&time=0s";
  const old = await made(target);
  await put("noise-1s-128x72");
  await stage.origin.forget();
  const { number } = await purged({ paths: ["/videos/purged-source.mp4"] });
  const fresh = await stage.ask(target);
  assertMadeAnew(fresh);
  assert.notDeepEqual(fresh.body, old.body);
  const orders = (await stage.origin.journal()).map(({ path }) => decodeURIComponent(path)).filter((path) => path.startsWith("/cdn-cgi/media/"));
  assert.ok(orders.length > 0 && orders.every((path) => path.endsWith(`?v=${number}`)), orders.join("\n"));
});

test("another isolate hears of a purge from KV, and serves nothing that is older", async () => {
  const target = video("elsewhere");
  const old = await made(target);
  const { number } = await purged({ paths: [path(target)] });
  const mirrored = await eventually(() => stage.kv.cache.get("purges", "json"), "the ledger is in KV");
  await eventually(async () => (await stage.kv.cache.get("purges", "json")).n >= number, "KV has this purge");
  assert.equal(mirrored.v, 1);
  await stage.restart();
  const again = await stage.ask(target);
  assertMadeAnew(again);
  assert.notEqual(again.headers.etag, old.headers.etag);
});

test("a fill that is under way when its source is purged is served to nobody else", async () => {
  const target = `/case/purge-under-way/fault/latency-2500${SAMPLE}?width=64&height=36&mode=frame&time=1s`;
  let isAnswered = false;
  const slow = stage.ask(target).finally(() => (isAnswered = true));
  // The journal has a request when its answer begins, which is too late to tell.
  await new Promise((resolve) => setTimeout(resolve, 800));
  await purged({ paths: [path(target)] });
  assert.equal(isAnswered, false, "it is still being made");
  const old = await slow;
  assert.equal(old.status, 200);
  const next = await stage.ask(target);
  assert.equal(next.status, 200);
  assert.notEqual(next.headers.etag, old.headers.etag);
  await eventually(async () => (await stage.kept(target)).edge, "the new one is kept");
  assert.equal((await stage.ask(target)).headers.etag, next.headers.etag);
});

test("after a soft purge the old one is served while one refresh runs, and then the new one", async () => {
  const target = video("softly");
  const old = await made(target);
  await purged({ paths: [path(target)], mode: "soft" });
  const stale = await stage.ask(target);
  assert.deepEqual([stale.status, stale.headers.etag], [200, old.headers.etag]);
  const fresh = await eventually(async () => {
    const answer = await stage.ask(target);
    return answer.headers.etag !== old.headers.etag && answer;
  }, "a new one is served");
  assert.equal(fresh.status, 200);
});

test("of fifty purges at once none is lost", async () => {
  const receipts = await Promise.all(Array.from({ length: 50 }, (_, index) => purged({ tags: [`crowd-${index}`] })));
  const numbers = receipts.map(({ number }) => number).sort((one, other) => one - other);
  assert.equal(new Set(numbers).size, 50);
  assert.equal(numbers[49] - numbers[0], 49);
  /** @type {any[]} */
  const logged = [];
  let cursor = "";
  do {
    const page = json(await stage.ask(`/_resizer/purge?limit=20${cursor && `&cursor=${cursor}`}`, { headers: OPERATOR }));
    logged.push(...page.purges);
    cursor = page.cursor;
  } while (cursor && logged.length < 60);
  for (let index = 0; index < 50; index++) {
    assert.ok(logged.some(({ targets }) => targets.tags[0] === `crowd-${index}`), `purge ${index}`);
  }
  await eventually(async () => (await receipt(`p${numbers[49]}`)).tiers.isolates.mirrored_at, "the last one is in KV");
});

test("a dry run counts what would be purged by the same rule, and purges nothing", async () => {
  const target = video("tried");
  const { body } = await made(target);
  const { matches, bytes, complete, examples } = json(await purge({ paths: [path(target)], dry_run: true }));
  assert.deepEqual([matches, bytes, complete], [1, body.length, true]);
  assert.match(examples[0].key, /^video:case\/purge-tried\//);
  assert.equal(json(await purge({ tags: ["no-such-tag"], dry_run: true })).matches, 0);
  assert.equal(tiers(await stage.ask(target)).edge?.hit, true);
});

test("every mistake is named, and where it is", async () => {
  const answer = await purge({ tags: ["good", "a b"], urls: ["nowhere"], moed: "soft" });
  assert.equal(answer.status, 400);
  assert.deepEqual(json(answer).errors.map((/** @type {any} */ { at }) => at), ["/moed", "/tags/1", "/urls/0"]);
  assert.equal((await purge({ everything: true }, { authorization: "Bearer nobody-knows-this-one" })).status, 401);
});

test("the clock deletes from KV what was purged, and the receipt says how much", async () => {
  const [target, other] = [video("deleted"), video("spared")];
  await made(target);
  await made(other);
  const { id, tiers: before } = await purged({ paths: [path(target)] });
  assert.equal(before.deletion.state, "pending");
  const keys = async () => (await stage.kv.cache.list({ prefix: "video:case/purge-" })).keys.map((/** @type {any} */ { name }) => name);
  assert.ok((await keys()).some((/** @type {string} */ name) => name.includes("purge-deleted")));
  const after = await eventually(async () => {
    await fetch(stage.url("/cdn-cgi/local/scheduled?cron=17+*+*+*+*"));
    const { deletion } = (await receipt(id)).tiers;
    return deletion.state === "done" && deletion;
  }, "it is deleted");
  assert.ok(after.deleted >= 1);
  const left = await keys();
  assert.ok(!left.some((/** @type {string} */ name) => name.includes("purge-deleted")), left.join("\n"));
  assert.ok(left.some((/** @type {string} */ name) => name.includes("purge-spared")));
});
