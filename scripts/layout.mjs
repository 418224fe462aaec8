// Where things are: the one place that knows the layout of the tree and of the tools.

import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/** @param {string[]} parts @returns {string} an absolute path inside the repository */
export const fromRoot = (...parts) => path.join(ROOT, ...parts);

/** Cargo tools that set-up had to install itself live here, out of the user's own `~/.cargo`. */
export const TOOLS_DIR = fromRoot(".tools");

/** What `npm run build` makes of the worker. */
export const WORKER_DIR = fromRoot("build");

/** Folders that hold our tools, nearest first: they win over whatever else the machine has. */
const TOOL_DIRS = [
  fromRoot("node_modules", ".bin"),
  path.join(TOOLS_DIR, "bin"),
  path.join(process.env.CARGO_HOME ?? path.join(homedir(), ".cargo"), "bin"),
];

/** @returns {string} PATH with our tools in front; the same however often it is applied */
export function pathForTools() {
  const others = (process.env.PATH ?? "").split(path.delimiter).filter((dir) => !TOOL_DIRS.includes(dir));
  return [...TOOL_DIRS, ...others].join(path.delimiter);
}

/**
 * Every executable of that name on the PATH, nearest first.
 *
 * @param {string} name
 * @returns {string[]}
 */
export function findOnPath(name) {
  return pathForTools()
    .split(path.delimiter)
    .map((dir) => path.join(dir, name))
    .filter((file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    });
}

/** Debian names it `chromium`; other systems use one of the others. */
const BROWSERS = ["chromium", "chromium-browser", "google-chrome"];

/** @returns {string | undefined} the browser the end-to-end tests drive */
export const findBrowser = () => BROWSERS.flatMap(findOnPath)[0];

/** Where cargo puts what it builds. */
export const TARGET_DIR = path.resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target");

/** The package of the fuzz targets: it takes a C++ compiler, so nothing but `npm run fuzz` builds it. */
export const FUZZ_PACKAGE = "video-resizer-fuzz";

/** Where they are built, with flags of their own. */
export const FUZZ_DIR = path.join(TARGET_DIR, "fuzz");

/** The package of the native benches: it takes a while, so nothing but `npm run bench:pure` builds it. */
export const BENCH_PACKAGE = "video-resizer-bench";

/** What cargo is told of, where it is told of the whole workspace: every package but those that are asked for by name. */
export const WORKSPACE = ["--workspace", "--exclude", FUZZ_PACKAGE, "--exclude", BENCH_PACKAGE];

/** The local media origin, in cargo's dev profile: ffmpeg does the heavy work, and the tests share its build. */
export const MEDIA_ORIGIN = path.join(TARGET_DIR, "debug", "media-origin");

/** What the worker is compiled for. */
export const WASM_TARGET = "wasm32-unknown-unknown";

/** The worker as cargo leaves it. */
export const CARGO_WASM = path.join(TARGET_DIR, WASM_TARGET, "release", "video_resizer.wasm");
