// The tiers in their order: Cache API, Workers KV, the transformation. Real video, real bytes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, eventually, SAMPLE, sha256, tierOf, tiers } from "./ask.mjs";
import { ffprobe } from "./ffprobe.mjs";
import { calls, COUNTING } from "./platform-calls.mjs";
import { anywhere, openStage, sampleFor } from "./stage.mjs";

/** Small and short: ffmpeg makes it in a moment. */
const SMALL = "width=160&height=90&duration=1s";

/** @type {import("./stage.mjs").Stage} */
let stage;

before(async () => {
  stage = await openStage({
    around: COUNTING,
    config: ({ media }) => ({
      // Exact lifetimes, so that what is stored can be told to the second.
      cache: { jitterPercent: 0 },
      ttl: { ok: 7200, clientError: 60, serverError: 10 },
      origins: [
        { name: "no-kv", pattern: "^/no-kv/(.+)$", sources: [{ url: `${media}/$1` }], cache: { kv: false } },
        { name: "no-edge", pattern: "^/no-edge/(.+)$", sources: [{ url: `${media}/$1` }], cache: { edge: false } },
        { name: "brief", pattern: "^/brief/(.+)$", sources: [{ url: `${media}/$1` }], ttl: { ok: 59 } },
        anywhere(media),
      ],
    }),
  });
});

after(() => stage?.stop());

test("a real video is made once, then comes from the edge, then from KV, and from the edge again, byte for byte the same", async () => {
  const target = `${SAMPLE}?width=640&height=360&format=mp4&quality=high`;
  const made = await stage.warm(target);
  assert.equal(made.status, 200);
  assert.equal(tierOf(made), "made");
  assert.match(made.headers.etag, /^"[0-9a-f]{32}"$/);
  const { video, audio } = await ffprobe(made.body);
  assert.deepEqual([video?.codec_name, video?.width, video?.height], ["h264", 640, 360]);
  assert.equal(audio?.codec_name, "aac");
  assert.equal(Math.floor(video?.duration), 5, "seconds, as many as the source has");

  const atEdge = await stage.ask(target);
  await stage.clearEdge();
  const inKv = await stage.ask(target);
  await eventually(async () => (await stage.kept(target)).edge, "KV gave the edge a copy");
  const promoted = await stage.ask(target);

  assert.deepEqual([atEdge, inKv, promoted].map(tierOf), ["edge", "kv", "edge"]);
  for (const answer of [atEdge, inKv, promoted]) {
    assert.equal(answer.status, 200);
    assert.equal(sha256(answer.body), sha256(made.body));
    assert.equal(answer.headers.etag, made.headers.etag);
    assert.equal(answer.headers["last-modified"], made.headers["last-modified"]);
    assert.equal(answer.headers["content-length"], String(made.body.length));
  }
  const bill = await stage.origin.bill();
  assert.deepEqual([bill.transforms, bill.requests, bill.unique.length], [1, 1, 1]);
});

test("a range is the same slice of the same bytes when it is made, at the edge and from KV", async () => {
  const whole = await stage.warm(sampleFor("slices", SMALL));
  const total = whole.body.length;
  const target = sampleFor("ranges", SMALL);
  const slice = (/** @type {number} */ first, /** @type {number} */ last) => ({ headers: { range: `bytes=${first}-${last}` } });

  const made = await stage.warm(target, slice(1000, 1999));
  const atEdge = await stage.ask(target, slice(1000, 1999));
  await stage.clearEdge();
  const inKv = await stage.ask(target, slice(1000, 1999));
  assert.deepEqual([made, atEdge, inKv].map(tierOf), ["made", "edge", "kv"]);
  for (const part of [made, atEdge, inKv]) {
    assert.equal(part.status, 206);
    assert.equal(part.headers["content-range"], `bytes 1000-1999/${total}`);
    assert.equal(sha256(part.body), sha256(whole.body.subarray(1000, 2000)));
    assert.equal(part.headers.etag, made.headers.etag);
  }

  await eventually(async () => (await stage.kept(target)).edge, "the part from KV left the whole at the edge");
  const all = await stage.ask(target);
  assert.equal(tierOf(all), "edge");
  assert.equal(sha256(all.body), sha256(whole.body));
});

test("the write after the answer is seen in KV with everything that is known of the rendition", async () => {
  const target = sampleFor("metadata", `${SMALL}&derivative=preview`);
  const key = "video:case/metadata/videos/big-buck-bunny-720p-5s.mp4:w=160:h=90:f=mp4:d=1s:a=false";
  const before = Date.now();
  const made = await stage.ask(target);
  const answered = Date.now();
  assert.equal(made.headers["x-cache-key"], key);
  const { value, metadata } = await eventually(async () => {
    const entry = await stage.kv.cache.getWithMetadata(key, "arrayBuffer");
    return entry.value && entry;
  }, "the entry is in KV");

  assert.equal(sha256(Buffer.from(value)), sha256(made.body));
  const { b: began, c: created, f: freshUntil, w: renewableUntil, u: staleUntil, ...rest } = metadata;
  const { headers: source } = await ask(`${stage.media}${SAMPLE}`, { method: "HEAD" });
  assert.deepEqual(rest, {
    v: 1,
    g: made.headers.etag.slice(1, -1),
    s: 200,
    ct: "video/mp4",
    n: made.body.length,
    o: "default",
    p: "case/metadata/videos/big-buck-bunny-720p-5s.mp4",
    r: "w=160:h=90:f=mp4:d=1s:a=false",
    d: "preview",
    i: 0,
    y: { e: source.etag, l: source["last-modified"] },
    t: [
      "asset:case/metadata/videos/big-buck-bunny-720p-5s.mp4",
      "folder:case",
      "folder:case/metadata",
      "folder:case/metadata/videos",
      "origin:default",
      "mode:video",
      "derivative:preview",
      "size:160x90",
    ],
  });
  assert.ok(before <= began && began <= created && created <= answered, `${before} ${began} ${created} ${answered}`);
  assert.equal(freshUntil - created, 7200_000);
  assert.equal(renewableUntil - freshUntil, 3600_000, "served at once for an hour more");
  assert.equal(staleUntil - freshUntil, 86_400_000, "and for a day when there is nothing better");

  const { keys } = await stage.kv.cache.list({ prefix: key });
  assert.equal(keys.length, 1);
  const early = keys[0].expiration * 1000 - staleUntil;
  assert.ok(early > -2000 && early <= 2000, `KV drops it ${early} ms after it is of no use`);

  // Its second name, for followers elsewhere who have looked for the first in vain, is dropped after two minutes.
  const second = `fill:${rest.g}`;
  const again = await eventually(async () => {
    const entry = await stage.kv.cache.getWithMetadata(second, "arrayBuffer");
    return entry.value && entry;
  }, "the entry is in KV under its second name");
  assert.equal(sha256(Buffer.from(again.value)), sha256(made.body));
  assert.deepEqual(again.metadata, metadata);
  const { keys: seconds } = await stage.kv.cache.list({ prefix: second });
  const left = seconds[0].expiration * 1000 - created;
  assert.ok(left > 110_000 && left < 140_000, `KV drops it ${left} ms after it was made`);
});

test("the key is the documented one, and every spelling of the same request finds the same entry", async () => {
  const key = "video:videos/big-buck-bunny-720p-5s.mp4:w=320:h=180:f=mp4:q=high";
  const first = await stage.warm(`${SAMPLE}?width=320&height=180&format=mp4&quality=high`);
  assert.equal(first.headers["x-cache-key"], key);
  await stage.origin.forget();
  for (const target of [
    `${SAMPLE}?quality=high&format=mp4&height=180&width=320`,
    `${SAMPLE}?w=320&h=180&f=mp4&q=high`,
    `${SAMPLE}?W=320&Height=180&imformat=h264&quality=HIGH`,
    `${SAMPLE}?width=320&height=180&quality=high`,
    `${SAMPLE}?width=160&height=90&dpr=2&quality=high`,
    `${SAMPLE}?width=320&height=180&quality=high&mode=video&fit=contain&audio=true&time=0s`,
    `${SAMPLE}?width=320&height=180&quality=high&utm_source=newsletter&filename=holiday.mp4&loop`,
    `/%76ideos/big%2Dbuck-bunny-720p-5s%2emp4?width=320&height=180&quality=high`,
  ]) {
    const answer = await stage.ask(target);
    assert.equal(answer.headers["x-cache-key"], key, target);
    assert.equal(tierOf(answer), "edge", target);
    assert.equal(answer.headers.etag, first.headers.etag, target);
  }
  assert.equal((await stage.origin.bill()).requests, 0);
  const { keys } = await stage.kv.cache.list({ prefix: "video:videos/big-buck-bunny-720p-5s.mp4:w=320" });
  assert.deepEqual(keys.map(({ name }) => name), [key]);
});

test("KV has this key for the request of the documentation", async () => {
  const { keys } = await stage.kv.cache.list({ prefix: "video:videos/" });
  const names = keys.map(({ name }) => name);
  assert.ok(names.includes("video:videos/big-buck-bunny-720p-5s.mp4:w=640:h=360:f=mp4:q=high"), names.join("\n"));
});

test("two devices on one URL keep two renditions, and both are hit", async () => {
  const target = sampleFor("devices", "duration=1s");
  const devices = { mobile: 640, desktop: 1280 };
  const hashes = new Map();
  for (const [device, width] of Object.entries(devices)) {
    const made = await stage.warm(target, { headers: { "cf-device-type": device } });
    assert.equal(tierOf(made), "made");
    assert.equal((await ffprobe(made.body)).video?.width, width);
    assert.ok(made.headers.vary.split(", ").includes("cf-device-type"), made.headers.vary);
    hashes.set(device, sha256(made.body));
  }
  for (const tier of ["edge", "kv"]) {
    if (tier === "kv") await stage.clearEdge();
    for (const device of Object.keys(devices)) {
      const again = await stage.ask(target, { headers: { "cf-device-type": device } });
      assert.equal(tierOf(again), tier, device);
      assert.equal(sha256(again.body), hashes.get(device), device);
    }
  }
});

test("a client hint is the device's own size, and shares the entry of a device that comes to the same", async () => {
  const target = sampleFor("hints", "duration=1s");
  const hinted = await stage.warm(target, { headers: { "sec-ch-viewport-width": "320", "sec-ch-dpr": "2" } });
  assert.equal(hinted.headers["x-resolved-width"], "640");
  assert.ok(hinted.headers["accept-ch"].includes("Sec-CH-Viewport-Width"));
  const phone = await stage.ask(target, { headers: { "cf-device-type": "mobile" } });
  assert.equal(tierOf(phone), "edge");
  const wide = await stage.ask(target, { headers: { "sec-ch-viewport-width": "1200" } });
  assert.equal(tierOf(wide), "made");
});

test("no two kinds of rendition ever share bytes", async () => {
  const queries = [
    "width=160&height=90&duration=1s",
    "width=160&height=90&duration=2s",
    "width=160&height=90&duration=1s&time=1s",
    "width=160&height=90&duration=1s&time=1500ms",
    "width=160&height=90&duration=1s&mute=true",
    "width=120&height=120&duration=1s",
    "width=120&height=120&duration=1s&fit=cover",
    "width=240&duration=1s",
    "width=160&height=90&mode=frame",
    "width=160&height=90&mode=frame&time=1s",
    "width=160&height=90&format=png",
    "width=160&height=90&mode=spritesheet&imageCount=4",
    "width=160&height=90&mode=spritesheet&imageCount=9",
    "mode=audio&duration=1s",
    "mode=audio&duration=2s",
  ];
  const made = [];
  for (const query of queries) made.push(await stage.warm(sampleFor("kinds", query)));
  for (const what of ["x-cache-key", "etag"]) {
    assert.equal(new Set(made.map(({ headers }) => headers[what])).size, queries.length, what);
  }
  assert.equal(new Set(made.map(({ body }) => sha256(body))).size, queries.length, "two had the same bytes");
  for (const [at, query] of queries.entries()) {
    const again = await stage.ask(sampleFor("kinds", query));
    assert.equal(tierOf(again), "edge", query);
    assert.equal(sha256(again.body), sha256(made[at].body), query);
    assert.equal(again.headers["content-type"], made[at].headers["content-type"], query);
  }
});

test("a missing source is remembered with its status for a minute, in both tiers", async () => {
  const target = "/videos/no-such-video.mp4?width=160&height=90";
  const key = "video:videos/no-such-video.mp4:w=160:h=90:f=mp4";
  await stage.origin.forget();
  const missing = await stage.warm(target);
  assert.equal(missing.status, 404);
  const entry = await stage.kv.cache.getWithMetadata(key, "text");
  assert.equal(entry.value, "");
  assert.deepEqual(
    { status: entry.metadata.s, why: entry.metadata.x, code: entry.metadata.e, bytes: entry.metadata.n },
    { status: 404, why: "transform-error", code: 9404, bytes: 0 },
  );
  assert.equal(entry.metadata.f - entry.metadata.c, 60_000);
  const [{ expiration }] = (await stage.kv.cache.list({ prefix: key })).keys;
  const leftS = expiration - entry.metadata.c / 1000;
  assert.ok(leftS >= 59 && leftS <= 62, `KV drops it ${leftS} s after it was made`);

  const atEdge = await stage.ask(target);
  await stage.clearEdge();
  const inKv = await stage.ask(target);
  assert.deepEqual([missing, atEdge, inKv].map(({ status }) => status), [404, 404, 404]);
  assert.deepEqual([atEdge, inKv].map(tierOf), ["edge", "kv"]);
  assert.equal((await stage.origin.bill()).requests, 1, "it was asked for again");
});

test("a failure of the transformation is remembered at the edge and by the gate only, for its ten seconds", async () => {
  const target = sampleFor("broken", "mode=frame&width=160");
  await stage.origin.order({ match: "/case/broken/", on: "any", fault: { kind: "status", status: 500 } });
  await stage.origin.order({ match: "mode=frame,width=160/", on: "transform", fault: { kind: "status", status: 500 } });
  await stage.origin.forget();
  const met = Date.now();
  const broken = await stage.ask(target);
  assert.equal(broken.status, 502);
  assert.equal(tiers(broken).kv?.detail, "ttl-too-short");
  await eventually(async () => (await stage.kept(target)).edge, "the edge remembers the failure");
  const again = await stage.ask(target);
  assert.equal(again.status, 502);
  assert.equal(tierOf(again), "edge");
  assert.equal((await stage.kept(target)).kv, false);

  await stage.origin.takeBackFaults();
  await stage.clearEdge();
  const told = await stage.ask(target);
  assert.equal(told.status, 502, "where the edge does not know of it, the gate does");
  assert.equal((await stage.origin.bill()).requests, 1);
  const mended = await eventually(async () => {
    const answer = await stage.ask(target);
    return answer.status !== 502 && answer;
  }, "the failure is forgotten");
  assert.equal(mended.status, 200);
  assert.ok(Date.now() - met >= 9_000, `forgotten after ${Date.now() - met} ms`);
  assert.equal(mended.headers["content-type"], "image/jpeg");
});

test("an overloaded transformer is asked again at once", async () => {
  const target = sampleFor("overloaded", "mode=frame&width=170");
  await stage.origin.order({ match: "mode=frame,width=170/", on: "transform", fault: { kind: "status", status: 503 }, times: 1 });
  const refused = await stage.ask(target);
  assert.equal(refused.status, 503);
  const served = await stage.ask(target);
  assert.equal(served.status, 200);
});

test("a lifetime under KV's minute lives at the edge only", async () => {
  const target = `/brief${SAMPLE}?${SMALL}`;
  const made = await stage.ask(target);
  assert.equal(tiers(made).kv?.detail, "ttl-too-short");
  assert.equal(made.headers["cache-control"], "public, max-age=59, no-transform");
  await eventually(async () => (await stage.kept(target)).edge, "the edge keeps it");
  assert.equal(tierOf(await stage.ask(target)), "edge");
  assert.equal((await stage.kept(target)).kv, false);
});

test("an edge hit costs one look at the cache and no KV operation, a KV hit one KV read, a miss one of each", async () => {
  const target = sampleFor("calls", SMALL);
  const counted = async (/** @type {number} */ settled) => {
    await stage.drainLogs();
    const answer = await stage.ask(target);
    await stage.lineOf(answer);
    // The writes come after the answer, and anything that comes in vain comes before the end of the next drain.
    await eventually(() => calls(stage).length >= settled, `${settled} calls`);
    return { tier: tierOf(answer), calls: calls(stage) };
  };

  const made = await counted(8);
  assert.deepEqual(made.calls.slice(0, 3), ["cache.match", "kv.getWithMetadata", "limiter.limit"]);
  assert.deepEqual(made.calls.slice(3, 5), ["fetch", "fetch"], "the transformation, and the source's length beside it");
  assert.deepEqual(made.calls.slice(5).sort(), ["cache.put", "kv.put", "kv.put"], "the second for those who have looked in vain");

  await eventually(async () => (await stage.kept(target)).edge, "the edge keeps it");
  assert.deepEqual(await counted(1), { tier: "edge", calls: ["cache.match"] });
  const part = await stage.ask(target, { headers: { range: "bytes=0-1" } });
  assert.equal(tierOf(part), "edge");

  await stage.clearEdge();
  assert.deepEqual(await counted(3), { tier: "kv", calls: ["cache.match", "kv.getWithMetadata", "cache.put"] });
});

test("what is put at the edge has its tags, valid and from either tier the same, and so has a remembered failure", async () => {
  const folders = ["folder:case", "folder:case/tags", "folder:case/tags/videos"];
  const sample = ["asset:case/tags/videos/big-buck-bunny-720p-5s.mp4", ...folders, "origin:default", "mode:video"];
  for (const [target, tags] of [
    [sampleFor("tags", `${SMALL}&derivative=preview`), [...sample, "derivative:preview", "size:160x90"]],
    ["/case/tags/videos/a%20b,c.mp4?mode=audio", ["asset:case/tags/videos/a%20b%2Cc.mp4", ...folders, "origin:default", "mode:audio"]],
  ]) {
    await stage.drainLogs();
    await stage.warm(target);
    await stage.clearEdge();
    await stage.ask(target);
    await eventually(() => calls(stage).filter((call) => call === "cache.put").length >= (target.includes("mode=audio") ? 1 : 2), "the copies");
    for (const { tags: put } of stage.logs().filter(({ call }) => call === "cache.put")) {
      assert.deepEqual(put.split(","), tags);
    }
  }
});

test("an origin without KV is kept at the edge alone, one without the edge in KV alone", async () => {
  for (const [folder, keeps, leaves] of [["no-kv", "edge", "kv"], ["no-edge", "kv", "edge"]]) {
    const target = `/${folder}${SAMPLE}?${SMALL}`;
    const made = await stage.ask(target);
    assert.equal(tierOf(made), "made", folder);
    assert.equal(tiers(made)[leaves].detail, "off", folder);
    await eventually(async () => (await stage.kept(target))[keeps], `${folder} is kept`);
    assert.equal(tierOf(await stage.ask(target)), keeps, folder);
    assert.equal((await stage.kept(target))[leaves], false, folder);
  }
  const { keys } = await stage.kv.cache.list({ prefix: "video:no-" });
  assert.deepEqual(keys.map(({ name }) => name), ["video:no-edge/videos/big-buck-bunny-720p-5s.mp4:w=160:h=90:f=mp4:d=1s:o=no-edge"]);
});

test("both tiers outlive the worker", async () => {
  const target = sampleFor("restart", SMALL);
  const made = await stage.warm(target);
  await stage.restart();
  const atEdge = await stage.ask(target);
  await stage.clearEdge();
  const inKv = await stage.ask(target);
  assert.deepEqual([atEdge, inKv].map(tierOf), ["edge", "kv"]);
  for (const answer of [atEdge, inKv]) {
    assert.equal(sha256(answer.body), sha256(made.body));
    assert.equal(answer.headers.etag, made.headers.etag);
  }
});

test("each tier can be switched off for everybody, and what is switched off is neither read nor written", async () => {
  const target = sampleFor("off", SMALL);
  await stage.warm(target);
  for (const [cache, tier, left] of [
    [{ kv: false }, "edge", "kv"],
    [{ edge: false }, "kv", "edge"],
    [{ kv: false, edge: false }, "made", "edge"],
  ]) {
    await stage.kv.config.put("worker-config", JSON.stringify({ cache }));
    await stage.restart();
    assert.equal(tierOf(await stage.ask(target)), tier, JSON.stringify(cache));
    const fresh = sampleFor(`off-${tier}`, SMALL);
    const made = await stage.ask(fresh);
    assert.equal(tierOf(made), "made");
    assert.equal(tiers(made)[left].detail, "off", JSON.stringify(cache));
    if (tier !== "made") await eventually(async () => (await stage.kept(fresh))[tier], `${tier} keeps it`);
  }
  const { keys } = await stage.kv.cache.list({ prefix: "video:case/off-" });
  assert.deepEqual(keys.map(({ name }) => name.split("/")[1]), ["off-kv"]);
  await stage.kv.config.delete("worker-config");
  await stage.restart();
  assert.equal(tierOf(await stage.ask(sampleFor("off-made", SMALL))), "made", "something was kept while both were off");
});
