// The tokens of the clients, good and bad, and the key sets and revocation lists that go with them.

import { randomBytes, randomUUID } from 'node:crypto';

import {
  encoded, newKeyAsync, publicJwk, signedToken, signer, withBadSignature,
} from '../../tools/jwt.mjs';
import { wallClock } from './clock.mjs';
import { AUDIENCE, AUDIENCES, ISSUER, SCOPE } from './configuration.mjs';
import { CLOCK_SKEW } from './promises.mjs';

const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];
/** Longer than the keys of a generation and of two later ones are published. */
const LIFETIME = 300;
/** The tokens of each algorithm that are used again and again. */
const REUSED = 30;
/** The tokens for each additional audience. */
const FOR_AUDIENCE = 6;
/** Generations of keys whose tokens are kept: two that are published, and two that were withdrawn. */
const GENERATIONS = 4;
const PUBLISHED = 2;
/** A token that expires soon is used for as long afterwards. */
const SOON = 4;
const KEPT_EXPIRED = 10;
/** Revoked tokens that clients still use. */
const KEPT_REVOKED = 100;

export const pick = (list) => list[Math.floor(Math.random() * list.length)];

export class Wallet {
  #serial = 0;
  #count = 0;
  /** The latest generations of keys as `{ signers, jwks, tokens, byAudience }`, the newest last. */
  #generations = [];
  /** What the revocation list names: tokens that have not expired. */
  #listed = [];
  #revoked = [];
  #expiring = [];

  /** Makes a new generation of keys, with tokens that are used again and again. */
  async rotate() {
    this.#serial += 1;
    const keys = await Promise.all(ALGORITHMS.map(async (alg) => (
      { alg, kid: `${this.#serial}-${alg}`, key: await newKeyAsync(alg) })));
    const signers = keys.map(({ alg, kid, key }) => signer(alg, kid, key));
    const many = (count, options) => Promise.all(
      signers.flatMap((by) => Array.from({ length: count }, () => this.#issue(by, options))));
    const generation = {
      signers,
      jwks: keys.map(({ alg, kid, key }) => publicJwk(alg, kid, key)),
      tokens: await many(REUSED),
      forAudience: (await Promise.all(AUDIENCES.map((audience) => many(FOR_AUDIENCE, { audience })))).flat(),
      withoutScope: await many(FOR_AUDIENCE, { scope: 'profile' }),
    };
    this.#generations = [...this.#generations.slice(1 - GENERATIONS), generation];
  }

  /** The key set of the published generations: `content` has the kids. */
  keySet() {
    const keys = this.#published.flatMap(({ jwks }) => jwks);
    return { content: new Set(keys.map(({ kid }) => kid)), body: JSON.stringify({ keys }) };
  }

  /** The revocation list: `content` has the `jti`s. */
  revocationList() {
    this.#listed = this.#listed.filter(({ exp }) => exp + CLOCK_SKEW + 1 > wallClock());
    const tokens = this.#listed.map(({ jti }) => jti);
    return { content: new Set(tokens), body: JSON.stringify({ tokens }) };
  }

  /** A token that was used before. */
  reused() {
    return pick(pick(this.#published).tokens);
  }

  /** A token that is used for the first time. */
  fresh() {
    return this.#issue(pick(pick(this.#published).signers));
  }

  /** A token of the newest keys. */
  newest() {
    return this.#issue(pick(this.#generations.at(-1).signers));
  }

  /** A token of keys that were withdrawn; `null` before the first withdrawal. */
  withdrawn() {
    const generation = pick(this.#generations.slice(0, -PUBLISHED));
    return generation ? pick(generation.tokens) : null;
  }

  /** A token for the additional audience of one variant of the configuration. */
  forAudience() {
    return pick(pick(this.#published).forAudience);
  }

  withoutScope() {
    return pick(pick(this.#published).withoutScope);
  }

  /** A token that expires within some seconds, or has just expired. */
  async expiring() {
    this.#expiring = this.#expiring.filter(({ exp }) => exp + KEPT_EXPIRED > wallClock());
    if (this.#expiring.length < SOON + KEPT_EXPIRED) {
      const token = await this.#issue(pick(pick(this.#published).signers), { lifetime: SOON });
      // The list may have been replaced in the meantime.
      this.#expiring.push(token);
    }
    return pick(this.#expiring);
  }

  /** Revokes a token that is in use, and puts another in its place. */
  async revoke() {
    const { tokens, signers } = pick(this.#published);
    const place = Math.floor(Math.random() * tokens.length);
    const [token] = tokens.splice(place, 1, await this.#issue(pick(signers)));
    this.#listed.push(token);
    this.#revoked = [...this.#revoked.slice(1 - KEPT_REVOKED), token];
  }

  /** A token that was revoked; `null` before the first. */
  revoked() {
    return pick(this.#revoked) ?? null;
  }

  badSignature() {
    const token = this.reused();
    return { ...token, text: withBadSignature(token.text), isSigned: false };
  }

  unknownKid() {
    const kid = randomUUID();
    return { ...this.#invented({ alg: 'RS256', kid }), kid };
  }

  expired() {
    return this.#invented({ alg: 'RS256', kid: 'x' }, { exp: Math.floor(wallClock()) - 60 }).text;
  }

  otherAudience() {
    return this.#invented({ alg: 'RS256', kid: 'x' }, { aud: 'https://other.example' }).text;
  }

  otherIssuer() {
    return this.#invented({ alg: 'RS256', kid: 'x' }, { iss: 'https://other.example' }).text;
  }

  unsigned() {
    return this.#invented({ alg: 'none' }).text;
  }

  get #published() {
    return this.#generations.slice(-PUBLISHED);
  }

  #claims({ lifetime = LIFETIME, audience = AUDIENCE, scope = `profile ${SCOPE}` } = {}) {
    this.#count += 1;
    const time = Math.floor(wallClock());
    return {
      iss: ISSUER,
      sub: `user-${this.#count}`,
      aud: audience,
      iat: time,
      exp: time + lifetime,
      jti: `token-${this.#count}`,
      scope,
    };
  }

  async #issue(by, options) {
    const claims = this.#claims(options);
    return { text: await signedToken(by, claims), kid: by.kid, isSigned: true, ...known(claims) };
  }

  /** A token whose signature is random. */
  #invented(header, changes = {}) {
    const claims = { ...this.#claims(), ...changes };
    const signature = randomBytes(256).toString('base64url');
    const text = `${encoded({ typ: 'at+jwt', ...header })}.${encoded(claims)}.${signature}`;
    return { text, kid: header.kid, isSigned: false, ...known(claims) };
  }
}

/** What the judge has to know of claims. */
function known({ sub, aud, exp, jti, scope }) {
  return { sub, audience: aud, exp, jti, hasScope: scope.includes(SCOPE) };
}
