// Makes `node_modules/.bin/node` the pinned Node of this platform; runs after every npm install.
// npm would link it itself, but npm 10 loses the link when it drops the other platforms' packages,
// and `npx wrangler` finds its Node there.

import { existsSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { fromRoot } from "./layout.mjs";

/**
 * @returns {string | undefined} the path of the pinned Node; undefined when scripts/pinned-node has none for this platform
 */
export function pinNode() {
  const target = path.join("..", `node-${process.platform}-${process.arch}`, "bin", "node");
  const bin = fromRoot("node_modules", ".bin");
  if (!existsSync(path.resolve(bin, target))) return undefined;
  const link = path.join(bin, "node");
  if (!existsSync(link)) {
    rmSync(link, { force: true }); // a dangling link
    symlinkSync(target, link);
  }
  return link;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) pinNode();
