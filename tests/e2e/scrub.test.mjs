// The scrub, struck by the clock: what belongs to nothing is deleted once it is old, what is not what was written is
// retired, and all else stays as it is.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { eventually } from "./ask.mjs";
import { assertExact, inexact, read } from "./reader.mjs";
import { openStore, SMALLEST } from "./store.mjs";
import { cacheStatus } from "./viewer.mjs";

const HOUR_MS = 3_600_000;

/** Three chunks. */
const THREE = 2 * SMALLEST + 1_234;

/** What is kept in one value. */
const ONE = 10_000;

/** Deletions after which a run leaves the rest to the next: half of its operations. */
const RUN_DELETIONS = 250;

/** @type {import("./store.mjs").Store} */
let store;
before(async () => {
  store = await openStore({ singleBytesMax: SMALLEST, chunkBytes: SMALLEST });
});
after(() => store?.stop());

/** Nothing is left of the test before, neither in KV nor of where the scrub stopped. */
beforeEach(async () => {
  await store.quiet();
  for (const { name } of await store.keys("")) await store.kv.cache.delete(name);
  await store.clearEdge();
});

/** What a run did, as its line says it. @param {Partial<{ sound: number, retired: number, orphans: number, faults: string }>} did */
async function assertScrub(did) {
  const { level, sound, retired, orphans, faults } = await store.scrub();
  assert.deepEqual({ level, sound, retired, orphans, faults }, { level: "info", sound: 0, retired: 0, orphans: 0, faults: "", ...did });
}

/**
 * A chunk as a fill leaves it that came to nothing.
 *
 * @param {number} ageMs
 * @param {{ g?: string, i?: number, k?: string }} [mark]
 */
async function plant(ageMs, { g = "0123456789abcdef0123456789abcdef", i = 0, k = "video:videos/gone.mp4:w=640:f=mp4" } = {}) {
  const name = `chunk:${g}:${String(i).padStart(3, "0")}`;
  await store.kv.cache.put(name, "chunk", { metadata: { g, i, n: 5, c: Date.now() - ageMs, k }, expirationTtl: 86_400 });
  return name;
}

/** Rewrites a key of KV. @param {string} name @param {(value: Buffer, metadata: any) => void} change */
async function alter(name, change) {
  const { value, metadata } = await store.kv.cache.getWithMetadata(name, "arrayBuffer");
  const bytes = Buffer.from(value);
  change(bytes, metadata);
  await store.kv.cache.put(name, bytes, { metadata, expirationTtl: 86_400 });
}

/** Makes an entry and its chunks as old as they would be another day. @param {string} key @param {any} metadata */
async function age(key, metadata) {
  await alter(key, (_, entry) => void ([entry.b, entry.c] = [entry.b - 2 * HOUR_MS, entry.c - 2 * HOUR_MS]));
  for (const { name } of await store.chunksOf(metadata)) await alter(name, (_, mark) => void (mark.c -= 2 * HOUR_MS));
}

const names = async () => (await store.keys("")).map(({ name }) => name).filter((name) => name !== "scrub");

test("orphans are deleted once they are an hour old; young ones, and chunks of an entry that is there, stay", async () => {
  const it = store.video(THREE);
  const { seed, metadata } = await store.keep(it);
  await age(it.key, metadata);
  const recent = store.video(ONE);
  await store.keep(recent);
  const before = await names();
  const old = await plant(HOUR_MS + 60_000);
  const young = await plant(HOUR_MS - 60_000, { g: "f".repeat(32) });
  // Of an entry that was made again meanwhile, and of no house that we know.
  const former = await plant(2 * HOUR_MS, { g: "e".repeat(32), k: it.key });
  await store.kv.cache.put("chunk:stranger", "chunk");
  // Of an entry that was made again just now: somebody may still be reading what was there before.
  const replaced = await plant(2 * HOUR_MS, { g: "d".repeat(32), k: recent.key });

  await assertScrub({ sound: 2, orphans: 3 });
  assert.deepEqual(await names(), [...before, young, replaced].sort());
  for (const name of [old, former, "chunk:stranger"]) assert.equal(await store.kv.cache.get(name), null, name);
  const answer = await store.fromKv(it);
  assert.equal(cacheStatus(answer).kv, "hit");
  assertExact(answer, { total: it.total, seed });
  await assertScrub({ sound: 2 });
});

test("what nobody wrote is left alone: remembered failures, and entries of another release", async () => {
  await store.kv.cache.put("video:of-another-release", "bytes", { metadata: { v: 9 } });
  await store.kv.cache.put("something-else", "bytes");
  const withdraw = store.transformer.order("/unfit/", { status: 404 });
  const it = store.video(ONE, "unfit/");
  await read(it.url);
  await eventually(async () => (await store.keys(it.key)).length, "the remembered failure in KV");
  withdraw();
  await store.quiet();
  const before = await names();
  await assertScrub({});
  assert.deepEqual(await names(), before);
});

/** Every way in which an entry can be other than it was written. @type {[string, number, (it: import("./store.mjs").Video, chunks: string[]) => Promise<void>][]} */
const SPOILED = [
  ["a byte of a chunk is another", THREE, async (_, [, second]) => alter(second, (bytes) => void (bytes[1000] ^= 1))],
  ["a chunk is shorter", THREE, async (_, [, second]) => {
    const { value, metadata } = await store.kv.cache.getWithMetadata(second, "arrayBuffer");
    await store.kv.cache.put(second, value.slice(1), { metadata, expirationTtl: 86_400 });
  }],
  ["a chunk is missing", THREE, async (_, [, , third]) => store.kv.cache.delete(third)],
  ["a chunk is of another place", THREE, async (_, [first, second]) => {
    const { value, metadata } = await store.kv.cache.getWithMetadata(first, "arrayBuffer");
    await store.kv.cache.put(second, value, { metadata, expirationTtl: 86_400 });
  }],
  ["the manifest is another", THREE, async ({ key }) => alter(key, (bytes) => void (bytes[40] ^= 1))],
  ["a byte of the beginning beside the manifest is another", THREE, async ({ key }) => alter(key, (bytes, { k }) => void (bytes[k.m + 1000] ^= 1))],
  ["the beginning beside the manifest is shorter", THREE, async ({ key }) => {
    const { value, metadata } = await store.kv.cache.getWithMetadata(key, "arrayBuffer");
    await store.kv.cache.put(key, value.slice(0, -1), { metadata, expirationTtl: 86_400 });
  }],
  ["one value is shorter than it was", ONE, async ({ key }) => {
    const { value, metadata } = await store.kv.cache.getWithMetadata(key, "arrayBuffer");
    await store.kv.cache.put(key, value.slice(1), { metadata, expirationTtl: 86_400 });
  }],
];

for (const [what, total, spoil] of SPOILED) {
  test(`an entry is retired where ${what}, its chunks are orphans then, and the sound one beside it stays`, async () => {
    const [it, sound] = [store.video(total), store.video(THREE)];
    const { metadata } = await store.keep(it);
    const { seed } = await store.keep(sound);
    await age(it.key, metadata);
    const chunks = (await store.chunksOf(metadata)).map(({ name }) => name);
    await spoil(it, chunks);
    const left = (await store.chunksOf(metadata)).length;

    await assertScrub({ sound: 1, retired: 1 });
    assert.deepEqual(await store.keys(it.key), []);
    await assertScrub({ sound: 1, orphans: left });
    assert.deepEqual(await store.chunksOf(metadata), []);
    const kept = await store.fromKv(sound);
    assert.equal(cacheStatus(kept).kv, "hit");
    assertExact(kept, { total: THREE, seed });
    assert.equal(inexact(await store.fromKv(it), { total }), "", "it is made again");
  });
}

test("a fill that is killed between two chunks leaves a miss and orphans, and the scrub deletes them", async () => {
  const it = store.video(8 * SMALLEST);
  await store.sky.order({ on: "kv.put", prefix: "chunk:", nth: 4, late: "forever" });
  const reading = read(it.url);
  const left = await eventually(async () => {
    const chunks = await store.keys("chunk:");
    return chunks.length === 4 && chunks;
  }, "four chunks");
  await store.restart();
  await reading;
  assert.deepEqual(await store.keys(it.key), [], "no entry");
  for (const { name } of left) await alter(name, (_, mark) => void (mark.c -= 2 * HOUR_MS));
  await store.clearEdge();

  assertExact(await read(it.url), { total: it.total });
  await eventually(async () => (await store.keys(it.key)).length, "the entry in KV");
  await store.quiet();
  const [{ metadata }] = await store.keys(it.key);
  await age(it.key, metadata);
  await assertScrub({ sound: 1, orphans: 4 });
  const answer = await store.fromKv(it);
  assert.equal(cacheStatus(answer).kv, "hit");
  assertExact(answer, { total: it.total });
});

test("a run that has done enough leaves the rest to the next, which goes on where it stopped", async () => {
  const entries = [];
  for (let i = 0; i < 6; i += 1) entries.push((await store.keep(store.video(ONE))).metadata);
  const many = 2 * RUN_DELETIONS;
  for (let i = 0; i < many; i += 1) await plant(2 * HOUR_MS, { i, g: "0".repeat(32) });
  const first = await store.scrub();
  assert.ok(first.orphans >= RUN_DELETIONS / 2 && first.orphans < many, `${first.orphans} of ${many} at once`);
  assert.equal((await store.keys("chunk:")).length, many - first.orphans);
  const memory = (await store.kv.cache.getWithMetadata("scrub")).metadata;
  assert.ok(memory.c, "it knows where it stopped");

  let orphans = first.orphans;
  for (let runs = 1; orphans < many; runs += 1) {
    assert.ok(runs < 6, `${orphans} of ${many} after ${runs} runs`);
    orphans += (await store.scrub()).orphans;
  }
  assert.equal(orphans, many);
  assert.deepEqual(await store.keys("chunk:"), []);
  assert.equal(entries.length, (await store.keys("video:")).length);
});

test("a KV that fails costs a run what it could not look at, says so, and deletes nothing that it has not seen", async () => {
  const it = store.video(THREE);
  const { metadata } = await store.keep(it);
  await age(it.key, metadata);
  const before = await names();
  for (const on of ["kv.list", "kv.getWithMetadata"]) {
    const { withdraw } = await store.sky.order({ on, fails: true });
    const { sound, retired, orphans, faults } = await store.scrub();
    assert.deepEqual({ sound, retired, orphans }, { sound: 0, retired: 0, orphans: 0 });
    assert.match(faults, /500 Internal Server Error/);
    await withdraw();
    assert.deepEqual(await names(), before);
  }
  await assertScrub({ sound: 1 });
});
