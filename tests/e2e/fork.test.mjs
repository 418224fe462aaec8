// A body that is viewed and kept at the same time: who is slow, hangs, pauses or leaves, and what the others notice
// of it. The bytes are checked one by one as they come; the tiers' own weather is ordered.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startWorld } from "../../scripts/world.mjs";
import { eventually } from "./ask.mjs";
import { forgetPeak, wasmBytes, workerdKib, workerdPeakKib } from "./observed.mjs";
import { assertExact, read } from "./reader.mjs";
import { startTransformer } from "./transformer.mjs";
import { cacheStatus, inKv, open, watch } from "./viewer.mjs";
import { weather, weatherAround } from "./weather.mjs";

const MIB = 1024 * 1024;

/** A copy that takes nothing for so long is let go, and a write that is not acknowledged has failed. */
const PATIENCE_MS = 1_000;

/** What a machine that is busy with other things may add to a second. */
const NOISE_MS = 3_000;

/** @type {import("./transformer.mjs").Transformer} */
let transformer;
/** @type {import("../../scripts/world.mjs").World} */
let world;
/** @type {ReturnType<typeof weather>} */
let sky;

before(async () => {
  transformer = await startTransformer();
  const config = { ...transformer.config, cache: { writeTimeoutMs: PATIENCE_MS } };
  world = await startWorld({ config, around: weatherAround() });
  sky = weather(world);
});
after(async () => {
  transformer?.stop();
  await world?.stop();
});

let videos = 0;

/**
 * A rendition that no other test knows.
 *
 * @param {number} total
 */
function video(total) {
  videos += 1;
  const path = `videos/fork-${videos}/${total}.mp4`;
  return { path, total, url: `${world.worker}/${path}?width=640` };
}

/** @param {ReturnType<typeof video>} it */
const atEdge = ({ url }) =>
  eventually(async () => cacheStatus(await watch(url, { method: "HEAD" })).edge === "hit", "the rendition at the edge");

/** @param {ReturnType<typeof video>} it */
const kept = async (it) => {
  const { metadata } = await eventually(() => inKv(world, it.path), "the rendition in KV");
  assert.equal(metadata.n, it.total);
  await atEdge(it);
};

/**
 * What KV has is what the viewer got.
 *
 * @param {ReturnType<typeof video>} it
 * @param {number} seed
 */
async function sameFromKv({ url, total }, seed) {
  await world.clearEdge();
  const again = await read(url, { seed });
  assert.equal(assertExact(again, { total }), seed);
  assert.equal(cacheStatus(again).kv, "hit");
}

for (const [name, total, order] of /** @type {const} */ ([
  ["takes no byte of one value", 20 * MIB, { on: "kv.put", body: { at: 0, then: "stalls" } }],
  ["acknowledges no chunk", 40 * MIB, { on: "kv.put", late: "forever" }],
])) {
  test(`a KV that ${name} delays the viewer by no more than the patience with it, and the edge not at all`, async (t) => {
    const calm = video(total);
    const { wholeMs: calmMs } = await read(calm.url);
    const it = video(total);
    const { withdraw, struck } = await sky.order(order);
    const viewed = await read(it.url);
    assertExact(viewed, { total });
    t.diagnostic(`${Math.round(viewed.wholeMs)} ms, ${Math.round(calmMs)} ms with a KV that is well`);
    assert.ok((await struck()) > 0, "KV was asked");
    assert.ok(viewed.wholeMs < calmMs + PATIENCE_MS + NOISE_MS, `${viewed.wholeMs} ms`);
    await atEdge(it);
    assert.equal(cacheStatus(await watch(it.url, { method: "HEAD" })).edge, "hit");
    await withdraw();
    assert.equal(await inKv(world, it.path), undefined);
  });
}

test("a slow KV sets the pace of a large body, which is kept whole, and costs no memory", async (t) => {
  const total = 120 * MIB;
  // The local KV keeps memory of its own once it has had a large body.
  const warm = video(total);
  await read(warm.url);
  await kept(warm);
  const idle = { rss: workerdKib(), wasm: await wasmBytes(world) };

  const it = video(total);
  const { withdraw } = await sky.order({ on: "kv.put", late: PATIENCE_MS / 4 });
  forgetPeak();
  const viewed = await read(it.url);
  await kept(it);
  const [peak, wasm] = [workerdPeakKib(), await wasmBytes(world)];
  await withdraw();
  const seed = assertExact(viewed, { total });
  t.diagnostic(`${Math.round(viewed.wholeMs)} ms, ${Math.round((peak - idle.rss) / 1024)} MiB over idle at the most`);
  assert.ok(peak - idle.rss <= 64 * 1024, `${peak - idle.rss} KiB over idle`);
  assert.equal(wasm, idle.wasm);
  await sameFromKv(it, seed);
});

test("a player that pauses stops no fill of an ordinary rendition, and gets every byte in the end", async () => {
  const it = video(14 * MIB);
  const paused = await open(it.url);
  await kept(it);
  assert.ok(paused.readableLength < MIB, "the player has hardly anything yet");
  const bytes = [];
  for await (const piece of paused) bytes.push(piece);
  assert.ok(paused.complete);
  const whole = await read(it.url);
  assertExact(whole, { total: it.total });
  assert.equal(Buffer.concat(bytes).length, it.total);
  assert.deepEqual(cacheStatus(whole), { edge: "hit" });
});

test("however many players pause in large bodies, memory stays in bounds, and another's rendition is viewed and kept", async (t) => {
  const idle = workerdKib();
  forgetPeak();
  const players = await Promise.all(
    Array.from({ length: 6 }, () => {
      const it = video(60 * MIB);
      return open(it.url).then((response) => ({ it, response }));
    }),
  );
  const ordinary = video(5 * MIB);
  const viewed = await read(ordinary.url);
  const seed = assertExact(viewed, { total: ordinary.total });
  await kept(ordinary);
  const over = Math.round((workerdPeakKib() - idle) / 1024);
  t.diagnostic(`${over} MiB over idle with six players that pause`);
  assert.ok(over <= 128, `${over} MiB`);
  for (const { response } of players) response.destroy();
  await sameFromKv(ordinary, seed);
});

for (const total of [14 * MIB, 40 * MIB]) {
  test(`a viewer who leaves in the middle of ${total / MIB} MiB does not end the fill`, async () => {
    const it = video(total);
    const withdraw = transformer.order(it.path, { bytesPerS: 10 * MIB });
    const viewed = await read(it.url, { leavesAt: 2 * MIB });
    assert.ok(viewed.left && viewed.bytes < total / 2);
    await kept(it);
    withdraw();
    assert.deepEqual(transformer.runs(it.path).map(({ end }) => end), ["whole"]);
    const whole = await read(it.url);
    assertExact(whole, { total });
    assert.deepEqual(cacheStatus(whole), { edge: "hit" });
    await sameFromKv(it, assertExact(whole, { total }));
  });
}

test("a viewer of a part leaves the whole in both tiers", async () => {
  const it = video(30 * MIB);
  const part = await read(it.url, { headers: { range: `bytes=${10 * MIB}-${11 * MIB - 1}` } });
  assert.equal(part.status, 206);
  const seed = assertExact(part, { ranges: [[10 * MIB, 11 * MIB - 1]], total: it.total });
  await kept(it);
  await sameFromKv(it, seed);
});

test("a source that breaks breaks the viewer's body, and nothing of it is kept", async () => {
  for (const total of [5 * MIB, 40 * MIB]) {
    const it = video(total);
    const withdraw = transformer.order(it.path, { breaksAt: total - MIB });
    const viewed = await read(it.url);
    assert.equal(viewed.broken, true);
    await sky.settled();
    withdraw();
    // The local platform commits what an aborted write had brought so far, and it is taken back a moment later.
    await eventually(async () => {
      const { kv, edge } = cacheStatus(await watch(it.url, { method: "HEAD" }));
      return kv === "fwd=uri-miss" && edge === "fwd=uri-miss" && (await inKv(world, it.path)) === undefined;
    }, "nothing of it in either tier");
  }
});
