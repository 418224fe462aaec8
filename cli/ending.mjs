// How a run ends: every exit code, once, and the failures that lead to one.

/** Every exit code and what it says; `--help` and the document print this table. */
export const EXIT_CODES = /** @type {const} */ ([
  [0, "done"],
  [1, "refused by the API (4xx), or warmed with failures"],
  [2, "wrong usage: nothing was sent"],
  [3, "the API cannot be reached, answers 5xx, or is not healthy"],
  [4, "--wait ran out of time; the work goes on"],
]);

export const [[DONE], [REFUSED], [USAGE], [UNREACHABLE], [OUT_OF_TIME]] = EXIT_CODES;

/** A failure that a person can act on: its message is the sentence they read. */
export class Failure extends Error {
  /** @param {number} code @param {string} message @param {string[]} [details] lines below it */
  constructor(code, message, details = []) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** @param {string} message @returns {Failure} what was typed, or a file it names, cannot be used */
export const misuse = (message) => new Failure(USAGE, message);

/** The API has answered with an error. */
export class Problem extends Failure {
  /**
   * @param {number} status
   * @param {string} text the body as it came, where it is a problem document
   * @param {string} message
   * @param {string[]} details
   */
  constructor(status, text, message, details) {
    super(status >= 500 ? UNREACHABLE : REFUSED, message, details);
    this.text = text;
  }
}
