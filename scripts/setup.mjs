// Set-up: finds each tool the project needs, installs what is missing and can be installed from a
// package registry, and says so. A machine that has everything gets no output and loses no time.

import { readFileSync } from "node:fs";
import path from "node:path";
import { findBrowser, findOnPath, fromRoot, TOOLS_DIR, WASM_TARGET } from "./layout.mjs";
import { ask, Failure, run } from "./process.mjs";

/** @param {string} text */
const say = (text) => console.log(`set-up: ${text}`);

/**
 * The version Cargo.lock holds a crate at, so that a tool which must match a crate cannot drift from it.
 *
 * @param {string} crate
 * @returns {string}
 */
function lockedVersion(crate) {
  const lock = readFileSync(fromRoot("Cargo.lock"), "utf8");
  const version = lock.match(new RegExp(`name = "${crate}"\\nversion = "([^"]+)"`))?.[1];
  if (!version) throw new Failure(`Cargo.lock names no version of the crate ${crate}.`);
  return version;
}

/** Rust, its wasm target, and what `cargo fmt` and `cargo clippy` need. */
async function rust() {
  if (findOnPath("cargo").length === 0) {
    throw new Failure("Rust is missing: install its stable toolchain with rustup, then run this again.");
  }
  const rustup = findOnPath("rustup").length > 0;
  if (rustup && (await ask("rustc", ["--version"])) === undefined) {
    // rustup no longer fetches the toolchain of rust-toolchain.toml on its own on every machine.
    say("installing the Rust toolchain of rust-toolchain.toml (about a minute)");
    await run("rustup", ["toolchain", "install", "stable"], { failure: "rustup could not install the toolchain" });
  }
  if (rustup && !(await ask("rustup", ["component", "list", "--installed"]))?.includes("rust-src")) {
    say("adding Rust's rust-src component (a few seconds)");
    await run("rustup", ["component", "add", "rust-src"], { failure: "rustup could not add rust-src" });
  }
  const targets = rustup
    ? await ask("rustup", ["target", "list", "--installed"])
    : await ask("rustc", ["--print", "target-list"]);
  if (targets?.split("\n").includes(WASM_TARGET)) return;
  if (!rustup) throw new Failure(`Rust's ${WASM_TARGET} target is missing: install it, or use rustup's Rust.`);
  say(`adding Rust's ${WASM_TARGET} target (a few seconds)`);
  await run("rustup", ["target", "add", WASM_TARGET], { failure: `rustup could not add ${WASM_TARGET}` });
}

/**
 * A cargo tool at exactly the version asked: one on the PATH if it matches, otherwise built into `.tools/`.
 *
 * @param {{ crate: string, binary: string, version: string, locked: boolean, minutes: number }} tool
 *   `locked` builds with the tool's own lockfile
 * @returns {Promise<string>} its path
 */
async function cargoTool({ crate, binary, version, locked, minutes }) {
  for (const file of findOnPath(binary)) {
    const words = (await ask(file, ["--version"]))?.split(/\s+/);
    if (words?.includes(version)) return file;
  }
  say(`building ${crate} ${version} into .tools/ (about ${minutes} minutes, once)`);
  const args = ["install", "--root", TOOLS_DIR, crate, "--version", version];
  await run("cargo", locked ? [...args, "--locked"] : args, { failure: `${crate} could not be built` });
  return `${TOOLS_DIR}/bin/${binary}`;
}

/**
 * What Debian packages bring. As root they are installed; otherwise the sentence says what to install.
 *
 * @param {{ what: string, debian: string, found: boolean }[]} needs
 */
async function debianPackages(needs) {
  const missing = needs.filter((need) => !need.found);
  if (missing.length === 0) return;
  const names = missing.map((need) => need.debian);
  const what = missing.map((need) => need.what).join(" and ");
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || findOnPath("apt-get").length === 0) {
    const advice = isRoot ? "install it" : `run "sudo apt-get install ${names.join(" ")}"`;
    throw new Failure(`${what} ${missing.length > 1 ? "are" : "is"} missing: ${advice}, then run this again.`);
  }
  say(`installing the Debian packages ${names.join(", ")} (about a minute)`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const quiet = ["-qq", "-o", "Dpkg::Use-Pty=0"];
  await run("apt-get", ["update", ...quiet], { env, failure: "apt-get update failed" });
  const args = ["install", "-y", "--no-install-recommends", ...quiet, ...names];
  await run("apt-get", args, { env, failure: `apt-get could not install ${names.join(", ")}` });
}

/**
 * What building the worker takes: a C linker, Rust with the wasm target, wasm-bindgen.
 *
 * @returns {Promise<{ wasmBindgen: string }>} path of the tool whose version matters
 */
export async function buildTools() {
  await debianPackages([
    { what: "a C compiler (cc)", debian: "build-essential", found: findOnPath("cc").length > 0 },
  ]);
  await rust();
  const wasmBindgen = await cargoTool({
    crate: "wasm-bindgen-cli",
    binary: "wasm-bindgen",
    version: lockedVersion("wasm-bindgen"), // the CLI refuses a module made with another version
    locked: false, // its own lockfile does not build at this version
    minutes: 3,
  });
  return { wasmBindgen };
}

/** The schema-driven fuzzer of the admin API: a Python package, at this version. */
const SCHEMATHESIS = "4.32.5";

/**
 * The fuzzer of the admin API, in a Python environment of its own below `.tools/`.
 *
 * @returns {Promise<string>} its path
 */
export async function schemathesis() {
  const home = path.join(TOOLS_DIR, "schemathesis");
  const tool = path.join(home, "bin", "schemathesis");
  if ((await ask(tool, ["--version"]))?.includes(SCHEMATHESIS)) return tool;
  const venv = await ask("python3", ["-c", "import venv, ensurepip"]);
  await debianPackages([{ what: "Python with its venv", debian: "python3-venv", found: venv !== undefined }]);
  say(`installing schemathesis ${SCHEMATHESIS} into .tools/ (about half a minute, once)`);
  await run("python3", ["-m", "venv", home], { failure: "Python could not make an environment" });
  const args = ["install", "--quiet", "--disable-pip-version-check", `schemathesis==${SCHEMATHESIS}`];
  await run(path.join(home, "bin", "pip"), args, { failure: "schemathesis could not be installed" });
  return tool;
}

/** What building the fuzz targets takes: a C++ compiler, for libFuzzer, and Rust. */
export async function fuzzTools() {
  await debianPackages([
    { what: "a C++ compiler (c++)", debian: "build-essential", found: findOnPath("c++").length > 0 },
  ]);
  await rust();
}

/** What the native benches take: a C linker, Rust, and what counts instructions. */
export async function benchTools() {
  await debianPackages([
    { what: "a C compiler (cc)", debian: "build-essential", found: findOnPath("cc").length > 0 },
    { what: "valgrind", debian: "valgrind", found: findOnPath("valgrind").length > 0 },
  ]);
  await rust();
}

/**
 * What running the local world takes beside that.
 *
 * @param {{ browser: "needed" | "unneeded" }} options
 */
export async function worldTools({ browser }) {
  await debianPackages([
    { what: "ffmpeg", debian: "ffmpeg", found: ["ffmpeg", "ffprobe"].every((name) => findOnPath(name).length > 0) },
    ...(browser === "needed"
      ? [{ what: "chromium", debian: "chromium", found: findBrowser() !== undefined }]
      : []),
  ]);
}

/** What the benches take that put load on the worker. */
export async function loadTools() {
  await debianPackages([{ what: "wrk", debian: "wrk", found: findOnPath("wrk").length > 0 }]);
}
