// Load from wrk: a client in C, because one in JavaScript would eat the processor whose time is measured.

import { execFile } from "node:child_process";
import http from "node:http";
import { promisify } from "node:util";
import { fromRoot, pathForTools } from "../scripts/layout.mjs";

/** The host that every worker is asked as, whatever its port: so entries at the edge have the same address for all. */
export const HOST = "bench.example";

/** What heads of answers may be long. */
const HEAD_BYTES_MAX = 4096;

/** From this length on an answer that was under way at the end counts for the part of it that had come. */
const LARGE_BYTES = 1024 * 1024;

/**
 * Somebody to ask, and what every answer must be.
 *
 * @typedef {object} Asked
 * @property {string} url
 * @property {Record<string, string>} [headers]
 * @property {number} status
 * @property {number} bytes of the body
 * @property {(headers: http.IncomingHttpHeaders) => boolean} [isRight] whether it came from where it should
 * @property {[string, string]} [around] every request has an address of its own: a number between these two
 *
 * @typedef {object} Load
 * @property {number} answers
 * @property {number} perSecond
 * @property {number} p50Ms
 * @property {number} p99Ms
 */

/**
 * One connection after another request, `connections` at a time, for so many seconds.
 * Fails when an answer is refused, is broken, or has not the length it should have.
 *
 * @param {Asked} asked
 * @param {{ connections: number, seconds: number }} how
 * @returns {Promise<Load>}
 */
export async function load({ url, headers = {}, bytes, around = undefined }, { connections, seconds }) {
  const lines = Object.entries({ Host: HOST, ...headers }).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "20s", "-s", fromRoot("bench", "wrk.lua"), ...lines, url];
  if (around) args.push("--", ...around);
  const { stdout } = await promisify(execFile)("wrk", args, { env: { ...process.env, PATH: pathForTools() } });
  const said = JSON.parse(stdout.split("\n").findLast((line) => line.startsWith("{")) ?? "{}");
  if (said.refused > 0 || said.broken > 0) throw new Error(`${url}: ${said.refused} answers refused, ${said.broken} broken`);
  const least = said.requests * bytes;
  if (!(said.bytes >= least && said.bytes <= least + (said.requests + connections) * (HEAD_BYTES_MAX + bytes) - said.requests * bytes)) {
    throw new Error(`${url}: ${said.bytes} bytes in ${said.requests} answers are not ${bytes} in each`);
  }
  const answers = bytes < LARGE_BYTES ? said.requests : said.bytes / bytes;
  return { answers, perSecond: answers / said.seconds, p50Ms: said.p50Ms, p99Ms: said.p99Ms };
}

/**
 * Asks once and holds the answer against what it must be.
 *
 * @param {Asked} asked
 */
export async function check({ url, headers = {}, status, bytes, isRight = () => true }) {
  const answer = await new Promise((resolve, reject) => {
    const request = http.get(url, { headers: { host: HOST, ...headers }, agent: false }, (response) => {
      let length = 0;
      response.on("data", (piece) => void (length += piece.length));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, length }));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
  const isWhole = bytes === 0 || status === 304 || Number(answer.headers["content-length"]) === bytes;
  if (answer.status !== status || answer.length !== bytes || !isWhole || !isRight(answer.headers)) {
    throw new Error(`${url} is not what it should be: ${answer.status}, ${answer.length} bytes, ${JSON.stringify(answer.headers)}`);
  }
}
