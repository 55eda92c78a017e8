// The answers that a request may have got, by all that happened while it was on its way. This is the
// decision of the gate once more, in the order of its steps, written from what it promises.

import { wallClock } from './clock.mjs';
import { AUDIENCE, PATHS } from './configuration.mjs';
import { CLOCK_SKEW } from './promises.mjs';
import { GONE } from './published-document.mjs';

/** Clocks of tokens count in whole seconds. */
const WHOLE = 1;

export class Judge {
  #documents;
  #configuration;

  /** `documents` has the key set as `keys` and the revocation list as `list`. */
  constructor({ documents, configuration }) {
    this.#documents = documents;
    this.#configuration = configuration;
  }

  /** The names of the possible answers to a request with a JWT that was sent and answered then. */
  possible(token, path, sent, answered) {
    const found = new Set();
    const age = answered - sent;
    const wall = wallClock();
    const expires = token.exp + CLOCK_SKEW;
    if (token.audience !== AUDIENCE) {
      const accepted = this.#configuration.possible(sent, answered);
      if ([...accepted].some((audience) => audience !== token.audience)) {
        found.add('audience');
      }
      if (!accepted.has(token.audience)) {
        return found;
      }
    }
    if (wall >= expires - WHOLE) {
      found.add('expired');
    }
    if (wall - age >= expires + WHOLE) {
      return found;
    }
    for (const kids of this.#documents.keys.possible(sent, answered)) {
      if (kids === GONE) {
        found.add('keys_unavailable');
      } else if (!kids.has(token.kid)) {
        found.add('unknown_key');
      } else if (!token.isSigned) {
        found.add('signature');
      } else {
        this.#afterSignature(token, path, sent, answered, found);
      }
    }
    return found;
  }

  #afterSignature(token, path, sent, answered, found) {
    for (const revoked of this.#documents.list.possible(sent, answered)) {
      if (revoked === GONE) {
        found.add('revocation_unavailable');
      } else if (revoked.has(token.jti)) {
        found.add('revoked');
      } else if (path === PATHS.scope && !token.hasScope) {
        found.add('scope');
      } else {
        found.add('admitted');
      }
    }
  }
}
