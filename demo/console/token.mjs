// Access tokens as the page sees them: it reads their claims and verifies nothing.

import { encode } from '/jose/util/base64url.js';
import { decodeJwt } from '/jose/util/decode_jwt.js';
import { decodeProtectedHeader } from '/jose/util/decode_protected_header.js';

import { duration } from './duration.mjs';

/** A token with this `exp` (the year 9999) or a later one counts as never expiring. */
const FAR = 253_402_300_800;
const DAY = 86_400;

export class Token {
  /** Whether the authorization server has revoked it. */
  isRevoked = false;
  /** Whether its client has a new secret, which revokes it, too. */
  isOutdated = false;
  /** The token that it was made of by tampering; `null` for tokens as they were issued. */
  original = null;

  /**
   * `request` is how it was requested: `{client, audience, scopes, subscribed, command}`. `lifetime` is in
   * seconds; an opaque token does not tell it itself. `key` is the `ProofKey` that the token is bound to.
   */
  constructor(text, request, lifetime, key = null) {
    this.text = text;
    this.key = key;
    this.request = request;
    const isJwt = text.split('.').length === 3;
    /** The header and the claims of a JWT; `null` for an opaque token. */
    this.header = isJwt ? decodeProtectedHeader(text) : null;
    this.claims = isJwt ? decodeJwt(text) : null;
    const now = Math.floor(Date.now() / 1000);
    /** When it was issued and when it expires, in seconds since 1970. */
    this.issuedAt = this.claims?.iat ?? now;
    this.expiresAt = this.claims?.exp ?? now + lifetime;
  }

  get isOpaque() {
    return this.claims === null;
  }

  /** This token with an `exp` a day later and the old signature. */
  tampered() {
    const { text, claims, request, lifetime, key } = this;
    const [header, , signature] = text.split('.');
    const changed = encode(JSON.stringify({ ...claims, exp: claims.exp + DAY }));
    const token = new Token([header, changed, signature].join('.'), request, lifetime, key);
    token.original = this;
    return token;
  }

  /** What was done to it: `tampered`, `revoked` or `outdated`, or `null`. */
  get fate() {
    if (this.original) {
      return 'tampered';
    }
    if (this.isRevoked) {
      return 'revoked';
    }
    return this.isOutdated ? 'outdated' : null;
  }

  get expires() {
    return this.expiresAt < FAR;
  }

  /** Its lifetime in seconds, from when it was issued. */
  get lifetime() {
    return this.expiresAt - this.issuedAt;
  }

  /** Seconds until it expires; negative after that. */
  remaining(now = Date.now()) {
    return this.expiresAt - now / 1000;
  }

  get expired() {
    return this.expires && this.remaining() <= 0;
  }

  /** The remaining share of its lifetime, from 1 to 0; 0 for one that is not valid any more. */
  get share() {
    if (this.fate) {
      return 0;
    }
    return this.expires ? Math.min(1, Math.max(0, this.remaining() / this.lifetime)) : 1;
  }

  /** The remaining lifetime in words. */
  get life() {
    if (this.original) {
      return 'Not valid: the signature does not match the claims';
    }
    if (this.fate) {
      return 'Not valid any more';
    }
    if (!this.expires) {
      return 'Never expires';
    }
    const seconds = Math.ceil(this.remaining());
    return seconds > 0 ? `${duration(seconds)} left` : `Expired ${duration(-seconds)} ago`;
  }

  /** Whether it includes a subscription to the API. */
  subscribes({ name, version }) {
    const subscribed = this.claims ? this.claims.subscribedAPIs ?? [] : this.request.subscribed;
    return subscribed.some((api) => api.name === name && api.version === version);
  }

  get scopes() {
    return this.claims
      ? (this.claims.scope ?? '').split(' ').filter(Boolean)
      : this.request.scopes;
  }

  /** Its first and last characters. */
  get short() {
    return `${this.text.slice(0, 6)}…${this.text.slice(-6)}`;
  }
}
