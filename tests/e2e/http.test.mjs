// HTTP on every tier: the same table of requests asked of a rendition that is made for them, that lies at the
// edge, and that lies in KV. The ids are those of two checklists: R1 to R25 of ranges (RFC 9110, 14), V, M, F, N
// and H of everything else (RFC 9110, 9111, 9211, Fetch).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, json, sha256, tierOf, tiers } from "./ask.mjs";
import { parseList } from "./structured-fields.mjs";
import { hold, holdProblem, lasting, onEveryAnswer } from "./hold.mjs";
import { OTHER, ROWS } from "./http-table.mjs";
import { openStage, OPERATOR, sampleFor } from "./stage.mjs";

/** Small and short: ffmpeg makes it once for the whole table. */
const QUERY = "width=160&height=90&duration=1s&loop=true&muted=true&filename=clip.mp4";

/** @type {import("./stage.mjs").Stage} */
let stage;
/** The rendition that every row is about, from a request of its own. @type {Buffer} */
let bytes;

/** Each row has an entry of its own, so that no row sees what another did to a tier. @param {number} at */
const targetOf = (at) => sampleFor(`row-${at}`, QUERY);

/** What each row was first answered with, when its rendition was made. @type {Map<number, import("./ask.mjs").Answer>} */
const made = new Map();

before(async () => {
  stage = await openStage({ config: () => ({ cache: { jitterPercent: 0 }, ttl: { ok: 7200 } }) });
  bytes = (await stage.warm(sampleFor("reference", QUERY))).body;
});

after(() => stage?.stop());

describe("a rendition that is made for the request", () => {
  for (const [at, row] of ROWS.entries()) {
    if (row.needsTag) continue;
    test(`${row.name}: when it is made`, async () => {
      const known = { total: bytes.length, etag: "", modified: "" };
      const answer = await stage.ask(targetOf(at), { method: row.method, headers: row.headers?.(known) });
      assert.equal(tierOf(answer), "made");
      hold(answer, row, known, bytes);
      made.set(at, answer);
    });
  }

  test("R20 leaves the whole of it in both tiers, whatever part of it was asked", async () => {
    for (const at of ROWS.keys()) {
      // Rows about a tag have asked nothing yet.
      if (!made.has(at)) await stage.ask(targetOf(at));
      await eventually(async () => {
        const { edge, kv } = await stage.kept(targetOf(at));
        return edge && kv;
      }, ROWS[at].name);
    }
    assert.equal((await stage.origin.bill()).transforms, 1);
    assert.equal((await stage.origin.bill()).requests, ROWS.length + 1, "one order a row, and the reference's");
  });
});

for (const tier of /** @type {const} */ (["edge", "kv"])) {
  describe(`a rendition from ${tier === "kv" ? "KV" : "the edge"}`, () => {
    /** @type {Map<number, import("./http-table.mjs").Known>} */
    const knowledge = new Map();
    before(async () => {
      for (const at of ROWS.keys()) {
        const { headers } = await stage.ask(targetOf(at), { method: "HEAD" });
        knowledge.set(at, { total: bytes.length, etag: headers.etag, modified: headers["last-modified"] });
      }
      // Until its second is over a date does not tell two versions apart (RFC 9110, 8.8.2.2).
      const youngest = Math.max(...[...knowledge.values()].map(({ modified }) => Date.parse(modified)));
      await eventually(() => Date.now() >= youngest + 1000, "the second of the youngest rendition is over");
      if (tier === "kv") await stage.clearEdge();
      await stage.origin.forget();
    });

    for (const [at, row] of ROWS.entries()) {
      test(`${row.name}: from ${tier}`, async () => {
        const known = /** @type {import("./http-table.mjs").Known} */ (knowledge.get(at));
        const answer = await stage.ask(targetOf(at), { method: row.method, headers: row.headers?.(known) });
        assert.equal(tierOf(answer), tier);
        hold(answer, row, known, bytes);
        const before = made.get(at);
        if (!before) return;
        assert.deepEqual(lasting(answer), lasting(before), "another answer than when it was made");
        assert.equal(sha256(answer.body), sha256(before.body), "other bytes than when it was made");
      });
    }

    test("nothing was made or fetched for any of them", async () => {
      assert.deepEqual(await stage.origin.journal(), []);
    });
  });
}

describe("methods", () => {
  test("M1 HEAD of a rendition never made says what is known of it, costs nothing and leaves nothing behind", async () => {
    const target = sampleFor("head", QUERY);
    await stage.origin.forget();
    const head = await stage.ask(target, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(head.headers["content-type"], "video/mp4");
    assert.equal(head.headers["accept-ranges"], "bytes");
    assert.equal(head.headers["cache-control"], "no-store");
    assert.equal(head.headers["content-length"], undefined, "nobody knows it yet");
    onEveryAnswer(head);
    const { operations, requests } = await stage.origin.bill();
    assert.deepEqual({ operations, requests }, { operations: 0, requests: 0 });
    assert.deepEqual(await stage.kept(target), { edge: false, kv: false });
    const got = await stage.ask(target);
    assert.equal(sha256(got.body), sha256(bytes));
  });

  test("M1 HEAD of a video that is not there is a 404", async () => {
    assert.equal((await stage.ask("/videos/not-there.mp4?width=160", { method: "HEAD" })).status, 404);
  });

  test("M2 OPTIONS says what is served", async () => {
    const answer = await stage.ask(sampleFor("options", QUERY), { method: "OPTIONS" });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.allow, "GET, HEAD, OPTIONS");
    assert.equal(answer.body.length, 0);
  });

  test("M3 a preflight allows what a player sends, and fetches nothing", async () => {
    await stage.origin.forget();
    const { status, headers } = await stage.ask(sampleFor("options", QUERY), {
      method: "OPTIONS",
      headers: {
        origin: "https://player.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "range, x-player, authorization",
      },
    });
    assert.equal(status, 204);
    assert.equal(headers["access-control-allow-origin"], "*");
    assert.equal(headers["access-control-allow-methods"], "GET, HEAD, OPTIONS");
    const allowed = headers["access-control-allow-headers"].toLowerCase().split(", ");
    for (const name of ["range", "if-range", "if-none-match", "if-modified-since", "cmcd-request", "x-player"]) {
      assert.ok(allowed.includes(name), `${name} is allowed`);
    }
    assert.ok(!allowed.includes("authorization"), "no page has credentials for us");
    assert.equal(headers["access-control-max-age"], "86400");
    assert.equal(headers.vary, "access-control-request-headers, access-control-request-method, origin");
    assert.equal(headers["access-control-allow-credentials"], undefined);
    assert.deepEqual(await stage.origin.journal(), []);
  });

  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    test(`M5 R18 ${method} is refused, whatever its Range`, async () => {
      await stage.origin.forget();
      const refused = await stage.ask(sampleFor("methods", QUERY), { method, headers: { range: "bytes=0-1" }, body: "x" });
      assert.equal(refused.status, 405);
      assert.equal(refused.headers.allow, "GET, HEAD, OPTIONS");
      holdProblem(refused, { code: "method-not-allowed", method });
      assert.deepEqual(await stage.origin.journal(), []);
    });
  }

  test("M5 TRACE is refused", async () => {
    const { status } = await stage.ask(sampleFor("methods", QUERY), { method: "TRACE" });
    assert.ok([405, 501].includes(status), String(status));
  });
});

describe("errors", () => {
  test("R19 a range or a condition changes no error, and an error is never a 206 or a 304", async () => {
    for (const [target, status] of [
      [sampleFor("errors", "width=5"), 400],
      ["/videos/nowhere.mp4?width=160&height=90", 404],
    ]) {
      for (const headers of [{ range: "bytes=0-1" }, { range: "bytes=-0" }, { "if-none-match": "*" }, { "if-match": OTHER }]) {
        const answer = await stage.ask(target, { headers });
        assert.equal(answer.status, status, JSON.stringify(headers));
        assert.equal(answer.headers["content-range"], undefined);
        holdProblem(answer, {});
      }
    }
  });

  test("F11 a missing video may be remembered as long as we remember it, other errors by nobody", async () => {
    const missing = await stage.ask("/videos/nowhere-2.mp4?width=160&height=90");
    holdProblem(missing, { code: "rendition-failed", reason: "transform-error", upstream_code: 9404 });
    assert.match(missing.headers["cache-control"], /^public, max-age=(59|60)$/);
    const refused = await stage.ask(sampleFor("errors", "width=5"));
    assert.equal(refused.headers["cache-control"], "no-store");
  });

  test("H10 an overloaded transformer says when to ask again, and says so to pages as well", async () => {
    await stage.origin.order({ match: "mode=frame,width=171/", on: "transform", fault: { kind: "status", status: 503 }, times: 1 });
    const answer = await stage.ask(sampleFor("overloaded", "mode=frame&width=171"));
    assert.equal(answer.status, 503);
    assert.match(answer.headers["retry-after"], /^[1-9]\d*$/);
    assert.equal(answer.headers["cache-control"], "no-store");
    const [{ item, parameters }] = parseList(answer.headers["proxy-status"]);
    assert.deepEqual([item, parameters.details], ["video-resizer", "status"], "H2");
    holdProblem(answer, { code: "rendition-failed" });
  });

  test("H13 an escaped slash is not a slash", async () => {
    const answer = await stage.ask("/videos%2Fbig-buck-bunny-720p-5s.mp4?width=160&height=90&debug=view");
    assert.equal(json(answer).kv_key, "video:videos%2Fbig-buck-bunny-720p-5s.mp4:w=160:h=90:f=mp4");
  });
});

describe("what a cache says of itself", () => {
  test("H1 Cache-Status tells the tiers nearest the origin first, and no key", async () => {
    const target = sampleFor("status", QUERY);
    const miss = await stage.warm(target);
    assert.deepEqual(parseList(miss.headers["cache-status"]), [
      { item: "video-resizer-kv", parameters: { fwd: "uri-miss", "fwd-status": 200, stored: true } },
      { item: "video-resizer-edge", parameters: { fwd: "uri-miss", stored: true } },
    ]);
    const atEdge = await stage.ask(target);
    const { ttl } = tiers(atEdge).edge ?? {};
    assert.deepEqual(parseList(atEdge.headers["cache-status"]), [{ item: "video-resizer-edge", parameters: { hit: true, ttl } }]);
    assert.ok(Math.abs(7200 - ttl - Number(atEdge.headers.age)) <= 1, `ttl ${ttl}, age ${atEdge.headers.age}`);
    await stage.clearEdge();
    const inKv = parseList((await stage.ask(target)).headers["cache-status"]);
    assert.deepEqual(inKv.map(({ item }) => item), ["video-resizer-kv", "video-resizer-edge"]);
    assert.deepEqual([inKv[0].parameters.hit, inKv[1].parameters], [true, { fwd: "uri-miss", stored: true }]);
  });

  test("H3 Server-Timing has what was asked and the total, in milliseconds", async () => {
    const target = sampleFor("timing", QUERY);
    const names = async () => {
      const { headers } = await stage.ask(target);
      return headers["server-timing"].split(", ").map((metric) => {
        assert.match(metric, /^[a-z]+;dur=\d+(;desc=[a-z-]+)?$/);
        return metric.split(";")[0];
      });
    };
    assert.deepEqual(await names(), ["edge", "kv", "gate", "transform", "total"]);
    await eventually(async () => (await stage.kept(target)).edge, "the edge keeps it");
    assert.deepEqual(await names(), ["edge", "total"]);
    await stage.clearEdge();
    assert.deepEqual(await names(), ["edge", "kv", "total"]);
  });

  test("F5 Age counts from when the rendition was made, also where KV gave the edge its copy", async () => {
    const target = sampleFor("age", QUERY);
    const miss = await stage.warm(target);
    assert.equal(miss.headers.age, "0");
    const born = Date.parse(miss.headers["last-modified"]);
    const old = await eventually(async () => {
      const answer = await stage.ask(target);
      return Number(answer.headers.age) >= 1 && answer;
    }, "it has an age at the edge");
    await stage.clearEdge();
    const inKv = await stage.ask(target);
    await eventually(async () => (await stage.kept(target)).edge, "it is at the edge again");
    const promoted = await stage.ask(target);
    assert.deepEqual([old, inKv, promoted].map(tierOf), ["edge", "kv", "edge"]);
    let last = 0;
    for (const { headers } of [old, inKv, promoted]) {
      assert.ok(Number(headers.age) >= last, `${headers.age} after ${last}`);
      last = Number(headers.age);
      assert.ok(Math.abs(Date.parse(headers.date) - born - last * 1000) <= 1000, "as old as Date says");
      assert.equal(headers["cache-control"], "public, max-age=7200, no-transform", "the lifetime of the rendition, not of the copy");
    }
  });

  test("F10 strangers cannot make us pay: no-cache, no-store, max-age=0 and Pragma are passed over", async () => {
    const target = sampleFor("directives", QUERY);
    await stage.warm(target);
    await stage.origin.forget();
    for (const headers of [
      { "cache-control": "no-cache" },
      { "cache-control": "no-store" },
      { "cache-control": "max-age=0" },
      { pragma: "no-cache" },
    ]) {
      const answer = await stage.ask(target, { headers });
      assert.equal(tierOf(answer), "edge", JSON.stringify(headers));
      assert.equal(answer.headers["x-param-warnings"], undefined, "a reload is no attempt");
    }
    assert.deepEqual(await stage.origin.journal(), []);
  });

  test("F10 only-if-cached is answered from a tier or not at all", async () => {
    const target = sampleFor("only-if-cached", QUERY);
    const headers = { "cache-control": "only-if-cached" };
    await stage.origin.forget();
    const absent = await stage.ask(target, { headers });
    assert.equal(absent.status, 504);
    holdProblem(absent, { reason: "only-if-cached" });
    assert.deepEqual(await stage.origin.journal(), []);
    await stage.warm(target);
    const present = await stage.ask(target, { headers });
    assert.deepEqual([present.status, tierOf(present)], [200, "edge"]);
  });
});

describe("what an answer depends on", () => {
  test("N1 a size that is asked depends on nobody, and the answer says so", async () => {
    const { headers } = await stage.ask(sampleFor("vary", QUERY), { headers: { "sec-ch-viewport-width": "2000", "save-data": "on" } });
    assert.deepEqual([headers.vary, headers["accept-ch"]], [undefined, undefined]);
  });

  test("N1 N2 a size that is chosen names what it was chosen by, and asks for more", async () => {
    const target = sampleFor("vary", "mode=frame");
    /** @type {[Record<string, string>, string][]} */
    const viewers = [
      [{ "sec-ch-viewport-width": "800" }, "854"],
      [{ "sec-ch-width": "900" }, "1280"],
      [{ "sec-ch-viewport-width": "400", "sec-ch-dpr": "3" }, "1280"],
      [{ "cf-device-type": "mobile" }, "640"],
      [{ "sec-ch-viewport-width": "1900", "save-data": "on" }, "854"],
      [{ "sec-ch-viewport-width": "1900", ect: "3g" }, "854"],
      [{ "sec-ch-viewport-width": "1900", downlink: "1.5" }, "854"],
      [{ "user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148" }, "640"],
      [{ "sec-ch-viewport-width": "a lot" }, "854"],
      [{}, "854"],
    ];
    for (const [headers, width] of viewers) {
      const answer = await stage.ask(target, { headers });
      assert.equal(answer.headers["x-resolved-width"], width, JSON.stringify(headers));
      const vary = answer.headers.vary.split(", ");
      for (const name of Object.keys(headers)) assert.ok(vary.includes(name), `Vary has no ${name}: ${vary}`);
      assert.match(answer.headers["accept-ch"], /Sec-CH-Viewport-Width/);
    }
  });

  test("N1 a 304 names the same, or a browser's cache would forget it", async () => {
    const target = sampleFor("vary", "mode=frame");
    const first = await stage.warm(target);
    const again = await stage.ask(target, { headers: { "if-none-match": first.headers.etag } });
    assert.equal(again.status, 304);
    assert.equal(again.headers.vary, first.headers.vary);
  });
});

describe("bytes", () => {
  for (const tier of /** @type {const} */ (["edge", "kv"])) {
    test(`P2 the parts from ${tier} are together the whole`, async () => {
      const target = sampleFor(`parts-${tier}`, QUERY);
      await stage.warm(target);
      const parts = [];
      const step = 9_973;
      for (let first = 0; first < bytes.length; first += step) {
        if (tier === "kv") await stage.clearEdge();
        // The operator may leave the edge alone: a copy on its way there does not decide where the next part comes from.
        const around = tier === "kv" ? { ...OPERATOR, "x-bypass-cache": "around-edge" } : {};
        const answer = await stage.ask(target, { headers: { range: `bytes=${first}-${first + step - 1}`, ...around } });
        assert.equal(tierOf(answer), tier);
        parts.push(answer.body);
      }
      assert.equal(sha256(Buffer.concat(parts)), sha256(bytes));
    });
  }
});

describe("pages of some sites only", () => {
  before(async () => {
    const cors = { allowOrigins: ["https://player.example", "https://other.example"] };
    await stage.kv.config.put("worker-config", JSON.stringify({ cors }));
    await stage.restart();
  });
  const target = sampleFor("row-0", QUERY);

  test("M4 a listed site is told by name, and every answer says that it depends on the site", async () => {
    const { headers } = await stage.ask(target, { headers: { origin: "https://player.example" } });
    assert.equal(headers["access-control-allow-origin"], "https://player.example");
    assert.equal(headers.vary, "origin");
    assert.equal((await stage.ask(target)).headers.vary, "origin");
  });

  test("M4 another site gets the video without leave to read it", async () => {
    const answer = await stage.ask(target, { headers: { origin: "https://thief.example" } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
    assert.equal(answer.headers["access-control-expose-headers"], undefined);
  });

  test("M3 another site's preflight allows nothing", async () => {
    const { status, headers } = await stage.ask(target, {
      method: "OPTIONS",
      headers: { origin: "https://thief.example", "access-control-request-method": "GET" },
    });
    assert.equal(status, 204);
    assert.equal(headers["access-control-allow-origin"], undefined);
    assert.equal(headers["access-control-allow-methods"], undefined);
  });
});
