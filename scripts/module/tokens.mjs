// Tokens for a rehearsal, and the keys that they name. Nothing is signed: what a signature says is
// made up, and so are the keys, which only have the form of keys.

import { createHash } from 'node:crypto';

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'https://api.example';

const LIVES_S = 3600;
const SIGNATURE_BYTES = { RS256: 256, ES256: 64 };

/** The key set that tokens are of. */
export const KEY_SET = JSON.stringify({
  keys: [
    { kty: 'RSA', alg: 'RS256', kid: 'rs256', use: 'sig', n: modulus(), e: 'AQAB' },
    // The generator of the curve is a point like any other.
    {
      kty: 'EC',
      crv: 'P-256',
      alg: 'ES256',
      kid: 'es256',
      use: 'sig',
      x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
      y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
    },
  ],
});

/** Tokens, of which it is known afterwards which count as signed. */
export class Tokens {
  #count = 0;
  #signed = new Set();

  /** Whether what a signature is over is that of a token that counts as signed. */
  isSigned(text) {
    return this.#signed.has(text);
  }

  /** A token that is good at the time `now`, with other claims where some are given. */
  good(alg, now, claims = {}) {
    const token = this.unsigned(alg, now, claims);
    this.#signed.add(token.slice(0, token.lastIndexOf('.')));
    return token;
  }

  /** The same, but its signature is not that of its key. */
  unsigned(alg, now, claims = {}, kid = alg.toLowerCase()) {
    this.#count += 1;
    const number = this.#count;
    const payload = {
      iss: ISSUER,
      sub: `user-${number % 7}`,
      exp: now + LIVES_S,
      iat: now,
      jti: encoded(bytes(`jti ${number}`, 15)),
      ...(number % 2 === 0 ? ofOneServer : ofAnother),
      ...claims,
    };
    const typ = number % 2 === 0 ? 'at+jwt' : 'JWT';
    return [
      encoded(JSON.stringify({ alg, typ, kid })),
      encoded(JSON.stringify(payload)),
      encoded(bytes(`signature ${number}`, SIGNATURE_BYTES[alg])),
    ].join('.');
  }
}

/** What authorization servers say besides. */
const ofOneServer = {
  aud: AUDIENCE, client_id: 'mobile-app', scope: 'orders:read orders:write profile',
};
const ofAnother = {
  aud: [AUDIENCE, 'account'],
  typ: 'Bearer',
  azp: 'console',
  acr: '1',
  realm_access: { roles: ['offline_access', 'uma_authorization'] },
  resource_access: { account: { roles: ['view-profile'] } },
  scope: 'orders:read email',
  email_verified: true,
  preferred_username: 'marie',
};

/** An odd number of 2048 bits. */
function modulus() {
  const number = bytes('modulus', 256);
  number[0] |= 0x80;
  number[255] |= 1;
  return encoded(number);
}

/** So many bytes that look like chance and are always the same. */
function bytes(seed, count) {
  return createHash('shake256', { outputLength: count }).update(seed).digest();
}

function encoded(content) {
  return Buffer.from(content).toString('base64url');
}
