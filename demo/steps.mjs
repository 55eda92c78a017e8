// The numbered steps of the walk: their headings, their verdicts, and what was not as expected.

import * as terminal from './terminal.mjs';

export class Steps {
  /** The differences from what was expected, as sentences. */
  problems = [];
  #number = 0;

  /** Prints the heading of the next step. */
  begin(title) {
    this.#number += 1;
    terminal.heading(`${this.#number}. ${title}`);
  }

  /** Prints the verdict of the current step: ok, or each difference. */
  conclude(differences) {
    terminal.verdict(differences);
    this.problems.push(...differences.map((difference) => `step ${this.#number}: ${difference}`));
  }
}
