// Child processes and their ends. Every child leads a process group of its own, so that stopping it
// stops what it started too, and every group still alive is stopped when we stop, however we stop.

import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How long a child may take to end by itself after SIGTERM. */
const STOP_GRACE_MS = 5_000;

/** How long what a child started may outlive it before it is killed. */
const ORPHAN_GRACE_MS = 1_000;
const ORPHAN_POLL_MS = 50;

/** How many last lines of a service are kept to explain its death. */
const TAIL_LINES_MAX = 40;

/** A failure that a person can act on: its message is the one sentence they read. */
export class Failure extends Error {}

/** Process ids of the group leaders we started and have not seen end. @type {Map<number, () => Promise<void>>} */
const live = new Map();

/**
 * @param {number} pid
 * @param {NodeJS.Signals | 0} signal 0 only asks
 * @returns {boolean} false when the whole group is gone
 */
function signalGroup(pid, signal) {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/**
 * Starts a child at the head of its own group.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string, stdio: import("node:child_process").StdioOptions }} options
 */
function lead(command, args, { env, cwd, stdio }) {
  const child = spawn(command, args, { cwd, stdio, detached: true, env: { ...process.env, ...env } });
  /** @type {Promise<{ code: number, how: string }>} */
  const ended = new Promise((resolve) => {
    child.on("error", (error) => resolve({ code: 127, how: error.message }));
    child.on("exit", (code, signal) =>
      resolve(code === null ? { code: 1, how: `killed by ${signal}` } : { code, how: `exit code ${code}` }),
    );
  });
  const { pid } = child;
  if (pid === undefined) return { child, ended, stop: async () => {} };

  const stop = async () => {
    signalGroup(pid, "SIGTERM");
    const late = setTimeout(() => signalGroup(pid, "SIGKILL"), STOP_GRACE_MS);
    await ended;
    clearTimeout(late);
    // The leader is gone; what it left in its group (workerd closing its databases) gets a moment.
    for (let waited = 0; waited < ORPHAN_GRACE_MS && signalGroup(pid, 0); waited += ORPHAN_POLL_MS) {
      await new Promise((resolve) => setTimeout(resolve, ORPHAN_POLL_MS));
    }
    signalGroup(pid, "SIGKILL");
    live.delete(pid);
  };
  live.set(pid, stop);
  void ended.then(() => live.delete(pid));
  return { child, ended, stop };
}

/** Stops every child, and returns when all are gone. */
export async function stopAll() {
  await Promise.all([...live.values()].map((stop) => stop()));
}

// The last resort, for ends that leave no time to wait: an uncaught error, a call of `process.exit`.
process.on("exit", () => {
  for (const pid of live.keys()) signalGroup(pid, "SIGKILL");
});

/** What a stop signal does: ends us at once, until `script` puts its clean-up here. */
let onStop = () => process.exit(1);
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  // Without a handler a signal would end us past the "exit" event, and our children would stay.
  process.on(signal, () => onStop());
}

/**
 * Runs a command to its end, its output on our terminal.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string, failure: string }} options `failure` is the sentence to fail with
 */
export async function run(command, args, { env, cwd, failure }) {
  const { ended } = lead(command, args, { env, cwd, stdio: ["ignore", "inherit", "inherit"] });
  const { code, how } = await ended;
  if (code !== 0) throw new Failure(`${failure} (${how}).`);
}

/**
 * The standard output of a short command.
 *
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<string | undefined>} undefined when it is missing or fails
 */
export function ask(command, args) {
  return new Promise((resolve) => {
    execFile(command, args, (error, stdout) => resolve(error ? undefined : stdout.trim()));
  });
}

/**
 * @typedef {object} Service
 * @property {string} name
 * @property {Promise<string>} ended how it ended, in words; resolves when it does
 * @property {() => string[]} tail its last lines
 * @property {() => Promise<void>} stop returns when it and all it started are gone
 */

/**
 * Starts a command that is meant to stay.
 *
 * @param {string} name for messages
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string, onLine?: (line: string) => void }} options
 *   `onLine` gets each line of its standard output and standard error
 * @returns {Service}
 */
export function service(name, command, args, { env, cwd, onLine }) {
  const { child, ended, stop } = lead(command, args, { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
  /** @type {string[]} */
  const tail = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on("line", (line) => {
      tail.push(line);
      if (tail.length > TAIL_LINES_MAX) tail.shift();
      onLine?.(line);
    });
  }
  return { name, ended: ended.then(({ how }) => how), tail: () => [...tail], stop };
}

/**
 * The life of a script: runs `main`, turns a `Failure` into its sentence, and leaves nothing running.
 *
 * @param {() => Promise<void>} main
 * @param {{ stopCode?: number }} [options] the exit code when a stop signal ends it; a cut-short script
 *   has not done its work, so only one that is meant to run until stopped says 0
 */
export async function script(main, { stopCode = 130 } = {}) {
  /** @param {number} code */
  const leave = async (code) => {
    await stopAll();
    process.exit(code);
  };
  let leaving = false;
  const leaveOnce = () => {
    // The terminal and the door may each send the signal: the second must not cut the clean-up short.
    if (leaving) return;
    leaving = true;
    void leave(stopCode);
  };
  onStop = leaveOnce;
  // The door died without a word (SIGKILL): its channel closes, and nobody else will stop us.
  process.on("disconnect", leaveOnce);

  try {
    await main();
    if (!leaving) await leave(0);
  } catch (error) {
    if (leaving) return;
    leaving = true;
    console.error(error instanceof Failure ? `error: ${error.message}` : error);
    await leave(1);
  }
}
