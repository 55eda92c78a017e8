// The keys that tokens are signed with, and key sets of them.

import { constants, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';

/** The algorithms by name: the type of key, and the parameters of `crypto.sign`. */
const ALGORITHMS = {
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

/** A new private key for each algorithm, as PEM by the algorithm's name. */
export function newKeys() {
  const pem = ({ type, options }) => generateKeyPairSync(type, options).privateKey
    .export({ type: 'pkcs8', format: 'pem' });
  return Object.fromEntries(Object.entries(ALGORITHMS).map(([name, how]) => [name, pem(how)]));
}

/** What is needed to sign with an algorithm: `{ alg, kid, digest, key }`, the last two for `crypto.sign`. */
export function signer(alg, keys) {
  const { digest, how } = ALGORITHMS[alg];
  return { alg, kid: kidOf(alg), digest, key: { key: createPrivateKey(keys[alg]), ...how } };
}

/** A key set of `size` keys as JSON: the key of one algorithm after others of the same kind. */
export function keySet(alg, keys, size = 1) {
  const { type, options } = ALGORITHMS[alg];
  const others = Array.from({ length: size - 1 }, (_, index) => jwk(
    generateKeyPairSync(type, options).publicKey,
    alg,
    `other-${index + 1}`,
  ));
  return JSON.stringify({ keys: [...others, jwk(createPublicKey(keys[alg]), alg, kidOf(alg))] });
}

function kidOf(alg) {
  return `bench-${alg.toLowerCase()}`;
}

function jwk(key, alg, kid) {
  return { ...key.export({ format: 'jwk' }), alg, kid, use: 'sig' };
}
