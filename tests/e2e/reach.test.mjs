// Where sources may lead, and how much of what is not made one viewer may ask. Redirects and limiters as workerd has them.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ask, json, SAMPLE, sha256, tierOf } from "./ask.mjs";
import { calls, COUNTING } from "./platform-calls.mjs";
import { openStage, sampleFor } from "./stage.mjs";

const SMALL = "width=160&height=90&duration=1s";
const FILE = "big-buck-bunny-720p-5s.mp4";
const RELAY_KEY = "the-key-of-relayed-addresses";

/** What one viewer may miss in a minute. */
const LIMIT = 4;

/** @type {import("./stage.mjs").Stage} */
let stage;
/** The shipped sample as the media origin serves it. @type {Buffer} */
let original;

before(async () => {
  stage = await openStage({
    vars: { SOURCE_RELAY_KEY: RELAY_KEY, BEARER_SECRET: "local-secret" },
    config: ({ media }) => ({
      ttl: { serverError: 0 },
      sources: { allow: [`${media}/videos`, `${media}/private`] },
      origins: [
        { name: "private", pattern: "^/private/(.+)$", sources: [{ url: `${media}/private/bearer/$1`, auth: { type: "bearer", secret: "BEARER_SECRET" } }] },
        { name: "own", pattern: "^/own/(.+)$", sources: [{ url: "{request-origin}/$1" }] },
        { name: "default", pattern: "^/(.+)$", sources: [{ url: `${media}/videos/$1` }] },
      ],
    }),
  });
  original = (await ask(`${stage.media}${SAMPLE}`)).body;
});

after(() => stage?.stop());

/**
 * Everybody who asks the media origin for a path with `match` in it is sent on.
 *
 * @param {string} match @param {string} location @param {number} [status]
 */
async function sends(match, location, status = 302) {
  for (const fault of [{ kind: "status", status }, { kind: "header", name: "Location", value: location }]) {
    await stage.origin.order({ match, on: "source", fault });
  }
}

/** @param {string} method @returns {Promise<string[]>} which sources were asked with it, in order */
const asked = async (method) =>
  (await stage.origin.journal()).filter((line) => line.method === method && !line.path.startsWith("/cdn-cgi/")).map(({ path }) => path);

describe("a source that leads elsewhere", () => {
  for (const [status, location] of /** @type {[number, string][]} */ ([
    [301, `/videos/${FILE}`],
    [302, `./${FILE}`],
    [303, `../videos/x/../${FILE}`],
    [307, `/videos/${FILE}?signed=1`],
    [308, `/videos/${FILE}#t=1`],
  ])) {
    test(`${status} to ${location} is followed, and its rendition is kept`, async () => {
      const name = `moved-${status}.mp4`;
      await sends(name, location, status);
      await stage.origin.forget();
      const made = await stage.warm(`/${name}?${SMALL}`);
      assert.deepEqual([made.status, tierOf(made)], [200, "made"]);
      const probes = await asked("HEAD");
      assert.equal(probes.length, 2, probes.join("\n"));
      assert.ok(probes[1].startsWith(`/videos/${FILE}`), probes[1]);
      assert.equal(tierOf(await stage.ask(`/${name}?${SMALL}`)), "edge");
      await stage.origin.takeBackFaults();
    });
  }

  test("an absolute address of the list is followed, and the original behind it comes in parts", async () => {
    await sends("absolute.mp4", `${stage.media}/videos/${FILE}`);
    await stage.origin.order({ match: "absolute.mp4", on: "transform", fault: { kind: "status", status: 500 } });
    const part = await stage.ask(`/absolute.mp4?${SMALL}`, { headers: { range: "bytes=100-199" } });
    assert.deepEqual([part.status, part.headers["x-source-type"]], [206, "passthrough"]);
    assert.deepEqual(part.body, original.subarray(100, 200));
    await stage.origin.takeBackFaults();
  });

  for (const [what, location, why] of [
    ["another path of the host", "/elsewhere/a.mp4", "sources.allow does not have it"],
    ["a path up from an allowed one", `/videos/../elsewhere/a.mp4`, "sources.allow does not have it"],
    ["another port of this machine", "http://127.0.0.1:1/videos/a.mp4", "sources.allow does not have it"],
    ["a metadata service", "http://169.254.169.254/latest/meta-data/", "link-local"],
    ["this machine in one number", "http://2130706433/videos/a.mp4", "number in another form"],
    ["this machine inside IPv6", "http://[::ffff:127.0.0.1]/videos/a.mp4", "hides an IPv4 address"],
    ["somebody with a password", "http://user:word@127.0.0.1/", "user or a password"],
    ["a backslash", "\\\\127.0.0.1\\videos", "character that no URL has"],
  ]) {
    test(`${what} is not asked, and nothing of it is served or kept`, async () => {
      const name = `astray-${what.replaceAll(/[^a-z]/gi, "-")}.mp4`;
      await sends(name, location);
      await stage.origin.forget();
      const answer = await stage.ask(`/${name}?${SMALL}`);
      assert.deepEqual([answer.status, json(answer).reason], [502, "source-refused"]);
      assert.ok(!answer.body.toString().includes("127.0.0.1"), "nothing of the inside is told");
      const { faults } = await stage.lineOf(answer);
      assert.match(faults, new RegExp(`probe: a redirect of ${stage.media}.*${why}`));
      assert.deepEqual(new Set(await asked("HEAD")), new Set([`/videos/${name}`]));
      assert.deepEqual(await stage.kept(`/${name}?${SMALL}`), { edge: false, kv: false });
      await stage.origin.takeBackFaults();
    });
  }

  test("what the transformation made by following it to a host that is not listed is refused all the same", async () => {
    await sends("wanders.mp4", `${stage.media.replace("127.0.0.1", "localhost")}/videos/${FILE}`);
    await stage.origin.forget();
    const answer = await stage.ask(`/wanders.mp4?${SMALL}`);
    assert.deepEqual([answer.status, json(answer).reason], [502, "source-refused"]);
    assert.equal((await stage.origin.bill()).unique.length, 1, "it was made, and is paid for");
    assert.match((await stage.lineOf(answer)).timing, /transform;dur=\d+;desc=source-refused/);
    assert.deepEqual(await stage.kept(`/wanders.mp4?${SMALL}`), { edge: false, kv: false });
    await stage.origin.takeBackFaults();
  });

  test("round and round is three hops, and then an end", async () => {
    await sends("round.mp4", "/videos/round.mp4");
    await stage.origin.forget();
    const answer = await stage.ask(`/round.mp4?${SMALL}`);
    assert.equal(answer.status, 502);
    assert.equal(json(answer).reason, "source-refused");
    assert.equal((await asked("HEAD")).length, 4);
    assert.match((await stage.lineOf(answer)).faults, /one redirect too many/);
    await stage.origin.takeBackFaults();
  });

  test("credentials go along within an origin, and to no other", async () => {
    await sends("/private/bearer/here.mp4", `/private/bearer/${FILE}`);
    await stage.origin.forget();
    const made = await stage.ask(`/private/here.mp4?${SMALL}`);
    assert.equal(made.status, 200);
    const hops = (await stage.origin.journal()).filter(({ path, method }) => method === "HEAD" && path.startsWith("/private/"));
    assert.deepEqual(hops.map(({ authorization }) => Boolean(authorization)), [true, true]);

    await sends("/private/bearer/there.mp4", `${stage.media.replace("127.0.0.1", "localhost")}/private/bearer/${FILE}`);
    await stage.origin.forget();
    const refused = await stage.ask(`/private/there.mp4?${SMALL}`);
    assert.equal(refused.status, 502);
    assert.match((await stage.lineOf(refused)).faults, /credentials do not go to another origin/);
    assert.ok((await stage.origin.journal()).every(({ path }) => !path.startsWith(`/private/bearer/${FILE}`)));
    await stage.origin.takeBackFaults();
  });

  test("a host that a viewer names is not asked where the list does not have it", async () => {
    await stage.origin.forget();
    const answer = await stage.ask(`/own/${FILE}?${SMALL}`, { headers: { host: "169.254.169.254" } });
    assert.deepEqual([answer.status, json(answer).reason], [502, "source-refused"]);
    assert.deepEqual(await stage.origin.journal(), []);
  });
});

describe("a viewer who misses too much", () => {
  /** @type {import("./stage.mjs").Stage} */
  let limited;

  before(async () => {
    limited = await openStage({ limits: { MISS_LIMIT: LIMIT }, around: COUNTING, config: () => ({ cache: { edgeTimeoutMs: 10_000, kvTimeoutMs: 10_000 } }) });
  });

  after(() => limited?.stop());

  let misses = 0;
  /** Something nobody has asked for, and of which nothing can be made. @param {Record<string, string>} [headers] */
  const miss = (headers) => limited.ask(`/case/miss-${(misses += 1)}/videos/nowhere.mp4?${SMALL}`, { headers });

  /**
   * Misses until there is an end. Minutes are the clock's, so one may begin in between; two cannot.
   *
   * @param {Record<string, string>} [headers]
   */
  async function refused(headers) {
    for (let count = 0; count <= 2 * LIMIT; count += 1) {
      const answer = await miss(headers);
      if (answer.status === 429) return answer;
      assert.equal(answer.status, 404);
    }
    return assert.fail("nobody was refused");
  }

  test("waits, while what is kept goes on coming from both tiers without a question to the limiter", async () => {
    const target = sampleFor("kept", SMALL);
    const made = await limited.warm(target);
    assert.equal(made.status, 200);
    const answer = await refused();
    const { code, retry_after: seconds } = json(answer);
    assert.deepEqual([code, seconds, answer.headers["retry-after"]], ["too-many-misses", 60, "60"]);
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal((await limited.lineOf(answer)).phase, "limited");

    await limited.drainLogs();
    const atEdge = await limited.ask(target);
    await limited.clearEdge();
    const inKv = await limited.ask(target);
    assert.deepEqual([atEdge, inKv].map(tierOf), ["edge", "kv"]);
    await limited.lineOf(inKv);
    assert.ok(calls(limited).includes("kv.getWithMetadata") && !calls(limited).includes("limiter.limit"));
    for (const hit of [atEdge, inKv]) assert.equal(sha256(hit.body), sha256(made.body));
  });

  test("costs nothing, and is one viewer in each of its addresses", async () => {
    const viewer = { "cf-connecting-ip": "2001:db8:1:2::1" };
    await refused(viewer);
    const neighbour = { "cf-connecting-ip": "2001:db8:1:2:3:4:5:6" };
    await refused(neighbour);
    await limited.drainLogs();
    const answer = await refused(neighbour);
    await limited.lineOf(answer);
    const asked = calls(limited).slice(-3);
    assert.deepEqual(asked, ["cache.match", "kv.getWithMetadata", "limiter.limit"], "and nothing after it");
    const stranger = await miss({ "cf-connecting-ip": "2001:db8:1:3::1" });
    assert.equal(stranger.status, 404, "somebody else has a count of their own");
  });

  test("is never the operator, nor who asks for what costs nothing", async () => {
    const viewer = { "cf-connecting-ip": "198.51.100.7" };
    await refused(viewer);
    const operator = { ...viewer, authorization: "Bearer the-operator-of-these-tests" };
    for (let count = 0; count <= LIMIT; count += 1) assert.equal((await miss(operator)).status, 404);
    assert.equal((await miss({ ...viewer, "cache-control": "only-if-cached" })).status, 504);
    const head = await limited.ask(sampleFor("never-made", SMALL), { method: "HEAD", headers: viewer });
    assert.equal(head.status, 200);
  });
});
