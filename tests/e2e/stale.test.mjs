// What is served when its lifetime is over, and how it is renewed behind the viewer's back: by the source's word where
// that has one, by a new transform where it has none or has changed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startWorld } from "../../scripts/world.mjs";
import { ask, eventually, json, sha256, tiers } from "./ask.mjs";
import { origin } from "./origin.mjs";
import { assertExact, read } from "./reader.mjs";
import { age, entryOf, forgetAllButKv } from "./shelf.mjs";
import { startTransformer } from "./transformer.mjs";
import { cacheStatus } from "./viewer.mjs";

/** Seconds a rendition is fresh here, may then be served while it is renewed, and then when there is no better. */
const [FRESH_S, RENEWABLE_S, STALE_S] = [600, 100, 1_000];

/** Seconds a failure is remembered: no viewer of a test waits longer for the next attempt. */
const FAILURE_S = 2;

/** Seconds a source's word holds, in the world where it is asked before anything expires. */
const WINDOW_S = 60;

/** Bytes of a rendition, and of one that lies in chunks of these. */
const [TOTAL, LARGE, CHUNK] = [200_000, 3_000_000, 1_048_576];

/** Long enough to see that nobody waits for it. */
const SLOW_MS = 1_500;

const VIEWERS = 50;

/** @typedef {{ path: string, total: number, key: string, url: string }} Video */

const LIFETIMES = { ttl: { ok: FRESH_S, serverError: FAILURE_S }, staleWhileRevalidate: { ok: RENEWABLE_S }, staleIfError: { ok: STALE_S } };

/** @type {import("./transformer.mjs").Transformer} */
let transformer;
/** @type {import("../../scripts/world.mjs").World} */
let world;

/** The names of what is on the shelf: made once, and long ago. */
const NAMES = ["silent", "renewed", "ranges", "tagged", "failing", "replaced", "gone", "promoted", "dead", "asleep", "large"];

/** @param {string} name @returns {Video} */
function video(name) {
  const total = name === "large" ? LARGE : TOTAL;
  const path = `/videos/${name}/${total}.mp4`;
  return { path, total, key: `video:${path.slice(1)}:w=640:f=mp4`, url: `${world.worker}${path}?width=640` };
}

/** What its source says of itself. @param {string} name */
const tagOf = (name) => `"the source ${name}"`;

before(async () => {
  transformer = await startTransformer();
  world = await startWorld({
    config: {
      ...transformer.config,
      ...LIFETIMES,
      cache: { jitterPercent: 0, singleBytesMax: CHUNK, chunkBytes: CHUNK },
      sources: { fallbackToOriginal: false },
    },
  });
  for (const name of NAMES) {
    if (name !== "silent" && name !== "ranges") transformer.source(video(name).path, { etag: tagOf(name) });
  }
  await Promise.all(NAMES.map(async (name) => assertExact(await read(video(name).url), { total: video(name).total })));
  for (const name of NAMES) await entryOf(world, video(name).key);
  await forgetAllButKv(world);
});
after(async () => {
  transformer?.stop();
  await world?.stop();
});

/** The body a rendition has before anything happens to it. @param {Video} it */
const firstOf = ({ path }) => transformer.runs(path)[0].seed;

/**
 * An answer of what was made `ageS` seconds ago; `Age` and `Cache-Control` say so, and nothing warns.
 *
 * @param {import("./reader.mjs").Read} answer
 * @param {number} ageS
 */
function assertTruthful({ headers }, ageS) {
  assert.equal(headers["cache-control"], `public, max-age=${FRESH_S}, no-transform`);
  const told = Number(headers.age);
  assert.ok(told >= ageS && told < ageS + 30, `Age is ${told}, ${ageS} s after it was made`);
  assert.equal(headers.warning, undefined, "Warning is obsolete (RFC 9111, 5.5)");
}

/** What the edge and KV have of it agree, and are new. @param {Video} it @param {number} seed */
async function assertRenewed(it, seed) {
  const fresh = await eventually(async () => {
    const answer = await read(it.url);
    return Number(answer.headers.age) < 60 && answer;
  }, "a viewer gets what is new");
  assertExact(fresh, { total: it.total, seed });
  assertTruthful(fresh, 0);
  await world.clearEdge();
  const fromKv = await read(it.url);
  assertExact(fromKv, { total: it.total, seed });
  assertTruthful(fromKv, 0);
  assert.equal(cacheStatus(fromKv).kv, "hit");
  assert.equal(fromKv.headers.etag, fresh.headers.etag);
  return fresh;
}

test("past its lifetime it is served at once, whole and by ranges, while one transform renews it for all", async () => {
  const it = video("silent");
  const old = firstOf(it);
  await age(world, it.key, FRESH_S + 30);
  const calm = transformer.order(it.path, { startMs: SLOW_MS });

  const answers = await Promise.all(Array.from({ length: VIEWERS }, (_, at) => {
    const ranges = /** @type {[number, number][]} */ (at % 3 === 0 ? [[100, 999]] : at % 3 === 1 ? [[0, 99], [500, 599]] : []);
    const range = ranges.map(([first, last]) => `${first}-${last}`).join();
    return read(it.url, { headers: /** @type {Record<string, string>} */ (range ? { range: `bytes=${range}` } : {}) })
      .then((answer) => ({ answer, ranges: ranges.length > 0 ? ranges : undefined }));
  }));
  const seen = new Set();
  for (const { answer, ranges } of answers) {
    assertExact(answer, { total: TOTAL, seed: old, ranges });
    assertTruthful(answer, FRESH_S + 30);
    assert.deepEqual(cacheStatus(answer), { kv: "hit; detail=stale-while-revalidate", edge: "fwd=uri-miss" });
    assert.match(String(answer.headers["cache-status"]), /video-resizer-kv; hit; ttl=-3\d;/);
    seen.add(answer.headers.etag);
  }
  assert.equal(seen.size, 1);
  await eventually(async () => transformer.runs(it.path).length > 1, "one renewal for all of them, after its source was asked");
  assert.equal(transformer.runs(it.path).length, 2, "it is still under way");
  assert.equal(transformer.runs(it.path)[1].sent, 0, "nobody waited for it");
  calm();

  const fresh = await assertRenewed(it, transformer.runs(it.path)[1].seed);
  assert.ok(!seen.has(fresh.headers.etag), "another body is another entity");
  assert.equal(transformer.runs(it.path).length, 2);
});

test("a source that is what it was gives it another lifetime, and nothing is made", async () => {
  const it = video("tagged");
  const { value: bytes } = await entryOf(world, it.key);
  const old = await age(world, it.key, FRESH_S + 30);
  const asked = transformer.sourceRequests(it.path).length;

  const stale = await read(it.url);
  assertExact(stale, { total: TOTAL, seed: firstOf(it) });
  assertTruthful(stale, FRESH_S + 30);
  const fresh = await assertRenewed(it, firstOf(it));
  assert.equal(fresh.headers.etag, stale.headers.etag);
  assert.equal(fresh.headers["last-modified"], stale.headers["last-modified"]);
  assert.equal(transformer.runs(it.path).length, 1);

  const questions = transformer.sourceRequests(it.path).slice(asked);
  assert.deepEqual(questions.map(({ method, headers, status }) => [method, headers["if-none-match"], status]), [["HEAD", tagOf("tagged"), 304]]);
  const { value, metadata } = await entryOf(world, it.key);
  assert.equal(sha256(Buffer.from(value)), sha256(Buffer.from(bytes)));
  const { a: askedMs } = metadata;
  assert.ok(Math.abs(askedMs - Date.now()) < 30_000, "its source was asked now");
  const [f, w, u] = [FRESH_S, FRESH_S + RENEWABLE_S, FRESH_S + STALE_S].map((s) => askedMs + s * 1000);
  assert.deepEqual(metadata, { ...old, a: askedMs, f, w, u }, "and it was made when it was made");
});

test("a body in chunks gets another lifetime where it lies", async () => {
  const it = video("large");
  await age(world, it.key, FRESH_S + 30);
  const chunks = async () => (await world.kv.cache.list({ prefix: "chunk:" })).keys;
  const before = await chunks();
  assert.equal(before.length, Math.ceil(LARGE / CHUNK));
  const part = await read(it.url, { headers: { range: "bytes=1000000-2000000" } });
  assertExact(part, { total: LARGE, seed: firstOf(it), ranges: [[1_000_000, 2_000_000]] });
  assertTruthful(part, FRESH_S + 30);
  const fresh = await assertRenewed(it, firstOf(it));
  assert.equal(fresh.headers.etag, part.headers.etag);
  assert.equal(transformer.runs(it.path).length, 1);
  assert.deepEqual(await chunks(), before, "no chunk was written or deleted");
});

test("where there is no gate one viewer of an isolate renews it", async (t) => {
  const open = await startWorld({ gate: false, config: { ...transformer.config, ...LIFETIMES, cache: { jitterPercent: 0 } } });
  t.after(() => open.stop());
  const path = `/videos/open/${TOTAL}.mp4`;
  const [key, url] = [`video:${path.slice(1)}:w=640:f=mp4`, `${open.worker}${path}?width=640`];
  const old = assertExact(await read(url), { total: TOTAL });
  await age(open, key, FRESH_S + 30);
  await open.clearEdge();
  const calm = transformer.order(path, { startMs: SLOW_MS });
  for (const answer of await Promise.all(Array.from({ length: VIEWERS }, () => read(url)))) assertExact(answer, { total: TOTAL, seed: old });
  calm();
  const fresh = await eventually(async () => {
    const answer = await read(url);
    return Number(answer.headers.age) < 60 && answer;
  }, "a viewer gets what is new");
  assertExact(fresh, { total: TOTAL, seed: transformer.runs(path)[1].seed });
  assert.equal(transformer.runs(path).length, 2);
});

test("a source that has changed meanwhile has it made anew", async () => {
  const it = video("renewed");
  const old = firstOf(it);
  await age(world, it.key, FRESH_S + 30);
  transformer.source(it.path, { etag: '"another"' });
  assertExact(await read(it.url), { total: TOTAL, seed: old });
  await eventually(() => transformer.runs(it.path).length === 2, "a second transform");
  await assertRenewed(it, transformer.runs(it.path)[1].seed);
  assert.deepEqual((await entryOf(world, it.key)).metadata.y, { e: '"another"' });
  assert.equal(transformer.runs(it.path).length, 2);
});

test("a renewal that fails leaves what there is, and the next viewer has it tried again", async () => {
  const it = video("asleep");
  const old = firstOf(it);
  await age(world, it.key, FRESH_S + 30);
  transformer.source(it.path, { etag: '"another"' });
  const calm = transformer.order(it.path, { status: 500 });
  assertExact(await read(it.url), { total: TOTAL, seed: old });
  await eventually(() => transformer.runs(it.path).length === 2, "a second transform");
  const still = await read(it.url);
  assertExact(still, { total: TOTAL, seed: old });
  assert.equal(cacheStatus(still).kv, "hit; detail=stale-while-revalidate");
  calm();
  // An isolate leaves an errand to who has begun it, for a while; another isolate knows of none.
  await forgetAllButKv(world);
  assertExact(await read(it.url), { total: TOTAL, seed: old });
  await eventually(() => transformer.runs(it.path).length === 3, "a third transform");
  await assertRenewed(it, transformer.runs(it.path)[2].seed);
});

test("past that window it is served when the transformer fails, to all who ask, at the price of one attempt", async () => {
  const it = video("failing");
  await age(world, it.key, FRESH_S + RENEWABLE_S + 30);
  const calm = transformer.order(it.path, { status: 500, startMs: SLOW_MS });
  const answers = await Promise.all(Array.from({ length: VIEWERS }, () => read(it.url)));
  for (const answer of answers) {
    assertExact(answer, { total: TOTAL, seed: firstOf(it) });
    assertTruthful(answer, FRESH_S + RENEWABLE_S + 30);
    assert.equal(cacheStatus(answer).kv, "hit; detail=stale-if-error");
  }
  assert.equal(transformer.runs(it.path).length, 2, "the first, and one attempt");
  calm();

  // What is served for want of a better one is not kept for it: who comes after the failure is over gets a new one.
  const fresh = await eventually(async () => {
    const answer = await read(it.url);
    return Number(answer.headers.age) < 60 && answer;
  }, "a new one");
  assertExact(fresh, { total: TOTAL, seed: transformer.runs(it.path).at(-1)?.seed });
  assertTruthful(fresh, 0);
});

test("past that window a transformer that works is waited for, and past both there is nothing to serve", async () => {
  const it = video("replaced");
  await age(world, it.key, FRESH_S + RENEWABLE_S + 30);
  const made = await read(it.url);
  assertExact(made, { total: TOTAL, seed: transformer.runs(it.path)[1].seed });
  assertTruthful(made, 0);
  assert.deepEqual(cacheStatus(made), { kv: "fwd=stale; fwd-status=200; stored", edge: "fwd=uri-miss; stored" });

  const dead = video("dead");
  await age(world, dead.key, FRESH_S + STALE_S + 30);
  const calm = transformer.order(dead.path, { status: 500 });
  const failed = await read(dead.url);
  assert.equal(failed.status, 502);
  assert.deepEqual(cacheStatus(failed).kv, "fwd=uri-miss; fwd-status=500; detail=ttl-too-short");
  calm();
});

test("what was made of a source that is gone is not served for want of a better: the answer is 404", async () => {
  const it = video("gone");
  await age(world, it.key, FRESH_S + RENEWABLE_S + 30);
  transformer.order(it.path, { status: 404 });
  for (const again of [false, true]) {
    const answer = await read(it.url);
    assert.equal(answer.status, 404, answer.text);
    assert.equal(answer.headers["content-type"], "application/problem+json");
    if (again) assert.equal(transformer.runs(it.path).length, 2, "it is remembered");
  }
});

test("the edge gets what is left of a lifetime, and no more", async () => {
  const it = video("promoted");
  const seed = firstOf(it);
  const left = 4;
  await age(world, it.key, FRESH_S - left);
  const over = Date.now() + left * 1000;
  const first = await read(it.url);
  assertExact(first, { total: TOTAL, seed });
  assertTruthful(first, FRESH_S - left);
  assert.deepEqual(cacheStatus(first), { kv: "hit", edge: "fwd=uri-miss; stored" });
  const atEdge = await eventually(async () => {
    const answer = await read(it.url);
    return cacheStatus(answer).edge === "hit" && answer;
  }, "a hit at the edge", left * 1000);
  assertExact(atEdge, { total: TOTAL, seed });
  assertTruthful(atEdge, FRESH_S - left);
  assert.match(String(atEdge.headers["cache-status"]), new RegExp(`^video-resizer-edge; hit; ttl=[0-${left}]$`));

  await new Promise((resolve) => setTimeout(resolve, over + 100 - Date.now()));
  const later = await read(it.url);
  assertExact(later, { total: TOTAL, seed });
  assert.deepEqual(cacheStatus(later), { kv: "hit; detail=stale-while-revalidate", edge: "fwd=uri-miss" }, "the edge has it no longer");
});

test("a source is asked once a window, behind the viewers' backs, and only one that has changed costs a transform", async (t) => {
  const asking = await startWorld({
    config: { ...LIFETIMES, cache: { jitterPercent: 0 }, sources: { revalidateAfter: WINDOW_S, fallbackToOriginal: false } },
  });
  t.after(() => asking.stop());
  const { bill, journal, forget, order } = origin(asking);
  const names = ["same", "changed", "gone", "unwell"];
  const [now, then] = await Promise.all(["2s-320x180", "1s-320x180"].map((name) => ask(`${asking.media}/videos/generated/${name}.mp4`)));
  const put = (/** @type {string} */ name, /** @type {import("./ask.mjs").Answer} */ { body }) =>
    ask(`${asking.media}/videos/${name}.mp4`, { method: "PUT", body, headers: { "content-length": String(body.length) } });
  const url = (/** @type {string} */ name) => `${asking.worker}/videos/${name}.mp4?width=160`;
  const key = (/** @type {string} */ name) => `video:videos/${name}.mp4:w=160:f=mp4`;
  const bodies = new Map();
  for (const name of names) {
    assert.ok((await put(name, now)).status < 300);
    bodies.set(name, await ask(url(name)));
    assert.equal(bodies.get(name).status, 200);
    await entryOf(asking, key(name));
  }
  await forgetAllButKv(asking);
  for (const name of names) await age(asking, key(name), WINDOW_S + 10);
  await forget();
  /** What was asked of a source and of its transformation, as in `["HEAD 304"]`. @param {string} name */
  const asked = async (name) =>
    (await journal()).filter(({ path }) => path.includes(`${name}.mp4`)).map(({ method, path, status }) =>
      `${path.startsWith("/cdn-cgi/media") ? "transform" : method} ${status}`);
  /** @param {string} name @param {number} viewers */
  const view = async (name, viewers) => {
    const answers = await Promise.all(Array.from({ length: viewers }, () => ask(url(name))));
    for (const answer of answers) {
      assert.equal(sha256(answer.body), sha256(bodies.get(name).body), name);
      assert.equal(answer.headers.etag, bodies.get(name).headers.etag, name);
    }
    return answers;
  };
  /** @param {string} name @param {"a" | "q"} moment when its source was found unchanged, or was asked in vain */
  const askedAt = (name, moment) =>
    eventually(async () => {
      const { metadata } = await entryOf(asking, key(name));
      return metadata[moment] > metadata.c && metadata;
    }, `${name} was asked`);

  await t.test("an unchanged one is asked by one of 50 viewers, and its rendition is as new", async () => {
    for (const answer of await view("same", VIEWERS)) assert.ok(Number(answer.headers.age) >= WINDOW_S + 10);
    const { a, f } = await askedAt("same", "a");
    assert.equal(f, a + FRESH_S * 1000);
    await view("same", VIEWERS);
    await asking.clearEdge();
    const [fromKv] = await view("same", 1);
    assert.equal(tiers(fromKv).kv?.hit, true);
    assert.ok(Number(fromKv.headers.age) < 30);
    await forgetAllButKv(asking);
    await view("same", VIEWERS);
    assert.deepEqual(await asked("same"), ["HEAD 304"], "once in this window, whichever isolate");
    assert.equal((await bill()).requests, 0);
  });

  await t.test("one that does not answer is left alone for a window, and what is fresh stays fresh", async () => {
    await order({ match: "/videos/unwell.mp4", on: "source", fault: { kind: "status", status: 503 } });
    const { metadata } = await entryOf(asking, key("unwell"));
    await view("unwell", VIEWERS);
    const { q, ...rest } = await askedAt("unwell", "q");
    assert.deepEqual(rest, metadata, "no longer than it was, and as old");
    for (const answer of await view("unwell", VIEWERS)) assert.ok(Number(answer.headers.age) >= WINDOW_S + 10);
    assert.deepEqual(await asked("unwell"), ["HEAD 503"]);
  });

  await t.test("a changed one is made again, past the transformer's own copy", async () => {
    assert.ok((await put("changed", then)).status < 300);
    await view("changed", VIEWERS);
    const fresh = await eventually(async () => {
      const answer = await ask(url("changed"));
      return answer.headers.etag !== bodies.get("changed").headers.etag && answer;
    }, "the new one");
    assert.equal(fresh.status, 200);
    assert.notEqual(sha256(fresh.body), sha256(bodies.get("changed").body));
    const { requests, transforms, unique } = await bill();
    assert.deepEqual([requests, transforms], [1, 1]);
    assert.match(unique[0].url, /\/videos\/changed\.mp4\?v=[0-9a-f]{16}$/);
  });

  await t.test("one that is gone takes its rendition with it, though the transformer has a copy", async () => {
    assert.ok((await ask(`${asking.media}/videos/gone.mp4`, { method: "DELETE" })).status < 300);
    await view("gone", VIEWERS);
    const answer = await eventually(async () => {
      const answer = await ask(url("gone"));
      return answer.status !== 200 && answer;
    }, "an honest answer");
    assert.equal(answer.status, 404);
    assert.equal(json(answer).upstream_code, 9404);
  });
});
