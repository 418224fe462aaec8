// The instruments themselves, without a worker: the transformer makes what it is told, and the reader finds
// everything that can be wrong with it.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { Check, content, owner, seedOf } from "./content.mjs";
import { assertExact, inexact, read } from "./reader.mjs";
import { startTransformer } from "./transformer.mjs";
import { open } from "./viewer.mjs";

const MIB = 1024 * 1024;
const SEED = seedOf(1);

test("content is the same however it is cut, and no two bodies share a word", () => {
  const whole = content(SEED, 0, 4099);
  for (const [offset, length] of [[0, 1], [1, 7], [7, 9], [8, 8], [1000, 3099], [4098, 1]]) {
    assert.deepEqual(content(SEED, offset, length), whole.subarray(offset, offset + length), `${offset}+${length}`);
  }
  const words = new Set();
  for (const body of [whole, content(seedOf(2), 0, 4099), content(SEED, 64 * MIB, 4096)]) {
    for (let at = 0; at + 8 <= body.length; at += 8) words.add(body.toString("hex", at, at + 8));
  }
  assert.equal(words.size, 3 * 512);
});

test("bytes tell whose they are from any offset, and other bytes are nobody's", () => {
  for (const offset of [0, 1, 7, 8, 5 * MIB + 3]) assert.equal(owner(content(SEED, offset, 15), offset), SEED);
  assert.equal(owner(content(SEED, 8, 16), 16), undefined, "bytes from elsewhere in the same body");
  assert.equal(owner(Buffer.alloc(64), 0), undefined);
});

test("a check finds a wrong byte, another body's bytes and a shift, whatever the pieces", () => {
  const [one, other] = [content(SEED, 5, 1000), content(seedOf(2), 5, 1000)];
  const lie = Buffer.from(one);
  lie[500] ^= 1;
  const cases = [
    { bytes: one, wrong: /^$/ },
    { bytes: lie, wrong: /^from byte 505: bytes of no body/ },
    { bytes: Buffer.concat([one.subarray(0, 400), other.subarray(400)]), wrong: /^from byte 405: bytes of/, whose: seedOf(2) },
    { bytes: Buffer.concat([one.subarray(0, 400), one.subarray(408)]), wrong: /^from byte 405: bytes of no body/ },
    { bytes: Buffer.alloc(1000), wrong: /^from byte 5: bytes of no body/ },
  ];
  for (const { bytes, wrong, whose } of cases) {
    for (const size of [1, 13, 600, 1000]) {
      const check = new Check(5);
      for (let at = 0; at < bytes.length; at += size) check.take(bytes.subarray(at, at + size));
      check.end();
      assert.match(check.wrong, wrong);
      assert.equal(check.bytes, bytes.length);
      // It takes a whole word of the stranger's to know it by.
      if (whose && size > 15) assert.match(check.wrong, new RegExp(`bytes of the body ${whose} in the body ${SEED}`));
    }
  }
});

test("a range too short to tell whose it is has to be told", () => {
  for (const [seed, wrong] of /** @type {const} */ ([[undefined, /too few bytes/], [SEED, /^$/], [seedOf(2), /of no body/]])) {
    const check = new Check(9, seed);
    check.take(content(SEED, 9, 2));
    check.end();
    assert.match(check.wrong, wrong);
  }
});

/** @type {import("./transformer.mjs").Transformer} */
let transformer;
before(async () => {
  transformer = await startTransformer();
});
after(() => transformer?.stop());

/** @param {string} path */
const rendition = (path) => `${transformer.config.transformer.baseUrl}/mode=video,width=640/http://source.invalid${path}`;

/** @param {string} path */
const source = (path) => new URL(path, transformer.config.transformer.baseUrl).href;

test("a body of 256 MiB comes exact and announced, and each transformation makes another", async (t) => {
  const answer = await read(rendition(`/videos/large/${256 * MIB}.mp4`));
  const seed = assertExact(answer, { total: 256 * MIB });
  assert.equal(answer.headers["content-length"], String(256 * MIB));
  t.diagnostic(`${Math.round(answer.wholeMs)} ms`);
  const other = assertExact(await read(rendition("/videos/large/77.mp4")), { total: 77 });
  assert.deepEqual(transformer.runs("/large/").map((run) => [run.seed, run.end]), [[seed, "whole"], [other, "whole"]]);
});

test("a length is not announced, a head and a body are late, bytes drip, where it is so ordered", async () => {
  transformer.order("/manners/", { announced: false, startMs: 200, bodyMs: 200, bytesPerS: 100_000 });
  const answer = await read(rendition("/videos/manners/50000.mp4"));
  assertExact(answer, { total: 50_000 });
  assert.equal(answer.headers["content-length"], undefined);
  assert.ok(answer.firstByteMs > 390, `first byte after ${answer.firstByteMs} ms`);
  assert.ok(answer.wholeMs > 800, `whole after ${answer.wholeMs} ms`);
  assert.equal((await read(rendition("/videos/no-length/1000.mp4"))).headers["content-length"], undefined);
});

test("a body breaks off at its byte, once, and the reader says so", async () => {
  transformer.order("/breaking/", { breaksAt: 100_001, times: 1 });
  const answer = await read(rendition("/videos/breaking/200000.mp4"));
  assert.match(inexact(answer, { total: 200_000 }), /^it broke off after 100001 bytes$/);
  assertExact(await read(rendition("/videos/breaking/200000.mp4")), { total: 200_000 });
  assert.deepEqual(transformer.runs("/breaking/").map(({ end }) => end), ["broken", "whole"]);
});

test("a body stalls until the order is taken back, or its connection is cut", async () => {
  const withdraw = transformer.order("/stalling/", { stallsAt: 1000 });
  const [whole, cut] = [1, 2].map((n) => read(rendition(`/videos/stalling/${n}/2000.mp4`)));
  const sent = () => transformer.runs("/stalling/").map((run) => run.sent);
  while (sent().join() !== "1000,1000") await new Promise((resolve) => setTimeout(resolve, 10));
  transformer.cut("/stalling/2/");
  assert.match(inexact(await cut, { total: 2000 }), /^it broke off after 1000 bytes$/);
  assert.deepEqual(sent(), [1000, 1000]);
  withdraw();
  assertExact(await whole, { total: 2000 });
});

test("a reader leaves, and the transformer is told", async () => {
  const answer = await read(rendition(`/videos/left/${64 * MIB}.mp4`), { leavesAt: 1000 });
  assert.match(inexact(answer, { total: 64 * MIB }), /^the reader left after/);
  const [run] = transformer.runs("/left/");
  while (run.end === "under way") await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(run.end, "left");
  assert.ok(run.sent < 64 * MIB, `${run.sent} bytes were sent`);
});

test("a reader pauses and reads slowly, and the sender is held back", async () => {
  const paused = read(rendition(`/videos/paused/${64 * MIB}.mp4`), { pausesAt: 1000, pauseMs: 600 });
  await new Promise((resolve) => setTimeout(resolve, 400));
  const [{ sent }] = transformer.runs("/paused/");
  assert.ok(sent < 32 * MIB, `${sent} bytes were sent meanwhile`);
  const answer = await paused;
  assertExact(answer, { total: 64 * MIB });
  assert.ok(answer.wholeMs > 600, `${answer.wholeMs} ms`);
  const slow = await read(rendition("/videos/slow/100000.mp4"), { bytesPerS: 200_000 });
  assertExact(slow, { total: 100_000 });
  assert.ok(slow.wholeMs > 450, `${slow.wholeMs} ms`);
});

test("a source has the validators it is given, answers conditions by them, and its requests are known", async () => {
  const path = "/videos/validated/1024.mp4";
  const ask = async (/** @type {Record<string, string>} */ headers) => {
    const response = await open(source(path), { headers, method: "HEAD" });
    return [response.statusCode, response.headers.etag, response.headers["content-length"]];
  };
  const lastModified = "Wed, 01 Jan 2025 00:00:00 GMT";
  assert.deepEqual(await ask({}), [200, undefined, "1"]);
  transformer.source(path, { etag: '"a"', lastModified, length: 5000 });
  assert.deepEqual(await ask({}), [200, '"a"', "5000"]);
  assert.deepEqual(await ask({ "if-none-match": '"a"' }), [304, '"a"', undefined]);
  assert.deepEqual(await ask({ "if-modified-since": lastModified }), [304, '"a"', undefined]);
  assert.deepEqual(await ask({ "if-none-match": '"b"', "if-modified-since": lastModified }), [200, '"a"', "5000"]);
  transformer.source(path, { etag: '"b"' });
  assert.deepEqual(await ask({ "if-none-match": '"a"' }), [200, '"b"', "1"]);
  transformer.source(path, { status: 503 });
  assert.deepEqual(await ask({}), [503, undefined, undefined]);
  assert.deepEqual(transformer.sourceRequests(path).map(({ status }) => status), [200, 200, 304, 304, 200, 200, 503]);
  assert.deepEqual(transformer.runs("/validated/"), []);
});

/** Answers with these pieces, as several ranges. @param {Buffer[]} pieces */
async function partsFrom(pieces) {
  const server = http.createServer((_, response) => {
    response.writeHead(206, { "content-type": "multipart/byteranges; boundary=here" });
    for (const piece of pieces) response.write(piece);
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const answer = await read(`http://127.0.0.1:${port}/`);
  server.close();
  return answer;
}

test("several ranges are checked part by part, however they come", async () => {
  const RANGES = /** @type {[number, number][]} */ ([[0, 99], [5000, 5999], [9000, 9999]]);
  const part = (/** @type {number} */ first, /** @type {number} */ last, bytes = content(SEED, first, last - first + 1)) => [
    Buffer.from(`--here\r\nContent-Type: video/mp4\r\nContent-Range: bytes ${first}-${last}/10000\r\n\r\n`),
    bytes,
    Buffer.from("\r\n"),
  ];
  const close = Buffer.from("--here--\r\n");
  const parts = RANGES.map(([first, last]) => part(first, last));
  const good = Buffer.concat([...parts.flat(), close]);
  const bytewise = Array.from({ length: good.length }, (_, at) => good.subarray(at, at + 1));
  for (const pieces of [[good], bytewise, [Buffer.from("\r\n"), good], [Buffer.from("\r"), Buffer.from("\n"), good]]) {
    assert.equal(assertExact(await partsFrom(pieces), { total: 10_000, ranges: RANGES }), SEED);
  }
  const stranger = part(5000, 5999, content(seedOf(2), 5000, 1000));
  for (const [pieces, wrong] of /** @type {[Buffer[], RegExp][]} */ ([
    [[...parts[0], ...stranger, ...parts[2], close], /^bytes of several bodies/],
    [[...parts[0], ...part(5000, 5999, content(SEED, 5001, 1000)), ...parts[2], close], /^from byte 5000: bytes of no body/],
    [[...parts[0], ...part(5000, 5999, content(SEED, 5000, 999)), ...parts[2], close], /of no body|no delimiter/],
    [[...parts[0], ...parts[1], close], /^bytes 0-99\/10000,5000-5999\/10000 came/],
    [parts.flat(), /^no closing delimiter$/],
    [[...parts.flat(), close, Buffer.from("more")], /^4 bytes after the end$/],
  ])) {
    assert.match(inexact(await partsFrom(pieces), { total: 10_000, ranges: RANGES }), wrong);
  }
});
