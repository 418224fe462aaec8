// Makes an isolate on demand, asks it once, and says how that went: `/<code>/<step>`, where the code is `new` or `known`
// to the process and the step is one of those below. bench/start.mjs gives it the built worker.

import bytes from "./wasm.bin";
import script from "./script.txt";

/** Refused before any tier is asked: an isolate of the loader has none. */
const ASKED = "http://bench.example/videos/1.mp4?width=0";

const BARE = `export default { fetch: () => new Response("no", { status: 400 }) };`;

/** What is loaded, each with one thing more than the one before. @type {Record<string, (wasm: () => ArrayBuffer) => Record<string, unknown>>} */
const STEPS = {
  bare: () => ({ "main.js": BARE }),
  carried: (wasm) => ({ "main.js": `import "./index_bg.wasm"; ${BARE}`, "index_bg.wasm": { data: wasm() } }),
  compiled: (wasm) => ({ "main.js": `import "./index_bg.wasm"; ${BARE}`, "index_bg.wasm": { wasm: wasm() } }),
  instantiated: (wasm) => ({ "main.js": `import "./index.js"; ${BARE}`, "index.js": script, "index_bg.wasm": { wasm: wasm() } }),
  product: (wasm) => ({ "main.js": `export { default } from "./index.js";`, "index.js": script, "index_bg.wasm": { wasm: wasm() } }),
};

let made = 0;

/** The wasm with an empty section of a name of its own: V8 compiles the same bytes only once in a process. */
function unheard() {
  const name = new TextEncoder().encode(String(made).padStart(8, "0"));
  const wasm = new Uint8Array(bytes.byteLength + 3 + name.length);
  wasm.set(new Uint8Array(bytes));
  wasm.set([0, name.length + 1, name.length, ...name], bytes.byteLength);
  return wasm.buffer;
}

export default {
  /** @param {Request} request @param {{ LOADER: any, DAY: object }} env */
  async fetch(request, { LOADER, DAY }) {
    made += 1;
    const [, code, step] = new URL(request.url).pathname.split("/");
    const modules = STEPS[step](code === "new" ? unheard : () => bytes);
    const env = { RESIZER_CONFIG: { log: { level: "error" } } };
    const isolate = LOADER.get(String(made), () => ({ ...DAY, mainModule: "main.js", modules, env }));
    const answer = await isolate.getEntrypoint().fetch(ASKED);
    await answer.arrayBuffer();
    return new Response(null, { status: answer.status === 400 ? 204 : 500 });
  },
};
