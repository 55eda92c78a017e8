// The kinds of requests, and how many of a hundred are of each.

import { randomBytes } from 'node:crypto';

import { PATHS } from './configuration.mjs';
import { pick } from './wallet.mjs';

/** When a client disconnects. */
export const LEAVES = { atOnce: 'at once', waiting: 'while it waits', answering: 'during the answer' };

const opaqueToken = () => randomBytes(24).toString('base64url');

/** Opaque tokens that are used again and again, and those that came to an end. */
class OpaqueTokens {
  static #REUSED = 60;
  static #ENDED = 20;
  #endpoint;
  #count = 0;
  #ended = [];

  constructor(endpoint) {
    this.#endpoint = endpoint;
    this.reused = Array.from({ length: OpaqueTokens.#REUSED }, () => this.add());
  }

  add() {
    this.#count += 1;
    return this.#endpoint.add(opaqueToken(), `opaque-${this.#count}`);
  }

  invented() {
    return this.#endpoint.add(opaqueToken());
  }

  /** Ends a token that is in use, and puts another in its place. */
  end() {
    const place = Math.floor(Math.random() * this.reused.length);
    const [token] = this.reused.splice(place, 1, this.add());
    token.isActive = false;
    this.#ended.push(token);
    if (this.#ended.length > OpaqueTokens.#ENDED) {
      this.#endpoint.retire(this.#ended.shift());
    }
  }

  /** A token that came to an end; `null` before the first. */
  ended() {
    return pick(this.#ended) ?? null;
  }
}

/**
 * The kinds as `{ name, share, make }`. `make` returns a request, or `null` if there is none yet:
 * `{ path, headers, subject, possible(sent, answered), neverWaits, leave }`. `subject` is what the upstream
 * gets in `x-sub` if the request is admitted; `neverWaits` says that the gate needs nobody to decide; `leave`
 * says when its client disconnects, if it does. Also returns `revoke`, which ends some tokens.
 */
export function requestKinds({ wallet, judge, endpoint }) {
  const opaque = new OpaqueTokens(endpoint);
  const bearer = (token) => ({ authorization: `Bearer ${token}` });
  const always = (answer) => ({ possible: () => new Set([answer]), neverWaits: true });

  const jwt = (token, path = PATHS.jwt) => token && ({
    path,
    headers: bearer(token.text),
    subject: token.sub,
    possible: (sent, answered) => judge.possible(token, path, sent, answered),
  });
  const refused = (token, answer) => ({
    path: PATHS.jwt, headers: bearer(token), ...always(answer),
  });
  const introspected = (known, { once = false } = {}) => known && ({
    path: PATHS.opaque,
    headers: bearer(known.token),
    subject: known.subject,
    possible(sent, answered) {
      if (once) {
        endpoint.retire(known);
      }
      return endpoint.possible(known, sent, answered);
    },
  });
  const leaving = (request, leave) => ({ ...request, leave });

  const list = [
    ['good JWT, used before', 22, () => jwt(wallet.reused())],
    ['good JWT, new', 10, async () => jwt(await wallet.fresh())],
    ['good JWT of the newest keys', 4, async () => jwt(await wallet.newest())],
    ['good JWT with the scope', 3, () => jwt(wallet.reused(), PATHS.scope)],
    ['JWT without the scope', 3, () => jwt(wallet.withoutScope(), PATHS.scope)],
    ['JWT of withdrawn keys', 4, () => jwt(wallet.withdrawn())],
    ['JWT of an unknown kid', 5, () => jwt(wallet.unknownKid())],
    ['JWT with a bad signature', 4, () => jwt(wallet.badSignature())],
    ['JWT that expires soon', 3, async () => jwt(await wallet.expiring())],
    ['JWT that has been revoked', 5, () => jwt(wallet.revoked())],
    ['JWT for an audience that reloads change', 4, () => jwt(wallet.forAudience())],
    ['JWT for another audience', 3, () => refused(wallet.otherAudience(), 'audience')],
    ['JWT of another issuer', 2, () => refused(wallet.otherIssuer(), 'issuer')],
    ['JWT that has expired', 3, () => refused(wallet.expired(), 'expired')],
    ['unsigned JWT', 1, () => refused(wallet.unsigned(), 'algorithm')],
    ['opaque token, used before', 8, () => introspected(pick(opaque.reused))],
    ['opaque token, new', 3, () => introspected(opaque.add(), { once: true })],
    ['opaque token, invented', 2, () => introspected(opaque.invented(), { once: true })],
    ['opaque token that became inactive', 3, () => introspected(opaque.ended())],
    ['opaque token where JWTs are required', 1, () => refused(opaqueToken(), 'malformed')],
    ['malformed credential', 1, () => ({
      path: PATHS.jwt,
      headers: { authorization: 'Bearer one two' },
      ...always('malformed_credential'),
    })],
    ['two tokens', 1, () => ({
      path: `${PATHS.jwt}?access_token=x`,
      headers: bearer(wallet.reused().text),
      ...always('several_tokens'),
    })],
    ['no token', 1, () => ({ path: PATHS.jwt, headers: {}, ...always('missing') })],
    ['no token where none is required', 1, () => (
      { path: PATHS.open, headers: {}, subject: null, ...always('admitted') })],
    [`client that disconnects ${LEAVES.waiting}`, 1, () => (
      leaving(introspected(opaque.invented(), { once: true }), LEAVES.waiting))],
    [`client that disconnects ${LEAVES.atOnce}`, 1, () => (
      leaving(jwt(wallet.reused()), LEAVES.atOnce))],
    [`client that disconnects ${LEAVES.answering}`, 1, () => (
      leaving({ path: `${PATHS.open}/slow`, headers: {} }, LEAVES.answering))],
  ];
  return {
    kinds: list.map(([name, share, make]) => ({ name, share, make })),
    async revoke() {
      opaque.end();
      await wallet.revoke();
    },
  };
}
