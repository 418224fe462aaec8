// The door: runs on whatever Node the machine has, installs the npm packages if they are missing or
// older than the lockfile, then runs the named script under the Node of scripts/pinned-node.
//
// Usage: node scripts/door.mjs <start|test|build|check|fuzz|fuzz-api|bench|bench-pure|size|deploy-dry> [arguments]
//
// wrangler asks for a newer Node than Debian ships, so everything behind this file may use that;
// this file may not, nor may what it imports.

import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { fromRoot, pathForTools } from "./layout.mjs";
import { pinNode } from "./pin-node.mjs";

/** @type {import("node:child_process").ChildProcess | undefined} */
let current;

/** wrangler asks for 22.12; from the major after this one on, every Node will do. */
const NODE_TOO_OLD = 22;

/** How often we look whether npm still lives. */
const PARENT_POLL_MS = 1_000;

/** How a terminal, a supervisor and a closed window ask us to stop. */
const STOP_SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
let stopping = false;
/** @param {NodeJS.Signals} signal */
function stop(signal) {
  stopping = true;
  current?.kill(signal);
}
for (const signal of STOP_SIGNALS) process.on(signal, () => stop(signal));

if (process.env.npm_lifecycle_event) {
  // npm passes signals on, except for the one it cannot see coming (SIGKILL): then its death is the signal.
  const npm = process.ppid;
  setInterval(() => process.ppid !== npm && stop("SIGTERM"), PARENT_POLL_MS).unref();
}

/**
 * Runs one command to its end with our terminal, and passes our stop signals on to it.
 * The child has an IPC channel when `tether` is set: it closes if we die, and the child then stops too.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ tether?: boolean }} [options]
 * @returns {Promise<number>} the exit code; 127 when the command does not exist
 */
function run(command, args, { tether = false } = {}) {
  return new Promise((resolve) => {
    const stdio = tether ? ["inherit", "inherit", "inherit", "ipc"] : "inherit";
    current = spawn(command, args, {
      cwd: fromRoot(),
      stdio: /** @type {import("node:child_process").StdioOptions} */ (stdio),
      env: { ...process.env, PATH: pathForTools() },
    });
    current.on("error", () => resolve(127));
    current.on("exit", (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

/** True when `npm ci` has to run: nothing installed, or installed from an older lockfile. */
function packagesAreStale() {
  const installed = fromRoot("node_modules", ".package-lock.json");
  if (!existsSync(installed)) return true;
  return statSync(installed).mtimeMs < statSync(fromRoot("package-lock.json")).mtimeMs;
}

/** @param {string} sentence @returns {never} */
function fail(sentence) {
  console.error(`error: ${sentence}`);
  process.exit(1);
}

const [name, ...rest] = process.argv.slice(2);
if (!name || !existsSync(fromRoot("scripts", `${name}.mjs`))) {
  fail(`there is no script named "${name ?? ""}" in scripts/.`);
}

if (packagesAreStale()) {
  console.log("set-up: installing the npm packages of package-lock.json (about half a minute)");
  const code = await run("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"]);
  if (stopping) process.exit(130);
  if (code === 127) fail("npm is missing: install it with Node 20 or newer.");
  if (code !== 0) fail(`npm ci failed (exit code ${code}): see its message above.`);
}

const pinned = pinNode();
if (!pinned && Number(process.versions.node.split(".")[0]) <= NODE_TOO_OLD) {
  fail(`scripts/pinned-node has no Node for ${process.platform}-${process.arch}: install Node ${NODE_TOO_OLD + 1} or newer.`);
}
process.exit(await run(pinned ?? process.execPath, [path.join("scripts", `${name}.mjs`), ...rest], { tether: true }));
