// The operator's API over HTTP: where it is, who asks, what is tried again and what an error says.
//
// A call that only looks is tried again when the connection or the worker fails. One that changes something is tried
// again only where it surely was not sent: nobody wants a purge twice, or not to know.

import { setTimeout as sleep } from "node:timers/promises";
import { Failure, misuse, Problem, UNREACHABLE } from "./ending.mjs";
import { file, secret, SECRET_CHARS_MIN } from "./given.mjs";
import { counted, visible } from "./output.mjs";

/** Where the API is when the address has no path: `admin.prefix` of a configuration that does not say. */
const PREFIX = "/_resizer";

/** Waits before the second try and those after it. */
const PAUSES_MS = [250, 1_000, 3_000];

/** No connection came about: nothing was sent. */
const UNSENT = ["ECONNREFUSED", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "UND_ERR_CONNECT_TIMEOUT"];

/** A connection broke: whether anything was done is not known. */
const BROKEN = [
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "UND_ERR_SOCKET",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
];

/** Longer than this no timer of Node waits: it would ring at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Longer texts are not repeated in a message. */
const REPEATED_CHARS_MAX = 80;

/** @typedef {{ status: number, headers: Headers, text: string, json: any }} Answer */
/** @typedef {ReturnType<typeof connect>} Api */

/**
 * @param {object} options
 * @param {string} options.base where the API is, as `address` gives it
 * @param {string} options.token
 * @param {number} options.timeoutMs for one call, its retries included
 */
export function connect({ base, token, timeoutMs }) {
  /**
   * @param {string} method
   * @param {string} path below the prefix
   * @param {object} [options]
   * @param {[string, string | undefined][]} [options.query] without those that are undefined
   * @param {string} [options.body] JSON
   * @param {Record<string, string>} [options.headers]
   * @param {number[]} [options.takes] statuses that are answers although they look like failures
   * @param {string[]} [options.has] members that an answer has
   * @param {number} [options.withinMs] where that is less time than every call has
   * @returns {Promise<Answer>}
   */
  const call = async (
    method,
    path,
    { query = [], body, headers = {}, takes = [], has = [], withinMs = Infinity } = {},
  ) => {
    const url = new URL(`${base}${path}`);
    for (const [name, value] of query) if (value !== undefined) url.searchParams.append(name, value);
    const looks = method === "GET";
    const deadline = performance.now() + Math.min(timeoutMs, withinMs);
    for (let tries = 1; ; tries += 1) {
      const left = deadline - performance.now();
      const outcome = await once(url, { method, body, headers }, Math.max(1, left));
      if ("answer" in outcome) {
        const { answer } = outcome;
        const { status } = answer;
        if (takes.includes(status) || (status >= 200 && status < 300)) {
          return { ...answer, json: parsed(answer, has, base) };
        }
        const mayPass = looks && (status === 429 || (status >= 500 && status !== 501));
        const pause = Math.max(PAUSES_MS[tries - 1] ?? Infinity, retryAfterMs(answer.headers));
        if (!mayPass || performance.now() + pause > deadline) throw problem(answer, body, base);
        await sleep(pause);
        continue;
      }
      const { codes, why } = outcome;
      const unsent = codes.length > 0 && codes.every((code) => UNSENT.includes(code));
      const mayPass =
        unsent || (looks && codes.length > 0 && codes.every((code) => BROKEN.includes(code) || UNSENT.includes(code)));
      const pause = PAUSES_MS[tries - 1] ?? Infinity;
      if (!mayPass || performance.now() + pause > deadline) {
        const doubt =
          looks || unsent || !outcome.maybeSent
            ? []
            : ["It may have been done all the same: look before you do it again."];
        const often = tries > 1 ? ` (tried ${counted(tries, "time")})` : "";
        throw new Failure(UNREACHABLE, `no answer from ${url.origin}${often}: ${why}`, doubt);
      }
      await sleep(pause);
    }
  };

  /**
   * One exchange.
   *
   * @param {URL} url
   * @param {{ method: string, body?: string, headers: Record<string, string> }} request
   * @param {number} leftMs
   * @returns {Promise<{ answer: Omit<Answer, "json"> } | { codes: string[], why: string, maybeSent: boolean }>}
   */
  const once = async (url, { method, body, headers }, leftMs) => {
    const timeout = AbortSignal.timeout(Math.min(Math.ceil(leftMs), TIMER_MS_MAX));
    try {
      const response = await fetch(url, {
        method,
        body,
        headers: {
          accept: "application/json, application/problem+json",
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        // A token is sent to the address it was meant for, and to no other.
        redirect: "manual",
        signal: timeout,
      });
      const text = await response.text();
      return { answer: { status: response.status, headers: response.headers, text } };
    } catch (error) {
      if (timeout.aborted) return { codes: [], why: `nothing within ${Math.ceil(leftMs) / 1000} s`, maybeSent: true };
      const { codes, why } = causes(error);
      const beforeSending = codes.some((code) => code === "ENOTFOUND" || /CERT|TLS|SSL|SIGNED|ISSUER/.test(code));
      return { codes, why, maybeSent: !beforeSending };
    }
  };

  return {
    base,

    /**
     * @param {string} path
     * @param {Omit<NonNullable<Parameters<typeof call>[2]>, "body">} [more]
     */
    get: (path, more) => call("GET", path, more),

    /**
     * @param {"POST" | "PUT"} method
     * @param {string} path
     * @param {string} body JSON
     * @param {Omit<NonNullable<Parameters<typeof call>[2]>, "body">} [more]
     */
    send: (method, path, body, more) => call(method, path, { ...more, body }),
  };
}

/**
 * The address of the API: without a slash at its end.
 *
 * @param {string | undefined} at
 * @param {boolean} insecure whether `http://` may leave this machine
 * @returns {string}
 */
export function address(at, insecure) {
  if (!at) throw misuse("say where the worker is, with --at or VIDEO_RESIZER_URL");
  const url = URL.canParse(at) ? new URL(at) : undefined;
  if (!url || !["https:", "http:"].includes(url.protocol)) {
    throw misuse(`"${at}" is no address such as https://videos.example.com`);
  }
  if (url.username || url.password) throw misuse("the address must not have a user or a password");
  if (url.search || url.hash) throw misuse(`"${at}" has more than a host and a prefix`);
  const loopback = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol === "http:" && !loopback && !insecure) {
    throw misuse(`the token would go to ${url.host} unencrypted: write https://, or --insecure if you mean it`);
  }
  const path = url.pathname.replace(/\/+$/, "");
  return `${url.origin}${path || PREFIX}`;
}

/**
 * @param {string | undefined} path of a file that holds it; else the environment does
 * @param {Record<string, string | undefined>} env
 * @returns {string}
 */
export function tokenFrom(path, env) {
  const token = path === undefined ? secret(env.VIDEO_RESIZER_TOKEN ?? "") : secret(file(path));
  const where = path ?? "VIDEO_RESIZER_TOKEN";
  if (token === "")
    throw misuse(path === undefined ? "set VIDEO_RESIZER_TOKEN, or give --token-file" : `${where} is empty`);
  if (!/^[!-~]+$/.test(token)) throw misuse(`${where} holds no token: it has spaces or characters beyond ASCII`);
  if (token.length < SECRET_CHARS_MIN)
    throw misuse(`${where} holds no token: it has under ${SECRET_CHARS_MIN} characters`);
  return token;
}

/**
 * @param {Omit<Answer, "json">} answer
 * @param {string[]} has
 * @param {string} base
 */
function parsed({ status, text }, has, base) {
  const document = jsonOf(text);
  if (document !== null && typeof document === "object" && has.every((name) => Object.hasOwn(document, name)))
    return document;
  throw new Failure(UNREACHABLE, `what answers ${status} at ${base} is not the API: see --at`);
}

/**
 * What an error says: the problem, and each of its errors with what stands there in what was sent.
 *
 * @param {Omit<Answer, "json">} answer
 * @param {string | undefined} sent
 * @param {string} base
 * @returns {Failure}
 */
function problem({ status, headers, text }, sent, base) {
  if (status < 400) {
    const to = headers.get("location");
    return new Failure(
      UNREACHABLE,
      `${base} answers ${status}${to ? ` and points to ${visible(to)}` : ""}: that is not the API`,
    );
  }
  const document = problemOf(text);
  if (!document) return new Problem(status, "", `${base} answers ${status}, and not as the API does`, []);
  const { title, detail, code, errors, request_id: id } = document;
  const said = [title, detail]
    .filter((part) => typeof part === "string" && part !== "")
    .map(visible)
    .join(": ");
  const wait = headers.get("retry-after");
  const facts = [
    String(status),
    code && visible(code),
    status >= 500 && id && `request ${visible(id)}`,
    wait && `retry after ${visible(wait)} s`,
  ];
  const listed = Array.isArray(errors) ? errors : [];
  return new Problem(
    status,
    text,
    `${said || "an error"} (${facts.filter(Boolean).join(", ")})`,
    listed.map((error) => {
      const what = pointed(sent, error?.at);
      return `${visible(error?.at)}${what === undefined ? "" : ` ${what}`}: ${visible(error?.detail)}`;
    }),
  );
}

/** @param {string} text @returns {Record<string, any> | undefined} */
function problemOf(text) {
  const document = jsonOf(text);
  return document !== null && typeof document === "object" && "detail" in document ? document : undefined;
}

/** @param {string} text @returns {any} undefined where it is none */
function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * What stands at a JSON pointer (RFC 6901), where that is short.
 *
 * @param {string | undefined} sent
 * @param {unknown} pointer
 * @returns {string | undefined}
 */
function pointed(sent, pointer) {
  if (sent === undefined || typeof pointer !== "string" || !pointer.startsWith("/")) return undefined;
  let value = JSON.parse(sent);
  for (const key of pointer
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"))) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  const text = visible(JSON.stringify(value));
  return text.length <= REPEATED_CHARS_MAX ? text : undefined;
}

/** @param {Headers} headers @returns {number} 0 where it does not say */
function retryAfterMs(headers) {
  const text = headers.get("retry-after") ?? "";
  return /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : 0;
}

/**
 * Why a fetch failed: the codes at the bottom of it, and a sentence.
 *
 * @param {unknown} error
 * @returns {{ codes: string[], why: string }}
 */
function causes(error) {
  const cause = /** @type {any} */ (error)?.cause ?? error;
  // Several addresses of one host, each with an error of its own.
  const each = Array.isArray(cause?.errors) ? cause.errors : [cause];
  const codes = each.map((/** @type {any} */ one) => String(one?.code ?? ""));
  const why = each.map((/** @type {any} */ one) => visible(one?.message || one?.code || one)).join("; ");
  return { codes, why };
}
