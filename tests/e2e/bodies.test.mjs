// Large bodies: what does not fit in a KV value, what many ask for at once, what nobody reads, and how little
// of any of it the worker's own memory sees.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startWorld } from "../../scripts/world.mjs";
import { eventually, sha256 } from "./ask.mjs";
import { wasmBytes, window, workerdKib } from "./observed.mjs";
import { startTransformer } from "./transformer.mjs";
import { cacheStatus, inKv, open, transformsOf, watch } from "./viewer.mjs";

/** What KV takes as one value (developers.cloudflare.com/kv/platform/limits). */
const KV_VALUE_BYTES_MAX = 25 * 1024 * 1024;

/** 28 MB as a rendition: too large for one value of KV. */
const LARGE = "/videos/generated/noise-10s-640x360.mp4";

/** Half of that: it fits. */
const MEDIUM = "/videos/generated/noise-5s-640x360.mp4";

/** @type {import("../../scripts/world.mjs").World} */
let world;
before(async () => {
  world = await startWorld();
});
after(() => world?.stop());

/**
 * Asks for an answer's headers until the edge has the body: a HEAD of what it has not makes nothing.
 *
 * @param {string} url
 */
const atEdge = (url) =>
  eventually(async () => cacheStatus(await watch(url, { method: "HEAD" })).edge === "hit", "the rendition at the edge");

test("a rendition of over 25 MiB is served whole and by ranges from both tiers, and lies in KV in chunks", async () => {
  const url = `${world.worker}${LARGE}?width=640&height=360`;
  const whole = await watch(url);
  assert.equal(whole.status, 200);
  assert.equal(whole.broken, false);
  assert.ok(whole.body.length > KV_VALUE_BYTES_MAX, `${whole.body.length} bytes`);
  assert.equal(whole.headers["content-length"], String(whole.body.length));
  assert.deepEqual(cacheStatus(whole), {
    kv: "fwd=uri-miss; fwd-status=200; stored",
    edge: "fwd=uri-miss; stored",
  });

  await atEdge(url);
  const again = await watch(url);
  assert.deepEqual(cacheStatus(again), { edge: "hit" });
  assert.equal(sha256(again.body), sha256(whole.body));
  const kept = await eventually(() => inKv(world, LARGE.slice(1)), "the rendition in KV");
  assert.equal(kept.metadata.n, whole.body.length);
  assert.ok(kept.metadata.k, "it lies in chunks");

  const last = whole.body.length - 1;
  for (const [first, end] of [[0, 0], [0, 1], [0, last], [65_535, 65_536], [1_000_000, 21_000_000], [last, last]]) {
    const part = await watch(url, { headers: { range: `bytes=${first}-${end}` } });
    assert.equal(part.status, 206, `${first}-${end}`);
    assert.equal(part.headers["content-range"], `bytes ${first}-${end}/${whole.body.length}`);
    assert.equal(sha256(part.body), sha256(whole.body.subarray(first, end + 1)), `${first}-${end}`);
  }
  const tail = await watch(url, { headers: { range: "bytes=-1000" } });
  assert.deepEqual(tail.body, whole.body.subarray(-1000));
  const beyond = await watch(url, { headers: { range: `bytes=${whole.body.length}-` } });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers["content-range"], `bytes */${whole.body.length}`);
  assert.deepEqual(cacheStatus(beyond), { edge: "hit" });

  await world.clearEdge();
  const middle = await watch(url, { headers: { range: "bytes=1000000-21000000" } });
  assert.equal(cacheStatus(middle).kv, "hit");
  assert.equal(sha256(middle.body), sha256(whole.body.subarray(1_000_000, 21_000_001)));
  const fromKv = await watch(url);
  assert.deepEqual(cacheStatus(fromKv), { kv: "hit", edge: "fwd=uri-miss; stored" });
  assert.equal(sha256(fromKv.body), sha256(whole.body));
  assert.equal(await transformsOf(world, LARGE), 1);
});

test("a rendition of over 25 MiB is answered from its middle on a cold request, and kept whole", async () => {
  const url = `${world.worker}${LARGE}?width=638&height=360`;
  const part = await watch(url, { headers: { range: "bytes=20000000-20000999" } });
  assert.equal(part.status, 206);
  assert.equal(part.body.length, 1000);
  await atEdge(url);
  const whole = await watch(url);
  assert.deepEqual(cacheStatus(whole), { edge: "hit" });
  assert.equal(part.headers["content-range"], `bytes 20000000-20000999/${whole.body.length}`);
  assert.deepEqual(part.body, whole.body.subarray(20_000_000, 20_001_000));
});

test("eight viewers at once of a cold rendition all get all of it, the same bytes", async () => {
  const url = `${world.worker}${MEDIUM}?width=638&height=360`;
  const answers = await Promise.all(Array.from({ length: 8 }, () => watch(url)));
  assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(200));
  assert.deepEqual(answers.filter(({ broken }) => broken), []);
  assert.ok(answers[0].body.length > 5_000_000, `${answers[0].body.length} bytes`);
  assert.deepEqual(new Set(answers.map(({ body }) => sha256(body))), new Set([sha256(answers[0].body)]));
  await atEdge(url);
  assert.equal(sha256((await watch(url)).body), sha256(answers[0].body));
});

test("a viewer who reads nothing for two seconds holds nobody up, and gets every byte in the end", async () => {
  const url = `${world.worker}${MEDIUM}?width=640&height=360`;
  const stalled = await open(url);
  const began = Date.now();

  const other = await watch(url);
  assert.equal(other.broken, false);
  const kept = await eventually(() => inKv(world, "noise-5s-640x360.mp4:w=640:"), "the rendition in KV");
  assert.equal(kept.metadata.n, other.body.length);

  await eventually(() => Date.now() - began > 2000, "the end of two seconds");
  const pieces = [];
  for await (const piece of stalled) pieces.push(piece);
  assert.equal(sha256(Buffer.concat(pieces)), sha256(other.body));

  await world.clearEdge();
  const fromKv = await watch(url);
  assert.equal(cacheStatus(fromKv).kv, "hit");
  assert.equal(sha256(fromKv.body), sha256(other.body));
  await atEdge(url);
  assert.equal(sha256((await watch(url)).body), sha256(other.body));
});

/**
 * Two pages: how requests happen to overlap decides whether their futures need one more. A body that passed through
 * would need its largest blocks, of 512 KiB, at the least.
 */
const WASM_NOISE = 2 * 64 * 1024;

test("a body of 100 MiB leaves the worker's wasm memory where one of four chunks leaves it", async (t) => {
  const transformer = await startTransformer();
  t.after(() => transformer.stop());
  const observed = await startWorld({ config: transformer.config, around: window() });
  t.after(() => observed.stop());

  const MIB = 1024 * 1024;
  /** @param {string} path @param {Record<string, string>} [headers] */
  const bytesOf = async (path, headers) => {
    const response = await open(`${observed.worker}${path}?width=640`, { headers });
    let bytes = 0;
    for await (const piece of response) bytes += piece.length;
    assert.ok(response.complete, `${path} broke off after ${bytes} bytes`);
    return bytes;
  };
  /** Cold, in part, from KV and from the edge. @param {number} bytes @param {string} [folder] */
  const everyWay = async (bytes, folder = "") => {
    const path = `/videos/${folder}${bytes}.mp4`;
    assert.equal(await bytesOf(path), bytes);
    await eventually(() => inKv(observed, path.slice(1)), `${path} in KV`);
    await observed.clearEdge();
    assert.equal(await bytesOf(path, { range: "bytes=10-19" }), 10);
    assert.equal(await bytesOf(path), bytes);
    await atEdge(`${observed.worker}${path}?width=640`);
    assert.equal(await bytesOf(path), bytes);
    assert.equal(await bytesOf(path, { range: `bytes=${bytes / 2}-` }), bytes / 2);
  };
  // Each kind of request with a small body, and with one in few chunks: whatever they need, they have had.
  for (const bytes of [1024, 26 * MIB]) {
    for (const folder of ["", "no-length/", "again/"]) await everyWay(bytes, folder);
  }
  await bytesOf(`/videos/no-length/${30 * MIB}.mp4`, { range: "bytes=0-" });
  const small = { wasm: await wasmBytes(observed), rss: workerdKib() };

  await everyWay(100 * MIB);
  await everyWay(10 * MIB, "no-length/");
  assert.equal(await bytesOf(`/videos/no-length/${100 * MIB}.mp4`, { range: "bytes=0-" }), 100 * MIB);
  const { wasm, rss } = { wasm: await wasmBytes(observed), rss: workerdKib() };

  t.diagnostic(`wasm memory ${small.wasm} bytes before, ${wasm} after`);
  t.diagnostic(`workerd RSS ${Math.round(small.rss / 1024)} MiB before, ${Math.round(rss / 1024)} MiB after`);
  assert.ok(wasm - small.wasm <= WASM_NOISE, `wasm memory grew from ${small.wasm} to ${wasm} bytes`);
});
