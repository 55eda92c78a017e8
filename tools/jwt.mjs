// Signing tokens, and the public keys for key sets.

import { constants, createPublicKey, generateKeyPair, generateKeyPairSync, sign } from 'node:crypto';
import { promisify } from 'node:util';

/** The algorithms by name: the type of key, and the parameters of `crypto.sign`. */
export const ALGORITHMS = {
  RS256: { type: 'rsa', options: { modulusLength: 2048 }, digest: 'sha256', how: {} },
  PS256: {
    type: 'rsa',
    options: { modulusLength: 2048 },
    digest: 'sha256',
    how: {
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    },
  },
  ES256: {
    type: 'ec',
    options: { namedCurve: 'P-256' },
    digest: 'sha256',
    how: { dsaEncoding: 'ieee-p1363' },
  },
  EdDSA: { type: 'ed25519', options: {}, digest: null, how: {} },
};

const signAsync = promisify(sign);
const generateAsync = promisify(generateKeyPair);

/** A new private key for an algorithm. */
export function newKey(alg) {
  const { type, options } = ALGORITHMS[alg];
  return generateKeyPairSync(type, options).privateKey;
}

/** The same in the background: an RSA key takes some 100 ms. */
export async function newKeyAsync(alg) {
  const { type, options } = ALGORITHMS[alg];
  return (await generateAsync(type, options)).privateKey;
}

/** What is needed to sign with a private key: `{ alg, kid, digest, key }`, the last two for `crypto.sign`. */
export function signer(alg, kid, key) {
  const { digest, how } = ALGORITHMS[alg];
  return { alg, kid, digest, key: { key, ...how } };
}

/** The public part of a private key as a JWK. */
export function publicJwk(alg, kid, key) {
  return { ...createPublicKey(key).export({ format: 'jwk' }), alg, kid, use: 'sig' };
}

/** A signed access token. */
export function signedToken({ alg, kid, digest, key }, claims) {
  return signedBy({ digest, key }, { alg, typ: 'at+jwt', kid }, claims);
}

/** A JWT with this header and these claims, signed with a private key. */
export function signed(alg, key, header, claims) {
  const { digest, how } = ALGORITHMS[alg];
  return signedBy({ digest, key: { key, ...how } }, header, claims);
}

async function signedBy({ digest, key }, header, claims) {
  const text = `${encoded(header)}.${encoded(claims)}`;
  const signature = await signAsync(digest, Buffer.from(text), key);
  return `${text}.${signature.toString('base64url')}`;
}

/** Header or payload of a token: JSON in base64url. */
export function encoded(object) {
  return Buffer.from(JSON.stringify(object)).toString('base64url');
}

/** A token with one bit of its signature flipped. */
export function withBadSignature(token) {
  const [header, payload, signature] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  bytes[bytes.length >> 1] ^= 1;
  return `${header}.${payload}.${bytes.toString('base64url')}`;
}
