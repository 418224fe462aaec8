// demo: a tour of the caching for a newcomer, on real video. Each stop prints what was asked and what the tiers
// said of it; `npm test -- tests/e2e/tour.test.mjs` shows it alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, eventually, sha256, tierOf } from "./ask.mjs";
import { openStage, sampleFor } from "./stage.mjs";

/** @type {import("./stage.mjs").Stage} */
let stage;
before(async () => {
  stage = await openStage();
});
after(() => stage?.stop());

/**
 * Asks, and prints what came back.
 *
 * @param {import("node:test").TestContext} t
 * @param {string} why
 * @param {string} target
 * @param {Parameters<typeof ask>[1]} [options]
 */
async function show(t, why, target, options = {}) {
  const began = performance.now();
  const answer = await stage.ask(target, options);
  const ms = Math.round(performance.now() - began);
  const headers = Object.entries(options.headers ?? {}).map(([name, value]) => ` (${name}: ${value})`);
  t.diagnostic(why);
  t.diagnostic(`  ${options.method ?? "GET"} ${target}${headers.join("")}`);
  t.diagnostic(`  ${answer.status}, ${answer.body.length} bytes in ${ms} ms`);
  t.diagnostic(`  Cache-Status: ${answer.headers["cache-status"]}`);
  return answer;
}

/** What the transformation has been billed so far. */
const billed = async () => (await stage.origin.bill()).operations;

test("demo: a rendition is made once, and comes nearer each time it is asked for", async (t) => {
  const target = sampleFor("nearer", "width=640&height=360");
  const made = await show(t, "The first viewer orders it: no tier has it, so the transformation makes it.", target);
  assert.equal(tierOf(made), "made");
  const bill = await billed();

  await eventually(async () => {
    const { edge, kv } = await stage.kept(target);
    return edge && kv;
  }, "both tiers have it");
  t.diagnostic("Behind the first viewer's back it was written to both tiers.");

  const fromEdge = await show(t, "The second viewer gets it from the data centre's own cache.", target);
  assert.equal(tierOf(fromEdge), "edge");

  await stage.clearEdge();
  const fromKv = await show(t, "In another data centre the edge is empty; Workers KV has it for the whole world.", target);
  assert.equal(tierOf(fromKv), "kv");

  await eventually(async () => (await stage.kept(target)).edge, "the edge has its copy");
  const again = await show(t, "The next viewer there has it from that edge: a hit in KV left a copy.", target);
  assert.equal(tierOf(again), "edge");

  assert.equal(new Set([made, fromEdge, fromKv, again].map(({ body }) => sha256(body))).size, 1);
  assert.equal(new Set([made, fromEdge, fromKv, again].map(({ headers }) => headers.etag)).size, 1);
  assert.equal(await billed(), bill);
  t.diagnostic(`Four viewers, the same bytes under the same ETag, billed once: ${bill} operations.`);
});

test("demo: however it is spelled, the same recipe is the same entry", async (t) => {
  await show(t, "One spelling orders it.", sampleFor("spelled", "width=480&height=270"));
  await eventually(async () => (await stage.kept(sampleFor("spelled", "width=480&height=270"))).edge, "the edge has it");
  const other = await show(t, "Another spelling finds it.", sampleFor("spelled", "h=270&w=480&mode=video&fit=contain"));
  assert.equal(tierOf(other), "edge");
  const smaller = await show(t, "Another size is another entry.", sampleFor("spelled", "h=180&w=320"));
  assert.equal(tierOf(smaller), "made");
});

test("demo: a browser's first request is a range, and fills the caches with the whole", async (t) => {
  const target = sampleFor("player", "width=640&height=360&audio=false");
  const first = await show(t, "A player asks for bytes=0- of something that was never made.", target, { headers: { range: "bytes=0-" } });
  assert.equal(first.status, 206);
  await eventually(async () => (await stage.kept(target)).edge, "the edge has it");
  const seek = await show(t, "It seeks to the end: the edge cuts what it has.", target, { headers: { range: "bytes=-1000" } });
  assert.equal(tierOf(seek), "edge");
  assert.equal(sha256(seek.body), sha256(first.body.subarray(-1000)));

  const etag = first.headers.etag;
  const known = await show(t, "Tomorrow it asks whether its copy is still good, and no byte is sent.", target, { headers: { "if-none-match": etag } });
  assert.equal(known.status, 304);
  assert.equal(known.body.length, 0);
});

test("demo: when no rendition can be made, the viewer gets the original and the caches keep nothing", async (t) => {
  const target = sampleFor("broken", "width=600&height=338");
  await stage.origin.order({ match: "width=600", on: "transform", fault: { kind: "status", status: 503 } });
  const original = await show(t, "The transformation is overloaded: the original plays as well.", target);
  assert.equal(original.status, 200);
  assert.equal(original.headers["cache-control"], "no-store");
  assert.deepEqual(await stage.kept(target), { edge: false, kv: false });

  await stage.origin.takeBackFaults();
  const made = await show(t, "A moment later it works again, and the rendition is made.", target);
  assert.equal(tierOf(made), "made");
  assert.notEqual(sha256(made.body), sha256(original.body));
});
