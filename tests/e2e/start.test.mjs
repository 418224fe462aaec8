// `npm start` as a person meets it: the real command in a process of its own, on ports and a state
// directory of its own. Each test ends what it started, and what the command left behind is a failure.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { fromRoot } from "../../scripts/layout.mjs";
import { freePort } from "../../scripts/world.mjs";

/**
 * Runs `npm start` and collects what it prints.
 *
 * @param {import("node:test").TestContext} t
 * @param {Record<string, string>} env
 */
function npmStart(t, env) {
  const stateDir = mkdtempSync(path.join(tmpdir(), "video-resizer-start-"));
  const child = spawn("npm", ["start"], {
    cwd: fromRoot(),
    env: { ...process.env, STATE_DIR: stateDir, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const run = { output: "", errors: "", child, ended: /** @type {Promise<number | null>} */ (Promise.resolve(0)) };
  run.ended = new Promise((resolve) => child.on("close", resolve));
  child.stdout.on("data", (bytes) => (run.output += bytes));
  child.stderr.on("data", (bytes) => (run.errors += bytes));
  t.after(async () => {
    child.kill("SIGTERM");
    await run.ended;
    rmSync(stateDir, { recursive: true, force: true });
  });
  return run;
}

/**
 * Waits until `npm start` says it is ready.
 *
 * @param {ReturnType<typeof npmStart>} run
 */
async function untilReady(run) {
  const ready = new Promise((resolve) => {
    run.child.stdout.on("data", () => run.output.includes("ready. Open:") && resolve(true));
  });
  const ended = run.ended.then(() => false);
  assert.ok(await Promise.race([ready, ended]), `npm start ended early:\n${run.output}${run.errors}`);
}

/** @param {number} port */
const isFree = (port) => freePort(port, "").then(() => true, () => false);

test("npm start serves a page and a video under the real wrangler dev, and leaves nothing when it is stopped", async (t) => {
  const port = await freePort(0, "");
  const mediaPort = await freePort(0, "");
  const run = npmStart(t, { PORT: String(port), MEDIA_PORT: String(mediaPort) });
  await untilReady(run);

  const page = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.match(await page.text(), /<title>/);

  const video = await fetch(`http://127.0.0.1:${port}/videos/big-buck-bunny-720p-5s.mp4?width=320&height=180`);
  assert.equal(video.status, 200);
  assert.equal(video.headers.get("content-type"), "video/mp4");
  assert.equal(Buffer.from(await video.arrayBuffer()).toString("latin1", 4, 8), "ftyp");

  run.child.kill("SIGINT");
  assert.equal(await run.ended, 0, run.errors);
  assert.ok(await isFree(port), "the worker still listens");
  assert.ok(await isFree(mediaPort), "the media origin still listens");
});

test("npm start stops the worker and fails with one sentence when the media origin dies", async (t) => {
  const port = await freePort(0, "");
  const mediaPort = await freePort(0, "");
  const run = npmStart(t, { PORT: String(port), MEDIA_PORT: String(mediaPort) });
  await untilReady(run);

  process.kill(pidListeningOn(mediaPort), "SIGKILL");
  assert.notEqual(await run.ended, 0);
  assert.match(run.errors, /^error: the media origin stopped by itself \(killed by SIGKILL\)/m);
  assert.ok(await isFree(port), "the worker still listens");
});

/**
 * The process that listens on a port of this machine, by /proc.
 *
 * @param {number} port
 * @returns {number}
 */
function pidListeningOn(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const line = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((row) => row.trim().split(/\s+/))
    .find(([, local, , state]) => local === `0100007F:${hex}` && state === "0A");
  assert.ok(line, `nothing listens on ${port}`);
  const socket = `socket:[${line[9]}]`;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const files = readdirSync(`/proc/${pid}/fd`);
      if (files.some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === socket)) return Number(pid);
    } catch {
      // It ended while we looked, or is not ours.
    }
  }
  assert.fail(`no process of ours listens on ${port}`);
}

for (const variable of ["PORT", "MEDIA_PORT"]) {
  test(`npm start names ${variable} and ends when that port is in use`, async (t) => {
    const squatter = createServer().listen(0, "127.0.0.1");
    t.after(() => squatter.close());
    await new Promise((resolve) => squatter.once("listening", resolve));
    const address = squatter.address();
    assert.ok(typeof address === "object" && address);
    const other = variable === "PORT" ? "MEDIA_PORT" : "PORT";
    const run = npmStart(t, { [variable]: String(address.port), [other]: String(await freePort(0, "")) });

    assert.notEqual(await run.ended, 0);
    const said = run.errors.split("\n").filter((line) => line.startsWith("error:"));
    assert.deepEqual(said, [
      `error: port ${address.port} on 127.0.0.1 is in use: free it or choose another with ${variable}.`,
    ]);
  });
}

test("npm start refuses a port that is not one", async (t) => {
  const run = npmStart(t, { PORT: "eighty" });
  assert.notEqual(await run.ended, 0);
  assert.match(run.errors, /^error: PORT is "eighty", and must be a port from 1 to 65535\.$/m);
});
