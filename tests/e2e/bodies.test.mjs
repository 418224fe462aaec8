// Large bodies: what does not fit in one KV value, what many ask for at once, what nobody reads, and how little
// of any of it the worker's own memory sees.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startWorld } from "../../scripts/world.mjs";
import { eventually, sha256 } from "./ask.mjs";
import { wasmBytes, window, workerdKib } from "./observed.mjs";
import { startTransformer } from "./transformer.mjs";
import { cacheStatus, inKv, open, transformsOf, watch } from "./viewer.mjs";

/** The largest value KV takes (developers.cloudflare.com/kv/platform/limits). */
const KV_VALUE_BYTES_MAX = 25 * 1024 * 1024;

/** 28 MB as a rendition: too large for one value. */
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

test("a rendition of over 25 MiB is served whole and by ranges, and kept at the edge, and in KV in chunks", async () => {
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
  const { metadata } = await eventually(() => inKv(world, LARGE.slice(1)), "the rendition in KV");
  assert.equal(metadata.n, whole.body.length);

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

test("a body of 100 MiB leaves the worker's wasm memory where one of 1 KiB and one in a few chunks leave it", async (t) => {
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
  // Each kind of request with a small body, and with a large one: whatever they need, they have had.
  for (const name of ["1024", "1025", "no-length/1026"]) {
    assert.equal(await bytesOf(`/videos/${name}.mp4`), Number(name.replace(/\D/g, "")));
    await atEdge(`${observed.worker}/videos/${name}.mp4?width=640`);
    await bytesOf(`/videos/${name}.mp4`, { range: "bytes=10-19" });
  }
  for (const name of [`${30 * MIB}`, `no-length/${30 * MIB}`]) await bytesOf(`/videos/${name}.mp4`, { range: "bytes=0-" });
  await atEdge(`${observed.worker}/videos/${30 * MIB}.mp4?width=640`);
  const small = { wasm: await wasmBytes(observed), rss: workerdKib() };

  const large = `/videos/${100 * MIB}.mp4`;
  assert.equal(await bytesOf(large), 100 * MIB);
  await atEdge(`${observed.worker}${large}?width=640`);
  assert.equal(await bytesOf(large), 100 * MIB);
  assert.equal(await bytesOf(large, { range: `bytes=${50 * MIB}-` }), 50 * MIB);
  assert.equal(await bytesOf(`/videos/no-length/${10 * MIB}.mp4`), 10 * MIB);
  assert.equal(await bytesOf(`/videos/no-length/${100 * MIB}.mp4`, { range: "bytes=0-" }), 100 * MIB);
  const { wasm, rss } = { wasm: await wasmBytes(observed), rss: workerdKib() };

  t.diagnostic(`wasm memory ${small.wasm} bytes before, ${wasm} after`);
  t.diagnostic(`workerd RSS ${Math.round(small.rss / 1024)} MiB before, ${Math.round(rss / 1024)} MiB after`);
  assert.equal(wasm, small.wasm);
});
