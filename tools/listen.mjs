// Listening on the loopback address, the only address that servers here use.

import { createServer } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/**
 * Options of HTTP servers behind Envoy: Envoy alone closes idle connections. If the server closed them
 * too, Envoy would sometimes send a request on a connection that is just being closed.
 */
export const SERVER = { keepAliveTimeout: 0 };

/** Makes a server listen on a port, or on any free port if `port` is 0. Returns the port. */
export function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => {
      server.off('error', reject);
      resolve(server.address().port);
    });
  });
}

/** Why a port cannot be listened on, in a few words; `null` if it can. */
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

/** Ports that are free now, for servers whose ports must be known before they listen. */
export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map((server) => listen(server, 0)));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
