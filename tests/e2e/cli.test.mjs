// Goal: the command line does what its help says: every command and option, the same bytes every time.
// Method: the real program as a child process against a stub of the API.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, beforeEach, test } from "node:test";
import { changes } from "../../cli/diff.mjs";
import { EXIT_CODES } from "../../cli/ending.mjs";
import { output } from "../../cli/output.mjs";
import { root } from "../../cli/root.mjs";
import { sign } from "../../cli/sign.mjs";
import { help, optionsOf } from "../../cli/usage.mjs";
import { fromRoot } from "../../scripts/layout.mjs";
import { CALLS, KEY, openDesk } from "./operator.mjs";
import { job, problem, receipt, stored, TOKEN, variant } from "./operators-api.mjs";

const DOCUMENT = fromRoot("docs", "command-line.md");

const desk = await openDesk();
const { api, run, done, write } = desk;
beforeEach(() => api.forget());
after(() => desk.close());

/**
 * @param {import("../../cli/usage.mjs").Command[]} at
 * @returns {import("../../cli/usage.mjs").Command[][]} every path of the tree, the root first
 */
const paths = (at = [root]) => [
  at,
  ...(at[at.length - 1].commands ?? []).flatMap((command) => paths([...at, command])),
];

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
    examples: [
      { key: "video:a.mp4", bytes: 1_400_000 },
      { key: "video:b.mp4", bytes: 999 },
    ],
  };
  api.say("POST /purge", { json: foreseen });
  assert.equal(
    await done(["purge", "--prefix", "/x/", "--dry-run"]),
    "at least 3 entries, 1.5 MB\nBYTES   KEY\n1.4 MB  video:a.mp4\n999 B   video:b.mp4\n",
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
    [0, "w1: 2 of 2 done, 0 failed, finished\nSTATE  URL\nmade   /clips/a.mp4?width=640\n"],
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

test("a tag that was made weak by whoever compressed the answer is sent as the API gave it", async () => {
  const file = write("weak.json", "{}");
  api.say("GET /config", { json: stored(7, {}), headers: { etag: 'W/"7"' } });
  api.say("PUT /config", { json: { version: 8, active_within_s: 60 } });
  assert.equal((await run(["config", "put", file])).code, 0);
  assert.equal(api.askedFor("PUT /config")[0].headers["if-match"], '"7"');
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
