// `npm start`: set-up, builds, then the whole product on this machine until Ctrl-C.

import path from "node:path";
import { fromRoot } from "./layout.mjs";
import { Failure, script } from "./process.mjs";
import { worldTools } from "./setup.mjs";
import { buildMediaOrigin, buildWorker } from "./worker-build.mjs";
import { freePort, startWorld } from "./world.mjs";

/**
 * A port from the environment.
 *
 * @param {string} variable
 * @param {number} fallback
 */
function portFrom(variable, fallback) {
  const text = process.env[variable] || String(fallback);
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new Failure(`${variable} is "${text}", and must be a port from 1 to 65535.`);
  }
  return port;
}

async function main() {
  const port = portFrom("PORT", 8787);
  const mediaPort = portFrom("MEDIA_PORT", 8788);
  if (port === mediaPort) throw new Failure(`PORT and MEDIA_PORT are both ${port}, and must differ.`);
  const adminToken = process.env.ADMIN_TOKEN || "operator-of-this-machine";
  const stateDir = path.resolve(fromRoot(), process.env.STATE_DIR || ".state");
  // A taken port is said at once, not after minutes of building.
  await freePort(port, "PORT");
  await freePort(mediaPort, "MEDIA_PORT");

  await worldTools({ browser: "unneeded" });
  await buildWorker();
  await buildMediaOrigin();

  console.log("start: the media origin, then the worker under wrangler dev");
  let quiet = true;
  const world = await startWorld({
    port,
    mediaPort,
    stateDir,
    runner: "wrangler",
    vars: { ADMIN_TOKEN: adminToken },
    onLine: (from, line) => {
      if (!quiet && line.trim()) console.log(`${from.padEnd(6)} | ${line}`);
    },
  });
  quiet = false;
  console.log(`
ready. Open:
  ${world.worker}/    the sample page: a source, its renditions, and which tier answered each
  ${world.worker}/videos/big-buck-bunny-720p-5s.mp4?width=640&height=360    one rendition
  ${world.media}/    the media origin itself: sources, and /cdn-cgi/media made with ffmpeg

The operator's API, with the token ${adminToken}:
  VIDEO_RESIZER_TOKEN=${adminToken} npx video-resizer health --at ${world.worker}

State is kept in ${path.relative(process.cwd(), stateDir) || "."}. Ctrl-C stops everything.
`);
  throw new Failure(await world.died);
}

await script(main, { stopCode: 0 }); // Ctrl-C is how one leaves it
