// `npm run fuzz [seconds] [target…]`: every target of fuzz/, or those named, for so many seconds each.
// `npm run fuzz <file>`: one input once more, as the failure of a run advises.
//
// libFuzzer on the stable toolchain: the compiler counts branches and compares when it is told to in rustc's
// stable words, as cargo-fuzz does. What a run learns is kept in fuzz/corpus/, out of git, for the next run.

import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { FUZZ_DIR, FUZZ_PACKAGE, fromRoot } from "./layout.mjs";
import { ask, Failure, run, script, service } from "./process.mjs";
import { fuzzTools } from "./setup.mjs";

const SECONDS_DEFAULT = 20;
/** What takes longer is as good as an endless loop: the slowest honest input takes milliseconds. */
const INPUT_TIMEOUT_S = 10;
/** What one input may hold in memory, at 128 MB for all requests of an isolate. */
const MEMORY_MB_MAX = 512;

/** What tells libFuzzer where an input has been. */
const INSTRUMENTED = [
  "-Cpasses=sancov-module",
  "-Cllvm-args=-sanitizer-coverage-level=4",
  "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
  "-Cllvm-args=-sanitizer-coverage-pc-table",
  "-Cllvm-args=-sanitizer-coverage-trace-compares",
  "-Cllvm-args=-simplifycfg-branch-fold-threshold=0", // `a && b` stays two branches: the first is progress
  "-Ccodegen-units=1",
];

/** Of Cargo.toml. */
const PROFILE = "fuzz";
const TARGETS = readdirSync(fromRoot("fuzz", "fuzz_targets")).map((file) => path.basename(file, ".rs"));

/** @returns {Promise<string>} the folder of the built targets */
async function build() {
  const host = (await ask("rustc", ["-vV"]))?.match(/^host: (.+)$/m)?.[1];
  if (!host) throw new Failure("rustc does not say what it compiles for.");
  // With a target named, build scripts and macros are spared the flags.
  const args = ["build", "--quiet", "--locked", "--package", FUZZ_PACKAGE, "--profile", PROFILE];
  await run("cargo", [...args, "--target", host, "--target-dir", FUZZ_DIR], {
    cwd: fromRoot(),
    env: { CARGO_ENCODED_RUSTFLAGS: INSTRUMENTED.join("\x1f") },
    failure: "the fuzz targets could not be built: see above",
  });
  return path.join(FUZZ_DIR, host, PROFILE);
}

/**
 * Looks for an input that breaks a target's property.
 *
 * @param {string} bin
 * @param {string} target
 * @param {number} seconds
 */
async function search(bin, target, seconds) {
  const [corpus, found] = [path.join("fuzz", "corpus", target), path.join("fuzz", "artifacts", target)];
  for (const folder of [corpus, found]) mkdirSync(fromRoot(folder), { recursive: true });
  const args = [
    `-max_total_time=${seconds}`,
    `-timeout=${INPUT_TIMEOUT_S}`,
    `-rss_limit_mb=${MEMORY_MB_MAX}`,
    `-dict=${path.join("fuzz", "dictionaries", target)}`,
    `-artifact_prefix=${found}/`,
    corpus, // the first folder gets what is new
    path.join("fuzz", "seeds", target),
  ];
  /** @type {string[]} */
  const lines = [];
  const fuzzer = service(target, path.join(bin, target), args, {
    cwd: fromRoot(),
    onLine: (line) => /\t(NEW|REDUCE|pulse) |NEW_FUNC|Uses: /.test(line) || lines.push(line),
  });
  const ended = await fuzzer.ended;
  const done = lines.join("\n").match(/^#(\d+)\tDONE +cov: (\d+)/m);
  if (ended === "exit code 0" && done) {
    const inputs = Number(done[1]).toLocaleString("en");
    console.log(`fuzz: ${target}: ${inputs} inputs in ${seconds} s, ${done[2]} branches seen, nothing broken`);
    return undefined;
  }
  console.error(lines.join("\n"));
  const input = lines.join("\n").match(/Test unit written to (.+)$/m)?.[1];
  if (!input) return `${target} ended by itself (${ended}): see above`;
  return (
    `${target} broke on ${input}: see above. Once more: npm run fuzz ${input}. ` +
    `When it is mended, keep it: mv ${input} fuzz/seeds/${target}/<what-it-shows>, and cargo test holds it`
  );
}

/** @param {string} bin @param {string} file */
async function again(bin, file) {
  const target = TARGETS.find((name) => path.resolve(file).split(path.sep).includes(name));
  if (!target) throw new Failure(`${file} lies in no folder with the name of a target (${TARGETS.join(", ")}).`);
  const env = { RUST_BACKTRACE: "1" };
  const args = [`-timeout=${INPUT_TIMEOUT_S}`, `-rss_limit_mb=${MEMORY_MB_MAX}`, path.resolve(file)];
  await run(path.join(bin, target), args, { env, failure: `${target} breaks on ${file}: see above` });
  console.log(`fuzz: ${target} holds on ${file}`);
}

await script(async () => {
  const given = process.argv.slice(2);
  const seconds = Number(given.find((word) => /^\d+$/.test(word)) ?? SECONDS_DEFAULT);
  const words = given.filter((word) => !/^\d+$/.test(word));
  const unknown = words.find((word) => !TARGETS.includes(word) && !existsSync(word));
  if (unknown) throw new Failure(`"${unknown}" is no file and none of the targets ${TARGETS.join(", ")}.`);
  if (seconds === 0) throw new Failure("0 seconds is for ever to libFuzzer: give it at least 1.");

  await fuzzTools();
  const bin = await build();
  const files = words.filter((word) => !TARGETS.includes(word));
  for (const file of files) await again(bin, file);
  if (files.length > 0) return;

  const waiting = words.length > 0 ? words : [...TARGETS];
  /** @type {string[]} */
  const broken = [];
  const worker = async () => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      const sentence = await search(bin, target, seconds);
      if (sentence) broken.push(sentence);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  if (broken.length > 0) throw new Failure(broken.join(";\n"));
});
