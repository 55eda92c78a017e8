// Proofs of possession (RFC 9449), good and bad ones, made with Node's own cryptography.

import {
  constants, createHash, createHmac, generateKeyPairSync, randomUUID, sign,
} from 'node:crypto';

const encode = (value) => Buffer.from(value).toString('base64url');

/** How to sign with each algorithm: digest and options of Node's `sign`, and how to make a key. */
const ec = (namedCurve, digest) => ({
  digest, options: { dsaEncoding: 'ieee-p1363' }, make: () => generateKeyPairSync('ec', { namedCurve }),
});
const rsa = (digest, options = {}) => ({
  digest, options, make: (modulusLength = 2048) => generateKeyPairSync('rsa', { modulusLength }),
});
const ed25519 = { digest: null, options: {}, make: () => generateKeyPairSync('ed25519') };
const SIGNERS = {
  ES256: ec('P-256', 'sha256'),
  ES384: ec('P-384', 'sha384'),
  ES512: ec('P-521', 'sha512'),
  RS256: rsa('sha256'),
  PS256: rsa('sha256', { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  Ed25519: ed25519,
  EdDSA: ed25519,
};

/** The members that a thumbprint is made of, in their order (RFC 7638). */
const MEMBERS = { EC: ['crv', 'kty', 'x', 'y'], RSA: ['e', 'kty', 'n'], OKP: ['crv', 'kty', 'x'] };

/** A key for `alg`: `{ alg, jwk, privateJwk, thumbprint, sign(input) }`. `size` is that of an RSA key. */
export function makeKey(alg, size) {
  const { digest, options, make } = SIGNERS[alg];
  const { privateKey, publicKey } = make(size);
  const jwk = publicKey.export({ format: 'jwk' });
  return {
    alg,
    jwk,
    privateJwk: privateKey.export({ format: 'jwk' }),
    thumbprint: thumbprint(jwk),
    sign: (input, how = options) => sign(digest, Buffer.from(input), { key: privateKey, ...how }),
  };
}

/** The thumbprint of a public key, as it stands there. */
export function thumbprint(jwk) {
  const members = Object.fromEntries(MEMBERS[jwk.kty].map((name) => [name, jwk[name]]));
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

/** The value of `ath` for a token. */
export const tokenHash = (token) => createHash('sha256').update(token).digest('base64url');

/** The signature of an HMAC with the public key as the secret. */
export const hmacWithPublicKey = ({ jwk }) => (input) => (
  createHmac('sha256', JSON.stringify(jwk)).update(input).digest()
);

/** `object` with these changes; a member that becomes `undefined` is left out. */
const changed = (object, changes) => Object.fromEntries(
  Object.entries({ ...object, ...changes }).filter(([, value]) => value !== undefined),
);

/**
 * A good proof for a GET request of `htu` with `token`, but for these changes: `header` and `claims` are members to
 * set, or to leave out if `undefined`; `headerText` and `payloadText` change the JSON; `signature` makes the signature of
 * an input; `whole` changes the three parts.
 */
export function makeProof({ key, token, htu }, {
  header = {}, claims = {}, headerText = (text) => text, payloadText = (text) => text,
  signature = key.sign, whole = (parts) => parts.join('.'),
} = {}) {
  const fullHeader = changed({ typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk }, header);
  const payload = changed({
    jti: randomUUID(), htm: 'GET', htu, iat: Math.floor(Date.now() / 1000), ath: tokenHash(token),
  }, claims);
  const parts = [encode(headerText(JSON.stringify(fullHeader))), encode(payloadText(JSON.stringify(payload)))];
  return whole([...parts, encode(signature(parts.join('.'), undefined))]);
}
