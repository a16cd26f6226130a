// Calls that the system may refuse, and how.

import { WarmshardError } from 'warmshard';

export class Refusals {
  count = 0;
  /** @type {string[]} */
  wrong = [];

  /** @param {readonly string[]} codes that a refusal may have */
  constructor(codes) {
    this.codes = codes;
  }

  /** Whether a call went through. @param {() => void} work */
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
