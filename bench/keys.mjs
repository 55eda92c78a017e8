// The keys that tokens are signed with, and key sets of them.

import { createPrivateKey } from 'node:crypto';

import { ALGORITHMS, newKey, publicJwk, signer as signerWith } from '../tools/jwt.mjs';

/** A new private key for each algorithm, as PEM by the algorithm's name. */
export function newKeys() {
  return Object.fromEntries(Object.keys(ALGORITHMS).map((alg) => (
    [alg, newKey(alg).export({ type: 'pkcs8', format: 'pem' })])));
}

/** What is needed to sign with an algorithm: `{ alg, kid, digest, key }`, the last two for `crypto.sign`. */
export function signer(alg, keys) {
  return signerWith(alg, kidOf(alg), createPrivateKey(keys[alg]));
}

/** A key set of `size` keys as JSON: the key of one algorithm after others of the same kind. */
export function keySet(alg, keys, size = 1) {
  const others = Array.from({ length: size - 1 }, (_, index) => (
    publicJwk(alg, `other-${index + 1}`, newKey(alg))));
  return JSON.stringify({ keys: [...others, publicJwk(alg, kidOf(alg), createPrivateKey(keys[alg]))] });
}

/**
 * Returns key sets by turns, as JSON: each has the key of the algorithm, and another one in place of the one
 * before.
 */
export function rotatingKeySets(alg, keys) {
  const sets = [keySet(alg, keys, 2), keySet(alg, keys, 2)];
  let served = 0;
  return () => {
    served += 1;
    return sets[served % sets.length];
  };
}

function kidOf(alg) {
  return `bench-${alg.toLowerCase()}`;
}
