// The admin API's own document as a judge: whatever a call answers must be what the document promises.

import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { ask } from "./ask.mjs";

/** @typedef {import("./ask.mjs").Answer} Answer */

/**
 * @param {string} base the URL of the API, without a trailing slash
 * @param {string} token one that may look
 */
export async function openContract(base, token) {
  const answer = await ask(`${base}/openapi.json`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200);
  const document = JSON.parse(answer.body.toString());
  // Words of OpenAPI that are no JSON Schema stand outside of schemas; `example` stands beside them.
  const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true, formats: { "date-time": isTime } });
  ajv.addSchema({ $id: "api", ...document, components: document.components }, "api", false, false);
  for (const word of ["openapi", "info", "servers", "security", "paths", "components"]) ajv.addKeyword(word);

  /** @type {Set<string>} calls with a status that were seen */
  const seen = new Set();

  /** @param {string} pointer @param {unknown} value @param {string} what */
  const conforms = (pointer, value, what) => {
    const validate = ajv.compile({ $ref: `api#${pointer}` });
    assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`);
  };

  return {
    document,
    seen,
    conforms,

    /**
     * Holds an answer to what is promised of its call.
     *
     * @param {string} method
     * @param {string} path below the prefix, without its query
     * @param {Answer} answer
     */
    judge: (method, path, answer) => {
      const template = Object.keys(document.paths).find((known) => new RegExp(`^${known.replace(/\{[^}]+\}/g, "[^/]+")}$`).test(path) && (!/\/\{/.test(known) || !document.paths[path]));
      assert.ok(template, `${path} is not described`);
      const call = document.paths[template][method.toLowerCase()];
      const what = `${method} ${path}: ${answer.status}`;
      assert.ok(call, `${what}: the method is not described`);
      let pointer = `/paths/${escaped(template)}/${method.toLowerCase()}/responses/${answer.status}`;
      let response = call.responses[answer.status];
      assert.ok(response, `${what} is not promised: ${answer.body}`);
      if (response.$ref) {
        pointer = response.$ref.slice(1);
        response = pointer.slice(1).split("/").reduce((/** @type {any} */ at, /** @type {string} */ name) => at[name], document);
      }
      const [type] = Object.keys(response.content);
      assert.equal(answer.headers["content-type"], type, what);
      assert.equal(answer.headers["cache-control"], "no-store", what);
      assert.equal(answer.headers["access-control-allow-origin"], undefined, what);
      conforms(`${pointer}/content/${escaped(type)}/schema`, JSON.parse(answer.body.toString()), what);
      for (const [name, { required, schema }] of Object.entries(/** @type {Record<string, any>} */ (response.headers ?? {}))) {
        const value = answer.headers[name.toLowerCase()];
        if (required) assert.notEqual(value, undefined, `${what} has no ${name}`);
        if (value !== undefined && schema.type === "string") conforms(`${pointer}/headers/${name}/schema`, value, `${what} ${name}`);
      }
      seen.add(`${call.operationId} ${answer.status}`);
      return answer;
    },

    /** Every example of the document is what its own schema promises. */
    examples: () => {
      let held = 0;
      const walk = (/** @type {any} */ at, /** @type {string} */ pointer) => {
        if (at === null || typeof at !== "object") return;
        if (at.schema && at.example !== undefined) {
          conforms(`${pointer}/schema`, at.example, pointer);
          held += 1;
        }
        for (const [name, value] of Object.entries(at)) walk(value, `${pointer}/${escaped(name)}`);
      };
      walk(document, "");
      return held;
    },
  };
}

/** @param {string} name as a part of a JSON pointer in a URL fragment */
const escaped = (name) => encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));

/** @param {string} text */
const isTime = (text) => !Number.isNaN(Date.parse(text));
