// Revocation lists, short and long.

import { createHash } from 'node:crypto';

import { serveDocument } from '../tools/document-server.mjs';

/** The cluster that serves the revocation list. */
export const LISTS_CLUSTER = 'lists';
/** A `jti` that is on every list; the tokens of the kind `revoked` have it. */
export const REVOKED = 'revoked';

/** The numbers of entries of the lists. */
export const SHORT = 1;
export const LONG = 1_000_000;

/** Serves a list with a number of entries. It never changes, and the server answers accordingly. */
export function serveList(entries) {
  return serveDocument(list(entries), { etag: `"${entries}"` });
}

/**
 * The document. Its names are as long as 128 bits in base64url. A million of them are 25 MB; Envoy
 * rejects answers over 32 MiB unless its runtime allows more.
 */
function list(entries) {
  const others = Array.from({ length: entries - 1 }, (_, index) => createHash('sha256')
    .update(`revoked-${index}`).digest('base64url').slice(0, 22));
  return Buffer.from(JSON.stringify({ tokens: [REVOKED, ...others] }));
}
