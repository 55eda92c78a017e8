// Listening on the loopback address, the only address that servers here use.

import { createServer } from 'node:net';

import { Failure, NOT_STARTED } from './failure.mjs';

export const LOOPBACK = '127.0.0.1';

/**
 * Options of HTTP servers behind Envoy: Envoy alone closes idle connections. If the server closed them
 * too, Envoy would sometimes send a request on a connection that is just being closed.
 */
export const SERVER = { keepAliveTimeout: 0 };

/**
 * Makes a server listen on a port, or on any free port if `port` is 0. Returns the port. Throws a
 * `Failure` that names the port if it cannot be used.
 */
export async function listen(server, port) {
  const problem = await attempt(server, port);
  if (problem) {
    throw new Failure(`port ${port} ${problem}`, { exitCode: NOT_STARTED });
  }
  return server.address().port;
}

/** Closes a server and its connections. */
export function close(server) {
  return new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}

/** Why a port cannot be listened on, in a few words; `null` if it can. */
export async function whyNot(port) {
  const server = createServer();
  const problem = await attempt(server, port);
  await new Promise((resolve) => { server.close(resolve); });
  return problem;
}

/** Makes a server listen on a port. Returns why it cannot, in a few words; `null` if it does. */
function attempt(server, port) {
  return new Promise((resolve) => {
    const failed = ({ code }) => {
      resolve(code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${code})`);
    };
    server.once('error', failed);
    server.listen(port, LOOPBACK, () => {
      server.off('error', failed);
      resolve(null);
    });
  });
}

/** Linux takes the ports of outgoing connections, and of servers that leave the choice to it, from 32768 up. */
const FIRST_PORT = 20_000;
const PORTS = 12_768;

/**
 * Ports that are free now, for servers whose ports must be known before they listen. Nothing takes them in the
 * meantime by chance, because they are below those that the system hands out.
 */
export async function freePorts(count) {
  const ports = new Set();
  while (ports.size < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const server = createServer();
    if (!ports.has(port) && await attempt(server, port) === null) {
      ports.add(port);
      await new Promise((resolve) => server.close(resolve));
    }
  }
  return [...ports];
}
