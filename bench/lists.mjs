// Revocation lists, short and long.

import { createHash } from 'node:crypto';

import { serveDocument } from '../tools/document-server.mjs';

/** The cluster that serves the revocation list. */
export const LISTS_CLUSTER = 'lists';
/** The `jti` that every list has: that of the tokens of the kind `revoked`. */
export const REVOKED = 'revoked';

/** How many entries the lists have that are compared. */
export const SHORT = 1;
export const LONG = 1_000_000;

/** Serves a list with so many entries, like a server that is asked whether it has changed. */
export function serveList(entries) {
  return serveDocument(list(entries), { etag: `"${entries}"` });
}

/**
 * The document. Its names are as long as 128 bits in base64url: a million of them are 25 MB, and of
 * more than 32 MiB Envoy takes no answer unless its runtime is told so.
 */
function list(entries) {
  const others = Array.from({ length: entries - 1 }, (_, index) => createHash('sha256')
    .update(`revoked-${index}`).digest('base64url').slice(0, 22));
  return Buffer.from(JSON.stringify({ tokens: [REVOKED, ...others] }));
}
