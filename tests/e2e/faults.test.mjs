// Every fault of the media origin, ordered for the transformer and for the source, as a viewer and the
// caches meet it. Each test has a video of its own, so none sees what another left behind.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startWorld } from "../../scripts/world.mjs";
import { eventually } from "./ask.mjs";
import { cacheStatus, inKv, open, order, transformsOf, unfit, watch } from "./viewer.mjs";

/** A short video with a tone, that ffmpeg makes in a moment. */
const SAMPLE = "/videos/generated/2s-320x180.mp4";

/** One rendition, much smaller than the sample is. */
const SMALL = "?width=160&height=90";

/** Seconds a failure is remembered: long enough to be written, short enough to be waited for. */
const FAILURE_TTL_S = 1;

/** @type {import("../../scripts/world.mjs").World} */
let world;
/** @type {Buffer} */
let sample;
let videos = 0;

before(async () => {
  world = await startWorld({ config: { ttl: { clientError: FAILURE_TTL_S, serverError: FAILURE_TTL_S } } });
  sample = (await watch(world.media + SAMPLE)).body;
});
after(() => world?.stop());

/**
 * A video that no other test knows.
 *
 * @param {{ media: string }} [where]
 * @returns {Promise<{ path: string, url: string }>} its path, and the address of its rendition
 */
async function video(where = world) {
  videos += 1;
  const path = `/videos/faults/${videos}.mp4`;
  const put = await fetch(where.media + path, { method: "PUT", body: new Uint8Array(sample) });
  assert.ok(put.ok, `the sample could not be put: ${put.status}`);
  return { path, url: world.worker + path + SMALL };
}

/**
 * A good rendition, made for this request and on its way to both tiers.
 *
 * @param {import("./viewer.mjs").Watched} answer
 */
function assertMade(answer) {
  assert.equal(answer.status, 200);
  assert.equal(answer.broken, false);
  assert.equal(answer.headers["content-type"], "video/mp4");
  assert.equal(answer.body.toString("latin1", 4, 8), "ftyp");
  assert.notDeepEqual(answer.body, sample);
  assert.deepEqual(cacheStatus(answer), { kv: "fwd=uri-miss; fwd-status=200; stored", edge: "fwd=uri-miss; stored" });
}

/**
 * Nothing of what went wrong stays: the next rendition is made anew, kept whole in both tiers, and served
 * from them byte for byte. A remembered failure is waited for.
 *
 * @param {{ path: string, url: string }} video
 */
async function assertRecovers({ path, url }) {
  const good = await eventually(async () => {
    const answer = await watch(url);
    return answer.status === 200 && answer.headers["x-source-type"] !== "passthrough" && answer;
  }, "a good rendition, after the fault is over");
  assertMade(good);
  assert.deepEqual((await onceKept({ path, url })).body, good.body);
  const kept = await inKv(world, path.slice(1));
  assert.equal(kept?.metadata.s, 200);
  assert.equal(kept?.metadata.n, good.body.length);
  await world.clearEdge();
  const fromKv = await watch(url);
  assert.equal(cacheStatus(fromKv).kv, "hit");
  assert.deepEqual(fromKv.body, good.body);
}

/**
 * The answer from the edge, asked when the background write to KV is done: to ask earlier would be to order another.
 *
 * @param {{ path: string, url: string }} video
 */
async function onceKept({ path, url }) {
  await eventually(() => inKv(world, path.slice(1)), "the rendition in KV");
  return eventually(async () => {
    const answer = await watch(url);
    return cacheStatus(answer).edge === "hit" && answer;
  }, "a hit at the edge");
}

/**
 * The viewer got the source as it is, and nobody may keep that as the rendition.
 *
 * @param {import("./viewer.mjs").Watched} answer
 */
function assertOriginal(answer) {
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, sample);
  assert.equal(answer.headers["content-length"], String(sample.length));
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["x-source-type"], "passthrough");
}

/**
 * The viewer got an error that says what happened (RFC 9457).
 *
 * @param {import("./viewer.mjs").Watched} answer
 * @param {number} status
 * @param {Record<string, unknown>} said members of the problem document
 */
function assertProblem(answer, status, said) {
  assert.equal(answer.status, status);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  const problem = JSON.parse(answer.body.toString());
  assert.equal(problem.status, status);
  assert.deepEqual(Object.fromEntries(Object.keys(said).map((key) => [key, problem[key]])), said);
}

// No rendition comes: the viewer sees the original, the operator sees why.

const FAILURES = [
  { fault: { kind: "status", status: 500 }, reason: "status", forwarded: 500 },
  // Where the transformation itself is not there, in a zone that has none, the original still is.
  { fault: { kind: "status", status: 404 }, reason: "status", forwarded: 404 },
  { fault: { kind: "status", status: 403 }, reason: "status", forwarded: 403 },
  { fault: { kind: "status", status: 503 }, reason: "status", forwarded: 503, remembered: false },
  { fault: { kind: "status", status: 206 }, reason: "partial", forwarded: 206 },
  { fault: { kind: "error_in_200", code: 9402 }, reason: "transform-error", forwarded: 200 },
  { fault: { kind: "untransformed" }, reason: "untransformed", forwarded: 200 },
  { fault: { kind: "header", name: "content-type", value: "text/html" }, reason: "content-type", forwarded: 200 },
  { fault: { kind: "reset" }, reason: "no-answer", remembered: false },
];
for (const { fault, reason, forwarded, remembered = true } of FAILURES) {
  const { kind, ...how } = fault;
  const name = [kind, ...Object.values(how)].join(" ");
  test(`a transformer that answers with ${name} costs the viewer the original, under the name ${reason}, and is over when it is over`, async () => {
    const it = await video();
    const withdraw = await order(world, "transform", it.path, fault);

    const answer = await watch(it.url);
    assertOriginal(answer);
    assert.deepEqual(unfit(answer), [reason]);
    const status = forwarded ? `; fwd-status=${forwarded}` : "";
    // A memory this short is kept at the edge only.
    assert.deepEqual(cacheStatus(answer), remembered
      ? { kv: `fwd=uri-miss${status}; detail=ttl-too-short`, edge: "fwd=uri-miss; stored" }
      : { kv: `fwd=uri-miss${status}`, edge: "fwd=uri-miss" });
    const logged = await eventually(() => line(it, { message: "request" }), "the request in the log");
    assert.equal(logged.phase, "original");
    assert.match(logged.timing, new RegExp(`desc=${reason}`));

    await withdraw();
    assert.equal(await inKv(world, it.path.slice(1)), undefined);
    await assertRecovers(it);
  });
}

test("a picture that cannot be made is an honest error: the original would be of no use", async () => {
  const it = await video();
  await order(world, "transform", it.path, { kind: "error_in_200", code: 9412 });
  const answer = await watch(`${world.worker}${it.path}?mode=frame&width=160`);
  assertProblem(answer, 502, { reason: "transform-error", upstream_code: 9412 });
  assert.equal(answer.headers["cache-control"], "no-store");
});

test("a viewer's range of a rendition that cannot be made is a range of the original", async () => {
  const it = await video();
  await order(world, "transform", it.path, { kind: "status", status: 500 });
  const answer = await watch(it.url, { headers: { range: "bytes=100-199" } });
  assert.equal(answer.status, 206);
  assert.equal(answer.headers["content-range"], `bytes 100-199/${sample.length}`);
  assert.deepEqual(answer.body, sample.subarray(100, 200));
  assert.equal(answer.headers["cache-control"], "no-store");
});

test("a source that the transformer does not find is a 404, and found when it appears", async () => {
  const it = await video();
  const withdraw = await order(world, "transform", it.path, { kind: "error_in_200", code: 9404 });
  assertProblem(await watch(it.url), 404, { reason: "transform-error", upstream_code: 9404 });
  await withdraw();
  await assertRecovers(it);
});

test("a failure that is remembered is not paid for twice, and still costs the viewer nothing", async (t) => {
  const patient = await startWorld({ config: { ttl: { serverError: 3600 } } });
  t.after(() => patient.stop());
  const it = await video(patient);
  const url = patient.worker + it.path + SMALL;
  await order(patient, "transform", it.path, { kind: "error_in_200", code: 9402 });
  assertOriginal(await watch(url));
  await eventually(() => inKv(patient, it.path.slice(1)), "the memory in KV");

  const fromEdge = await eventually(async () => {
    const answer = await watch(url);
    return cacheStatus(answer).edge?.startsWith("hit") && answer;
  }, "the memory at the edge");
  assertOriginal(fromEdge);
  assert.deepEqual(cacheStatus(fromEdge), { edge: "hit; detail=transform-error" });
  const asked = await transformsOf(patient, it.path);

  // A browser asks for a range, and there is no range of a memory.
  const player = await watch(url, { headers: { range: "bytes=0-" } });
  assert.equal(player.status, 206);
  assert.deepEqual(player.body, sample);
  assert.deepEqual(cacheStatus(player), { edge: "hit; detail=transform-error" });
  assert.equal(await transformsOf(patient, it.path), asked);

  await patient.clearEdge();
  const fromKv = await watch(url);
  assertOriginal(fromKv);
  assert.equal(cacheStatus(fromKv).kv, "hit; detail=transform-error");
  assert.equal(await transformsOf(patient, it.path), asked);
});

test("a transformer that hangs is given up after its time, and the viewer gets the original", async (t) => {
  const impatient = await startWorld();
  t.after(() => impatient.stop());
  await impatient.kv.config.put("worker-config", JSON.stringify({ transformer: { timeoutMs: 1000 } }));
  const it = await video(impatient);
  const withdraw = await order(impatient, "transform", it.path, { kind: "hang", ms: 60_000 });
  const answer = await watch(impatient.worker + it.path + SMALL);
  assertOriginal(answer);
  assert.deepEqual(unfit(answer), ["timed-out"]);
  assert.ok(answer.wholeMs < 10_000, `it took ${answer.wholeMs} ms`);

  const frame = await watch(`${impatient.worker}${it.path}?mode=frame&width=160`);
  assertProblem(frame, 504, { reason: "timed-out" });
  await withdraw();
});

// Something comes, but not all of it: the viewer's answer breaks off where the transformer's did.

for (const range of [undefined, "bytes=0-"]) {
  const asked = range ? `a cold Range: ${range}` : "a cold request";
  const headers = range ? { range } : undefined;

  test(`a transform cut short breaks off ${asked}, and none of it is kept`, async () => {
    const it = await video();
    const withdraw = await order(world, "transform", it.path, { kind: "truncate", bytes: 1000 });
    const answer = await watch(it.url, { headers });
    assert.equal(answer.status, range ? 206 : 200);
    assert.equal(answer.broken, true);
    assert.ok(answer.body.length <= 1000, `${answer.body.length} bytes of 1000`);
    assert.ok(Number(answer.headers["content-length"]) > 1000);
    for (const tier of ["kv", "edge"]) {
      await eventually(() => line(it, { message: "left undone", tier }), `the failed write to ${tier} in the log`);
    }
    await assertInNoTier(it);
    await withdraw();
    await assertRecovers(it);
  });

  test(`a transform without a length cut short breaks off ${asked}, and none of it is kept`, async () => {
    const it = await video();
    const withdraw = await order(world, "transform", it.path, { kind: "truncate_no_length", bytes: 1000 });
    const answer = await watch(it.url, { headers });
    assert.equal(answer.broken, true, `${answer.status} came with ${answer.body.length} bytes`);
    assert.ok(answer.body.length <= 1000, `${answer.body.length} bytes of 1000`);
    // With a range it is read whole before it is answered, and is found out before anything is owed.
    if (range) {
      const logged = await eventually(() => line(it, { message: "request" }), "the request in the log");
      assert.match(logged.cache, /length-unknown/);
    } else {
      const kv = await eventually(() => line(it, { message: "left undone", tier: "kv" }), "the failed write to KV in the log");
      assert.equal(kv.fault, "the body broke off before its end");
      assert.match(line(it, { message: "left undone", tier: "edge" })?.fault, /length-unknown/);
    }
    await assertInNoTier(it);
    await withdraw();
    await assertRecovers(it);
  });
}

/**
 * A line of the worker's log that is about this video.
 *
 * @param {{ path: string }} video
 * @param {Record<string, string>} wanted
 */
function line({ path }, wanted) {
  const about = world.logs().filter((entry) => entry.path === path);
  return about.find((entry) => Object.entries(wanted).every(([key, value]) => entry[key] === value));
}

/**
 * The next request would find nothing in either tier. A HEAD asks both, and makes nothing.
 *
 * @param {{ path: string, url: string }} video
 */
async function assertInNoTier({ path, url }) {
  assert.equal(await inKv(world, path.slice(1)), undefined);
  assert.deepEqual(cacheStatus(await watch(url, { method: "HEAD" })), { kv: "fwd=uri-miss", edge: "fwd=uri-miss" });
}

/** A platform that takes nothing back: what a broken write left in a tier stays there. */
const NOTHING_IS_DELETED = `
import worker from "./index.js";
const keeping = (target, nothing) =>
  new Proxy(target, {
    get: (object, name) => {
      if (name === "delete") return async () => nothing;
      return typeof object[name] === "function" ? object[name].bind(object) : object[name];
    },
  });
const cache = keeping(caches.default, true);
Object.defineProperty(caches, "default", { get: () => cache });
const careless = (env) => ({ ...env, VIDEO_TRANSFORMATIONS_CACHE: keeping(env.VIDEO_TRANSFORMATIONS_CACHE, undefined) });
export default {
  fetch: (request, env, context) => worker.fetch(request, careless(env), context),
  scheduled: (event, env, context) => worker.scheduled(event, careless(env), context),
};
`;

// The edge is believed to have what it announces: in production it commits no body that ends before its announced length
// (runtime-apis/cache, put). The local one does, and is not asked here.
test("where KV keeps part of a rendition all the same, nobody is told that it is the whole", async (t) => {
  const careless = await startWorld({ around: NOTHING_IS_DELETED, config: { bypass: { access: "open" } } });
  t.after(() => careless.stop());
  const it = await video(careless);
  const url = `${careless.worker}${it.path}${SMALL}&no-edge-cache`;
  await order(careless, "transform", it.path, { kind: "truncate", bytes: 1000 });
  const first = await watch(url);
  const length = Number(first.headers["content-length"]);
  await eventually(() => inKv(careless, it.path.slice(1)), "what is left in KV");

  await eventually(async () => cacheStatus(await watch(url, { method: "HEAD" })).kv === "hit", "a hit in KV");
  const answer = await watch(url);
  // Where nothing was sent before it broke, there are no headers either.
  assert.equal(answer.headers["content-length"] ?? String(length), String(length));
  assert.equal(answer.broken, true, `${answer.status} with ${answer.body.length} of ${length} bytes`);
});

// The rendition is good, but must not be kept.

const PRIVATE = [
  { name: "Set-Cookie", value: "session=1", reason: "set-cookie" },
  { name: "Cache-Control", value: "private, max-age=60", reason: "private" },
  { name: "Cache-Control", value: "no-store", reason: "no-store" },
];
for (const { name, value, reason } of PRIVATE) {
  test(`a rendition that comes with ${name}: ${value} is served and kept nowhere, under the name ${reason}`, async () => {
    const it = await video();
    const withdraw = await order(world, "transform", it.path, { kind: "header", name, value });
    for (const time of ["the first time", "the second time"]) {
      const answer = await watch(it.url);
      assert.equal(answer.status, 200, time);
      assert.notDeepEqual(answer.body, sample, time);
      assert.equal(answer.headers["set-cookie"], undefined, "another viewer's cookie");
      assert.deepEqual(cacheStatus(answer), {
        kv: `fwd=uri-miss; fwd-status=200; detail=${reason}`,
        edge: `fwd=uri-miss; detail=${reason}`,
      }, time);
    }
    await withdraw();
    await assertRecovers(it);
  });
}

// The length comes late, or the bytes do.

test("a transform without a length is served at once, measured, and served with its length from then on", async () => {
  const it = await video();
  const withdraw = await order(world, "transform", it.path, { kind: "no_length" });
  const first = await watch(it.url);
  assertMade(first);
  assert.equal(first.headers["content-length"], undefined);
  await withdraw();

  const next = await onceKept(it);
  assert.equal(next.headers["content-length"], String(first.body.length));
  assert.equal(next.headers.etag, first.headers.etag);
  assert.deepEqual(next.body, first.body);
  assert.equal((await inKv(world, it.path.slice(1)))?.metadata.n, first.body.length);
  assert.equal(await transformsOf(world, it.path), 1);
});

test("Safari's cold bytes=0-1 of a transform without a length is answered with the right total", async () => {
  const it = await video();
  await order(world, "transform", it.path, { kind: "no_length" });
  const probe = await watch(it.url, { headers: { range: "bytes=0-1" } });
  assert.equal(probe.status, 206);
  assert.equal(probe.headers["content-length"], "2");
  const whole = await onceKept(it);
  assert.equal(probe.headers["content-range"], `bytes 0-1/${whole.body.length}`);
  assert.deepEqual(probe.body, whole.body.subarray(0, 2));
  assert.equal(await transformsOf(world, it.path), 1);
});

for (const range of [undefined, "bytes=0-"]) {
  test(`the first byte of ${range ? `a cold Range: ${range}` : "a cold request"} does not wait for a dripping transform`, async (t) => {
    const it = await video();
    // Made beforehand, so that only the dripping takes time.
    await watch(`${world.media}/cdn-cgi/media/mode=video,width=160,height=90/${world.media}${it.path}`);
    await order(world, "transform", it.path, { kind: "drip", ms: 3000, pieces: 30 });
    const answer = await watch(it.url, { headers: range ? { range } : undefined });
    assert.equal(answer.broken, false);
    assert.ok(answer.wholeMs > 2500, `nothing dripped: all of it came in ${answer.wholeMs} ms`);
    assert.ok(answer.firstByteMs < answer.wholeMs / 3, `first byte ${answer.firstByteMs} ms, all ${answer.wholeMs} ms`);
    t.diagnostic(`first byte after ${Math.round(answer.firstByteMs)} ms of ${Math.round(answer.wholeMs)} ms`);
  });
}

test("a slow transformer is waited for, and what it made is kept", async () => {
  const it = await video();
  const withdraw = await order(world, "transform", it.path, { kind: "latency", ms: 1500 });
  const answer = await watch(it.url);
  assertMade(answer);
  assert.ok(answer.firstByteMs > 1400);
  const [, took] = String(answer.headers["server-timing"]).match(/transform;dur=(\d+)/) ?? [];
  assert.ok(Number(took) > 1400, `Server-Timing says ${took} ms`);
  await withdraw();
  assert.deepEqual((await onceKept(it)).body, answer.body);
});

// Viewers who do not read to the end.

test("a viewer who leaves after the first bytes of a cold request leaves the whole rendition behind", async () => {
  const it = await video();
  const withdraw = await order(world, "transform", it.path, { kind: "drip", ms: 2000, pieces: 20 });
  const response = await open(it.url);
  await new Promise((resolve) => response.once("data", resolve));
  response.destroy();
  const kept = await eventually(() => inKv(world, it.path.slice(1)), "the rendition in KV");
  await withdraw();

  const hit = await onceKept(it);
  assert.equal(hit.body.length, kept.metadata.n);
  assert.equal(hit.body.length, Number(response.headers["content-length"]));
  assert.equal(await transformsOf(world, it.path), 1);
});

// Faults of the source.

for (const [name, fault] of Object.entries({
  "answers late": { kind: "latency", ms: 300 },
  "drips": { kind: "drip", ms: 500, pieces: 5 },
  "announces no length": { kind: "no_length" },
})) {
  test(`a source that ${name} is transformed all the same`, async () => {
    const it = await video();
    const withdraw = await order(world, "source", it.path, fault);
    const answer = await watch(it.url);
    assertMade(answer);
    await withdraw();
    assert.deepEqual((await onceKept(it)).body, answer.body);
  });
}

test("a source that is slow to say how long it is does not hold back what the transformer has at hand", async () => {
  const it = await video();
  await watch(`${world.media}/cdn-cgi/media/mode=video,width=160,height=90/${world.media}${it.path}`);
  await order(world, "source", it.path, { kind: "latency", ms: 8000 });
  const answer = await watch(it.url);
  assertMade(answer);
  assert.ok(answer.firstByteMs < 4000, `the first byte came after ${answer.firstByteMs} ms`);
  const logged = await eventually(() => line(it, { message: "request" }), "the request in the log");
  assert.match(logged.faults, /probe: no answer within/);
});

test("a source that is not there is a 404, and found when it is put there", async () => {
  const it = await video();
  const withdraw = await order(world, "source", it.path, { kind: "status", status: 404 });
  const answer = await watch(it.url);
  assertProblem(answer, 404, { reason: "transform-error", upstream_code: 9404 });
  assert.equal(await inKv(world, it.path.slice(1)), undefined);
  await withdraw();
  await assertRecovers(it);
});

for (const [name, fault, status, code] of /** @type {const} */ ([
  ["answers 503", { kind: "status", status: 503 }, 502, 9509],
  ["answers 403", { kind: "status", status: 403 }, 502, 9408],
  ["resets the connection", { kind: "reset" }, 504, 9504],
])) {
  test(`a source that ${name} leaves nothing to serve: the viewer is told so, and it is over when it is over`, async () => {
    const it = await video();
    const withdraw = await order(world, "source", it.path, fault);
    const answer = await watch(it.url);
    assertProblem(answer, status, { reason: "transform-error", upstream_code: code });
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal(await inKv(world, it.path.slice(1)), undefined);
    await withdraw();
    await assertRecovers(it);
  });
}

test("a source cut short gives no rendition, and what the viewer gets of the original breaks off as well", async () => {
  const it = await video();
  const withdraw = await order(world, "source", it.path, { kind: "truncate", bytes: 1000 });
  const answer = await watch(it.url);
  assert.deepEqual(unfit(answer), ["transform-error"]);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.broken, true);
  assert.deepEqual(answer.body, sample.subarray(0, answer.body.length));
  assert.ok(answer.body.length <= 1000);
  await withdraw();
  await assertRecovers(it);
});
