// Tokens. They are made before the measurements and kept in files for a day, one per line.

import { createHash, randomBytes } from 'node:crypto';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { encoded, signedToken, withBadSignature } from '../tools/jwt.mjs';
import { newKeys, signer } from './keys.mjs';
import { REVOKED } from './lists.mjs';
import { WORK } from './settings.mjs';

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'https://api.example';
/** The subject of tokens that are introspected. */
export const SUBJECT = 'somebody';

const DIRECTORY = join(WORK, 'tokens');
const FILES_LIVE_S = 24 * 3600;
/** Longer than files are used, so that no token expires during a run. */
const TOKENS_LIVE_S = 3 * 24 * 3600;
/** Tokens signed at the same time: `signedToken` uses all cores. */
const BATCH = 500;

/** The tokens of a run: a file for each kind, and the keys that signed them. */
export class Tokens {
  #madeAt;
  #sizes;

  constructor({ keys, madeAt, sizes }) {
    this.keys = keys;
    this.#madeAt = madeAt;
    this.#sizes = sizes;
  }

  /** The tokens of an earlier run on the same day, or new ones. */
  static async open() {
    const kept = await readFile(join(DIRECTORY, 'index.json'), 'utf8').then(JSON.parse, () => null);
    if (kept && now() - kept.madeAt < FILES_LIVE_S) {
      return new Tokens(kept);
    }
    await rm(DIRECTORY, { recursive: true, force: true });
    await mkdir(DIRECTORY, { recursive: true });
    return new Tokens({ keys: newKeys(), madeAt: now(), sizes: {} });
  }

  /**
   * The file with at least `size` different tokens of a kind: the name of an algorithm for good tokens,
   * or `expired`, `revoked`, `unknown-kid`, `bad-signature`, `garbage`, `opaque`, `unsigned`.
   */
  async file(kind, size) {
    const path = join(DIRECTORY, `${kind.toLowerCase()}.txt`);
    const make = await this.#maker(kind);
    for (let have = this.#sizes[kind] ?? 0; have < size; have = this.#sizes[kind]) {
      const serials = Array.from({ length: Math.min(BATCH, size - have) }, (_, i) => have + i);
      const lines = await Promise.all(serials.map(make));
      await appendFile(path, lines.map((line) => `${line}\n`).join(''));
      this.#sizes[kind] = have + lines.length;
      await this.#save();
    }
    return path;
  }

  /** A good token that is bound to `cnf`. */
  bound(cnf) {
    const claims = this.#claims(this.#madeAt + TOKENS_LIVE_S)(0);
    return signedToken(signer('RS256', this.keys), { ...claims, cnf });
  }

  /** A function that makes the token of a kind with a serial number. */
  async #maker(kind) {
    const good = this.#claims(this.#madeAt + TOKENS_LIVE_S);
    const rs256 = signer('RS256', this.keys);
    switch (kind) {
      case 'garbage':
        // Three parts with the length of a token, so that a cheap check does not refuse it.
        return async () => [36, 300, 256].map((n) => randomBytes(n).toString('base64url')).join('.');
      case 'opaque':
        return async () => randomBytes(5250).toString('base64url');
      case 'unsigned': {
        // A JWT whose signature nobody verifies, because its provider has no keys.
        const padding = 'x'.repeat(5400);
        const claims = { iss: ISSUER, aud: AUDIENCE, sub: SUBJECT, exp: this.#madeAt + TOKENS_LIVE_S, padding };
        return async (serial) => `${encoded({ alg: 'RS256', typ: 'at+jwt' })}.${encoded({ ...claims, serial })}.`
          + randomBytes(256).toString('base64url');
      }
      case 'expired':
        return (serial) => signedToken(rs256, this.#claims(this.#madeAt - 3600)(serial));
      case 'revoked':
        return (serial) => signedToken(rs256, { ...good(serial), jti: REVOKED });
      case 'unknown-kid':
        return (serial) => signedToken({ ...rs256, kid: `unknown-${serial}` }, good(serial));
      case 'bad-signature':
        return async (serial) => withBadSignature(await signedToken(rs256, good(serial)));
      default: {
        const key = signer(kind, this.keys);
        return (serial) => signedToken(key, good(serial));
      }
    }
  }

  #claims(exp) {
    return (serial) => ({
      iss: ISSUER,
      sub: `user-${serial}`,
      aud: AUDIENCE,
      exp,
      iat: this.#madeAt - 7200,
      jti: createHash('sha256').update(String(serial)).digest('base64url').slice(0, 22),
      client_id: 'mobile-app',
      tenant: 'north',
      scope: 'orders:read orders:write profile',
    });
  }

  #save() {
    const { keys } = this;
    const index = JSON.stringify({ madeAt: this.#madeAt, sizes: this.#sizes, keys });
    return writeFile(join(DIRECTORY, 'index.json'), index, { mode: 0o600 });
  }
}

/** The first line of a file with tokens or requests. */
export async function firstToken(file) {
  const text = await readFile(file, 'utf8');
  return text.slice(0, text.indexOf('\n'));
}

function now() {
  return Math.floor(Date.now() / 1000);
}
