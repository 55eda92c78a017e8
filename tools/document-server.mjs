// A server of one document, such as a key set or a revocation list.

import { createServer } from 'node:http';

import { close, listen } from './listen.mjs';

/**
 * Serves a JSON document, or what a function returns, at every path of a free port. With an `etag`, a client that already has the
 * document gets 304. `onRequest` is called with every request. Returns `{ port, stop() }`.
 */
export async function serveDocument(document, { etag = null, onRequest = () => {} } = {}) {
  const server = createServer((request, response) => {
    onRequest(request);
    if (etag !== null) {
      response.setHeader('etag', etag);
      if (request.headers['if-none-match'] === etag) {
        response.writeHead(304).end();
        return;
      }
    }
    response.setHeader('content-type', 'application/json');
    response.end(typeof document === 'function' ? document() : document);
  });
  const port = await listen(server, 0);
  const stop = () => close(server);
  return { port, stop };
}
