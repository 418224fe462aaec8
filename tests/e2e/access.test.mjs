// Who may ask what, in the real worker: signed URLs from the first request to their end, presets alone, and a ladder
// whose rungs are all that the media origin's bill shows.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sign } from "../../cli/sign.mjs";
import { eventually, json, SAMPLE, tierOf } from "./ask.mjs";
import { openStage, OPERATOR } from "./stage.mjs";

const SMALL = "width=160&height=90&duration=1s";
const KEYS = { k1: "the first key of these tests", k2: "the second key of these tests" };

/** @type {import("./stage.mjs").Stage} */
let stage;

before(async () => {
  stage = await openStage({
    vars: { SIGN_1: KEYS.k1, SIGN_2: KEYS.k2 },
    config: ({ media }) => {
      const origin = (/** @type {string} */ name, /** @type {Record<string, unknown>} */ more) => ({
        name,
        pattern: `^/${name}/(?:case/[a-z0-9-]+/)?(.+)$`,
        sources: [{ url: `${media}/$1` }],
        ...more,
      });
      return {
        version: "deployed",
        cache: { jitterPercent: 0 },
        signing: { keys: { k1: "SIGN_1", k2: "SIGN_2", k3: "SIGN_GONE" } },
        origins: [
          origin("signed", { access: "signed" }),
          origin("either", { access: "signed-or-preset" }),
          origin("presets", { access: "presets" }),
          origin("few", { parameters: { allow: ["width", "duration"] }, limits: { widthMax: 320, durationMax: "2s" } }),
          origin("ladder", { ladder: { widths: [160, 320], heights: [90, 180] } }),
        ],
      };
    },
  });
});

after(() => stage?.stop());

const nowS = () => Math.floor(Date.now() / 1000);

/** @param {string} target @param {{ forS?: number, kid?: "k1" | "k2" }} [by] */
const signed = (target, { forS = 600, kid = "k1" } = {}) => sign(target, { key: KEYS[kid], kid, expires: nowS() + forS });

/** @param {string} name @param {string} origin @param {string} [query] */
const video = (name, origin, query = SMALL) => `/${origin}/case/${name}${SAMPLE}${query && `?${query}`}`;

/** @param {string} target @param {string} code @param {Parameters<typeof stage.ask>[1]} [options] */
async function isRefused(target, code, options) {
  const answer = await stage.ask(target, options);
  assert.equal(answer.status, 403, `${target}: ${answer.body}`);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["cache-status"], undefined, "a tier was asked");
  if (options?.method === "HEAD") return undefined;
  assert.equal(json(answer).code, code, target);
  return json(answer);
}

describe("a signed URL", () => {
  test("is made, then comes from the edge, then has ended though the edge still has it", async () => {
    const target = video("lifetime", "signed");
    const url = signed(target, { forS: 30 });
    await stage.origin.forget();
    const cold = await stage.ask(url);
    assert.deepEqual([cold.status, tierOf(cold)], [200, "made"]);
    const hit = await eventually(async () => {
      const answer = await stage.ask(url);
      return tierOf(answer) === "edge" && answer;
    }, "the edge has it");
    assert.equal(hit.headers.etag, cold.headers.etag);
    for (const { headers } of [cold, hit]) {
      const left = Number(headers["cache-control"].match(/max-age=(\d+)/)?.[1]) - Number(headers.age);
      assert.ok(left >= 0 && left <= 30, `a browser would show it for ${left} s`);
    }
    assert.match(cold.headers["x-cache-key"], /:w=160:h=90:f=mp4:d=1s:o=signed$/);
    assert.equal((await stage.origin.bill()).requests, 1);

    const short = signed(target, { forS: 2 });
    assert.equal((await stage.ask(short)).status, 200);
    const ended = await eventually(async () => {
      const answer = await stage.ask(short);
      return answer.status === 403 && json(answer);
    }, "the URL has ended");
    assert.equal(ended.code, "signature-expired");
    await isRefused(short, "signature-expired", { headers: { range: "bytes=0-1" } });
    await isRefused(short, "signature-expired", { method: "HEAD" });
    assert.equal(tierOf(await stage.ask(signed(target))), "edge", "the entry has not ended with it");
    assert.equal((await stage.origin.bill()).requests, 1);
  });

  test("opens nothing once any of it is changed", async () => {
    const target = video("tampered", "signed");
    const url = signed(target);
    const genuine = await stage.warm(url);
    assert.equal(genuine.status, 200);
    await stage.origin.forget();
    for (const forged of [
      url.replace("case/tampered", "case/tempered"),
      url.replace("width=160", "width=161"),
      url.replace(/exp=\d/, "exp=9"),
      url.replace("kid=k1", "kid=k2"),
      url.replace("kid=k1", "kid=nobody"),
      url.replace(/sig=.*/, (sig) => `${sig.slice(0, -3)}AAA`),
      url.replace(/sig=.*/, (sig) => `${sig}=`),
      `${url}&nocache=1`,
      `${url}&utm_source=x`,
    ]) {
      await isRefused(forged, "signature-invalid");
    }
    await isRefused(target, "signature-missing");
    await isRefused(target, "signature-missing", { method: "HEAD" });
    const twice = await stage.ask(`${url}&kid=k1`);
    assert.deepEqual([twice.status, json(twice).code], [400, "parameter-duplicate"]);
    assert.equal((await stage.origin.bill()).requests, 0);
    assert.equal((await stage.ask(target, { method: "OPTIONS" })).status, 204);
  });

  test("counts in every spelling and for every part of the video", async () => {
    const url = signed(video("spelled", "signed", `${SMALL}&filename=a-b.mp4`));
    const whole = await stage.warm(url);
    const [path, query] = url.split("?");
    const otherwise = `${path.replace("spelled", "%73pelled")}?${query.split("&").reverse().join("&").replace("width", "Width").replace("a-b", "a%2Db")}`;
    const again = await stage.ask(otherwise);
    assert.deepEqual([again.status, again.headers.etag], [200, whole.headers.etag]);
    const part = await stage.ask(url, { headers: { range: "bytes=0-99" } });
    assert.deepEqual([part.status, part.body.length], [206, 100]);
    assert.equal((await stage.ask(url, { method: "HEAD" })).headers.etag, whole.headers.etag);
    assert.equal((await stage.ask(url, { headers: { "if-none-match": whole.headers.etag } })).status, 304);
  });

  test("of two keys is one entry, and a key whose secret is missing is told to the operator alone", async () => {
    const target = video("keys", "signed");
    const one = await stage.warm(signed(target));
    const other = await stage.ask(signed(target, { kid: "k2" }));
    assert.deepEqual([tierOf(other), other.headers.etag], ["edge", one.headers.etag]);
    const gone = sign(target, { key: KEYS.k1, kid: "k3", expires: nowS() + 600 });
    const { detail } = await isRefused(gone, "signature-invalid");
    assert.ok(!/SIGN|secret|k3/.test(detail), detail);
    const line = await eventually(
      () => stage.logs().find(({ message }) => message === "a signing key is missing"),
      "the operator is told",
    );
    assert.deepEqual([line.kid, line.fault], ["k3", "secret SIGN_GONE is not set"]);
  });
});

describe("an origin", () => {
  test("of presets gives presets and what suits the viewer, and nothing else", async () => {
    for (const origin of ["presets", "either"]) {
      for (const query of ["derivative=thumbnail", "impolicy=thumbnail&filename=a.jpg", "derivative=thumbnail&utm_source=x"]) {
        assert.equal((await stage.ask(video("presets", origin, query))).status, 200, query);
      }
      const problem = await isRefused(video("presets", origin), "not-allowed-here");
      assert.deepEqual(problem.parameters, ["width", "height", "duration"]);
      const phone = { "sec-ch-width": "123", ...OPERATOR };
      const view = await stage.ask(video("presets", origin, "debug=view"), { headers: phone });
      assert.deepEqual(json(view).sizing.bucket, "360p");
    }
    assert.equal((await stage.ask(signed(video("presets", "either")))).status, 200);
    await isRefused(signed(video("presets", "presets")), "not-allowed-here");
    const operator = await stage.ask(video("presets", "presets"), { headers: OPERATOR });
    assert.equal(operator.status, 200);
  });

  test("takes the parameters and the bounds that it has", async () => {
    await stage.origin.forget();
    const good = await stage.ask(video("few", "few", "width=160&duration=1s"));
    assert.equal(good.status, 200);
    for (const [query, parameter] of [
      ["width=160&height=90", "height"],
      ["width=160&mute=1", "mute"],
      ["derivative=thumbnail", "derivative"],
      ["width=321", "width"],
      ["width=160&duration=3s", "duration"],
    ]) {
      const answer = await stage.ask(video("few", "few", query));
      assert.deepEqual([answer.status, json(answer).parameter], [400, parameter]);
    }
    assert.equal((await stage.origin.bill()).requests, 1);
  });

  test("with a ladder makes one rendition a rung, however many sizes are asked", async () => {
    await stage.origin.forget();
    const keys = new Set();
    for (let width = 20; width <= 400; width += 20) {
      for (const height of [33, 178]) {
        const answer = await stage.ask(video("ladder", "ladder", `width=${width}&height=${height}&mode=frame`));
        assert.equal(answer.status, 200);
        assert.equal(answer.headers["x-resolved-width"], width <= 160 ? "160" : "320");
        assert.equal(answer.headers["x-resolved-height"], height <= 90 ? "90" : "180");
        assert.match(answer.headers["x-param-warnings"], new RegExp(`height: ${height} is not made here`));
        keys.add(answer.headers["x-cache-key"]);
        // The next of the same rung must find it.
        await eventually(async () => (await stage.kept(video("ladder", "ladder", `width=${width}&height=${height}&mode=frame`))).edge, "the edge has it");
      }
    }
    const { requests, unique } = await stage.origin.bill();
    assert.equal(keys.size, 4);
    assert.equal(requests, 4, "ordered once a rung");
    assert.equal(unique.length, 4);
    for (const { url } of unique) assert.match(url, /width=(160|320),height=(90|180)/);
  });
});

test("a key that is taken out of the configuration signs nothing from then on", async () => {
  const target = video("rotated", "signed");
  const [old, next] = [signed(target), signed(target, { kid: "k2" })];
  await stage.warm(old);
  assert.equal((await stage.ask(next)).status, 200);
  await stage.kv.config.put("worker-config", JSON.stringify({ version: "rotated", signing: { keys: { k1: null } } }));
  await stage.restart();
  await eventually(async () => (await stage.ask(old)).status === 403, "the old key is gone");
  await isRefused(old, "signature-invalid");
  assert.deepEqual([(await stage.ask(next)).status, tierOf(await stage.ask(next))], [200, "edge"]);
});
