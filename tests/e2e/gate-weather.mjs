// Bad weather at the gate before fills, beside that of weather.mjs: each question asked of it can be made late, lost
// or answered with nonsense, told at run time by the test, which also learns what was asked.

import { ask, json } from "./ask.mjs";
import { weatherAround } from "./weather.mjs";

/** In workerd, behind the weather's own text, whose `env` it shares. */
const PLATFORM = `
/** More questions than any test looks at. */
const QUESTIONS_MAX = 50_000;

let questions = [];
let gateOrders = [];

const namespace = Object.getPrototypeOf(env.FILL_GATE);
const { getByName } = namespace;
namespace.getByName = function (name) {
  const gate = getByName.call(this, name);
  return { fetch: (url, init) => question(name, init, () => gate.fetch(url, init)) };
};

async function question(key, init, go) {
  const [asked] = Object.keys(JSON.parse(init.body));
  if (questions.length < QUESTIONS_MAX) questions.push({ asked, key });
  const order = gateOrders.findLast((each) => key.includes(each.key ?? "") && (each.asked ?? [asked]).includes(asked));
  switch (order?.gate) {
    case "hangs":
      return new Promise((_, reject) => init.signal.addEventListener("abort", () => reject(init.signal.reason)));
    case "fails":
      throw new Error("the gate failed: Durable Object is overloaded");
    case "babbles":
      return new Response("I am no gate");
    case "refuses":
      return new Response("Internal Server Error", { status: 500 });
    default:
      return go();
  }
}

async function keeper(request) {
  if (request.method === "PUT") gateOrders = await request.json();
  if (request.method === "DELETE") questions = [];
  return Response.json(questions);
}
`;

/** For `startWorld({ around })`: {@link weatherAround}, and a gate that does as it is told. */
export const gateAround = () => `${weatherAround(`if (pathname === "/__gate") return keeper(request);`)}\n${PLATFORM}`;

/**
 * @typedef {object} GateOrder
 * @property {"hangs" | "fails" | "babbles" | "refuses"} gate what becomes of a question: it is never answered,
 *   it cannot be asked, it is answered with no verdict, or with an error
 * @property {string[]} [asked] only of these questions, as in `enter`
 * @property {string} [key] only at gates whose name contains it
 */

/**
 * The gates of a world that was started around {@link gateAround}.
 *
 * @param {{ worker: string }} world
 */
export function gates({ worker }) {
  const speak = async (/** @type {string} */ method, /** @type {unknown} */ document = undefined) => {
    const body = document === undefined ? undefined : JSON.stringify(document);
    const headers = /** @type {Record<string, string>} */ (body ? { "content-length": String(Buffer.byteLength(body)) } : {});
    return json(await ask(`${worker}/__gate`, { method, headers, body }));
  };
  return {
    /**
     * In place of the orders before.
     *
     * @param {GateOrder[]} orders
     */
    order: (...orders) => speak("PUT", orders),

    /** Takes every order back. */
    calm: () => speak("PUT", []),

    /**
     * What was asked at gates whose name contains it, in order.
     *
     * @param {string} [match]
     * @returns {Promise<string[]>}
     */
    asked: async (match = "") => {
      /** @type {{ asked: string, key: string }[]} */
      const questions = await speak("GET");
      return questions.filter(({ key }) => key.includes(match)).map(({ asked }) => asked);
    },
  };
}
