// `npm run fuzz:api [seconds]`: the admin API of a local world is asked what its own document allows, and much that
// it does not. An answer that the document does not promise, or any 5xx, is a failure.
//
// The seed is fixed: what failed fails again, and a run in which nothing has changed finds nothing new.

import { fromRoot } from "./layout.mjs";
import { Failure, run, script } from "./process.mjs";
import { schemathesis, worldTools } from "./setup.mjs";
import { buildMediaOrigin, buildWorker } from "./worker-build.mjs";
import { startWorld } from "./world.mjs";

const SECONDS_DEFAULT = 60;
const SEED = 20_261_123;
/** Inputs a call and phase; the time ends a run before it, if need be. */
const EXAMPLES_MAX = 60;
/** No call takes this long, not even on a busy machine. */
const ANSWER_S = 30;
const ADMIN_TOKEN = "the-operator-of-the-fuzzer";

/** What is held of every answer. */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "negative_data_rejection",
  "unsupported_method",
  "allow_header_conformance",
  "ignored_auth",
];

await script(async () => {
  const seconds = Number(process.argv[2] ?? SECONDS_DEFAULT);
  if (!Number.isInteger(seconds) || seconds < 1) throw new Failure(`"${process.argv[2]}" is no number of seconds.`);
  const tool = await schemathesis();
  await worldTools({ browser: "unneeded" });
  await buildWorker();
  await buildMediaOrigin();
  const world = await startWorld({ vars: { ADMIN_TOKEN } });
  try {
    const authorization = `Authorization: Bearer ${ADMIN_TOKEN}`;
    const args = ["--config-file", fromRoot("scripts", "schemathesis.toml"), "run", `${world.worker}/_resizer/openapi.json`, "--header", authorization];
    args.push("--checks", CHECKS.join(","), "--seed", String(SEED));
    args.push("--max-examples", String(EXAMPLES_MAX), "--max-time", String(seconds), "--request-timeout", String(ANSWER_S));
    args.push("--phases", "examples,coverage,fuzzing", "--warnings", "off", "--continue-on-failure");
    await run(tool, args, { cwd: fromRoot("target"), failure: "the admin API broke a promise of its document: see above" });
  } finally {
    await world.stop();
  }
});
