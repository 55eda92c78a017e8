// Requests with a token that is bound to its sender. They are made before the measurement of their scenario, because
// proofs are good for an hour only.

import { createHash, createPublicKey, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { newKey, signed } from '../tools/jwt.mjs';
import { lineOf } from './line.mjs';
import { WORK } from './settings.mjs';

/** How clients call the Envoys, each of which listens on a port of its own. */
const PUBLIC_URL = 'http://bench.example';
/** The header with the digest of the client's certificate: wrk has no certificates. */
const DIGEST_HEADER = 'x-client-certificate';
/** Requests made at the same time: signing uses all cores. */
const BATCH = 500;

/** The fields that a scenario with bound tokens adds to the configuration of bearer-gate. */
export function boundFields(bound) {
  switch (bound) {
    case null:
      return {};
    case 'bearer':
      return {};
    case 'certificate':
      return {
        client_certificate: {
          from: 'header', header: DIGEST_HEADER, format: 'sha256_hex', trusted_peers: 'any',
        },
      };
    default:
      return { dpop: { max_age: '3600s' }, public_urls: [PUBLIC_URL] };
  }
}

/** What `sender_constraint` is in such a scenario. */
export const constraintOf = (bound) => ({ bearer: 'ignore', certificate: 'certificate' }[bound] ?? 'dpop');

/** The members of a public JWK that count for its thumbprint, in their order (RFC 7638, section 3.2). */
const THUMBPRINT_MEMBERS = { EC: ['crv', 'kty', 'x', 'y'], OKP: ['crv', 'kty', 'x'], RSA: ['e', 'kty', 'n'] };

const sha256 = (text, encoding = 'base64url') => createHash('sha256').update(text).digest(encoding);

function thumbprint(jwk) {
  const members = THUMBPRINT_MEMBERS[jwk.kty].map((name) => [name, jwk[name]]);
  return sha256(JSON.stringify(Object.fromEntries(members)));
}

/**
 * Writes a file with `size` requests to `path` by one client, each on a line. `bound` is the algorithm of the proofs, all
 * of them different, or `certificate`, or `bearer` for a bound token that is sent without a proof. Returns the file.
 */
export async function boundRequests({ tokens, bound, path, size }) {
  const file = join(WORK, `bound-${bound.toLowerCase()}.txt`);
  const isBare = ['bearer', 'certificate'].includes(bound);
  const alg = isBare ? 'ES256' : bound;
  const key = newKey(alg);
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  const digest = sha256('certificate', 'hex');
  const cnf = bound === 'certificate'
    ? { 'x5t#S256': Buffer.from(digest, 'hex').toString('base64url') }
    : { jkt: thumbprint(jwk) };
  const token = await tokens.bound(cnf);
  if (isBare) {
    const header = bound === 'certificate' ? { name: DIGEST_HEADER, value: digest } : null;
    await writeFile(file, `${lineOf({ scheme: 'Bearer', token, header })}\n`);
    return file;
  }
  const claims = () => ({
    htm: 'GET',
    htu: `${PUBLIC_URL}${path}`,
    ath: sha256(token),
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1000),
  });
  const lines = [];
  while (lines.length < size) {
    const batch = Array.from({ length: Math.min(BATCH, size - lines.length) }, async () => {
      const proof = await signed(alg, key, { typ: 'dpop+jwt', alg, jwk }, claims());
      return lineOf({ scheme: 'DPoP', token, header: { name: 'dpop', value: proof } });
    });
    lines.push(...await Promise.all(batch));
  }
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}
