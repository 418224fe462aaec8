// What the platform starts: every event is handed to wasm.
//
// A panic ends the wasm instance and not the isolate: wasm-bindgen's code makes another with the next call. What lived
// in the old one is gone, and so are the durable objects' own parts, which are made again here.

import * as worker from "./index.js";
import { asked } from "./platform.js";

export default {
  /** @param {Request} request @param {unknown} env @param {unknown} context @returns {Promise<Response>} */
  fetch(request, env, context) {
    return new Promise((answer) => worker.fetch(asked(request), request, env, context, answer));
  },

  /** @param {{ cron: string }} event @param {unknown} env @returns {Promise<void>} */
  scheduled({ cron }, env) {
    return new Promise((done) => worker.scheduled(cron, env, done));
  },
};

/** @returns {number} which wasm instance runs; the call makes another where the last one broke */
const instance = () => worker.__worker_init_state().instanceId;

/** @param {any} Class as wasm has it */
const lasting = (Class) =>
  class {
    #state;
    #env;
    #part;
    #instance;

    /** @param {unknown} state @param {unknown} env */
    constructor(state, env) {
      this.#state = state;
      this.#env = env;
    }

    /** Its part in the wasm instance that runs. */
    get part() {
      const now = instance();
      if (this.#instance !== now) {
        this.#part = new Class(this.#state, this.#env);
        this.#instance = now;
      }
      return this.#part;
    }

    /** @param {Request} request @returns {Promise<Response>} */
    async fetch(request) {
      const question = await request.text();
      return new Promise((answer) => this.part.ask(question, request, answer));
    }
  };

/** @param {any} Class one that wakes by itself */
const waking = (Class) =>
  class extends lasting(Class) {
    /** @returns {Promise<void>} */
    alarm() {
      return new Promise((done, failed) => this.part.alarm(done, failed));
    }
  };

export const FillGate = lasting(worker.FillGate);
export const ConfigBook = waking(worker.ConfigBook);
export const PurgeLedger = waking(worker.PurgeLedger);
export const Warmer = waking(worker.Warmer);
