// Every kind of weather is felt by today's worker, met by the operations it was ordered for and by no others, and
// over when it is taken back. What the worker makes of it beyond that is for other tests.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startWorld } from "../../scripts/world.mjs";
import { eventually } from "./ask.mjs";
import { wasmBytes } from "./observed.mjs";
import { calls, COUNTING } from "./platform-calls.mjs";
import { assertExact, inexact, read } from "./reader.mjs";
import { startTransformer } from "./transformer.mjs";
import { cacheStatus } from "./viewer.mjs";
import { atOnce, tally, weather, weatherAround } from "./weather.mjs";

const MIB = 1024 * 1024;

/** Longer than anything waits for by itself here. */
const LATE_MS = 700;

/** What the worker allows each tier where a test needs it to lose patience. */
const BUDGET_MS = 300;

/** @type {import("./transformer.mjs").Transformer} */
let transformer;
/** @type {import("../../scripts/world.mjs").World} */
let world;
/** @type {ReturnType<typeof weather>} */
let sky;

before(async () => {
  transformer = await startTransformer();
  // Without a gate every rendition is written once, and every operation is one that is looked for.
  world = await startWorld({ config: transformer.config, gate: false, around: weatherAround() });
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
 * @param {number} [total]
 */
function video(total = 100_000) {
  videos += 1;
  const path = `videos/${videos}/${total}.mp4`;
  return { total, key: `video:${path}:w=640:f=mp4`, url: `${world.worker}/${path}?width=640` };
}

/**
 * Asks for it once and waits until it is kept.
 *
 * @param {ReturnType<typeof video>} it
 */
async function keep({ url, total }) {
  const seed = assertExact(await read(url), { total });
  await sky.settled();
  return seed;
}

/** What KV alone has to say: the edge forgets everything first. @param {ReturnType<typeof video>} it @param {Record<string, string>} [headers] */
async function fromKv({ url }, headers) {
  await sky.settled();
  await world.clearEdge();
  return read(url, { headers });
}

/** @param {import("./weather.mjs").Order} order @param {(struck: () => Promise<number>) => Promise<void>} meanwhile */
async function during(order, meanwhile) {
  const { withdraw, struck } = await sky.order(order);
  await meanwhile(struck);
  await withdraw();
}

test("calm is calm: the worker asks what it asks without us, in the same order, and answers the same", async (t) => {
  const bare = await startWorld({ config: transformer.config, gate: false, around: COUNTING });
  t.after(() => bare.stop());
  await sky.calm();
  await sky.forget();
  const it = video();
  const rename = { match: "cache.match", put: "cache.put", getWithMetadata: "kv.getWithMetadata" };
  for (const where of ["cold", "at the edge", "in KV"]) {
    const [here, there] = [await read(it.url), await read(it.url.replace(world.worker, bare.worker))];
    for (const answer of [here, there]) assertExact(answer, { total: it.total });
    const steady = ({ headers }) => Object.keys(headers).sort();
    assert.deepEqual(steady(here), steady(there), where);
    assert.deepEqual(cacheStatus(here), cacheStatus(there), where);
    await eventually(async () => cacheStatus(await read(it.url, { method: "HEAD" })).edge === "hit", "the edge has it");
    await eventually(
      async () => cacheStatus(await read(it.url.replace(world.worker, bare.worker), { method: "HEAD" })).edge === "hit",
      "the other edge has it",
    );
    const ours = (await sky.settled()).filter(({ on, key }) => !on.startsWith("config.") && key !== "purges");
    const kinds = (/** @type {string[]} */ names) => [...new Set(names)].sort();
    const asThere = (/** @type {string} */ on) => rename[/** @type {"match"} */ (on.split(".")[1])] ?? on;
    const counted = kinds(ours.map(({ on }) => (on === "kv.put" ? on : asThere(on))));
    assert.deepEqual(counted, kinds(calls(bare).filter((name) => !["fetch", "limiter.limit"].includes(name))), where);
    assert.deepEqual(new Set(ours.map(({ outcome }) => outcome).filter((outcome) => outcome !== "nothing")), new Set(["done"]));
    await sky.forget();
    bare.forgetLogs();
    if (where === "at the edge") {
      await world.clearEdge();
      await bare.clearEdge();
    }
  }
  assert.ok((await wasmBytes(world)) > 0);
});

test("operations are counted by kind and beginning of key, with their outcomes, in their order", async () => {
  const it = video();
  await sky.forget();
  await keep(it);
  const operations = await sky.settled();
  const counts = tally(operations.filter(({ on, key }) => !on.startsWith("config.") && key !== "purges"));
  assert.deepEqual(counts, { "edge.match": 1, "kv.getWithMetadata video:": 1, "kv.put video:": 1, "edge.put": 1 });
  const [lookup, look, ...puts] = operations.filter(({ on, key }) => !on.startsWith("config.") && key !== "purges");
  assert.deepEqual([lookup, look].map(({ on, outcome }) => [on, outcome]), [["edge.match", "nothing"], ["kv.getWithMetadata", "nothing"]]);
  assert.deepEqual(puts.map(({ outcome }) => outcome), ["done", "done"]);
  assert.equal(look.key, it.key);
  assert.equal(atOnce([lookup, look]), 1);
  assert.equal(atOnce(puts), 2);
  assert.ok(look.n > Number(lookup.endedAs));
});

test("bytes are counted where that is ordered, there and back, and stay the same", async () => {
  const it = video(3 * MIB);
  await during({ on: ["kv", "edge"], weighed: true }, async () => {
    await sky.forget();
    const seed = await keep(it);
    assert.equal(assertExact(await fromKv(it), { total: it.total, seed }), seed);
    const weighed = (await sky.settled()).filter(({ bytes }) => bytes).map(({ on, bytes }) => `${on} ${bytes}`);
    assert.deepEqual(weighed.sort(), ["edge.put", "edge.put", "kv.getWithMetadata", "kv.put"].map((on) => `${on} ${3 * MIB}`));
  });
});

test("a late read of KV is felt before the first byte, a late write by nobody", async () => {
  const it = video();
  const seed = await keep(it);
  await during({ on: "kv.getWithMetadata", prefix: "video:", late: LATE_MS }, async (struck) => {
    const answer = await fromKv(it);
    assertExact(answer, { total: it.total, seed });
    assert.ok(answer.firstByteMs > LATE_MS, `${answer.firstByteMs} ms`);
    assert.equal(await struck(), 1);
  });
  assert.ok((await fromKv(it)).firstByteMs < LATE_MS);
  const other = video();
  await during({ on: ["kv.put", "edge.put"], late: LATE_MS }, async () => {
    await sky.forget();
    const answer = await read(other.url);
    assert.ok(answer.wholeMs < LATE_MS, `${answer.wholeMs} ms`);
    const puts = (await sky.settled()).filter(({ on }) => on.endsWith(".put"));
    assert.deepEqual(puts.map(({ began, ended = 0 }) => ended - began >= LATE_MS), [true, true]);
  });
});

test("a tier that never answers is held until the order is taken back, and the worker's patience shows", async (t) => {
  const config = { ...transformer.config, cache: { edgeTimeoutMs: BUDGET_MS, kvTimeoutMs: BUDGET_MS } };
  const impatient = await startWorld({ config, around: weatherAround() });
  t.after(() => impatient.stop());
  const [there, it] = [weather(impatient), video()];
  const url = it.url.replace(world.worker, impatient.worker);
  assertExact(await read(url), { total: it.total });
  await there.settled();
  for (const on of ["kv.getWithMetadata", "edge.match"]) {
    if (on === "kv.getWithMetadata") await impatient.clearEdge();
    const { withdraw } = await there.order({ on, late: "forever" });
    await there.forget();
    const answer = await read(url);
    assertExact(answer, { total: it.total });
    assert.ok(answer.firstByteMs > BUDGET_MS, `${on}: ${answer.firstByteMs} ms`);
    assert.equal((await there.operations()).find((each) => each.on === on)?.outcome, "under way");
    await withdraw();
    const ended = (await there.settled()).find((each) => each.on === on);
    assert.match(ended?.outcome ?? "", /^(abandoned|done|nothing)$/);
  }
});

test("only the n-th operation of a key fails, and is over", async () => {
  const it = video();
  const seed = await keep(it);
  await during({ on: "kv.getWithMetadata", key: it.key, nth: 2, fails: "KV GET failed: 429 Too Many Requests" }, async (struck) => {
    await sky.forget();
    for (const expected of [/^hit/, /^fwd/, /^hit/]) {
      const answer = await fromKv(it);
      assert.match(cacheStatus(answer).kv ?? "", expected);
      const made = assertExact(answer, { total: it.total });
      assert.equal(made === seed, expected.source === "^hit" && transformer.runs(`/${videos}/`).length === 1);
    }
    const outcomes = (await sky.settled()).filter(({ key, on }) => key === it.key && on !== "kv.put").map(({ outcome }) => outcome);
    assert.deepEqual(outcomes, ["done", "KV GET failed: 429 Too Many Requests", "done"]);
    assert.equal(await struck(), 1);
  });
});

test("a write that fails keeps nothing, one that is unacknowledged keeps all, one that misses says it did", async () => {
  for (const [effect, kept, outcome] of /** @type {const} */ ([
    [{ fails: true }, false, /^kv.put failed: 500/],
    [{ unacknowledged: true }, true, /^kv.put failed: its answer was lost/],
    [{ misses: true }, false, /^done$/],
  ])) {
    const it = video();
    await during({ on: "kv.put", prefix: it.key, ...effect }, async () => {
      await sky.forget();
      await keep(it);
      const put = (await sky.settled()).find(({ on }) => on === "kv.put");
      assert.match(put?.outcome ?? "", outcome);
      assert.equal((await world.kv.cache.get(it.key)) !== null, kept, outcome.source);
    });
  }
});

test("what is there is missed where that is ordered: in KV, at the edge", async () => {
  const [it, other] = [video(), video()];
  await keep(it);
  await keep(other);
  await during({ on: "edge.match", misses: true }, async () => {
    assert.match(cacheStatus(await read(it.url)).edge ?? "", /^fwd=uri-miss/);
  });
  await sky.settled();
  assert.equal(cacheStatus(await read(it.url)).edge, "hit");
  await during({ on: "kv.getWithMetadata", key: it.key, misses: true }, async () => {
    assert.match(cacheStatus(await fromKv(it)).kv ?? "", /^fwd=uri-miss/);
    assert.match(cacheStatus(await fromKv(other)).kv ?? "", /^hit/, "another key is none of its business");
  });
  await during({ on: "kv.getWithMetadata", prefix: "chunk:", misses: true }, async (struck) => {
    assert.match(cacheStatus(await fromKv(it)).kv ?? "", /^hit/);
    assert.equal(await struck(), 0);
  });
});

test("a key that was looked up in vain stays missed for its time, though it is there", async () => {
  const it = video();
  await during({ on: "kv.getWithMetadata", missesForMs: 1500 }, async () => {
    await keep(it);
    const missed = Date.now();
    assert.ok(await world.kv.cache.get(it.key));
    assert.match(cacheStatus(await fromKv(it)).kv ?? "", /^fwd=uri-miss/);
    await eventually(async () => /^hit/.test(cacheStatus(await fromKv(it)).kv ?? ""), "KV's memory of nothing fades");
    assert.ok(Date.now() - missed > 1000);
  });
});

test("a read finds another key's entry, or other metadata, where that is ordered", async () => {
  const [it, other] = [video(), video()];
  const [seed, otherSeed] = [await keep(it), await keep(other)];
  await during({ on: "kv.getWithMetadata", key: it.key, as: other.key }, async () => {
    assertExact(await fromKv(it), { total: it.total, seed: otherSeed });
  });
  assertExact(await fromKv(it), { total: it.total, seed });
  await during({ on: "kv.getWithMetadata", key: it.key, metadata: { v: 99 } }, async () => {
    assert.match(cacheStatus(await fromKv(it)).kv ?? "", /^fwd/);
  });
});

test("a body from KV ends, breaks off, lies and stalls at its byte, on its way to the viewer", async () => {
  const it = video(2 * MIB);
  const seed = await keep(it);
  for (const [then, wrong] of /** @type {const} */ ([
    ["ends", /^it broke off after/],
    ["breaks", /^it broke off after/],
    ["lies", new RegExp(`^from byte ${MIB + 1}: bytes of no body`)],
  ])) {
    const range = { range: "bytes=0-" };
    await during({ on: "kv.getWithMetadata", key: it.key, body: { at: MIB + 1, then } }, async () => {
      for (const headers of [undefined, range]) {
        const answer = await fromKv(it, headers);
        assert.match(inexact(answer, { total: it.total, ...(headers && { ranges: [[0, it.total - 1]] }) }), wrong, then);
        assert.ok(answer.bytes >= (then === "lies" ? it.total : 0) && answer.bytes <= it.total);
      }
    });
  }
  const { withdraw } = await sky.order({ on: "kv.getWithMetadata", key: it.key, body: { at: MIB + 1, then: "stalls" } });
  let done = false;
  const stalled = fromKv(it).finally(() => (done = true));
  await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  assert.equal(done, false);
  await withdraw();
  assertExact(await stalled, { total: it.total, seed });
});

test("a body on its way into KV ends early unnoticed, lies, or breaks off with the write", async () => {
  for (const [body, effect, outcome] of /** @type {const} */ ([
    [{ at: 1000, then: "ends" }, {}, /^done$/],
    [{ at: 1000, then: "ends" }, { unacknowledged: true }, /^kv.put failed: its answer was lost/],
    [{ at: 1000, then: "lies" }, {}, /^done$/],
    [{ at: 1000, then: "breaks" }, {}, /Network connection lost/],
  ])) {
    const it = video();
    await during({ on: "kv.put", key: it.key, body, ...effect }, async () => {
      await sky.forget();
      await keep(it);
      const put = (await sky.settled()).find(({ on }) => on === "kv.put");
      assert.match(put?.outcome ?? "", outcome, body.then);
      const kept = await world.kv.cache.get(it.key, "arrayBuffer");
      if (body.then === "ends") assert.equal(kept.byteLength, 1000);
      if (body.then === "lies") assert.equal(kept.byteLength, it.total);
      if (body.then === "lies") assert.match(inexact(await fromKv(it), { total: it.total }), /^from byte 1000: bytes of no body/);
    });
  }
});

test("the edge is as wrong as KV can be", async () => {
  const it = video();
  const seed = await keep(it);
  for (const [effect, wrong] of /** @type {[Record<string, any>, RegExp][]} */ ([
    [{ body: { at: 5000, then: "lies" } }, /^from byte 5000: bytes of no body/],
    [{ body: { at: 5000, then: "breaks" } }, /^it broke off|^status 0/],
  ])) {
    await during({ on: "edge.match", ...effect }, async () => {
      assert.match(inexact(await read(it.url), { total: it.total }), wrong);
    });
  }
  await during({ on: "edge.match", fails: true }, async () => {
    const answer = await read(it.url);
    assertExact(answer, { total: it.total, seed });
    assert.match(cacheStatus(answer).kv ?? "", /^hit/);
  });
  await sky.settled();
  await world.clearEdge();
  await during({ on: "edge.put", fails: true }, async (struck) => {
    await read(it.url);
    await eventually(async () => (await struck()) === 1, "the put");
  });
  assert.match(cacheStatus(await read(it.url)).edge ?? "", /^fwd/);
});

test("an order that could never be met is refused", async () => {
  for (const order of [{ on: "kv.match", misses: true }, { on: "kv" }, { on: "kv", misess: true }, { on: "kv", body: { at: 1, then: "bursts" } }]) {
    await assert.rejects(sky.order(/** @type {any} */ (order)), /^Error: no such weather/);
  }
});
