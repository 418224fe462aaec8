// A stand-in of Cloudflare's API: the zone's purge, and the account's audit log, which tells of it.
//
// The shapes are those of the API's documents (audit-records.json has records as they are shown there, names invented);
// what it can be told to do is what a network and a service do on a bad day.

import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const RECORDS = JSON.parse(readFileSync(new URL("audit-records.json", import.meta.url), "utf8"));

/** Items of one purge (cache/how-to/purge-cache). */
const ITEMS_MAX = 100;

export const ZONE = "023e105f4ecef8ad9ca31a8372d0c353";
export const ACCOUNT = "4bb334f7c94c4a29a045f03944f072e5";

/** May purge the zone and read the account's settings. */
export const TOKEN = "a-token-of-these-tests";

const FORMS = ["tags", "hosts", "prefixes", "files", "purge_everything"];

/**
 * @typedef {"purge" | "audit"} Endpoint
 * @typedef {{ on: Endpoint, status?: number, retryAfter?: number, body?: string, ms?: number, hang?: boolean, nth?: number }} Fault
 * @typedef {{ method: string, path: string, query: Record<string, string>, body: any, status: number }} Call
 * @typedef {Awaited<ReturnType<typeof startCloudflareApi>>} CloudflareApi
 */

/** Starts it on a free port of 127.0.0.1. */
export async function startCloudflareApi() {
  /** @type {Call[]} */
  const calls = [];
  /** @type {{ record: any, shownFrom: number }[]} */
  const log = [];
  /** @type {Set<Fault>} */
  const faults = new Set();
  const settings = { delayMs: 0, pageSize: 100, repeats: false, endless: false, filters: true };

  /** @param {any} request @param {{ at?: number, delayMs?: number, alter?: (record: any) => void }} [options] */
  const tell = (request, { at = Date.now(), delayMs = settings.delayMs, alter = () => {} } = {}) => {
    const record = structuredClone(RECORDS.base);
    record.id = randomBytes(16).toString("hex");
    record.action.time = new Date(at).toISOString();
    record.raw.uri = `/zones/${ZONE}/purge_cache`;
    record.resource.request = request;
    record.zone.id = ZONE;
    alter(record);
    log.push({ record, shownFrom: Date.now() + delayMs });
    return record;
  };

  /** @param {any} body @returns {string | undefined} what is wrong with it */
  const mistake = (body) => {
    const forms = FORMS.filter((form) => body?.[form] !== undefined);
    if (forms.length !== 1 || Object.keys(body).length !== 1) return "name one of tags, hosts, prefixes, files, purge_everything";
    const [form] = forms;
    if (form === "purge_everything") return body[form] === true ? undefined : "purge_everything is true";
    const items = body[form];
    if (!Array.isArray(items) || items.length === 0 || items.length > ITEMS_MAX) return `1 to ${ITEMS_MAX} ${form}`;
    const isItem = (/** @type {any} */ it) => typeof it === "string" || (form === "files" && typeof it?.url === "string");
    return items.every(isItem) ? undefined : `a ${form} of another type`;
  };

  /** @param {any} body */
  const purge = (body) => {
    const detail = mistake(body);
    if (detail) return { status: 400, json: failed(1012, detail) };
    tell(body, { alter: ({ actor, raw }) => Object.assign(actor, { context: "api_token", token_name: "video-resizer" }) && Object.assign(raw, { user_agent: "" }) });
    return { status: 200, json: { success: true, errors: [], messages: [], result: { id: ZONE } } };
  };

  /** @param {Record<string, string>} query */
  const audit = (query) => {
    const [since, before] = [Date.parse(query.since), Date.parse(query.before)];
    if (Number.isNaN(since) || Number.isNaN(before)) return { status: 400, json: failed(1001, "since and before are required") };
    const shown = log.filter(({ record, shownFrom }) => {
      const at = Date.parse(record.action.time ?? new Date().toISOString());
      const passes = (/** @type {string} */ name, /** @type {string} */ value) => !settings.filters || !query[name] || query[name] === value;
      return shownFrom <= Date.now() && at >= since && at <= before
        && passes("resource_product", record.resource.product) && passes("zone_id", record.zone?.id);
    }).map(({ record }) => record).sort((one, other) => Date.parse(one.action.time) - Date.parse(other.action.time));
    if (query.direction !== "asc") shown.reverse();
    const start = query.cursor ? Number(Buffer.from(query.cursor, "base64url").toString().slice("record ".length)) : 0;
    const end = Math.min(start + Math.min(Number(query.limit ?? 100), settings.pageSize), shown.length);
    const result = shown.slice(settings.repeats ? Math.max(0, start - 1) : start, end);
    const cursor = end < shown.length || settings.endless ? Buffer.from(`record ${end}`).toString("base64url") : undefined;
    return { status: 200, json: { success: true, errors: [], messages: [], result, result_info: { count: String(result.length), cursor } } };
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://api");
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const query = Object.fromEntries(url.searchParams);
    /** @type {Call} */
    const call = { method: request.method ?? "", path: url.pathname, query, body: parsed(text), status: 0 };
    calls.push(call);
    /** @param {number} status @param {string} body @param {Record<string, string>} [headers] */
    const answer = (status, body, headers = {}) => {
      call.status = status;
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
    };
    const endpoint = {
      [`POST /client/v4/zones/${ZONE}/purge_cache`]: /** @type {const} */ ("purge"),
      [`GET /client/v4/accounts/${ACCOUNT}/logs/audit`]: /** @type {const} */ ("audit"),
    }[`${call.method} ${call.path}`];
    if (!endpoint) return answer(404, JSON.stringify(failed(7003, "Could not route")));
    if (!isAuthorised(request.headers.authorization)) return answer(403, JSON.stringify(failed(10000, "Authentication error")));
    const fault = [...faults].find(({ on }) => on === endpoint);
    if (fault && (fault.nth = (fault.nth ?? 1) - 1) <= 0) {
      if (fault.hang) return undefined;
      await new Promise((resolve) => setTimeout(resolve, fault.ms ?? 0));
      if (fault.status || fault.body !== undefined) {
        const headers = fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) };
        return answer(fault.status ?? 200, fault.body ?? JSON.stringify(failed(fault.status ?? 0, "told to fail")), headers);
      }
    }
    const { status, json } = endpoint === "purge" ? purge(call.body) : audit(query);
    return answer(status, JSON.stringify(json));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());

  return {
    /** What a worker is configured with to use it. */
    config: { purge: { apiUrl: `http://127.0.0.1:${address.port}/client/v4`, zoneId: ZONE, accountId: ACCOUNT } },
    vars: { PURGE_API_TOKEN: TOKEN },
    settings,
    calls: () => [...calls],
    forgetCalls: () => void calls.splice(0),

    /** A purge made in the dashboard; the log tells of it after `delayMs`. Gives back its record. @type {typeof tell} */
    purgeInDashboard: tell,

    /** Records that are no purges of the zone. */
    addOthers: () => {
      for (const other of RECORDS.others) {
        const at = new Date().toISOString();
        log.push({ record: { ...other, action: { ...other.action, time: at } }, shownFrom: 0 });
      }
    },

    /** From now on, until it is withdrawn; with `nth`, the first calls go well. @param {Fault} fault */
    order: (fault) => {
      const ordered = { ...fault };
      faults.add(ordered);
      return () => void faults.delete(ordered);
    },

    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve(undefined));
        server.closeAllConnections();
      }),
  };
}

/** @param {number} code @param {string} message */
const failed = (code, message) => ({ success: false, errors: [{ code, message }], messages: [], result: null });

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {string | undefined} header */
function isAuthorised(header) {
  const [given, wanted] = [header ?? "", `Bearer ${TOKEN}`].map((text) => Buffer.from(text));
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
