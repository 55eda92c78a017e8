// What serves a document, a key set or a revocation list, for providers that fetch theirs.

import { createServer } from 'node:http';

import { listen } from '../tools/listen.mjs';

/**
 * Serves a JSON document at every path of a free port; answers with `{ port, fetches(), stop() }`.
 * With an `etag` it is sent once only to whoever says that it has it.
 */
export async function serve(document, { etag = null } = {}) {
  let fetches = 0;
  const server = createServer((request, response) => {
    fetches += 1;
    if (etag !== null) {
      response.setHeader('etag', etag);
      if (request.headers['if-none-match'] === etag) {
        response.writeHead(304).end();
        return;
      }
    }
    response.setHeader('content-type', 'application/json');
    response.end(document);
  });
  const port = await listen(server, 0);
  const stop = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { port, fetches: () => fetches, stop };
}
