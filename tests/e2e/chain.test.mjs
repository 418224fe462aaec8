// A body that lies in chunks is read chunk after chunk: what a reader gets when a chunk ends early, breaks, stalls or
// is slow, and how many chunks are asked for a reader who pauses or leaves.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startWorld } from "../../scripts/world.mjs";
import { eventually } from "./ask.mjs";
import { assertExact, read } from "./reader.mjs";
import { startTransformer } from "./transformer.mjs";
import { cacheStatus, inKv, open } from "./viewer.mjs";
import { weather, weatherAround } from "./weather.mjs";

const MIB = 1024 * 1024;
const CHUNK = MIB;

/** A body that gives nothing for so long breaks off. */
const STALL_MS = 700;

/** What a machine that is busy with other things may add to that. */
const NOISE_MS = 3_000;

/** @type {import("./transformer.mjs").Transformer} */
let transformer;
/** @type {import("../../scripts/world.mjs").World} */
let world;
/** @type {ReturnType<typeof weather>} */
let sky;

before(async () => {
  transformer = await startTransformer();
  const cache = { edge: false, singleBytesMax: CHUNK, chunkBytes: CHUNK, kvTimeoutMs: STALL_MS };
  world = await startWorld({ config: { ...transformer.config, cache }, around: weatherAround() });
  sky = weather(world);
});
after(async () => {
  transformer?.stop();
  await world?.stop();
});

let videos = 0;

/**
 * A rendition that lies in KV, and nowhere else.
 *
 * @param {number} total
 */
async function inChunks(total) {
  videos += 1;
  const path = `videos/chain-${videos}/${total}.mp4`;
  const url = `${world.worker}/${path}?width=640`;
  const seed = assertExact(await read(url), { total });
  const { metadata } = await eventually(() => inKv(world, path), "the rendition in KV");
  await sky.settled();
  await sky.forget();
  world.forgetLogs();
  /** @param {number} index */
  const key = (index) => `chunk:${metadata.g}:${String(index).padStart(3, "0")}`;
  return { path, url, total, seed, key };
}

/** Which chunks were asked for since the journal was emptied, in order. */
const chunksAsked = async () => {
  const asked = (await sky.operations()).filter(({ on, key }) => on === "kv.getWithMetadata" && key.startsWith("chunk:"));
  return asked.map(({ key }) => Number(key.split(":")[2]));
};

/** @param {{ path: string }} it */
const faultOf = (it) =>
  eventually(() => world.logs().find(({ message, path }) => message === "left undone" && path === `/${it.path}`), "the fault in the log");

for (const [then, fault, condemned] of /** @type {const} */ ([
  ["ends", "a body shorter than its cut", true],
  ["breaks", "broke off", false],
  ["stalls", `within ${STALL_MS} ms`, false],
])) {
  test(`a chunk that ${then} in its middle breaks the body there: nothing is padded, nothing skipped`, async () => {
    const it = await inChunks(6 * MIB);
    const { withdraw } = await sky.order({ on: "kv.getWithMetadata", key: it.key(3), body: { at: CHUNK / 2, then } });
    const began = performance.now();
    const answer = await read(it.url, { seed: it.seed });
    assert.ok(performance.now() - began < STALL_MS + NOISE_MS);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-length"], String(it.total));
    assert.equal(answer.broken, true);
    const [span] = answer.spans;
    assert.equal(span.check.wrong, "");
    assert.ok(answer.bytes <= 3.5 * CHUNK, `${answer.bytes} bytes of ${3.5 * CHUNK}`);
    const { fault: said, tier } = await faultOf(it);
    assert.equal(tier, "kv");
    assert.ok(said.includes(fault), said);
    await withdraw();
    await sky.settled();
    // What is broken for good is retired; what may be a whim of the network is not.
    if (condemned) await eventually(async () => !(await inKv(world, it.path)), "the end of the entry");
    else assert.equal(assertExact(await read(it.url), { total: it.total }), it.seed);
  });
}

test("a chunk that comes slowly and never falls silent is no stall, neither after a quick beginning nor before a range", async () => {
  const it = await inChunks(6 * MIB);
  for (const [ranges, at, bytesPerS] of /** @type {[[number, number][] | undefined, number, number][]} */ ([
    // By then a source is waited for that was quick so far, and half a MiB takes a second.
    [undefined, 448 * 1024, 500 * 1024],
    // All that is before it in its chunk is passed over, for a second.
    [[[4 * CHUNK - 1024, 4 * CHUNK - 1]], 0, CHUNK],
  ])) {
    const { withdraw } = await sky.order({ on: "kv.getWithMetadata", key: it.key(3), body: { at, then: "drips", bytesPerS } });
    const headers = ranges && { range: `bytes=${ranges[0].join("-")}` };
    const answer = await read(it.url, { seed: it.seed, headers });
    await withdraw();
    assertExact(answer, { total: it.total, seed: it.seed, ranges });
    assert.ok(answer.wholeMs > STALL_MS, `${answer.wholeMs} ms`);
  }
});

test("a reader who pauses has one chunk asked ahead, and gets every byte in the end", async () => {
  const it = await inChunks(40 * MIB);
  const paused = await open(it.url);
  await sky.settled();
  const early = await chunksAsked();
  // The kernel's buffers between two sockets hold a few MiB.
  assert.ok(early.length <= 12, `${early.length} chunks asked for a reader who reads nothing`);
  let bytes = 0;
  for await (const piece of paused) bytes += piece.length;
  assert.ok(paused.complete);
  assert.equal(bytes, it.total);
  assert.deepEqual(await chunksAsked(), Array.from({ length: 40 }, (_, index) => index).filter((index) => index > 0 || early[0] === 0));
});

test("a reader who leaves has no further chunk asked, and is no fault", async () => {
  const it = await inChunks(40 * MIB);
  const answer = await read(it.url, { seed: it.seed, leavesAt: 2 * MIB });
  assert.ok(answer.left);
  await sky.settled();
  const asked = await chunksAsked();
  assert.ok(asked.length < 20, `${asked.length} chunks`);
  assert.deepEqual(world.logs().filter(({ message }) => message === "left undone"), []);
  assert.equal(assertExact(await read(it.url), { total: it.total }), it.seed);
});

test("a range asks for the chunks it touches and no others", async () => {
  const it = await inChunks(6 * MIB);
  for (const [first, last, chunks] of /** @type {[number, number, number[]][]} */ ([
    [3 * CHUNK + 10, 3 * CHUNK + 1033, [3]],
    [3 * CHUNK - 1, 3 * CHUNK, [2, 3]],
    [5 * CHUNK, 6 * CHUNK - 1, [5]],
    [10, 1033, []],
  ])) {
    await sky.forget();
    const answer = await read(it.url, { seed: it.seed, headers: { range: `bytes=${first}-${last}` } });
    assertExact(answer, { ranges: [[first, last]], total: it.total, seed: it.seed });
    assert.deepEqual(await chunksAsked(), chunks, `${first}-${last}`);
    assert.equal(cacheStatus(answer).kv, "hit");
  }
});
