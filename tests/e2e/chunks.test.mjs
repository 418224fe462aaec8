// Bodies larger than a value of KV: how they lie there in chunks, that every byte of them comes back, and how little
// is asked of KV for it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, sha256 } from "./ask.mjs";
import { content } from "./content.mjs";
import { assertExact, inexact, read } from "./reader.mjs";
import { openStore, SMALLEST } from "./store.mjs";
import { cacheStatus } from "./viewer.mjs";
import { tally } from "./weather.mjs";

const MIB = 1024 * 1024;

/** What is kept in one value, the size of a chunk, and what stands beside the manifest, where nothing is configured. */
const [SINGLE, CHUNK, HEAD] = [25 * MIB, 8 * MIB, MIB];

/** Seconds that chunks outlive their entry. */
const OUTLIVE_S = 7 * 86_400;

/** Chunks of one body. */
const CHUNKS_MAX = 490;

/** @type {import("./store.mjs").Store} */
let store;
/** @type {import("./store.mjs").Store} */
let small;
before(async () => {
  store = await openStore();
  small = await openStore({ singleBytesMax: SMALLEST, chunkBytes: SMALLEST });
});
after(async () => {
  await store?.stop();
  await small?.stop();
});

/** What the worker asked of the tiers, but for its configuration and for purges: those it looks for by the clock. */
const asked = async () => tally((await store.quiet()).filter(({ on, key }) => !on.startsWith("config.") && key !== "purges"));

/** What a look-up costs that the edge cannot answer. */
const LOOKUP = { "edge.match": 1, "kv.getWithMetadata video:": 1 };

/**
 * Ranges that begin, end and lie where something else begins.
 *
 * @param {number} total
 * @returns {[number, number][]}
 */
const telling = (total) => [
  [0, 0],
  [HEAD - 1, HEAD],
  [HEAD, HEAD],
  [CHUNK - 1, CHUNK - 1],
  [CHUNK - 1, CHUNK],
  [CHUNK, 2 * CHUNK - 1],
  [CHUNK - 1, 2 * CHUNK],
  [HEAD - 100, 2 * CHUNK + 100],
  [total - 1, total - 1],
  [total - 1000, total - 1],
];

/**
 * Every kind of range, one by one and together, as whoever is asked now has it.
 *
 * @param {import("./store.mjs").Video} it
 * @param {number} seed
 * @param {"edge" | "kv"} tier
 */
async function assertRanges({ url, total }, seed, tier) {
  const ask = async (/** @type {string} */ range) => {
    const answer = await read(url, { headers: { range }, seed });
    assert.equal(cacheStatus(answer)[tier], "hit", range);
    return answer;
  };
  for (const [first, last] of telling(total)) {
    assertExact(await ask(`bytes=${first}-${last}`), { total, seed, ranges: [[first, last]] });
  }
  assertExact(await ask(`bytes=${total - 3 * MIB}-`), { total, seed, ranges: [[total - 3 * MIB, total - 1]] });
  assertExact(await ask("bytes=-1"), { total, seed, ranges: [[total - 1, total - 1]] });
  /** @type {[number, number][]} */
  const several = [[0, 99], [HEAD - 50, HEAD + 49], [CHUNK - 10, CHUNK + 9], [CHUNK + 20, CHUNK + 29], [3 * CHUNK - 1, 3 * CHUNK], [total - 100, total - 1]];
  const parts = await ask(`bytes=${several.map(([first, last]) => `${first}-${last}`).join(",")}`);
  assertExact(parts, { total, seed, ranges: several });
  assert.equal(parts.headers["content-length"], String(parts.bytes));
  const beyond = await ask(`bytes=${total}-`);
  assert.deepEqual([beyond.status, beyond.headers["content-range"]], [416, `bytes */${total}`]);
}

for (const total of [26 * MIB + 5, 60 * MIB]) {
  test(`a body of ${total} bytes is exact when it is made, at the edge and in KV, whole and by ranges`, async () => {
    const it = store.video(total);
    const cold = await read(it.url);
    const seed = assertExact(cold, { total });
    assert.equal(cold.headers["content-length"], String(total));
    assert.deepEqual(cacheStatus(cold), { kv: "fwd=uri-miss; fwd-status=200; stored", edge: "fwd=uri-miss; stored" });
    await eventually(async () => (await store.keys(it.key)).length, "the entry in KV");
    await store.quiet();

    await assertRanges(it, seed, "edge");
    const atEdge = await read(it.url);
    assert.deepEqual(cacheStatus(atEdge), { edge: "hit" });
    assertExact(atEdge, { total, seed });

    await store.clearEdge();
    await assertRanges(it, seed, "kv");
    assert.equal(cacheStatus(await read(it.url, { method: "HEAD" })).kv, "hit", "ranges give the edge nothing");
    const inKv = await read(it.url);
    assertExact(inKv, { total, seed });
    assert.deepEqual(cacheStatus(inKv), { kv: "hit", edge: "fwd=uri-miss; stored" });
    for (const name of ["content-length", "etag", "last-modified", "content-type"]) {
      assert.equal(inKv.headers[name], cold.headers[name], name);
    }

    await store.quiet();
    const promoted = await read(it.url);
    assert.deepEqual(cacheStatus(promoted), { edge: "hit" }, "a whole reading gives the edge a copy");
    assertExact(promoted, { total, seed });
    assert.equal(store.transformer.runs(it.path).length, 1);
    assert.deepEqual(store.undone(it), []);
  });
}

test("a body lies in KV as it is documented: chunks under its generation, manifest and beginning under its key", async () => {
  const it = store.video(26 * MIB + 5);
  await store.sky.forget();
  const { seed, metadata } = await store.keep(it);
  const puts = (await store.sky.operations()).filter(({ on }) => on === "kv.put");
  const keys = [0, 1, 2, 3].map((index) => `chunk:${metadata.g}:00${index}`);
  assert.deepEqual(puts.map(({ key }) => key), [...keys, it.key], "the manifest comes last");
  for (const [at, { n, key }] of puts.entries()) assert.ok(at === 0 || n > Number(puts[at - 1].endedAs), `${key} waits for the one before`);

  assert.deepEqual([metadata.n, metadata.k.b, metadata.k.h], [it.total, CHUNK, HEAD]);
  const value = Buffer.from(await store.kv.cache.get(it.key, "arrayBuffer"));
  assert.equal(value.length, metadata.k.m + metadata.k.h);
  assert.equal(sha256(value.subarray(metadata.k.m)), sha256(content(seed, 0, HEAD)));
  const manifest = JSON.parse(value.toString("utf8", 0, metadata.k.m));
  const lengths = [CHUNK, CHUNK, CHUNK, 2 * MIB + 5];
  const [entry] = await store.keys(it.key);
  assert.deepEqual(manifest, {
    v: 1,
    g: metadata.g,
    b: CHUNK,
    u: Math.max(metadata.u, metadata.w ?? 0) + OUTLIVE_S * 1000,
    c: lengths.map((n, index) => ({ n, h: sha256(content(seed, index * CHUNK, n)) })),
  });

  const chunks = await store.chunksOf(metadata);
  assert.deepEqual(chunks.map(({ name }) => name), keys);
  for (const [index, { name, metadata: mark, expiration }] of chunks.entries()) {
    const bytes = Buffer.from(await store.kv.cache.get(name, "arrayBuffer"));
    assert.equal(sha256(bytes), manifest.c[index].h, name);
    assert.deepEqual({ ...mark, c: 0 }, { g: metadata.g, i: index, n: lengths[index], c: 0, k: it.key });
    assert.ok(Math.abs(mark.c - Date.now()) < 60_000, "written just now");
    assert.ok(Math.abs(expiration - entry.expiration - OUTLIVE_S) <= 1, `${name} outlives its entry by ${expiration - entry.expiration} s`);
  }
});

test("a range reads the chunks it touches and no other; the beginning reads none", async () => {
  const it = store.video(26 * MIB + 5);
  const { seed, metadata } = await store.keep(it);
  await store.clearEdge();
  for (const [first, last, touched] of /** @type {[number, number, number[]][]} */ ([
    [13 * MIB, 13 * MIB + 1023, [1]],
    [2 * CHUNK - 512, 2 * CHUNK + 511, [1, 2]],
    [it.total - 1024, it.total - 1, [3]],
    [HEAD, HEAD + 1023, [0]],
    [HEAD - 1024, HEAD - 1, []],
    [0, 1, []],
  ])) {
    await store.sky.forget();
    assertExact(await read(it.url, { headers: { range: `bytes=${first}-${last}` }, seed }), { total: it.total, seed, ranges: [[first, last]] });
    const operations = (await store.quiet()).filter(({ key }) => key.startsWith("chunk:"));
    assert.deepEqual(operations.map(({ key }) => key), touched.map((index) => `chunk:${metadata.g}:00${index}`), `${first}-${last}`);
    const chunks = touched.length > 0 ? { "kv.getWithMetadata chunk:": touched.length } : {};
    assert.deepEqual(await asked(), { ...LOOKUP, ...chunks });
  }
});

test("HEAD, a condition that is met and a range that cannot be read no chunk, and give the edge nothing", async () => {
  const it = store.video(26 * MIB + 5);
  const { metadata } = await store.keep(it);
  await store.clearEdge();
  for (const [status, reading] of /** @type {[number, import("./reader.mjs").Reading][]} */ ([
    [200, { method: "HEAD" }],
    [304, { headers: { "if-none-match": `"${metadata.g}"` } }],
    [412, { headers: { "if-match": '"another"' } }],
    [416, { headers: { range: `bytes=${it.total}-` } }],
  ])) {
    await store.sky.forget();
    const answer = await read(it.url, reading);
    assert.equal(answer.status, status);
    if (reading.method) assert.equal(answer.headers["content-length"], String(it.total));
    assert.deepEqual(await asked(), LOOKUP, String(status));
  }
});

test("while a chunk is sent the next one is asked for, and no other", async () => {
  const it = store.video(36 * MIB);
  const { seed, metadata } = await store.keep(it);
  await store.clearEdge();
  await store.sky.forget();
  const chunksAsked = async () => (await store.sky.operations()).flatMap(({ key }) => key.match(/^chunk:.*:(\d+)$/)?.slice(1) ?? []);
  const { withdraw } = await store.sky.order({ on: "kv.getWithMetadata", key: `chunk:${metadata.g}:001`, body: { at: 1000, then: "stalls" } });
  const reading = read(it.url);
  await eventually(async () => (await chunksAsked()).includes("002"), "the chunk behind the one that stalls");
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(await chunksAsked(), ["000", "001", "002"]);
  await withdraw();
  assertExact(await reading, { total: it.total, seed });
  assert.deepEqual(await chunksAsked(), ["000", "001", "002", "003", "004"], "each once, in order");
});

test("a length that nobody announced is found out: a small body is one value, a large one lies in chunks", async () => {
  for (const [total, chunks] of [[100_000, 0], [10 * MIB, 0], [26 * MIB, 4]]) {
    const it = store.video(total, "no-length/");
    const cold = await read(it.url);
    const seed = assertExact(cold, { total });
    assert.equal(cold.headers["content-length"], undefined);
    const { metadata } = await eventually(async () => (await store.keys(it.key))[0], "the entry in KV");
    assert.equal(metadata.n, total);
    assert.equal((await store.chunksOf(metadata)).length, chunks);
    // What is too long to be measured beforehand is not taken by the edge.
    assert.deepEqual(store.undone(it), chunks > 0 ? [{ tier: "edge", fault: "corrupt: length-unknown" }] : []);
    const inKv = await store.fromKv(it);
    assertExact(inKv, { total, seed });
    assert.equal(inKv.headers["content-length"], String(total));
    await store.quiet();
    const atEdge = await read(it.url, { headers: { range: "bytes=-1000" }, seed });
    assert.deepEqual(cacheStatus(atEdge), { edge: "hit" });
    assertExact(atEdge, { total, seed, ranges: [[total - 1000, total - 1]] });
  }
});

test("chunks are as large as configured, and the last one is what is left", async () => {
  for (const [total, lengths] of /** @type {[number, number[]][]} */ ([
    [SMALLEST, []],
    [SMALLEST + 1, [SMALLEST, 1]],
    [2 * SMALLEST, [SMALLEST, SMALLEST]],
    [3 * SMALLEST - 1, [SMALLEST, SMALLEST, SMALLEST - 1]],
  ])) {
    for (const folder of ["", "no-length/"]) {
      const it = small.video(total, folder);
      const { seed, metadata } = await small.keep(it);
      assert.deepEqual((await small.chunksOf(metadata)).map(({ metadata: { n } }) => n), lengths, `${folder}${total}`);
      assert.equal(metadata.n, total);
      assertExact(await small.fromKv(it), { total, seed });
    }
  }
});

test("a body of 490 chunks is kept, and one byte more is too large for KV, announced or not, and leaves nothing there", async () => {
  const most = CHUNKS_MAX * SMALLEST;
  const it = small.video(most);
  const { seed, metadata } = await small.keep(it);
  assert.equal((await small.chunksOf(metadata)).length, CHUNKS_MAX);
  await small.clearEdge();
  assertExact(await small.fromKv(it), { total: most, seed });
  const before = (await small.keys("")).length;

  const announced = small.video(most + 1);
  const answer = await read(announced.url);
  assertExact(answer, { total: most + 1 });
  assert.deepEqual(cacheStatus(answer), { kv: "fwd=uri-miss; fwd-status=200; detail=too-large", edge: "fwd=uri-miss; stored" });
  await small.quiet();
  assert.deepEqual(cacheStatus(await read(announced.url)), { edge: "hit" });

  const unannounced = small.video(most + 1, "no-length/");
  assertExact(await read(unannounced.url), { total: most + 1 });
  const fault = `${most + 1} bytes do not fit in ${most}`;
  await eventually(() => small.undone(unannounced).some(({ tier, fault: said }) => tier === "kv" && said === fault), "the reason in the log", 60_000);
  await small.quiet();
  assert.equal((await small.keys("")).length, before);
});

test("a viewer who leaves a body in chunks leaves an entry that is whole", async () => {
  const it = store.video(26 * MIB);
  const { seed } = await store.keep(it);
  await store.clearEdge();
  for (const leavesAt of [1000, 2 * MIB, 20 * MIB]) {
    assert.match(inexact(await read(it.url, { leavesAt }), { total: it.total }), /^the reader left/);
    assertExact(await store.fromKv(it), { total: it.total, seed });
  }
  assert.deepEqual(store.undone(it).filter(({ tier }) => tier === "kv"), []);
});
