// Listening on the loopback address, which is the only one that the demo uses.

import { createServer } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/**
 * Options of the HTTP servers: they leave it to Envoy to close a connection that nobody uses. Were
 * both to do it, Envoy would at times send a request on one that is just being closed.
 */
export const SERVER = { keepAliveTimeout: 0 };

/** Lets a server listen on a port, or on a free one where `port` is 0; answers with the port. */
export function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => {
      server.off('error', reject);
      resolve(server.address().port);
    });
  });
}

/** Why a port cannot be listened on, in a few words, or `null` if it can. */
export async function whyNot(port) {
  const server = createServer();
  try {
    await listen(server, port);
    return null;
  } catch (error) {
    return error.code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${error.code})`;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A port that is free now, for what must know its port before it listens. */
export async function freePort() {
  const server = createServer();
  const port = await listen(server, 0);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
