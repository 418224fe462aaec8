// An operator at the command line: the real program as a child process, whose output never has a secret.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fromRoot } from "../../scripts/layout.mjs";
import { startApi, TOKEN } from "./operators-api.mjs";

const PROGRAM = fromRoot("cli", "video-resizer.mjs");

/** Signs URLs; no output may ever have it. */
export const KEY = "key-that-signs-urls-0042";

/** A call of every command that talks to the API. */
export const CALLS = {
  purge: ["purge", "--tag", "a"],
  "purge log": ["purge", "log"],
  "purge show": ["purge", "show", "p1"],
  variants: ["variants"],
  explain: ["explain", "/a.mp4"],
  warm: ["warm", "/a.mp4"],
  "warm show": ["warm", "show", "w1"],
  "config get": ["config", "get"],
  "config put": ["config", "put", "-"],
  "config check": ["config", "check", "-"],
  "config versions": ["config", "versions"],
  "config show": ["config", "show", "1"],
  "config diff": ["config", "diff", "1"],
  "config rollback": ["config", "rollback", "1"],
  health: ["health"],
  openapi: ["openapi"],
};

/**
 * @typedef {object} Run
 * @property {number | null} code
 * @property {string | null} signal
 * @property {string} out
 * @property {string} err
 * @property {number} ms
 */

/** @param {Record<string, string | undefined>} env @param {string[]} args */
const start = (env, args) => spawn(process.execPath, [PROGRAM, ...args], { env: { PATH: process.env.PATH, ...env } });

/**
 * Runs the program to its end.
 *
 * @param {Record<string, string | undefined>} env all of it, beside the PATH
 * @param {string[]} args
 * @param {object} [options]
 * @param {string} [options.input]
 * @param {(child: import("node:child_process").ChildProcess, err: string) => void} [options.on] gets the child and all
 *   its standard error so far, whenever there is more
 * @returns {Promise<Run>}
 */
export function runIn(env, args, { input = "", on } = {}) {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = start(env, args);
    const texts = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text) => void (texts.out += text));
    child.stderr.setEncoding("utf8").on("data", (text) => {
      texts.err += text;
      on?.(child, texts.err);
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      for (const secret of [env.VIDEO_RESIZER_TOKEN, TOKEN, KEY]) {
        if (secret && `${texts.out}${texts.err}`.includes(secret)) {
          return reject(new Error(`${args.join(" ")} printed a secret`));
        }
      }
      resolve({ code, signal, ...texts, ms: performance.now() - began });
    });
  });
}

/** An operator with a stub of the API, a folder for files, and the environment for both. */
export async function openDesk() {
  const api = await startApi();
  const folder = mkdtempSync(path.join(tmpdir(), "video-resizer-cli-"));
  const usual = { VIDEO_RESIZER_URL: api.url, VIDEO_RESIZER_TOKEN: TOKEN, USER: "ann" };

  /**
   * @param {string[]} args
   * @param {{ env?: Record<string, string | undefined> } & Parameters<typeof runIn>[2]} [options] `env` is over the usual
   */
  const run = (args, { env, ...options } = {}) => runIn({ ...usual, ...env }, args, options);

  return {
    api,
    run,

    /** @param {string[]} args @param {Parameters<typeof run>[1]} [options] @returns {Promise<string>} what a run that was done has printed */
    done: async (args, options) => {
      const { code, out, err } = await run(args, options);
      assert.equal(code, 0, err);
      return out;
    },

    /** @param {string[]} args the program itself, for who wants to be rude to it */
    start: (args) => start(usual, args),

    /** @param {string} name @param {string} text @returns {string} the path of a file */
    write: (name, text) => {
      const file = path.join(folder, name);
      writeFileSync(file, text);
      return file;
    },

    close: async () => {
      rmSync(folder, { recursive: true, force: true });
      await api.stop();
    },
  };
}
