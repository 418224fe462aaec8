// Goal: whatever goes wrong is told in a sentence, ends with its exit code, and is never done twice.
// Method: the real program as a child process against a stub of the API that fails in every way it can.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { CALLS, KEY, openDesk } from "./operator.mjs";
import { job, problem, receipt, startApi, stored, TOKEN, variant } from "./operators-api.mjs";

const desk = await openDesk();
const { api, run, done, write } = desk;
beforeEach(() => api.forget());
after(() => desk.close());

test("exit code 4: --wait ran out of time, and says how to go on, even where the API hangs", async () => {
  for (const afterMs of [0, 30_000]) {
    api.say("POST /purge", { status: 202, json: receipt("p6", false) });
    api.say("GET /purge/p6", { json: receipt("p6", false), afterMs });
    const { code, out, err, ms } = await run(["purge", "--tag", "a", "--wait", "--wait-timeout", "600ms"]);
    assert.equal(code, 4, err);
    assert.match(err, /not complete after 0\.6 s; p6 goes on: video-resizer purge show p6\n$/);
    assert.match(out, /not complete: isolates pending, zone failing, deletion pending\n$/);
    assert.ok(ms < 15_000, `${ms} ms`);
  }
  api.say("GET /warm/w6", { json: job("w6", 1, 0, 2) });
  const { code, err } = await run(["warm", "show", "w6", "--wait", "--wait-timeout", "300ms"]);
  assert.equal(code, 4, err);
  assert.match(err, /not finished after 0\.3 s; w6 goes on: video-resizer warm show w6\n$/);
});

test("an API that fails while it is waited for is exit code 3, and what was accepted is still told", async () => {
  api.say("POST /purge", { status: 202, json: receipt("p7", false) });
  api.say("GET /purge/p7", { status: 500, json: problem(500, "broken", "no") });
  const { code, out, err } = await run(["purge", "--tag", "a", "--wait", "--timeout", "1200ms"]);
  assert.equal(code, 3);
  assert.match(out, /^p7: hard purge/);
  assert.match(err, /p7 goes on: video-resizer purge show p7\n/);
});

test("exit code 1: every refusal is told with its detail, and with --json as it came", async () => {
  for (const [status, code] of /** @type {const} */ ([
    [400, "invalid"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "not-found"],
    [405, "method-not-allowed"],
    [413, "too-large"],
    [415, "not-json"],
  ])) {
    const body = problem(status, code, "what is wrong", [{ at: "/tags/0", detail: "must not be empty" }]);
    api.say("POST /purge", { status, json: body });
    const { code: exit, out, err } = await run(["purge", "--tag", "", "--json"]);
    assert.equal(exit, 1, code);
    assert.equal(out, `${JSON.stringify(body)}\n`);
    assert.equal(
      err,
      `video-resizer: Title of ${code}: what is wrong (${status}, ${code})\n  /tags/0 "": must not be empty\n`,
    );
  }
  assert.equal(api.asked.length, 7, "a refusal is not asked again");
});

test("a call too many is refused where it writes, and waits its turn where it looks", async () => {
  const busy = { status: 429, json: problem(429, "too-many-requests", "slowly"), headers: { "retry-after": "1" } };
  api.say("POST /purge", busy);
  const refused = await run(["purge", "--tag", "a"]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /\(429, too-many-requests, retry after 1 s\)/);
  api.say("GET /variants", busy, { json: { variants: [], cursor: null } });
  assert.equal((await run(["variants"])).code, 0);
  const [first, second] = api.askedFor("GET /variants");
  assert.ok(second.atMs - first.atMs >= 950, `${second.atMs - first.atMs} ms`);
  api.forget();
  api.say("GET /variants", { ...busy, headers: { "retry-after": "3600" } });
  assert.equal((await run(["variants"])).code, 1);
  assert.equal(api.asked.length, 1, "an hour is not waited");
});

test("exit code 3: a worker that fails is asked again to look, and never to write", async () => {
  for (const [name, args] of Object.entries(CALLS)) {
    const config = { json: stored(1, {}), headers: { etag: '"1"' } };
    api.forget();
    for (const call of [
      "GET /purge",
      "GET /purge/p1",
      "POST /purge",
      "GET /variants",
      "GET /explain",
      "POST /warm",
      "GET /warm/w1",
      "PUT /config",
      "GET /config/diff",
      "POST /config/rollback",
      "GET /openapi.json",
    ]) {
      api.say(call, { status: 500, json: problem(500, "broken", "it broke") });
    }
    api.say("GET /config", ["config get", "config versions"].includes(name) ? { status: 502, text: "<html>" } : config);
    api.say("GET /config/versions/1", name === "config show" ? { status: 500, text: "" } : { json: {} });
    api.say("GET /health", { status: 500, json: problem(500, "broken", "it broke") });
    const { code, err } = await run([...args, "--timeout", "1200ms"], { input: "{}" });
    assert.equal(code, 3, `${name}: ${err}`);
    const { method, path } = api.asked[api.asked.length - 1];
    assert.equal(api.askedFor(`${method} ${path}`).length, method === "GET" ? 2 : 1, name);
  }
});

test("a look goes on after failures that pass: a dropped connection, half an answer, a 503", async () => {
  const good = { json: { variants: [variant("video:a")], cursor: null } };
  api.say(
    "GET /variants",
    { drop: "unread" },
    { ...good, drop: "half" },
    { status: 503, json: problem(503, "unavailable", "KV") },
    good,
  );
  assert.match(await done(["variants"]), /video:a\n$/);
  assert.equal(api.asked.length, 4);
});

test("a write whose connection broke is not sent again, and the doubt is told", async () => {
  for (const drop of /** @type {const} */ (["unread", "half"])) {
    api.forget();
    api.say("POST /purge", { json: receipt("p1"), drop });
    const { code, err, out } = await run(["purge", "--tag", "a"]);
    assert.deepEqual([code, out], [3, ""]);
    assert.match(err, /no answer from .*\n  It may have been done all the same: look before you do it again\.\n$/);
    assert.equal(api.asked.length, 1);
  }
});

test("a write that surely was not sent is tried again, then given up without a doubt", async () => {
  const gone = await startApi();
  await gone.stop();
  const { code, err, ms } = await run(["purge", "--tag", "a"], { env: { VIDEO_RESIZER_URL: gone.url } });
  assert.equal(code, 3);
  assert.match(err, /no answer from http:\/\/127\.0\.0\.1:\d+ \(tried 4 times\): .*ECONNREFUSED/);
  assert.ok(!err.includes("may have been done"));
  assert.ok(ms >= 4_250, `${ms} ms`);
});

test("--timeout bounds a call that hangs, for looks and for writes", async () => {
  api.say("GET /variants", { json: { variants: [], cursor: null }, afterMs: 30_000 });
  api.say("POST /purge", { json: receipt("p1"), afterMs: 30_000 });
  for (const args of [["variants"], ["purge", "--tag", "a"]]) {
    const { code, err, ms } = await run([...args, "--timeout", "300ms"]);
    assert.equal(code, 3);
    assert.match(err, /nothing within 0\.3 s/);
    assert.ok(ms < 15_000, `${ms} ms`);
  }
});

test("a --timeout longer than any timer is a long one, not none", async () => {
  api.say("GET /variants", { json: { variants: [], cursor: null }, afterMs: 300 });
  for (const time of ["30d", "60d", "3650d"]) {
    const { code, err } = await run(["variants", "--timeout", time]);
    assert.equal(code, 0, `${time}: ${err}`);
  }
});

test("what is not the API is told from it: a page, a redirect, other JSON", async () => {
  for (const answer of [
    { text: "<html>" },
    { status: 302, text: "", headers: { location: "https://elsewhere.example/" } },
    { json: { videos: [] } },
    { json: null },
  ]) {
    api.say("GET /variants", answer);
    const { code, err } = await run(["variants"]);
    assert.equal(code, 3, err);
    assert.match(err, /not the API/);
  }
  api.say("GET /variants", { status: 403, text: "<html>blocked" });
  const { code, err } = await run(["variants"]);
  assert.equal(code, 1);
  assert.match(err, /answers 403, and not as the API does/);
});

test("a token that somebody repeats is not printed", async () => {
  api.say("GET /variants", { status: 401, json: problem(401, "unauthorized", `who is Bearer ${TOKEN}?`) });
  const { code, out, err } = await run(["variants", "--json"]);
  assert.equal(code, 1);
  assert.ok(out.includes("[hidden]") && err.includes("[hidden]"));
});

test("the token comes from the environment or a file, and the address from an option or the environment", async () => {
  api.say("GET /health", { json: { healthy: true } });
  const file = write("token", `${TOKEN}\n`);
  for (const [args, env] of /** @type {[string[], Record<string, string | undefined>][]} */ ([
    [["health", "--token-file", file], { VIDEO_RESIZER_TOKEN: undefined }],
    [["health", "--token-file", file], { VIDEO_RESIZER_TOKEN: "another-token-entirely" }],
    [["health", "--at", api.url], { VIDEO_RESIZER_URL: undefined }],
    [["health", "--at", `${api.url}/`], { VIDEO_RESIZER_URL: "https://elsewhere.example" }],
    [["health", "--at", `${api.url}/_resizer/`], {}],
    [["health", "--at", api.url.replace("127.0.0.1", "localhost")], {}],
  ])) {
    await done(args, { env });
  }
  assert.equal(api.asked.length, 6);
  for (const { headers, path } of api.asked)
    assert.deepEqual([headers.authorization, path], [`Bearer ${TOKEN}`, "/health"]);
  await run(["health", "--at", `${api.url}/ops/videos`]);
  assert.equal(api.asked[6].path, "/ops/videos/health");
});

test("exit code 2: wrong usage is told before anything is sent", async () => {
  const short = write("short", "secret");
  const array = write("array.json", "[1,");
  for (const [args, said, env] of /** @type {[string[], RegExp, Record<string, string | undefined>?][]} */ ([
    [[], /Usage:/],
    [["purgee"], /there is no command "purgee"; there are purge, variants/],
    [["config"], /say which: get, put/],
    [["config", "set"], /there is no command "set"/],
    [["purge"], /say what to purge/],
    [["purge", "a"], /"a" is too much/],
    [["purge", "--tag"], /'--tag <value>' argument missing/],
    [
      ["purge", "--tag", "a", "--token", "xyzzy"],
      /^video-resizer: Unknown option '--token': a secret is never an argument\n/,
    ],
    [["purge", "--tag", "a", "--soft", "--soft"], /--soft is given twice/],
    [["purge", "--tag", "-", "--path", "-"], /only one list/],
    [["purge", "--tag", "-", "--tag", "-"], /only one list/],
    [["purge", "--tag", "-"], /say what to purge/],
    [["purge", "--tag", "a", "--dry-run", "--wait"], /nothing to --wait for/],
    [["purge", "--tag", "a", "--wait-timeout", "1s"], /is for --wait/],
    [["purge", "--tag", "a", "--wait", "--wait-timeout", "soon"], /--wait-timeout takes a time/],
    [["purge", "show"], /something is missing: purge show <id>/],
    [["purge", "log", "--limit", "0"], /--limit takes a whole number from 1/],
    [["variants", "--limit", "1e3"], /--limit takes a whole number from 1/],
    [["variants", "a", "b"], /"b" is too much/],
    [["explain"], /something is missing/],
    [["explain", "/a", "--header", "nothing"], /takes 'Name: value'/],
    [["warm"], /say what to warm/],
    [["warm", "/a", "--preset", "p"], /say what to warm/],
    [["warm", "--source", "/a"], /say what to warm/],
    [["config", "put", "/nowhere/at/all.json"], /cannot be read/],
    [["config", "put", array], /is no JSON/],
    [["config", "put", "-", "--base", "x"], /--base takes a whole number from 0/],
    [["config", "show", "first"], /takes a whole number from 1/],
    [["config", "rollback", "0"], /takes a whole number from 1/],
    [["health", "--timeout", "0s"], /--timeout takes a time/],
    [["health", "--timeout", "30"], /--timeout takes a time/],
    [["health"], /say where the worker is/, { VIDEO_RESIZER_URL: undefined }],
    [["health"], /set VIDEO_RESIZER_TOKEN/, { VIDEO_RESIZER_TOKEN: "" }],
    [["health", "--token-file", short], /has under 16 characters/],
    [["health"], /has spaces/, { VIDEO_RESIZER_TOKEN: "two words are no token" }],
    [["health", "--at", "videos.example.com"], /is no address/],
    [["health", "--at", "ftp://videos.example.com"], /is no address/],
    [["health", "--at", "https://me:pw@videos.example.com"], /must not have a user/],
    [["health", "--at", "https://videos.example.com/?a"], /more than a host and a prefix/],
    [["health", "--at", "http://videos.example.com"], /unencrypted/],
    [["health", "--at", "http://127.0.0.1.example.com"], /unencrypted/],
    [["sign", "/a.mp4"], /whose key it is/],
    [["sign", "/a.mp4", "--kid", "k1", "--key", "x"], /a secret is never an argument/],
    [["sign", "/a.mp4", "--kid", "k1", "--key-env", "NOT_SET"], /NOT_SET is not set/],
    [["sign", "-", "--kid", "k1"], /standard input holds the key/],
    [["sign", "/a.mp4", "--kid", "k1"], /at least 16 bytes/],
    [["sign", "/../a.mp4", "--kid", "k1", "--key-env", "K"], /cannot be signed/, { K: KEY }],
    [["sign", "/a.mp4", "--kid", "k1", "--key-env", "K", "--expires", "3600"], /as in 3600s/, { K: KEY }],
    [["sign", "/a.mp4", "--kid", "k1", "--key-env", "K", "--expires", "1000000000"], /is over/, { K: KEY }],
    [["sign", "/a.mp4", "--kid", "k1", "--key-env", "K", "--expires", "soon"], /takes a time/, { K: KEY }],
  ])) {
    const { code, out, err } = await run(args, { env });
    assert.deepEqual([code, out], [2, ""], `${args.join(" ")}: ${err}`);
    assert.match(err, said, args.join(" "));
    assert.ok(!err.includes("xyzzy"));
  }
  assert.equal(api.asked.length, 0);
});

test("http:// to another machine takes --insecure", async () => {
  const { code, err } = await run(["health", "--at", "http://nobody.invalid", "--insecure", "--timeout", "20s"]);
  assert.equal(code, 3);
  assert.match(err, /no answer from http:\/\/nobody\.invalid/);
});

test("Ctrl-C ends a wait by the signal, after a word about what goes on", async () => {
  api.say("POST /purge", { status: 202, json: receipt("p9", false) });
  api.say("GET /purge/p9", { json: receipt("p9", false), afterMs: 30_000 });
  const { signal, err, out } = await run(["purge", "--tag", "a", "--wait"], {
    on: (child, text) => text.includes("pending\n") && child.kill("SIGINT"),
  });
  assert.equal(signal, "SIGINT");
  assert.equal(out, "");
  assert.match(err, /p9 goes on: video-resizer purge show p9\n$/);
});

test("a reader that goes away ends a listing without a word", async () => {
  const many = Array.from({ length: 5_000 }, (_, at) => variant(`video:clips/${at}.mp4`));
  api.say("GET /variants", { json: { variants: many, cursor: null } });
  const child = desk.start(["variants"]);
  let err = "";
  child.stderr.on("data", (text) => void (err += text));
  child.stdout.once("data", () => child.stdout.destroy());
  const code = await new Promise((resolve) => child.on("exit", resolve));
  assert.deepEqual([code, err], [141, ""]);
});
