// Bodies as large as they come, in chunks as large as they are: far from KV, and with KV failing on the way. What
// store-weather.test.mjs tries at every operation of a small body, these try here and there.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { eventually } from "./ask.mjs";
import { assertExact, inexact, read } from "./reader.mjs";
import { assertExactOrBroken, openStore } from "./store.mjs";
import { cacheStatus } from "./viewer.mjs";

const MIB = 1024 * 1024;

/** What KV takes for an answer where it is far away. */
const FAR_MS = 150;

/** @type {import("./store.mjs").Store} */
let store;
before(async () => {
  store = await openStore();
});
afterEach(async () => {
  await store.sky.calm();
  for (const { name } of await store.keys("")) await store.kv.cache.delete(name);
  await store.clearEdge();
  await store.sky.forget();
});
after(() => store?.stop());

for (const total of [1, 20, 26, 60, 200].map((mib) => mib * MIB)) {
  test(`a body of ${total / MIB} MiB is exact where every operation of KV takes ${FAR_MS} ms, whole and in part`, async (t) => {
    const it = store.video(total);
    await store.sky.order({ on: "kv", late: FAR_MS });
    const cold = await read(it.url);
    const seed = assertExact(cold, { total });
    await eventually(async () => (await store.keys(it.key)).length, "the entry in KV");
    const inKv = await store.fromKv(it);
    assertExact(inKv, { total, seed });
    assert.equal(cacheStatus(inKv).kv, "hit");
    await store.quiet();
    await store.clearEdge();
    const [first, last] = [Math.floor(total / 2) - 512, Math.floor(total / 2) + 511];
    const part = await read(it.url, { headers: { range: `bytes=${first}-${last}` } });
    assertExact(part, { total, seed, ranges: [[first, last]] });
    assert.equal(cacheStatus(part).kv, "hit");
    assert.deepEqual(store.undone(it), []);
    const ms = [cold, inKv, part].map(({ firstByteMs, wholeMs }) => `${Math.round(firstByteMs)} ms to ${Math.round(wholeMs)} ms`);
    t.diagnostic(`made ${ms[0]}, from KV ${ms[1]}, 1 KiB of it ${ms[2]}`);
  });
}

const REFUSED = { fails: true };
const LOST = { unacknowledged: true };
const BREAKS = { body: { at: MIB, then: "breaks" } };
const ENDS = { body: { at: MIB, then: "ends" } };
const MISSING = { misses: true };

/** Of so many MiB, what becomes of the n-th write, for both tries of it, and then of the n-th read. */
const FAULTS = /** @type {const} */ ([
  [26, 1, BREAKS, 2, ENDS],
  [26, 2, LOST, 3, MISSING],
  [26, 3, REFUSED, 4, BREAKS],
  [26, 4, ENDS, 5, REFUSED],
  [26, 5, LOST, 1, REFUSED],
  [60, 5, BREAKS, 6, ENDS],
  [200, 13, REFUSED, 20, MISSING],
]);

for (const [mib, write, spoiled, nth, found] of FAULTS) {
  const told = (/** @type {any} */ effect) => JSON.stringify(effect).replace(/[{}"]/g, "");
  test(`a body of ${mib} MiB whose write ${write} meets ${told(spoiled)}, and whose read ${nth} ${told(found)}, is exact or breaks, and then exact`, async () => {
    const it = store.video(mib * MIB);
    const { total } = it;
    const writing = await store.sky.order(/** @type {any} */ ({ on: "kv.put", nth: write, times: 2, ...spoiled }));
    assert.equal(inexact(await read(it.url), { total }), "", "when it is made");
    await store.quiet();
    assert.ok((await writing.struck()) >= 1);
    await writing.withdraw();
    const isExact = assertExactOrBroken(await store.fromKv(it), { total }, "after the write");
    if (!isExact) assert.equal(inexact(await store.fromKv(it), { total }), "", "and then");

    await store.quiet();
    await store.clearEdge();
    const reading = await store.sky.order(/** @type {any} */ ({ on: "kv.getWithMetadata", nth, ...found }));
    assertExactOrBroken(await read(it.url), { total }, "the read");
    assert.equal(await reading.struck(), 1);
    await reading.withdraw();
    assert.equal(inexact(await store.fromKv(it), { total }), "", "after the read");
  });
}
