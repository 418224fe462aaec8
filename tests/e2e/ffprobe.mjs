// What a rendition really is, as ffprobe reads it.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

/**
 * Reads every frame, so that a file which only begins well fails.
 *
 * @param {Buffer} bytes
 * @returns {Promise<{ format: Record<string, any>, video?: Record<string, any>, audio?: Record<string, any> }>}
 */
export async function ffprobe(bytes) {
  // A pipe will not do: an MP4 may say what it is at its end.
  const dir = mkdtempSync(path.join(tmpdir(), "video-resizer-probe-"));
  try {
    const file = path.join(dir, "rendition");
    writeFileSync(file, bytes);
    const args = ["-v", "error", "-count_frames", "-show_format", "-show_streams", "-of", "json", file];
    const { stdout, stderr } = await promisify(execFile)("ffprobe", args);
    if (stderr) throw new Error(`it does not decode: ${stderr}`);
    const { format, streams } = JSON.parse(stdout);
    const of = (/** @type {string} */ type) =>
      streams.find((/** @type {Record<string, any>} */ stream) => stream.codec_type === type);
    return { format, video: of("video"), audio: of("audio") };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
