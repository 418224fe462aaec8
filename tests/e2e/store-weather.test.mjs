// The store in bad weather: KV slow, failing, forgetful or wrong, at every one of its operations in turn. A viewer gets
// exactly the bytes, or sees that the transfer broke; and whoever comes afterwards gets the whole. Chunks are as small
// as they can be here; store-large.test.mjs has them as large as they are.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { eventually } from "./ask.mjs";
import { assertExact, inexact, read } from "./reader.mjs";
import { assertExactOrBroken, openStore, SMALLEST } from "./store.mjs";
import { cacheStatus } from "./viewer.mjs";

const MIB = 1024 * 1024;

/** The budgets where the worker is to lose its patience soon; elsewhere they are what they are by default. */
const [READ_MS, WRITE_MS] = [500, 600];

/** What a busy machine may add to a time that is measured. */
const SLACK_MS = 1_500;

/** How often KV is tried where it may be asked again. */
const TRIES = 2;

/** What KV may be told at the least (developers.cloudflare.com/kv/api/write-key-value-pairs). */
const TTL_S_MIN = 60;

/** Three chunks. */
const THREE = 2 * SMALLEST + 1_234;

const CHUNKS = { singleBytesMax: SMALLEST, chunkBytes: SMALLEST };

/** Budgets that are soon over. */
const BRIEF = { kvTimeoutMs: READ_MS, writeTimeoutMs: WRITE_MS };

/**
 * The operations of a store since it was asked last; no put among them was for less than KV takes.
 *
 * @param {import("./store.mjs").Store} store
 */
async function clear({ sky }) {
  await sky.calm();
  for (const { on, key, ttlS = 0 } of await sky.settled()) {
    if (on === "kv.put") assert.ok(ttlS >= TTL_S_MIN, `${key} is kept for ${ttlS} s`);
  }
  await sky.forget();
}

/** @param {import("./store.mjs").Store} store @param {any} order @param {(struck: () => Promise<number>) => Promise<void>} meanwhile */
async function during({ sky }, order, meanwhile) {
  const { withdraw, struck } = await sky.order(order);
  await meanwhile(struck);
  await withdraw();
}

/**
 * Tests that have a store of their own, and run beside those of the other stores: they wait more than they work.
 *
 * @param {string} name
 * @param {Record<string, unknown>} cache
 * @param {(store: import("./store.mjs").Store) => void} tests given what stands for the store once it is open
 */
const suite = (name, cache, tests) =>
  describe(name, { concurrency: false }, () => {
    /** @type {import("./store.mjs").Store} */
    let store;
    before(async () => void (store = await openStore({ ...CHUNKS, ...cache })));
    afterEach(() => clear(store));
    after(() => store?.stop());
    tests(new Proxy(/** @type {any} */ ({}), { get: (_, name) => Reflect.get(store, name) }));
  });

/** What can become of a write. Where it meets both tries, it is so twice; `silent` is what says that it was done. */
const WRITES = [
  { name: "is refused", effect: { fails: true } },
  { name: "is refused twice", effect: { fails: true }, times: 2 },
  { name: "is done, and nobody is told", effect: { unacknowledged: true } },
  { name: "is done twice, and nobody is told", effect: { unacknowledged: true }, times: 2 },
  { name: "never answers", effect: { late: "forever" }, held: true },
  { name: "never answers, nor does the next", effect: { late: "forever" }, times: 2, held: true },
  { name: "breaks off", effect: { body: { at: 1_000, then: "breaks" } } },
  { name: "breaks off twice", effect: { body: { at: 1_000, then: "breaks" } }, times: 2 },
  { name: "stalls twice", effect: { body: { at: 1_000, then: "stalls" } }, times: 2, held: true },
  { name: "is done in part, and said to be done", effect: { body: { at: 1_000, then: "ends" } }, silent: true },
  { name: "is not done, and said to be done", effect: { misses: true }, silent: true },
  { name: "is done elsewhere", effect: { as: "elsewhere" }, silent: true },
];

/** @param {import("./store.mjs").Store} store @param {typeof WRITES[number]} fault */
function testWrites(store, { name, effect, times = 1, silent = false, held = false }) {
  test(`each write of a fill in turn ${name}: the viewer gets it all, and so does whoever comes next`, async () => {
    // Three chunks and the manifest.
    for (let nth = 1; nth <= 4; nth += 1) {
      const when = `write ${nth} ${name}`;
      const it = store.video(THREE);
      await during(store, { on: "kv.put", nth, times, ...effect }, async (struck) => {
        assert.equal(inexact(await read(it.url), { total: it.total }), "", when);
        await eventually(async () => (await struck()) === times, when);
        // It is held as long as the order stands; the worker waits no longer than it may.
        await (held ? new Promise((resolve) => setTimeout(resolve, WRITE_MS + 100)) : store.quiet());
      });
      // Nobody can know of what is said to be done: whoever reads it first sees it break, and nobody after him.
      const first = await store.fromKv(it);
      if (silent) assertExactOrBroken(first, { total: it.total }, when);
      else assert.equal(inexact(first, { total: it.total }), "", when);
      assert.equal(inexact(await store.fromKv(it), { total: it.total }), "", when);
      const again = await store.fromKv(it);
      assert.equal(inexact(again, { total: it.total }), "", when);
      // The gate leads to chunks whose manifest was lost, until it forgets them.
      assert.match(cacheStatus(again).kv ?? "", silent && nth === 4 ? /^hit|collapsed$/ : /^hit$/, when);
    }
  });
}

/** What can become of a read. */
const READS = [
  { name: "is refused", effect: { fails: true } },
  { name: "is refused twice", effect: { fails: true }, times: 2 },
  { name: "never answers", effect: { late: "forever" }, held: true },
  { name: "never answers, nor does the next", effect: { late: "forever" }, times: 2, held: true },
  { name: "finds nothing", effect: { misses: true } },
  { name: "finds less", effect: { body: { at: 1_000, then: "ends" } } },
  { name: "breaks off", effect: { body: { at: 1_000, then: "breaks" } } },
  { name: "stalls", effect: { body: { at: 1_000, then: "stalls" } }, held: true },
  { name: "finds another generation's chunk", effect: {}, foreign: true },
];

/** What is asked of it, and how many reads of KV that takes. @type {{ ranges?: [number, number][], reads: number }[]} */
const ASKED = [
  { reads: 3 },
  { ranges: [[SMALLEST + 5, SMALLEST + 4_004]], reads: 2 },
  { ranges: [[SMALLEST - 10, THREE - 1]], reads: 3 },
  { ranges: [[0, 99], [SMALLEST - 10, SMALLEST + 9], [THREE - 50, THREE - 1]], reads: 3 },
];

/** @param {import("./store.mjs").Store} store @param {typeof READS[number]} fault */
function testReads(store, { name, effect, times = 1, foreign = false, held = false }) {
  test(`each read of a body in turn ${name}: the viewer gets it all or sees it break, and whoever comes next gets it all`, async () => {
    const it = store.video(THREE);
    await store.keep(it);
    const { g } = (await store.keep(store.video(THREE))).metadata;
    // What is waited for takes its time: of several ranges it is no other than of one.
    for (const { ranges, reads } of held ? ASKED.slice(0, 2) : ASKED) {
      const headers = ranges && { range: `bytes=${ranges.map(([first, end]) => `${first}-${end}`).join(",")}` };
      for (let nth = foreign ? 2 : 1; nth <= reads; nth += 1) {
        const when = `read ${nth} of ${headers?.range ?? "the whole"} ${name}`;
        await store.quiet();
        await store.clearEdge();
        const order = { on: "kv.getWithMetadata", nth, times, ...(foreign ? { as: `chunk:${g}:000` } : effect) };
        await during(store, order, async (struck) => {
          const answer = await read(it.url, { headers });
          assertExactOrBroken(answer, { total: it.total, ranges }, when);
          assert.ok((await struck()) >= 1, when);
          // Both tries, or a body that gives nothing; then a fill.
          if (held) assert.ok(answer.wholeMs < TRIES * READ_MS + SLACK_MS, `${when}: ${answer.wholeMs} ms`);
        });
        const next = await store.fromKv(it);
        assert.equal(inexact(next, { total: it.total }), "", `${when}; not done: ${JSON.stringify(store.undone(it))}`);
      }
    }
  });
}

describe("in bad weather", { concurrency: true }, () => {
  suite("that comes and goes", {}, (store) => {
    for (const fault of WRITES.filter(({ held }) => !held)) testWrites(store, fault);
    for (const fault of READS.filter(({ held }) => !held)) testReads(store, fault);

    /** @param {import("./store.mjs").Video} it @param {number} index */
    const chunkOf = async (it, index) => (await store.chunksOf((await store.keys(it.key))[0].metadata))[index].name;

    for (const [what, spoil] of /** @type {[string, (name: string) => Promise<void>][]} */ ([
      ["missing", (name) => store.kv.cache.delete(name)],
      ["another generation's", async (name) => {
        const stranger = store.video(THREE);
        const { value, metadata } = await store.keep(stranger).then(async () => store.kv.cache.getWithMetadata(await chunkOf(stranger, 1), "arrayBuffer"));
        await store.kv.cache.put(name, value, { metadata });
      }],
      ["without its mark", async (name) => store.kv.cache.put(name, await store.kv.cache.get(name, "arrayBuffer"))],
    ])) {
      test(`a first chunk that is ${what} is a miss with a fault in the log: it is made again, and replaced`, async () => {
        const it = store.video(THREE);
        const { seed, metadata } = await store.keep(it);
        await spoil(await chunkOf(it, 1));
        await store.clearEdge();
        const ranges = /** @type {[number, number][]} */ ([[SMALLEST + 1, SMALLEST + 1_000]]);
        const answer = await read(it.url, { headers: { range: `bytes=${ranges[0].join("-")}` } });
        assert.notEqual(assertExact(answer, { total: it.total, ranges }), seed, "it was made again");
        assert.match(cacheStatus(answer).kv ?? "", /^fwd=.*stored/);
        const line = await eventually(() => store.logs().find(({ request_id: id }) => id === answer.headers["x-request-id"]), "its line in the log");
        assert.match(line.faults, /^kv: (a part is missing|corrupt: a chunk)/);
        await store.quiet();
        const [replaced] = await store.keys(it.key);
        assert.notEqual(replaced.metadata.g, metadata.g);
        const next = await store.fromKv(it);
        assert.equal(cacheStatus(next).kv, "hit");
        assert.notEqual(assertExact(next, { total: it.total }), seed);
      });

      test(`a later chunk that is ${what} breaks the stream there; the entry is retired, and the next request makes another`, async () => {
        const it = store.video(40 * SMALLEST);
        const { seed } = await store.keep(it);
        await spoil(await chunkOf(it, 30));
        await store.clearEdge();
        const answer = await read(it.url);
        assert.match(inexact(answer, { total: it.total }), /^(it broke off after|status 0)/);
        assert.ok(answer.bytes <= 30 * SMALLEST, `${answer.bytes} bytes came`);
        await eventually(() => store.undone(it).some(({ tier, fault }) => tier === "kv" && /missing|a chunk/.test(fault)), "the fault in the log");
        await store.quiet();
        assert.deepEqual(await store.keys(it.key), []);
        assert.match(cacheStatus(await read(it.url, { method: "HEAD" })).edge ?? "", /^fwd/, "nothing of it is at the edge");
        assert.notEqual(assertExact(await read(it.url), { total: it.total }), seed);
        assert.equal(store.transformer.runs(it.path).length, 2);
        await store.quiet();
        assert.equal(cacheStatus(await store.fromKv(it)).kv, "hit");
      });
    }

    test("a KV that takes no writes, because there are too many, harms nobody; the edge has it meanwhile", async () => {
      const it = store.video(THREE);
      const one = store.video(10_000);
      await during(store, { on: "kv.put", fails: "KV PUT failed: 429 Too Many Requests" }, async () => {
        for (const { url, total } of [it, one]) {
          const cold = await read(url);
          const seed = assertExact(cold, { total });
          await store.quiet();
          const warm = await read(url);
          assert.deepEqual(cacheStatus(warm), { edge: "hit" });
          assertExact(warm, { total, seed });
        }
        assert.deepEqual(await store.keys(it.key), []);
      });
      for (const each of [it, one]) assert.match(store.undone(each)[0].fault, /429/);
      for (const each of [it, one]) {
        assertExact(await store.fromKv(each), { total: each.total });
        await store.quiet();
        assert.equal(cacheStatus(await store.fromKv(each)).kv, "hit");
      }
    });

    test("what lives for the shortest time that KV takes is kept for that time at the least, with its chunks", async (t) => {
      const brief = await openStore(CHUNKS, { ttl: { ok: TTL_S_MIN }, staleIfError: { ok: 0 } });
      t.after(() => brief.stop());
      for (const total of [10_000, THREE]) {
        const it = brief.video(total);
        await brief.keep(it);
        assertExact(await brief.fromKv(it), { total });
      }
      assert.ok((await brief.sky.operations()).filter(({ on }) => on === "kv.put").length >= 5);
      await clear(brief);
    });
  });

  suite("that holds a write", BRIEF, (store) => {
    for (const fault of WRITES.filter(({ held }) => held)) testWrites(store, fault);
  });

  suite("that holds a read", BRIEF, (store) => {
    for (const fault of READS.filter(({ held }) => held)) testReads(store, fault);
  });

  suite("that stays", { ...BRIEF, fillOnHead: true }, (store) => {
    test("one value that stalls breaks the transfer once the budget of a read is over, and stays", async () => {
      const it = store.video(SMALLEST);
      await store.keep(it);
      for (const headers of [undefined, { range: "bytes=100-60000" }]) {
        await store.quiet();
        await store.clearEdge();
        await during(store, { on: "kv.getWithMetadata", body: { at: 1_000, then: "stalls" } }, async () => {
          const answer = await read(it.url, { headers });
          assert.ok(answer.broken && answer.bytes <= 1_000, `${answer.bytes} bytes`);
          assert.ok(answer.wholeMs < READ_MS + SLACK_MS, `${answer.wholeMs} ms`);
        });
      }
      assertExact(await store.fromKv(it), { total: it.total });
      assert.equal(store.transformer.runs(it.path).length, 1);
    });

    for (const method of ["GET", "HEAD"]) {
      test(`a write that takes nothing of one value is given up, after a ${method}`, async () => {
        const it = store.video(SMALLEST);
        await during(store, { on: "kv.put", body: { at: 0, then: "stalls" } }, async () => {
          await read(it.url, { method });
          const began = performance.now();
          await eventually(() => store.undone(it).some(({ tier }) => tier === "kv"), "the write that was given up in the log");
          assert.ok(performance.now() - began < 3 * WRITE_MS + SLACK_MS);
        });
      });
    }

    for (const late of /** @type {const} */ ([10_000, "forever"])) {
      const how = late === "forever" ? "never answers" : "answers after 10 s";

      test(`a KV that ${how} costs a look-up its budget, and no more`, async () => {
        const it = store.video(THREE);
        await store.keep(it);
        await store.clearEdge();
        await during(store, { on: "kv.getWithMetadata", late }, async () => {
          const answer = await read(it.url);
          assertExact(answer, { total: it.total });
          assert.ok(answer.firstByteMs >= READ_MS, "it was waited for");
          // What the gate knows of it is looked up as well, before it is made.
          assert.ok(answer.firstByteMs < READ_MS + TRIES * READ_MS + SLACK_MS, `${answer.firstByteMs} ms`);
        });
      });

      test(`a KV that ${how} for chunks costs a range both tries and no more, and breaks a body that has begun`, async () => {
        const it = store.video(THREE);
        await store.keep(it);
        for (const ranges of /** @type {([number, number][] | undefined)[]} */ ([[[SMALLEST, SMALLEST + 99]], undefined])) {
          await store.quiet();
          await store.clearEdge();
          await during(store, { on: "kv.getWithMetadata", prefix: "chunk:", late }, async () => {
            const answer = await read(it.url, { headers: ranges && { range: `bytes=${ranges[0].join("-")}` } });
            const isExact = assertExactOrBroken(answer, { total: it.total, ranges }, how);
            assert.equal(isExact, ranges !== undefined);
            const atMostMs = 2 * TRIES * READ_MS + SLACK_MS;
            assert.ok(answer.wholeMs < atMostMs, `${answer.wholeMs} ms`);
          });
        }
      });

      test(`a KV that ${how} to writes costs the viewer of a fill its budget, and no more`, async () => {
        const it = store.video(6 * MIB);
        await during(store, { on: "kv.put", late }, async () => {
          const answer = await read(it.url);
          assertExact(answer, { total: it.total });
          assert.ok(answer.wholeMs < WRITE_MS + SLACK_MS, `${answer.wholeMs} ms`);
        });
        await eventually(() => store.undone(it).some(({ tier }) => tier === "kv"), "the write that was given up in the log");
        assertExact(await store.fromKv(it), { total: it.total });
      });
    }
  });
});
