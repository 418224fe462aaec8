// Goal: the command line and the worker mean the same by their words.
// Method: the real program against the real worker in workerd.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { runIn } from "./operator.mjs";
import { ADMIN_TOKEN, openStage, sampleFor } from "./stage.mjs";

const READ_TOKEN = "the-looker-of-these-tests";
const SMALL = "width=160&height=90&duration=1s";

/** @type {import("./stage.mjs").Stage} */
let stage;
before(async () => {
  stage = await openStage({ vars: { ADMIN_READ_TOKEN: READ_TOKEN } });
});
after(() => stage?.stop());

/** Runs the program against the worker. @param {string[]} args @param {{ input?: string, token?: string }} [options] */
const run = (args, { input, token = ADMIN_TOKEN } = {}) =>
  runIn({ VIDEO_RESIZER_URL: stage.worker, VIDEO_RESIZER_TOKEN: token, USER: "ann" }, args, { input });

/** @param {string[]} args @param {Parameters<typeof run>[1]} [options] @returns {Promise<any>} its JSON */
async function json(args, options) {
  const { code, out, err } = await run([...args, "--json"], options);
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

test("a configuration is checked, put, listed, compared and restored, and no change is undone unseen", async () => {
  const good = '{ "headers": { "set": { "X-Release": "first" } } }';
  const { version: from } = await json(["config", "get"]);

  const bad = await run(["config", "put", "-"], { input: '{ "headers": { "set": 5 }, "nothing": 1 }' });
  assert.equal(bad.code, 1);
  assert.match(bad.err, /\(422, invalid-configuration\)\n {2}headers\.set: .+\n {2}nothing: .+\n$/);

  const checked = await run(["config", "check", "-"], { input: good, token: READ_TOKEN });
  assert.deepEqual([checked.code, checked.out], [0, "good\n"], checked.err);
  assert.equal((await json(["config", "get"])).version, from, "nothing is stored by a check");

  const put = await run(["config", "put", "-", "--note", "the first"], { input: good });
  assert.deepEqual([put.code, put.out], [0, `version ${from + 1}, active everywhere within 60 s\n`], put.err);
  const changed = await run(["config", "put", "-", "--base", String(from + 1)], {
    input: good.replace("first", "second"),
  });
  assert.match(changed.err, /^~ headers\.set\.X-Release: "first" -> "second"\n$/);
  const late = await run(["config", "put", "-", "--base", String(from + 1)], { input: good });
  assert.equal(late.code, 1, late.err);

  const got = await run(["config", "get"]);
  assert.deepEqual([JSON.parse(got.out).headers.set, got.err], [{ "X-Release": "second" }, `version ${from + 2}\n`]);
  const { versions } = await json(["config", "versions"]);
  assert.deepEqual([versions[1].by, versions[1].note], ["ann", "the first"]);

  const diff = await run(["config", "diff", String(from + 1)]);
  assert.equal(diff.out, '~ headers.set.X-Release: "first" -> "second"\n');
  const back = await run(["config", "rollback", String(from + 1)]);
  assert.deepEqual([back.code, back.err], [0, '~ headers.set.X-Release: "second" -> "first"\n']);
  assert.deepEqual(await json(["config", "show", String(from + 3)]), JSON.parse(good));
});

test("what is stored is listed, page by page to the end, and explained", async () => {
  const targets = [SMALL, `${SMALL}&audio=false`, `${SMALL}&quality=low`].map((query) => sampleFor("cli", query));
  for (const target of targets) await stage.warm(target);
  const [source] = targets[0].split("?");
  const { out } = await run(["variants", source, "--all", "--limit", "1", "--json"]);
  const entries = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(new Set(entries.map(({ key }) => key)).size, 3);
  assert.equal(entries.length, 3);
  assert.ok(entries.every(({ state }) => state === "fresh"));
  assert.match((await run(["variants", source])).out, /^STATE +STATUS .*\nfresh +200 +\d/);

  const explained = await json(["explain", targets[0], "--header", "Save-Data: on", "--header", "X-Unread: 1"]);
  assert.deepEqual([explained.decision, explained.next], ["render", "edge hit"]);
  assert.deepEqual(explained.ignored_headers, ["x-unread"]);
  assert.match((await run(["explain", targets[0]])).out, /^decision: render\n([^]*\n)?next: edge hit\n/m);
});

test("a purge is tried, ordered, followed and found in the log, and what it was about is gone", async () => {
  const [gone, kept] = ["cli-gone", "cli-kept"].map((name) => sampleFor(name, SMALL));
  const old = await stage.warm(gone);
  const path = gone.split("?")[0];
  const order = ["purge", "--url", stage.url(gone), "--note", "new cut"];

  const tried = await run([...order, "--dry-run"], { token: READ_TOKEN });
  assert.match(tried.out, /^1 entry, \d+(\.\d)? k?B\nBYTES +KEY\n\d+(\.\d)? k?B +video:/, tried.err);
  assert.equal((await stage.ask(gone)).headers.etag, old.headers.etag, "nothing is purged by a try");

  const { id, by, note, mode, targets } = await json(order);
  assert.deepEqual([by, note, mode, targets.urls], ["ann", "new cut", "hard", [stage.url(gone)]]);
  assert.notEqual((await stage.ask(gone)).headers.etag, old.headers.etag);

  const waited = await run(["purge", "show", id, "--wait", "--wait-timeout", "1s"]);
  assert.equal(waited.code, 4, waited.err);
  assert.match(waited.out, new RegExp(`^${id}: hard purge of url .*\\n(.*\\n)+ledger +done `));

  const soft = await json(["purge", "--soft", "--path", "-", "--prefix", "/nowhere/"], {
    input: `${path}\n${kept.split("?")[0]}\n`,
  });
  assert.deepEqual([soft.mode, soft.targets.paths.length, soft.targets.prefixes], ["soft", 2, ["/nowhere/"]]);
  const log = await run(["purge", "log", "--all", "--limit", "1", "--json"]);
  const ids = log.out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).id);
  assert.deepEqual(ids, [soft.id, id]);

  const bad = await run(["purge", "--tag", "good", "--tag", "b\u00e4d tag"]);
  assert.equal(bad.code, 1, bad.out);
  assert.match(bad.err, /\/tags\/1/);
});

test("what is warmed is there afterwards, and what cannot be made is exit code 1", async () => {
  const target = sampleFor("cli-warm", SMALL);
  const good = await run(["warm", stage.url(target), "--wait", "--wait-timeout", "2m"]);
  assert.equal(good.code, 0, `${good.err}${good.out}`);
  assert.match(good.out, /: 1 of 1 done, 0 failed, finished\nSTATE +URL\nmade /);
  assert.deepEqual((await stage.kept(target)).kv, true);

  const bad = await run(["warm", "-", "--wait", "--wait-timeout", "2m"], {
    input: `${stage.url(target)}\n${stage.url("/videos/not-there.mp4?width=64")}\n`,
  });
  assert.equal(bad.code, 1, `${bad.err}${bad.out}`);
  const [, id] = bad.out.match(/^(\S+): \d of 2 done, 1 failed, finished\n/) ?? [];
  assert.equal((await json(["warm", "show", id ?? ""])).failed, 1);

  const refused = await run(["warm", "ftp://nobody.example/a.mp4"]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /\n {2}\/urls\/0 .*: .+\n$/);
});

test("a token to look may look, and a wrong one may not", async () => {
  assert.equal((await run(["config", "get"], { token: READ_TOKEN })).code, 0);
  const forbidden = await run(["config", "rollback", "1"], { token: READ_TOKEN });
  assert.equal(forbidden.code, 1, forbidden.err);
  const wrong = await run(["variants"], { token: "a-token-of-somebody-else" });
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /\(401, unauthorized\)\n$/);
});

test("health and the description are the worker's own", async () => {
  const { healthy } = await json(["health"]);
  assert.equal(healthy, true);
  const { openapi, paths } = await json(["openapi"]);
  assert.match(openapi, /^3\.1\./);
  assert.ok(paths["/config"] && paths["/purge"]);
});
