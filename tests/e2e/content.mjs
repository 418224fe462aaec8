// Bytes that are known at every offset without being kept: a body of any length, made and checked piece by piece.
// Each 8 bytes tell which body they belong to and where, so a body put together wrongly says what went wrong.

/** Bytes of a word: the first four are the body's seed mixed with the word's index, the others follow from both. */
const WORD = 8;

/** Keeps bytes that nobody wrote, all zero, from being those of a body. */
const SALT = 0x5eed;

/** Spreads 32 bits so that neighbours have nothing in common; no two have the same image (MurmurHash3's last step). */
function scramble(/** @type {number} */ bits) {
  let x = bits;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/**
 * A seed of its own for each number.
 *
 * @param {number} number
 */
export const seedOf = (number) => scramble(number + 1) >>> 0;

/**
 * The bytes of a body from an offset on.
 *
 * @param {number} seed of the body
 * @param {number} offset
 * @param {number} length
 * @returns {Buffer}
 */
export function content(seed, offset, length) {
  const first = Math.floor(offset / WORD);
  const count = Math.ceil((offset + length) / WORD) - first;
  const halves = new Int32Array(count * 2);
  for (let at = 0; at < count; at += 1) {
    const low = seed ^ scramble(first + at);
    halves[2 * at] = low;
    halves[2 * at + 1] = scramble(low ^ (first + at) ^ SALT);
  }
  return Buffer.from(halves.buffer, offset - first * WORD, length);
}

/**
 * Whose bytes these are, told by the first whole word.
 *
 * @param {Buffer} bytes
 * @param {number} offset where in their body they are
 * @returns {number | undefined} the seed; nothing when they are nobody's, or fewer than a word
 */
export function owner(bytes, offset) {
  const skipped = (WORD - (offset % WORD)) % WORD;
  if (bytes.length < skipped + WORD) return undefined;
  const index = (offset + skipped) / WORD;
  const low = bytes.readInt32LE(skipped);
  const isOurs = bytes.readInt32LE(skipped + 4) === scramble(low ^ index ^ SALT);
  return isOurs ? (low ^ scramble(index)) >>> 0 : undefined;
}

/** Enough to hold a whole word wherever it begins. */
const TELLING = 2 * WORD - 1;

/**
 * Checks the bytes of a body that begin at an offset, as they come. Whose they are it learns from the first of
 * them, where it is not told.
 */
export class Check {
  #offset;
  #first;
  #held = Buffer.alloc(0);

  /** Whose bytes they are, once that is known. @type {number | undefined} */
  seed;

  /** What is wrong with them, as a sentence; empty while nothing is. */
  wrong = "";

  /** @param {number} offset @param {number} [seed] */
  constructor(offset, seed) {
    this.#first = offset;
    this.#offset = offset;
    this.seed = seed;
  }

  /** How many came. */
  get bytes() {
    return this.#offset - this.#first + this.#held.length;
  }

  /** @param {Buffer} piece */
  take(piece) {
    if (this.wrong) return void (this.#offset += piece.length);
    if (this.seed !== undefined) return this.#compare(piece);
    this.#held = Buffer.concat([this.#held, piece]);
    if (this.#held.length >= TELLING) this.#tell();
  }

  /** To be called after the last piece. */
  end() {
    if (this.seed === undefined && !this.wrong && this.#held.length > 0) this.#tell();
  }

  #tell() {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    this.seed = owner(held, this.#offset);
    if (this.seed !== undefined) return this.#compare(held);
    this.wrong = `from byte ${this.#offset}: ${held.length < TELLING ? "too few bytes to tell whose they are" : "bytes of no body"}`;
    this.#offset += held.length;
  }

  /** @param {Buffer} piece */
  #compare(piece) {
    const expected = content(/** @type {number} */ (this.seed), this.#offset, piece.length);
    if (!expected.equals(piece)) {
      const at = piece.findIndex((byte, index) => byte !== expected[index]);
      const other = owner(piece.subarray(at), this.#offset + at);
      const whose = other === undefined || other === this.seed ? "bytes of no body" : `bytes of the body ${other}`;
      this.wrong = `from byte ${this.#offset + at}: ${whose} in the body ${this.seed}`;
    }
    this.#offset += piece.length;
  }
}
