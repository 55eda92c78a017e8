// The whole setting of a test: authorization server, upstream, and Envoy in front of both.

import { createServer } from 'node:http';
import { join } from 'node:path';
import { mkdir, writeFile } from 'node:fs/promises';

import { ROOT } from '../../../tools/checkout.mjs';
import { SERVER, freePorts, listen } from '../../../tools/listen.mjs';
import { Processes } from '../../../tools/processes.mjs';
import { INTROSPECTION_CLIENT, startAuthorizationServer } from './authorization-server.mjs';
import { issue, makeAuthority } from './certificates.mjs';
import { startGate } from './gate.mjs';

const NAMES = ['alice', 'bob'];

/** Writes all certificates as files into `directory`: `ca.crt`, and with their keys `server`, `alice` and `bob`. */
async function writeFiles(directory, authority, server, clients) {
  const write = (name, ...texts) => writeFile(
    join(directory, name), texts.map((text) => `${text.trim()}\n`).join(''), { mode: 0o600 },
  );
  await mkdir(directory, { recursive: true });
  await write('ca.crt', authority.cert);
  await write('server.crt', server.cert);
  await write('server.key', server.key);
  for (const [name, { cert, key }] of Object.entries(clients)) {
    await write(`${name}.pem`, cert, key);
  }
}

/**
 * Starts everything. `name` is for files of this run. Returns `{ directory, authority, clients, ports, issuer, api,
 * forwarded, processes, stop() }`: `directory` has the certificates, and `forwarded` is the list of the headers of
 * requests that have reached the upstream.
 */
export async function startSetting(name) {
  const authority = await makeAuthority();
  const [server, ...certificates] = await Promise.all(
    ['localhost', ...NAMES].map((subject) => issue(authority, subject)),
  );
  const clients = Object.fromEntries(NAMES.map((subject, index) => [subject, certificates[index]]));
  const directory = join(ROOT, 'target/tmp/bound-tokens', name);
  await writeFiles(directory, authority, server, clients);

  const [authorizationPort, apiPort] = await freePorts(2);
  const issuer = `https://localhost:${authorizationPort}`;
  const issuerServer = await startAuthorizationServer({ issuer, clients: NAMES });
  const forwarded = [];
  const upstream = createServer(SERVER, ({ headers }, response) => {
    forwarded.push(headers);
    response.end('{}');
  });
  const ports = {
    authorization: authorizationPort,
    api: apiPort,
    issuer: issuerServer.port,
    upstream: await listen(upstream, 0),
  };
  const processes = new Processes();
  const kill = () => processes.kill();
  process.once('exit', kill);
  await startGate(processes, { directory, ports, issuer, introspection: INTROSPECTION_CLIENT });
  return {
    directory,
    authority,
    clients,
    ports,
    issuer,
    api: `https://localhost:${apiPort}`,
    forwarded,
    processes,
    async stop() {
      await processes.stop();
      await issuerServer.stop();
      await new Promise((resolve) => {
        upstream.close(resolve);
        upstream.closeAllConnections();
      });
      process.off('exit', kill);
    },
  };
}
