// Goal: the command line does what its help says: every command, option and exit code, the same bytes every time.
// Method: the real program as a child process against a stub of the API, which also fails in every way it can.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { changes } from "../../cli/diff.mjs";
import { EXIT_CODES } from "../../cli/ending.mjs";
import { output } from "../../cli/output.mjs";
import { root } from "../../cli/root.mjs";
import { sign } from "../../cli/sign.mjs";
import { help, optionsOf } from "../../cli/usage.mjs";
import { fromRoot } from "../../scripts/layout.mjs";
import { job, problem, receipt, startApi, stored, TOKEN, variant } from "./operators-api.mjs";

const PROGRAM = fromRoot("cli", "video-resizer.mjs");
const DOCUMENT = fromRoot("docs", "command-line.md");
const KEY = "key-that-signs-urls-0042";

/** @type {Awaited<ReturnType<typeof startApi>>} */
let api;
/** @type {string} */
let folder;
before(async () => {
  api = await startApi();
  folder = mkdtempSync(path.join(tmpdir(), "video-resizer-cli-"));
});
beforeEach(() => api.forget());
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await api.stop();
});

/** @param {string} name @param {string} text */
const write = (name, text) => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};

/**
 * Runs the program to its end. No output may have a secret, whatever the run is about.
 *
 * @param {string[]} args
 * @param {{ env?: Record<string, string | undefined>, input?: string, on?: (child: import("node:child_process").ChildProcess, text: string) => void }} [options]
 *   `on` gets the child and all its standard error so far, whenever there is more
 * @returns {Promise<{ code: number | null, signal: string | null, out: string, err: string, ms: number }>}
 */
function run(args, { env = {}, input = "", on } = {}) {
  const all = { PATH: process.env.PATH, VIDEO_RESIZER_URL: api.url, VIDEO_RESIZER_TOKEN: TOKEN, USER: "ann", ...env };
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], { env: all });
    const texts = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text) => void (texts.out += text));
    child.stderr.setEncoding("utf8").on("data", (text) => {
      texts.err += text;
      on?.(child, texts.err);
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      for (const secret of [TOKEN, KEY]) {
        if (`${texts.out}${texts.err}`.includes(secret)) reject(new Error(`${args.join(" ")} printed a secret`));
      }
      resolve({ code, signal, ...texts, ms: performance.now() - began });
    });
  });
}

/** @param {string[]} args @param {Parameters<typeof run>[1]} [options] @returns {Promise<string>} standard output of a run that was done */
async function done(args, options) {
  const { code, out, err } = await run(args, options);
  assert.equal(code, 0, err);
  return out;
}

/** @param {import("../../cli/usage.mjs").Command[]} at @returns {import("../../cli/usage.mjs").Command[][]} every path of the tree, the root first */
const paths = (at = [root]) => [
  at,
  ...(at[at.length - 1].commands ?? []).flatMap((command) => paths([...at, command])),
];

/** A call of every command that talks to the API. */
const CALLS = {
  purge: ["purge", "--tag", "a"],
  "purge log": ["purge", "log"],
  "purge show": ["purge", "show", "p1"],
  variants: ["variants"],
  explain: ["explain", "/a.mp4"],
  warm: ["warm", "/a.mp4"],
  "warm show": ["warm", "show", "w1"],
  "config get": ["config", "get"],
  "config put": ["config", "put", "-"],
  "config check": ["config", "check", "-"],
  "config versions": ["config", "versions"],
  "config show": ["config", "show", "1"],
  "config diff": ["config", "diff", "1"],
  "config rollback": ["config", "rollback", "1"],
  health: ["health"],
  openapi: ["openapi"],
};

test("every command of the tree is either local, or in the table that all API tests walk", () => {
  const named = paths()
    .filter((at) => at[at.length - 1].kind === "api")
    .map((at) =>
      at
        .slice(1)
        .map(({ name }) => name)
        .join(" "),
    );
  assert.deepEqual(named.sort(), Object.keys(CALLS).sort());
});

test("a purge sends each target, the mode, who and why, and prints the receipt tier by tier", async () => {
  api.say("POST /purge", { status: 202, json: receipt("p17") });
  const out = await done([
    ...[
      "purge",
      "--tag",
      "a",
      "--tag",
      "b",
      "--path",
      "/x.mp4",
      "--prefix",
      "/y/",
      "--url",
      "https://v.example/z.mp4?width=1",
    ],
    ...["--host", "v.example", "--everything", "--soft", "--note", "why", "--by", "bob"],
  ]);
  const [{ body, headers, query }] = api.askedFor("POST /purge");
  assert.deepEqual(JSON.parse(body), {
    tags: ["a", "b"],
    paths: ["/x.mp4"],
    prefixes: ["/y/"],
    urls: ["https://v.example/z.mp4?width=1"],
    hosts: ["v.example"],
    everything: true,
    mode: "soft",
    by: "bob",
    note: "why",
  });
  assert.deepEqual(query, []);
  assert.equal(headers.authorization, `Bearer ${TOKEN}`);
  assert.equal(headers["content-type"], "application/json");
  assert.match(out, /^p17: hard purge of tag campaign-7, path \/clips\/a\.mp4\n/);
  for (const tier of ["ledger", "isolates", "zone", "transformation", "deletion"])
    assert.match(out, new RegExp(`^${tier} +done `, "m"));
  assert.match(out, /\ncomplete everywhere at 2026-11-23T10:02:00Z\n$/);
  assert.ok(!out.includes("\u001b") && out.includes("late\\u001b[2J"), "somebody's note does not drive the terminal");
});

test("a purge is hard and by the user unless it says otherwise", async () => {
  api.say("POST /purge", { status: 202, json: receipt("p1") });
  await done(["purge", "--tag", "a"]);
  await done(["purge", "--tag", "a"], { env: { VIDEO_RESIZER_BY: "ci" } });
  const [first, second] = api.asked.map(({ body }) => JSON.parse(body));
  assert.deepEqual(first, { tags: ["a"], mode: "hard", by: "ann" });
  assert.equal(second.by, "ci");
});

test("a dry run says how much it would be, and when that is only what was counted so far", async () => {
  const foreseen = {
    dry_run: true,
    matches: 3,
    bytes: 1_500_000,
    complete: false,
    examples: ["video:a.mp4", "video:b.mp4"],
  };
  api.say("POST /purge", { json: foreseen });
  assert.equal(
    await done(["purge", "--prefix", "/x/", "--dry-run"]),
    "at least 3 entries, 1.5 MB\n- video:a.mp4\n- video:b.mp4\n",
  );
  assert.equal(JSON.parse(api.asked[0].body).dry_run, true);
  api.say("POST /purge", { json: { ...foreseen, matches: 1, bytes: 999, complete: true, examples: [] } });
  assert.equal(await done(["purge", "--prefix", "/x/", "--dry-run"]), "1 entry, 999 B\n");
});

test("lists are read from standard input, an item a line, in their place among the others", async () => {
  api.say("POST /purge", { status: 202, json: receipt("p1") });
  api.say("POST /warm", { status: 202, json: job("w1", 0, 0, 3) });
  await done(["purge", "--path", "/0", "--path", "-", "--path", "/3"], { input: "/1\r\n\n  /2  \n" });
  assert.deepEqual(JSON.parse(api.asked[0].body).paths, ["/0", "/1", "/2", "/3"]);
  await done(["warm", "-"], { input: "/a\n/b" });
  assert.deepEqual(JSON.parse(api.asked[1].body), { urls: ["/a", "/b"], by: "ann" });
  await done(["warm", "--source", "-", "--preset", "mobile"], { input: "/c" });
  assert.deepEqual(JSON.parse(api.asked[2].body), { sources: ["/c"], presets: ["mobile"], by: "ann" });
});

test("--wait follows a purge until it is complete and prints only the last receipt", async () => {
  api.say("POST /purge", { status: 202, json: receipt("p5", false) });
  api.say(
    "GET /purge/p5",
    { json: receipt("p5", false) },
    { status: 503, json: problem(503, "unavailable", "PURGE_LEDGER") },
    { json: receipt("p5") },
  );
  const { code, out, err } = await run(["purge", "--tag", "a", "--wait", "--json"]);
  assert.equal(code, 0, err);
  assert.deepEqual(JSON.parse(out), receipt("p5"));
  assert.match(err, /^p5: isolates pending, zone failing, deletion pending\np5: complete everywhere\n$/);
  assert.equal(api.askedFor("POST /purge").length, 1);
});

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

test("the log of purges is a table, a page or all", async () => {
  api.say(
    "GET /purge",
    { json: { purges: [receipt("p2"), receipt("p1", false)], cursor: "next" } },
    { json: { purges: [], cursor: "more" } },
    { json: { purges: [receipt("p0")], cursor: null } },
  );
  const out = await done(["purge", "log", "--all", "--limit", "2"]);
  assert.match(out, /^ID +AT +MODE +STATE +BY +TARGETS\np2 .* complete .*\np1 .* pending .*\np0 .*\n$/);
  assert.deepEqual(
    api.asked.map(({ query }) => query),
    [
      [["limit", "2"]],
      [
        ["limit", "2"],
        ["cursor", "next"],
      ],
      [
        ["limit", "2"],
        ["cursor", "more"],
      ],
    ],
  );
});

test("variants are listed by page, and with --all --json one a line", async () => {
  const page = { variants: [variant("video:clips/a.mp4:w=1"), variant("video:clips/a.mp4:w=2")], cursor: "c1" };
  const last = {
    variants: [{ ...variant("video:clips/a.mp4:w=3"), status: 404, reason: "origin-gone", bytes: 10 }],
    cursor: null,
  };
  api.say("GET /variants", { json: page });
  const one = await run(["variants", "/clips/a.mp4", "--limit", "2", "--cursor", "c0"]);
  assert.equal(one.code, 0);
  assert.deepEqual(api.asked[0].query, [
    ["source", "/clips/a.mp4"],
    ["limit", "2"],
    ["cursor", "c0"],
  ]);
  assert.match(
    one.out,
    /^STATE +STATUS +BYTES +CREATED +FRESH UNTIL +KEY\nfresh +200 +1\.2 MB +2026-11-23T10:00:00Z +2026-11-24T10:00:00Z +video:clips\/a\.mp4:w=1\n/,
  );
  assert.equal(one.err, "there is more: --all, or --cursor c1\n");
  api.say("GET /variants", { json: page }, { json: last });
  const all = await run(["variants", "--all", "--json"]);
  assert.equal(all.out, [...page.variants, ...last.variants].map((entry) => `${JSON.stringify(entry)}\n`).join(""));
  assert.equal(all.err, "");
  api.say("GET /variants", { json: { variants: [], cursor: null } });
  const none = await run(["variants", "/clips/none.mp4"]);
  assert.deepEqual([none.code, none.out, none.err], [0, "", "nothing is stored\n"]);
});

test("explain sends the URL and each header, and prints an outline", async () => {
  api.say("GET /explain", {
    json: {
      decision: "render",
      rendition: { width: 640, tags: ["a", "b"], sources: [{ index: 0, url: "u" }], preset: null },
    },
  });
  const out = await done(["explain", "/a.mp4?width=640&x=%20", "--header", "Save-Data:  on ", "--header", "DPR:2"]);
  assert.deepEqual(api.asked[0].query, [
    ["url", "/a.mp4?width=640&x=%20"],
    ["header", "Save-Data:on"],
    ["header", "DPR:2"],
  ]);
  assert.equal(
    out,
    "decision: render\nrendition:\n  width: 640\n  tags: a, b\n  sources:\n    - index: 0\n      url: u\n  preset: -\n",
  );
});

test("warming is followed to its end, and failures are exit code 1", async () => {
  api.say("POST /warm", { status: 202, json: job("w1", 0, 0, 2) });
  api.say("GET /warm/w1", { json: job("w1", 1, 0, 2) }, { json: job("w1", 2, 0, 2) });
  const good = await run(["warm", "/a", "/b", "--wait"]);
  assert.deepEqual(
    [good.code, good.out],
    [0, "w1: 2 of 2 done, 0 failed, finished\nSTATE  URL\ndone   /clips/a.mp4?width=640\n"],
  );
  assert.equal(
    good.err,
    "w1: 0 of 2 done, 0 failed, running\nw1: 1 of 2 done, 0 failed, running\nw1: 2 of 2 done, 0 failed, finished\n",
  );
  api.say("GET /warm/w1", { json: job("w1", 1, 1, 2) });
  const bad = await run(["warm", "show", "w1", "--wait"]);
  assert.equal(bad.code, 1);
  assert.match(bad.out, /\nfailed +\/clips\/a\.mp4\?width=640  no source\n$/);
  assert.equal((await run(["warm", "show", "w1"])).code, 0, "looking is no failure");
});

test("the stored configuration goes to a file, and its version does not", async () => {
  api.say("GET /config", { json: stored(7, { ttl: { ok: 60 } }), headers: { etag: '"7"' } });
  const some = await run(["config", "get"]);
  assert.deepEqual([some.code, some.out, some.err], [0, '{\n  "ttl": {\n    "ok": 60\n  }\n}\n', "version 7\n"]);
  api.say("GET /config", { json: stored(0, null), headers: { etag: '"0"' } });
  const none = await run(["config", "get"]);
  assert.deepEqual([none.code, none.out], [0, ""]);
  assert.match(none.err, /none is stored/);
});

test("a configuration is put as it is written, only over what it was compared with", async () => {
  const file = write("c.json", '{ "ttl": {"ok":120},\n "debug": true }\n');
  api.say("GET /config", { json: stored(7, { ttl: { ok: 60 }, log: 1 }), headers: { etag: '"7-drift"' } });
  api.say("PUT /config", { json: { version: 8, active_within_s: 60 } });
  const { code, out, err } = await run(["config", "put", file, "--base", "7", "--note", "longer"]);
  assert.deepEqual([code, out], [0, "version 8, active everywhere within 60 s\n"]);
  assert.equal(err, "+ debug: true\n- log: 1\n~ ttl.ok: 60 -> 120\n");
  const [asked] = api.askedFor("PUT /config");
  assert.equal(asked.headers["if-match"], '"7-drift"');
  assert.equal(asked.body, readFileSync(file, "utf8"));
  assert.deepEqual(asked.query, [
    ["by", "ann"],
    ["note", "longer"],
  ]);
});

test("a change made meanwhile is never undone unseen", async () => {
  api.say("GET /config", { json: stored(8, {}), headers: { etag: '"8"' } });
  api.say("PUT /config", { status: 412, json: problem(412, "precondition-failed", 'the current entity tag is "9"') });
  const late = await run(["config", "put", "-"], { input: "{}" });
  assert.equal(late.code, 1);
  assert.match(late.err, /the current entity tag is "9" \(412, precondition-failed\)/);
  const old = await run(["config", "put", "-", "--base", "7"], { input: "{}" });
  assert.equal(old.code, 1);
  assert.match(old.err, /version 8 is stored, not 7/);
  assert.equal(api.askedFor("PUT /config").length, 1);
  api.say("GET /config", { json: { ...stored(7, {}), drift: true }, headers: { etag: '"7-drift"' } });
  const byHand = await run(["config", "put", "-", "--base", "7"], { input: "{}" });
  assert.equal(byHand.code, 1);
  assert.match(byHand.err, /version 7 \(changed by hand since\) is stored, not 7/);
  api.say("GET /config", { json: stored(8, {}) });
  assert.equal((await run(["config", "put", "-"], { input: "{}" })).code, 3, "no entity tag, no put");
  assert.equal(api.askedFor("PUT /config").length, 1);
});

test("a bad configuration is refused with every error and with what stands there", async () => {
  const errors = [
    { at: "/ttl/ok", detail: "must be at most 31536000" },
    { at: "/a~1b/0", detail: "unknown" },
    { at: "/gone", detail: "is missing" },
  ];
  api.say("PUT /config", { status: 422, json: problem(422, "invalid-configuration", "3 errors", errors) });
  const { code, err, out } = await run(["config", "check", "-"], { input: '{"ttl":{"ok":1e99},"a/b":["x"]}' });
  assert.deepEqual([code, out], [1, ""]);
  assert.match(
    err,
    /: Title of invalid-configuration: 3 errors \(422, invalid-configuration\)\n  \/ttl\/ok 1e\+99: must be at most 31536000\n  \/a~1b\/0 "x": unknown\n  \/gone: is missing\n$/,
  );
  assert.deepEqual(api.asked[0].query, [["dry_run", "true"]]);
});

test("a good one is checked, and what would change is told", async () => {
  api.say("PUT /config", { json: { dry_run: true, valid: true } });
  api.say("GET /config", { json: stored(1, {}), headers: { etag: '"1"' } });
  const { code, out, err } = await run(["config", "check", "-"], { input: '{"a":1}' });
  assert.deepEqual([code, out, err], [0, "good\n", "+ a: 1\n"]);
});

test("versions are listed, shown, compared and restored", async () => {
  api.say("GET /config", { json: stored(7, { a: 1 }), headers: { etag: '"7"' } });
  api.say("GET /config/versions/6", { json: { a: 2 } });
  api.say("GET /config/diff", {
    json: {
      changes: [
        { path: "a", from: 2, to: 1 },
        { path: "b", from: null, to: 3 },
      ],
    },
  });
  api.say("POST /config/rollback", { json: { version: 8, stored: false, active_within_s: null } });
  assert.match(
    await done(["config", "versions"]),
    /^VERSION +AT +SIZE +BY +NOTE\n7 +2026-11-23T10:00:00Z +120 B +ann +-\n$/,
  );
  assert.equal(await done(["config", "show", "6"]), '{\n  "a": 2\n}\n');
  assert.equal(await done(["config", "diff", "6"]), "~ a: 2 -> 1\n~ b: null -> 3\n");
  assert.equal(await done(["config", "diff", "6", "7"]), "~ a: 2 -> 1\n~ b: null -> 3\n");
  assert.deepEqual(
    api.askedFor("GET /config/diff").map(({ query }) => query),
    [
      [["from", "6"]],
      [
        ["from", "6"],
        ["to", "7"],
      ],
    ],
  );
  const back = await run(["config", "rollback", "6"]);
  assert.deepEqual([back.code, back.out, back.err], [0, "version 8, active when KV takes it\n", "~ a: 1 -> 2\n"]);
  const [asked] = api.askedFor("POST /config/rollback");
  assert.deepEqual([JSON.parse(asked.body), asked.headers["if-match"]], [{ version: 6, by: "ann" }, '"7"']);
});

test("what two documents differ in is told in the words of the API", () => {
  assert.deepEqual(changes({ a: [1, { b: 2 }, 3], "x.y": 1 }, { a: [1, { b: null }], "x.y": 2 }), [
    { path: "a[1].b", from: 2, to: null },
    { path: "a[2]", from: 3 },
    { path: '["x.y"]', from: 1, to: 2 },
  ]);
  assert.deepEqual(changes({ a: 1 }, { a: [1] }), [{ path: "a", from: 1, to: [1] }]);
  assert.deepEqual(changes({ a: [{}] }, { a: [{}] }), []);
});

test("health is exit code 3 where something is ill, asked once", async () => {
  api.say("GET /health", { json: { healthy: true, checks: { kv: { bound: true } } } });
  assert.equal(await done(["health"]), "healthy: true\nchecks:\n  kv:\n    bound: true\n");
  api.say("GET /health", { status: 503, json: { healthy: false, checks: {} } });
  const ill = await run(["health", "--json"]);
  assert.deepEqual([ill.code, ill.out], [3, '{"healthy":false,"checks":{}}\n']);
  assert.equal(api.askedFor("GET /health").length, 2);
});

test("--json prints the bytes that came, whatever their spelling", async () => {
  const spelled = (/** @type {unknown} */ json) => `  ${JSON.stringify(json, null, 1)} `;
  const config = stored(1, {});
  const answers = {
    "GET /purge": { purges: [], cursor: null },
    "GET /purge/p1": receipt("p1"),
    "POST /purge": receipt("p1"),
    "GET /variants": { variants: [], cursor: null },
    "GET /explain": {},
    "POST /warm": job("w1", 0, 0, 1),
    "GET /warm/w1": job("w1", 0, 0, 1),
    "GET /config": config,
    "PUT /config": { version: 2, active_within_s: 60 },
    "GET /config/versions/1": {},
    "GET /config/diff": { changes: [] },
    "POST /config/rollback": { version: 3, active_within_s: 60 },
    "GET /health": { healthy: true },
    "GET /openapi.json": { openapi: "3.1.0" },
  };
  for (const [call, json] of Object.entries(answers)) api.say(call, { text: spelled(json), headers: { etag: '"1"' } });
  for (const [name, args] of Object.entries(CALLS)) {
    const before = api.asked.length;
    const out = await done([...args, "--json"], { input: "{}" });
    const calls = api.asked.slice(before).map(({ method, path }) => `${method} ${path}`);
    const expected = name === "config check" ? "PUT /config" : calls[calls.length - 1];
    assert.equal(out, `${spelled(answers[/** @type {keyof typeof answers} */ (expected)])}\n`, name);
  }
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

test("URLs are signed with a key from standard input or the environment, for a time or until a moment", async () => {
  const url = "https://v.example/a.mp4?width=640";
  const moment = 4_000_000_000;
  assert.equal(
    await done(["sign", url, "--kid", "k1"], { input: `${KEY}\n` }),
    `${sign(url, { key: KEY, kid: "k1" })}\n`,
  );
  const by = { key: KEY, kid: "k1", expires: moment };
  const both = ["/b.mp4", "/c.mp4"].map((url) => sign(url, by));
  const args = ["sign", "-", "--kid", "k1", "--key-env", "K", "--expires", String(moment)];
  assert.equal(await done(args, { env: { K: KEY }, input: "/b.mp4\n/c.mp4\n" }), `${both.join("\n")}\n`);
  const json = await done([...args, "--json"], { env: { K: KEY }, input: "/b.mp4\n" });
  assert.deepEqual(JSON.parse(json), { url: both[0], kid: "k1", expires: moment });
  const before = Math.floor(Date.now() / 1_000);
  const hour = await done(["sign", url, "--kid", "k1", "--expires", "1h", "--json"], {
    input: KEY,
    env: { VIDEO_RESIZER_URL: undefined, VIDEO_RESIZER_TOKEN: undefined },
  });
  const { expires } = JSON.parse(hour);
  assert.ok(expires >= before + 3_600 && expires <= before + 3_660, `${expires - before}`);
  assert.equal(JSON.parse(hour).url, sign(url, { ...by, expires }));
  assert.equal(api.asked.length, 0);
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
  const child = spawn(process.execPath, [PROGRAM, "variants"], {
    env: { VIDEO_RESIZER_URL: api.url, VIDEO_RESIZER_TOKEN: TOKEN },
  });
  let err = "";
  child.stderr.on("data", (text) => void (err += text));
  child.stdout.once("data", () => child.stdout.destroy());
  const code = await new Promise((resolve) => child.on("exit", resolve));
  assert.deepEqual([code, err], [141, ""]);
});

test("colours and a line that is rewritten are for terminals, and NO_COLOR is heard", () => {
  const stream = (/** @type {boolean} */ isTTY) => ({
    isTTY,
    columns: 12,
    text: "",
    write(/** @type {string} */ text) {
      this.text += text;
    },
  });
  const on = (/** @type {boolean} */ isTTY, env = {}) => {
    const [stdout, stderr] = [stream(isTTY), stream(isTTY)];
    const out = output({ stdout: /** @type {any} */ (stdout), stderr: /** @type {any} */ (stderr), env });
    for (const text of ["one", "one", "two is cut to the width"]) out.progress(text);
    out.print(out.paint("red", "done"));
    return [stdout.text, stderr.text];
  };
  assert.deepEqual(on(true), ["\x1b[31mdone\x1b[0m\n", "\r\x1b[Kone\r\x1b[Ktwo is cut \r\x1b[K"]);
  assert.deepEqual(on(true, { NO_COLOR: "1" })[0], "done\n");
  assert.deepEqual(on(false), ["done\n", "one\ntwo is cut to the width\n"]);
});

test("every command has help, and it names all its options and an example", async () => {
  for (const at of paths()) {
    const command = at[at.length - 1];
    const names = at.slice(1).map(({ name }) => name);
    const out = await done([...names, "--help"], {
      env: { VIDEO_RESIZER_URL: undefined, VIDEO_RESIZER_TOKEN: undefined },
    });
    assert.equal(out, help(at));
    for (const option of Object.keys(optionsOf(command)))
      assert.ok(out.includes(`--${option}`), `${names.join(" ")} --${option}`);
    if (command.run) assert.match(out, /\nExamples:\n  # .+\n  .*video-resizer /);
    assert.ok(
      out.split("\n").every((line) => line.length <= 120),
      names.join(" "),
    );
  }
  assert.equal(await done(["-h"]), help([root]));
  const { version } = JSON.parse(readFileSync(fromRoot("package.json"), "utf8"));
  assert.equal(await done(["--version"]), `video-resizer ${version}\n`);
  assert.ok(readFileSync(fromRoot("Cargo.toml"), "utf8").includes(`\nversion = "${version}"\n`), "one version for all");
});

test("the document has the help of every command and every exit code", () => {
  const [begin, end] = [
    "<!-- generated from cli: UPDATE=1 npm test -- tests/e2e/cli.test.mjs -->\n",
    "<!-- end of the generated part -->\n",
  ];
  const text = readFileSync(DOCUMENT, "utf8");
  const [head, rest] = text.split(begin);
  const tail = rest.slice(rest.indexOf(end));
  const parts = paths().map((at) => `### ${at.map(({ name }) => name).join(" ")}\n\n\`\`\`text\n${help(at)}\`\`\`\n`);
  const wanted = `${head}${begin}\n${parts.join("\n")}\n${tail}`;
  if (process.env.UPDATE) writeFileSync(DOCUMENT, wanted);
  else assert.equal(text, wanted, "UPDATE=1 writes it");
  for (const [code] of EXIT_CODES) assert.match(head, new RegExp(`^\\| \`${code}\` \\|`, "m"));
});
