// The signing library by itself: the vectors it shares with the worker's own tests, and what it refuses to sign.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { canonical, sign } from "../../cli/sign.mjs";

/** @type {{ name: string, url: string, key: string, kid: string, expires: number | null, canonical: string, signed: string }[]} */
const VECTORS = JSON.parse(readFileSync(new URL("../signature-vectors.json", import.meta.url), "utf8"));

const BY = { key: "a key of some length", kid: "k1", expires: 1_800_000_000 };

test("every vector is signed as it was when it was written down", () => {
  assert.ok(VECTORS.length >= 16);
  for (const { name, url, key, kid, expires, canonical: message, signed } of VECTORS) {
    assert.equal(sign(url, { key, kid, expires: expires ?? undefined }), signed, name);
    const { pathname, search } = new URL(signed, "https://videos.example.com");
    assert.equal(canonical(pathname, search.slice(1)), message, `${name}, as a browser sends it`);
  }
});

test("signing what is signed changes nothing, and signing it anew leaves nothing of the old signature", () => {
  for (const { url, key, kid, expires } of VECTORS) {
    const by = { key, kid, expires: expires ?? undefined };
    const once = sign(url, by);
    assert.equal(sign(once, by), once);
    assert.equal(sign(sign(url, BY), by), once);
  }
});

test("whatever is changed, the signature is another", () => {
  const sig = (/** @type {string} */ url, by = BY) => new URL(sign(url, by), "https://h.example").searchParams.get("sig");
  const others = [
    sig("/a.mp4?width=640"),
    sig("/b.mp4?width=640"),
    sig("/a.mp4?width=641"),
    sig("/a.mp4?height=640"),
    sig("/a.mp4?width=640&x"),
    sig("/a.mp4?width=640", { ...BY, key: "another key of some length" }),
    sig("/a.mp4?width=640", { ...BY, kid: "k2" }),
    sig("/a.mp4?width=640", { ...BY, expires: 1_800_000_001 }),
  ];
  assert.equal(new Set(others).size, others.length);
  for (const one of others) assert.match(String(one), /^[A-Za-z0-9_-]{43}$/);
});

test("what no worker would take is not signed", () => {
  /** @type {[string, Partial<typeof BY>, RegExp][]} */
  const refused = [
    ["/a.mp4", { key: "short" }, /16 bytes/],
    ["/a.mp4", { kid: "K1" }, /key id/],
    ["/a.mp4", { kid: "" }, /key id/],
    ["/a.mp4", { expires: 1.5 }, /whole number/],
    ["/a.mp4", { expires: -1 }, /whole number/],
    ["/a.mp4", { expires: Number.NaN }, /whole number/],
    ["a.mp4", {}, /slash/],
    ["ftp://h.example/a.mp4", {}, /slash/],
    ["/../a.mp4", {}, /no worker serves/],
    ["/a/%2e%2E/b.mp4", {}, /no worker serves/],
    ["/a%2f..%2fb.mp4", {}, /no worker serves/],
    ["/a\\b.mp4", {}, /no worker serves/],
    ["/a%00.mp4", {}, /no worker serves/],
    ["/a%ff.mp4", {}, /malformed/],
    ["/a.mp4?width=%zz", {}, /malformed/],
    ["/a.mp4?%ff=1", {}, /malformed/],
  ];
  for (const [url, by, why] of refused) assert.throws(() => sign(url, { ...BY, ...by }), why, url);
});
