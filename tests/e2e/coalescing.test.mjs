// Many viewers, one fill: who asks for what nobody has waits for the first of them, and gets what that one made, whole
// or in parts, wherever it is kept; and whatever becomes of the first, of the gate or of the tiers, everybody is served.

import assert from "node:assert/strict";
import http from "node:http";
import { after, afterEach, before, test } from "node:test";
import { startWorld } from "../../scripts/world.mjs";
import { eventually } from "./ask.mjs";
import { gateAround, gates } from "./gate-weather.mjs";
import { assertExact, inexact, read } from "./reader.mjs";
import { startTransformer } from "./transformer.mjs";
import { cacheStatus } from "./viewer.mjs";
import { tally, weather } from "./weather.mjs";

const MIB = 1024 * 1024;

/** What a rendition takes to be made, where it matters: all viewers are there by then. */
const SLOW_MS = 2_000;

/** As the worker is configured here: how long the gate may take. */
const GATE_MS = 300;

/** What a busy machine may add to a time that is measured. */
const SLACK_MS = 1_500;

const VIEWERS = 200;

/** @type {import("./transformer.mjs").Transformer} */
let transformer;
/** @type {import("../../scripts/world.mjs").World} */
let world;
/** @type {ReturnType<typeof weather>} */
let sky;
/** @type {ReturnType<typeof gates>} */
let gate;

before(async () => {
  transformer = await startTransformer();
  const [rule] = transformer.config.origins;
  world = await startWorld({
    config: {
      ...transformer.config,
      origins: [{ ...rule, name: "no-edge", pattern: "^/(no-edge/.+)$", cache: { edge: false } }, rule],
      transformer: { ...transformer.config.transformer, timeoutMs: 15_000 },
      cache: { gateTimeoutMs: GATE_MS },
      sources: { fallbackToOriginal: false },
      ttl: { serverError: 1 },
    },
    around: gateAround(),
  });
  sky = weather(world);
  gate = gates(world);
});
after(async () => {
  transformer?.stop();
  await world?.stop();
});

afterEach(async () => {
  await sky.calm();
  await gate.calm();
});

let videos = 0;

/** A rendition that nobody has asked for yet. */
function video({ total = 200_000, where = world, below = "videos" } = {}) {
  videos += 1;
  const path = `/${below}/${videos}/${total}.mp4`;
  return { path, total, url: `${where.worker}${path}?width=640` };
}

/** @typedef {ReturnType<typeof video>} Video */

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks, and leaves before the answer begins. @param {string} url @param {number} ms */
async function leaves(url, ms) {
  const request = http.get(url, { agent: false });
  request.on("error", () => {});
  await sleep(ms);
  request.destroy();
}

/** @type {[number, number][][]} what viewers ask for who want parts */
const PARTS = [[[0, 99]], [[1_000, 150_000]], [[0, 9], [70_000, 80_000], [190_000, 190_009]]];

/** @param {[number, number][]} ranges @returns {Record<string, string>} */
const rangeOf = (ranges) => ({ range: `bytes=${ranges.map(([first, last]) => `${first}-${last}`).join()}` });

/**
 * A crowd of every kind at once, the first of whom leaves before anything is made. Those who stay have exactly what they
 * asked for, all of one body.
 *
 * @param {Video} it
 * @param {number} viewers
 * @param {number} [whole] how many of them want all of it
 */
async function crowd({ url, total }, viewers, whole = viewers) {
  const first = leaves(url, SLOW_MS / 2);
  await sleep(100);
  let wholes = 0;
  const all = Array.from({ length: viewers - 1 }, async (_, at) => {
    if (at % 10 === 3) return leaves(url, 100 + 10 * at);
    if (at % 10 === 4) return void (await read(url, { leavesAt: 1 }));
    if (at % 10 === 5) return { head: await read(url, { method: "HEAD" }) };
    wholes += 1;
    if (at % 10 < 3 || wholes > whole) {
      const ranges = PARTS[at % PARTS.length];
      return { ranges, answer: await read(url, { headers: rangeOf(ranges) }) };
    }
    return { answer: await read(url) };
  });
  const [answers] = await Promise.all([Promise.all(all), first]);
  const seeds = new Set();
  const tags = new Set();
  for (const { head, answer, ranges } of answers.filter((each) => each !== undefined)) {
    if (head) {
      assert.equal(head.status, 200);
      assert.equal(head.bytes, 0);
    }
    if (!answer) continue;
    seeds.add(assertExact(answer, { total, ranges }));
    tags.add(answer.headers.etag);
    assert.match(cacheStatus(answer).kv ?? "", /^fwd=uri-miss; (collapsed|fwd-status=200; stored)$/);
  }
  assert.deepEqual([seeds.size, tags.size], [1, 1], "bodies, and their tags");
  return /** @type {number} */ ([...seeds][0]);
}

/** Those who ask for the whole at once. @param {Video} it @param {number} viewers */
const all = ({ url }, viewers) => Promise.all(Array.from({ length: viewers }, () => read(url)));

/** @param {import("./reader.mjs").Read} answer @returns {number} what it waited at the gate, as it says itself */
const gateMs = ({ headers }) => Number(String(headers["server-timing"]).match(/(?:^|, )gate;dur=(\d+)/)?.[1] ?? Number.NaN);

test("200 who come at once, for all of it and for parts, staying and leaving, cost one transform and one fill", async () => {
  const it = video();
  transformer.order(it.path, { startMs: SLOW_MS });
  await sky.forget();
  const seed = await crowd(it, VIEWERS);
  assert.deepEqual(transformer.runs(it.path).map(({ seed, end }) => [seed, end]), [[seed, "whole"]]);
  const counts = tally(await sky.settled(), ["video:", "fill:"]);
  assert.deepEqual([counts["kv.put video:"], counts["kv.put fill:"]], [1, 1]);

  const asked = await gate.asked(it.path.slice(1));
  const count = (/** @type {string} */ word) => asked.filter((each) => each === word).length;
  assert.deepEqual([count("publish"), count("finish")], [1, 1]);
  assert.equal(count("wait"), count("enter") - 1, "all but one wait");
  await read(it.url);
  assert.equal((await gate.asked(it.path.slice(1))).length, asked.length, "a hit asks no gate");
});

test("the same of 30 MiB, from chunks in KV", async () => {
  const it = video({ total: 30 * MIB });
  transformer.order(it.path, { startMs: SLOW_MS });
  await sky.forget();
  const { withdraw } = await sky.order({ on: "edge.match", misses: true });
  const seed = await crowd(it, VIEWERS, 3);
  await withdraw();
  assert.deepEqual(transformer.runs(it.path).map(({ seed, end }) => [seed, end]), [[seed, "whole"]]);
  const counts = tally(await sky.settled());
  const { keys } = await world.kv.cache.list({ prefix: "chunk:" });
  assert.deepEqual([counts["kv.put video:"], counts["kv.put chunk:"]], [1, keys.length]);
});

test("who has looked in KV in vain finds it all the same, and so does who comes later where that is remembered", async () => {
  const nowhere = await sky.order({ on: "edge.match", misses: true });
  for (const it of [video(), video({ below: "no-edge/no-length" }), video({ total: 30 * MIB, below: "no-edge" })]) {
    transformer.order(it.path, { startMs: SLOW_MS / 2 });
    const denial = await sky.order({ on: "kv.getWithMetadata", prefix: "video:", missesForMs: 60_000 });
    const viewers = it.total > MIB ? 3 : 50;
    const seeds = (await all(it, viewers)).map((answer) => assertExact(answer, { total: it.total }));
    assert.equal(new Set(seeds).size, 1, it.path);
    await sky.settled();
    const later = await read(it.url);
    assertExact(later, { total: it.total, seed: seeds[0] });
    assert.match(cacheStatus(later).kv ?? "", /^fwd=uri-miss; collapsed/);
    assert.equal(transformer.runs(it.path).length, 1, it.path);
    assert.ok((await denial.struck()) > viewers);
    await denial.withdraw();
  }
  await nowhere.withdraw();
});

test("a transform that fails is tried once for all who wait, and they are told the same", async () => {
  for (const { status, is, remembered } of [{ status: 500, is: 502, remembered: true }, { status: 503, is: 503, remembered: false }]) {
    const it = video();
    const calm = transformer.order(it.path, { status, startMs: SLOW_MS / 2 });
    const answers = await all(it, 50);
    for (const answer of answers) {
      assert.equal(answer.status, is, answer.text);
      const { request_id: id, ...problem } = JSON.parse(answer.text);
      assert.equal(id, answer.headers["x-request-id"]);
      const { request_id: _, ...first } = JSON.parse(answers[0].text);
      assert.deepEqual(problem, first);
    }
    assert.equal(transformer.runs(it.path).length, 1);
    calm();
    if (remembered) await eventually(async () => (await read(it.url)).status === 200, "it is forgotten after a second");
    else assertExact(await read(it.url), { total: it.total });
    assert.equal(transformer.runs(it.path).length, 2);
  }
});

test("what may not be kept is made for everyone, and is nobody else's", async () => {
  const it = video();
  transformer.order(it.path, { startMs: SLOW_MS / 2, headers: { "cache-control": "private" } });
  const answers = await all(it, 20);
  const seeds = answers.map((answer) => assertExact(answer, { total: it.total }));
  assert.equal(new Set(seeds).size, 20);
  assert.equal(transformer.runs(it.path).length, 20);
  for (const { headers } of answers) assert.equal(headers["cache-control"], "no-store");
});

test("when the first body breaks off, one other makes it for all who wait", async () => {
  const it = video();
  transformer.order(it.path, { startMs: 200 });
  transformer.order(it.path, { startMs: SLOW_MS, breaksAt: 100_000, times: 1 });
  const answers = await all(it, 50);
  const broken = answers.filter((answer) => inexact(answer, { total: it.total }) !== "");
  assert.ok(broken.length <= 1, `${broken.length} were broken`);
  const seeds = new Set(answers.filter((answer) => !broken.includes(answer)).map(({ spans: [{ check }] }) => check.seed));
  assert.equal(seeds.size, 1);
  assert.equal(transformer.runs(it.path).length, 2);
});

test("when the first is never heard of again, one other makes it for all who wait", async () => {
  const it = video();
  const calm = transformer.order(it.path, { startMs: 600_000, times: 1 });
  await gate.order({ gate: "hangs", asked: ["beat"], key: it.path.slice(1) });
  const first = leaves(it.url, 1_000);
  await sleep(200);
  const answers = await all(it, 50);
  await Promise.all([first, gate.calm()]);
  assert.equal(new Set(answers.map((answer) => assertExact(answer, { total: it.total }))).size, 1);
  assert.equal(transformer.runs(it.path).length, 2);
  calm();
});

for (const how of /** @type {const} */ (["hangs", "fails", "babbles", "refuses"])) {
  test(`a gate that ${how} keeps nobody from anything, and for no longer than it may`, async () => {
    const it = video();
    await gate.order({ gate: how, key: it.path.slice(1) });
    const answers = await all(it, 20);
    for (const answer of answers) {
      assertExact(answer, { total: it.total });
      assert.ok(gateMs(answer) <= GATE_MS + SLACK_MS, `${gateMs(answer)} ms at the gate`);
    }
    if (how === "hangs") assert.ok(gateMs(answers[0]) >= GATE_MS);
    await sky.settled();
    assert.equal(cacheStatus(await read(it.url)).edge, "hit", "what was made is kept");
    await gate.calm();
  });
}

test("a gate that falls silent during a fill loses nobody, and the fill is kept", async () => {
  const it = video();
  transformer.order(it.path, { startMs: SLOW_MS / 2 });
  await gate.order({ gate: "fails", asked: ["wait", "beat", "publish", "finish"], key: it.path.slice(1) });
  for (const answer of await all(it, 20)) assertExact(answer, { total: it.total });
  await sky.settled();
  assert.equal(cacheStatus(await read(it.url)).edge, "hit");
  await gate.calm();
});

test("nobody waits longer than is configured", async (t) => {
  const patient = await startWorld({ config: { ...transformer.config, cache: { coalesceWaitMs: 300 } } });
  t.after(() => patient.stop());
  const it = video({ where: patient });
  transformer.order(it.path, { startMs: SLOW_MS });
  const answers = await all(it, 10);
  for (const answer of answers) assertExact(answer, { total: it.total });
  const waits = answers.map(gateMs).sort((a, b) => a - b);
  assert.ok(waits[1] >= 300 && waits[9] <= 300 + SLACK_MS, `${waits}`);
  assert.equal(transformer.runs(it.path).length, 10);
});

test("without a gate, or where it is switched off, everybody makes their own", async (t) => {
  for (const options of [{ gate: false }, { config: { cache: { coalesce: false } } }]) {
    const open = await startWorld({ ...options, config: { ...transformer.config, ...options.config } });
    t.after(() => open.stop());
    const it = video({ where: open });
    transformer.order(it.path, { startMs: SLOW_MS / 2 });
    const answers = await all(it, 20);
    for (const answer of answers) {
      assertExact(answer, { total: it.total });
      assert.ok(Number.isNaN(gateMs(answer)), "nobody asked");
    }
    assert.equal(transformer.runs(it.path).length, 20);
    await eventually(async () => cacheStatus(await read(it.url)).edge === "hit", "one of them is kept");
  }
});
