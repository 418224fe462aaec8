// `npm run bench:pure [-- word…]`: the pure parts of a request, natively: time and allocations by divan, instructions
// by valgrind. All of them go into docs/performance.md; those with one of the words in their name are only printed.

import { cpus } from "node:os";
import path from "node:path";
import { record } from "../bench/report.mjs";
import { BENCH_PACKAGE, fromRoot, TARGET_DIR } from "./layout.mjs";
import { ask, Failure, run, script } from "./process.mjs";
import { benchTools } from "./setup.mjs";

const REPORT = fromRoot("docs", "performance.md");
/** A part is done so many times and twice as many; the difference is free of what comes before the first time. */
const TIMES = 100;

const BENCH = ["bench", "--quiet", "--package", BENCH_PACKAGE, "--bench", "parts"];
const INSTRUCTIONS = path.join(TARGET_DIR, "release", "instructions");

/**
 * What a command prints.
 *
 * @param {string} command
 * @param {string[]} args
 */
async function output(command, args) {
  const text = await ask(command, args);
  if (text === undefined) throw new Failure(`it failed to run "${command} ${args.join(" ")}": run it yourself to see why.`);
  return text;
}

/** @param {string} part */
async function instructions(part) {
  const counts = [TIMES, 2 * TIMES].map(async (times) => {
    const quiet = ["--callgrind-out-file=/dev/null", "--log-fd=1"];
    const text = await output("valgrind", ["--tool=callgrind", ...quiet, INSTRUCTIONS, part, String(times)]);
    return Number(text.match(/Collected : (\d+)/)?.[1]);
  });
  const [some, more] = await Promise.all(counts);
  return Math.round((more - some) / TIMES);
}

/**
 * What divan prints of every part: a line with its times, and below it lines with what was allocated.
 *
 * @param {string} text
 */
function divan(text) {
  /** @type {Map<string, { time: string, allocations: number }>} */
  const parts = new Map();
  let part = { time: "", allocations: 0 };
  let heading = "";
  for (const line of text.split("\n")) {
    const [head, , median] = line.replace(/^[│ ]+/, "").split("│").map((cell) => cell.trim());
    const name = head.match(/^[├╰]─ (.+?) {2,}\d/)?.[1];
    if (name) {
      part = { time: median, allocations: 0 };
      parts.set(name, part);
    } else if (/^[a-z ]+:$/.test(head)) {
      heading = head;
    } else if (["alloc:", "grow:"].includes(heading)) {
      // Below the number of them stands how many bytes they are.
      part.allocations += Number(median);
      heading = "";
    }
  }
  return parts;
}

await script(async () => {
  const words = process.argv.slice(2);
  await benchTools();
  const built = { cwd: fromRoot(), failure: "the bench does not build: see the message above" };
  await run("cargo", ["build", "--quiet", "--release", "--package", BENCH_PACKAGE, "--bin", "instructions"], built);
  await run("cargo", [...BENCH, "--no-run"], built);

  const names = (await output(INSTRUCTIONS, [])).split("\n");
  const chosen = names.filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
  if (chosen.length === 0) throw new Failure(`no part has "${words.join('" or "')}" in its name: ${names.join("; ")}.`);
  console.log("bench: time and allocations (about a minute)");
  const measured = divan(await output("cargo", [...BENCH, "--", "--color", "never"]));
  console.log("bench: instructions");
  const lines = ["| part | time | allocations | instructions |", "|---|---|---|---|"];
  for (const name of chosen) {
    const part = measured.get(name);
    if (!part) throw new Failure(`divan says nothing of "${name}".`);
    const count = (await instructions(name)).toLocaleString("en");
    lines.push(`| ${name} | ${part.time} | ${part.allocations} | ${count} |`);
  }
  console.log(lines.join("\n"));
  if (words.length > 0) return;
  const [compiler, valgrind] = [await ask("rustc", ["--version"]), await ask("valgrind", ["--version"])];
  record(REPORT, "npm run bench:pure", [
    `Machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${process.arch}, ${compiler?.split(" (")[0]}, ${valgrind}.`,
    'Method: built as the worker is (`opt-level = "z"`, LTO); time is divan\'s median of 100 samples;',
    "allocations, growing included, are those of one time;",
    `instructions are what callgrind counts of ${2 * TIMES} times less what it counts of ${TIMES}, divided, glibc's allocator included.`,
    "",
    ...lines,
  ]);
});
