// Access tokens as the page sees them: it reads their claims and verifies nothing.

const decoder = new TextDecoder();
const encoder = new TextEncoder();

function fromBase64url(text) {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return decoder.decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

function toBase64url(text) {
  return btoa(String.fromCharCode(...encoder.encode(text)))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** A token with this `exp` (the year 9999) or a later one counts as never expiring. */
const FAR = 253_402_300_800;

export class Token {
  /** `tampered`, `revoked` or `outdated` (by a new client secret), or `null`. */
  fate = null;

  constructor(text) {
    const [header, claims] = text.split('.');
    this.text = text;
    this.header = JSON.parse(fromBase64url(header));
    this.claims = JSON.parse(fromBase64url(claims));
  }

  /** The token with an `exp` a day later and the old signature. */
  tampered() {
    const [header, , signature] = this.text.split('.');
    const claims = { ...this.claims, exp: this.claims.exp + 86_400 };
    const token = new Token([header, toBase64url(JSON.stringify(claims)), signature].join('.'));
    token.fate = 'tampered';
    return token;
  }

  get expires() {
    return this.claims.exp < FAR;
  }

  /** Seconds until it expires; negative after that. */
  remaining(now = Date.now()) {
    return this.claims.exp - now / 1000;
  }

  get expired() {
    return this.expires && this.remaining() <= 0;
  }

  /** The remaining share of its lifetime, from 1 to 0. */
  get share() {
    const { exp, iat } = this.claims;
    return this.expires ? Math.min(1, Math.max(0, this.remaining() / (exp - iat))) : 1;
  }

  /** The remaining lifetime in words. */
  get life() {
    if (!this.expires) {
      return 'Never expires';
    }
    const seconds = Math.ceil(this.remaining());
    return seconds > 0 ? `${duration(seconds)} left` : `Expired ${duration(-seconds)} ago`;
  }

  /** Whether its claims have a subscription to the API. */
  subscribes({ name, version }) {
    return (this.claims.subscribedAPIs ?? [])
      .some((api) => api.name === name && api.version === version);
  }

  /** Its first and last characters. */
  get short() {
    return `${this.text.slice(0, 6)}…${this.text.slice(-6)}`;
  }
}

function duration(seconds) {
  const two = (number) => String(number).padStart(2, '0');
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24];
  const [minutes, rest] = [Math.floor(seconds / 60) % 60, seconds % 60];
  if (days > 0) {
    return `${days} d ${hours} h`;
  }
  if (hours > 0) {
    return `${hours} h ${two(minutes)} min`;
  }
  return minutes > 0 ? `${minutes} min ${two(rest)} s` : `${rest} s`;
}
