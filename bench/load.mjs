// Load from wrk: a client in C, because one in JavaScript would eat the processor whose time is measured.

import { execFile } from "node:child_process";
import http from "node:http";
import { fromRoot, pathForTools } from "../scripts/layout.mjs";

/** The host that every worker is asked as, whatever its port: so entries at the edge have the same address for all. */
export const HOST = "bench.example";

/** No answer's head is longer. */
const HEAD_BYTES_MAX = 4096;

/** From this length on an answer that was under way at the end counts for the part of it that had come. */
const LARGE_BYTES = 1024 * 1024;

/** How long an answer may take. */
const ANSWER_S = 20;

/** No load is for so long: wrk takes whole seconds only, so it is interrupted when its time is over. */
const LOAD_S_MAX = 600;

/**
 * Somebody to ask, and what every answer must be.
 *
 * @typedef {object} Asked
 * @property {string} url
 * @property {Record<string, string>} [headers]
 * @property {number} status
 * @property {number} bytes of the body
 * @property {(headers: http.IncomingHttpHeaders) => boolean} [isRight] whether it came from where it should
 * @property {[string, string]} [fresh] every request has a path of its own: what comes before and after a number
 *
 * @typedef {object} Load
 * @property {number} answers
 * @property {number} perSecond
 * @property {number} p50Ms
 * @property {number} p99Ms
 */

let series = 0;

/** A part of a path that no request before has had. */
export function unheard() {
  series += 1;
  return `${process.pid}-${series}-`;
}

/**
 * Asks over and over for so many seconds, over so many connections with one request at a time each.
 * Fails when an answer is refused, is broken, or has not the length it should have.
 *
 * @param {Asked} asked
 * @param {{ connections: number, seconds: number }} how
 * @returns {Promise<Load>}
 */
export async function load({ url, headers = {}, bytes, fresh }, { connections, seconds }) {
  const paths = fresh ? [fresh[0] + unheard(), fresh[1]] : [];
  const { requests, bytes: came, refused, broken, ...said } = await wrk("wrk.lua", { url, headers, connections, seconds }, paths);
  if (refused > 0 || broken > 0) throw new Error(`${url}: ${refused} answers refused, ${broken} broken`);
  if (requests === 0) throw new Error(`${url}: no answer in ${seconds} s`);
  const most = (requests + connections) * (bytes + HEAD_BYTES_MAX);
  if (!(came >= requests * bytes && came <= most)) throw new Error(`${url}: ${came} bytes in ${requests} answers, not ${bytes} in each`);
  const answers = bytes < LARGE_BYTES ? requests : came / bytes;
  return { answers, perSecond: answers / said.seconds, p50Ms: said.p50Ms, p99Ms: said.p99Ms };
}

/**
 * @param {string} lua in this folder
 * @param {{ url: string, headers?: Record<string, string>, connections: number, seconds: number }} how
 * @param {string[]} args the script's
 * @returns {Promise<Record<string, number>>} what the script says at its end
 */
export async function wrk(lua, { url, headers = {}, connections, seconds }, args) {
  const lines = Object.entries({ Host: HOST, ...headers }).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const options = ["-t1", `-c${connections}`, `-d${LOAD_S_MAX}s`, "--timeout", `${ANSWER_S}s`, "-s", fromRoot("bench", lua)];
  const env = { ...process.env, PATH: pathForTools() };
  /** @type {string} */
  const stdout = await new Promise((resolve, reject) => {
    const child = execFile("wrk", [...options, ...lines, url, "--", ...args], { env }, (error, said) => (error ? reject(error) : resolve(said)));
    setTimeout(() => child.kill("SIGINT"), seconds * 1000);
  });
  const said = stdout.split("\n").findLast((line) => line.startsWith("{"));
  if (!said) throw new Error(`wrk said nothing of ${url}: ${stdout}`);
  return JSON.parse(said);
}

/**
 * Asks once and holds the answer against what it must be.
 *
 * @param {Asked} asked
 */
export async function check({ url, headers = {}, status, bytes, isRight = () => true, fresh }) {
  const target = fresh ? new URL(`${fresh[0]}${unheard()}${fresh[1]}`, url) : url;
  const answer = await new Promise((resolve, reject) => {
    const request = http.get(target, { headers: { host: HOST, ...headers }, agent: false }, (response) => {
      let length = 0;
      response.on("data", (piece) => void (length += piece.length));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, length }));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
  const isMeasured = status === 304 || Number(answer.headers["content-length"]) === bytes;
  if (answer.status !== status || answer.length !== bytes || !isMeasured || !isRight(answer.headers)) {
    throw new Error(`${target} is not what it should be: ${answer.status}, ${answer.length} bytes, ${JSON.stringify(answer.headers)}`);
  }
}
