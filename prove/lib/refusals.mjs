// Counts calls that failed because the system refused something, and collects errors with other codes.

import { WarmshardError } from 'warmshard';

export class Refusals {
  count = 0;
  /** @type {string[]} */
  wrong = [];

  /** @param {readonly string[]} codes the error codes that a refusal may have */
  constructor(codes) {
    this.codes = codes;
  }

  /** Makes a call and returns whether it succeeded. @param {() => void} work */
  may(work) {
    try {
      work();
      return true;
    } catch (error) {
      this.count++;
      if (!(error instanceof WarmshardError) || !this.codes.includes(error.code)) this.wrong.push(`${error}`);
      return false;
    }
  }
}
