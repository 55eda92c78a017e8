// What serves a key set, for providers that fetch theirs.

import { createServer } from 'node:http';

import { listen } from '../demo/listen.mjs';

/** Serves a key set at every path of a free port; answers with `{ port, fetches(), stop() }`. */
export async function serveKeys(jwks) {
  let fetches = 0;
  const server = createServer((request, response) => {
    fetches += 1;
    response.setHeader('content-type', 'application/json');
    response.end(jwks);
  });
  const port = await listen(server, 0);
  const stop = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { port, fetches: () => fetches, stop };
}
