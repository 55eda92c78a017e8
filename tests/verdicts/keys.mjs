// The keys of the table of verdicts, and tokens that are signed with them.

import {
  constants, createHmac, createPublicKey, generateKeyPairSync, randomBytes, sign,
} from 'node:crypto';

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'https://api.example';

/** 2020 and 2100, in seconds: tokens of the table neither expire nor come from the future. */
export const LONG_AGO = 1_577_836_800;
export const FAR_FUTURE = 4_102_444_800;

const ec = (namedCurve) => generateKeyPairSync('ec', { namedCurve }).privateKey;
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

/** The keys by `kid`. */
const KEYS = {
  rsa: rsa(),
  p256: ec('P-256'),
  p384: ec('P-384'),
  p521: ec('P-521'),
  ed25519: generateKeyPairSync('ed25519').privateKey,
  secret: randomBytes(64),
};
/** A key that nobody publishes. */
export const UNPUBLISHED = rsa();

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
const JWS = { dsaEncoding: 'ieee-p1363' };

/** The algorithms by name: the `kid` of the key, the digest, and how `crypto.sign` signs. */
const ALGORITHMS = {
  RS256: { kid: 'rsa', digest: 'sha256', how: {} },
  RS384: { kid: 'rsa', digest: 'sha384', how: {} },
  RS512: { kid: 'rsa', digest: 'sha512', how: {} },
  PS256: { kid: 'rsa', digest: 'sha256', how: PSS },
  PS384: { kid: 'rsa', digest: 'sha384', how: PSS },
  PS512: { kid: 'rsa', digest: 'sha512', how: PSS },
  ES256: { kid: 'p256', digest: 'sha256', how: JWS },
  ES384: { kid: 'p384', digest: 'sha384', how: JWS },
  ES512: { kid: 'p521', digest: 'sha512', how: JWS },
  EdDSA: { kid: 'ed25519', digest: null, how: {} },
  HS256: { kid: 'secret', digest: 'sha256' },
  HS384: { kid: 'secret', digest: 'sha384' },
  HS512: { kid: 'secret', digest: 'sha512' },
};
export const ALGORITHM_NAMES = Object.keys(ALGORITHMS);

/** All `kid`s. */
export const KIDS = Object.keys(KEYS);

/** The key set with these keys, as JSON. */
export function keySet(kids = ['rsa', 'p256']) {
  return JSON.stringify({ keys: kids.map(jwk) });
}

function jwk(kid) {
  const key = KEYS[kid];
  const members = Buffer.isBuffer(key)
    ? { kty: 'oct', k: key.toString('base64url') }
    : createPublicKey(key).export({ format: 'jwk' });
  return { ...members, kid, use: 'sig' };
}

/** The public RSA key as PEM, which attackers use as the secret of an HMAC. */
export function publicPem() {
  return createPublicKey(KEYS.rsa).export({ type: 'spki', format: 'pem' });
}

/**
 * A token that is good until 2100, but for these changes to its header and claims; `undefined` removes a
 * member. `alg` signs it, with `key` if there is one, whatever its header says.
 */
export function token({ alg = 'RS256', header = {}, claims = {}, key } = {}) {
  const { kid, digest, how } = ALGORITHMS[alg];
  const input = [
    { alg, typ: 'at+jwt', kid, ...header },
    { iss: ISSUER, aud: AUDIENCE, sub: 'somebody', iat: LONG_AGO, exp: FAR_FUTURE, ...claims },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signer = key ?? KEYS[kid];
  const signature = how === undefined
    ? createHmac(digest, signer).update(input).digest()
    : sign(digest, input, { key: signer, ...how });
  return `${input}.${signature.toString('base64url')}`;
}

/** The first token with the signature of the second. */
export function crossed(first, second) {
  return [...first.split('.').slice(0, 2), second.split('.')[2]].join('.');
}
