#!/usr/bin/env node
// The command line over the operator's API: finds the command, runs it, and ends with its exit code.

import { readFileSync } from "node:fs";
import { call } from "./call.mjs";
import { Failure, Problem, USAGE } from "./ending.mjs";
import { output } from "./output.mjs";
import { root } from "./root.mjs";
import { find, help, PROGRAM, read } from "./usage.mjs";

/** What a shell says of a program whose reader went away (128 and SIGPIPE). */
const READER_GONE = 141;

const { env, stdin, stdout, stderr } = process;
const out = output({ stdout, stderr, env });
let lastWords = "";

for (const stream of [stdout, stderr]) {
  stream.on("error", (error) => {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EPIPE") process.exit(READER_GONE);
    throw error;
  });
}

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.once(signal, () => {
    out.clear();
    if (lastWords) out.note(lastWords);
    // Ending by the signal itself tells a shell that runs us in a loop to stop as well.
    process.kill(process.pid, signal);
  });
}

/** @returns {Promise<number>} */
async function main() {
  const { path, rest } = find(root, process.argv.slice(2));
  const command = path[path.length - 1];
  let json = false;
  try {
    if (path.length === 1 && rest.length === 0) {
      out.note(help(path).trimEnd());
      return USAGE;
    }
    const given = read(command, rest);
    if (given.values.help) {
      out.print(help(path));
      return 0;
    }
    if (given.values.version) {
      out.print(`${PROGRAM} ${version()}`);
      return 0;
    }
    json = given.values.json === true;
    const host = {
      out,
      env,
      stdin,
      nowMs: Date.now,
      lastWords: (/** @type {string} */ words) => void (lastWords = words),
    };
    return (await command.run?.(call(command, given, host))) ?? 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (json && error instanceof Problem && error.text) out.print(error.text);
    out.note(`${out.paintNote("red", `${PROGRAM}:`)} ${error.message}`);
    for (const line of error.details) out.note(`  ${line}`);
    if (error.code === USAGE) {
      out.note(`  ${[PROGRAM, ...path.slice(1).map(({ name }) => name), "--help"].join(" ")} says more`);
    }
    return error.code;
  }
}

function version() {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}

process.exitCode = await main();
