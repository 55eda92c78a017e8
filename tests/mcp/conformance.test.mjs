// The scenarios of `@modelcontextprotocol/conformance` have the same results at the MCP server itself and through the
// gate: it breaks no MCP traffic.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { LOOPBACK, freePorts } from '../../tools/listen.mjs';
import { Processes } from '../../tools/processes.mjs';
import { startAuthorizationServer } from './support/authorization-server.mjs';
import { startEverythingServer } from './support/everything-server.mjs';
import { startGate } from './support/gate.mjs';
import { requestToken } from './support/token.mjs';

const PROGRAM = join(import.meta.dirname, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const NODE_22 = join(import.meta.dirname, 'support/node-22.mjs');

/** Runs server scenarios against `url`. Returns the status of each check, by scenario. */
async function scenarios(processes, url, which = ['--suite', 'all']) {
  const directory = await mkdtemp(join(tmpdir(), 'bearer-gate-conformance-'));
  try {
    const { stdout, stderr } = await processes.run(process.execPath, [
      '--import', NODE_22, PROGRAM, 'server', '--url', url, ...which, '--output-dir', directory,
    ]);
    const results = {};
    for (const name of await readdir(directory)) {
      const scenario = /^server-(.*)-\d{4}-\d\d-\d\dT/.exec(name)[1];
      const checks = JSON.parse(await readFile(join(directory, name, 'checks.json'), 'utf8'));
      // Others only log requests and events.
      results[scenario] = checks.filter(({ status }) => status !== 'INFO')
        .map(({ id, status, errorMessage }) => (errorMessage ? { id, status, errorMessage } : { id, status }));
    }
    assert.ok(Object.keys(results).length > 0, stdout + stderr);
    return results;
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('all scenarios have the same results through the gate', async () => {
  const processes = new Processes();
  const kill = () => processes.kill();
  process.once('exit', kill);
  const server = await startEverythingServer();
  const [port, frontPort] = await freePorts(2);
  const resource = `http://${LOOPBACK}:${port}/mcp`;
  const authorization = await startAuthorizationServer({ resource });
  try {
    const bearer = await requestToken(authorization.issuer, resource, 'mcp:read mcp:write');
    await startGate(processes, {
      name: 'conformance',
      port,
      issuer: authorization.issuer,
      issuerPort: authorization.port,
      upstreamPort: server.port,
      pageOrigin: 'https://app.example',
      // The program cannot send a token.
      front: { port: frontPort, headers: { authorization: `Bearer ${bearer}` } },
    });
    const direct = await scenarios(processes, `http://${LOOPBACK}:${server.port}/mcp`);
    assert.deepEqual(server.authorized, []);
    const gated = await scenarios(processes, `http://${LOOPBACK}:${frontPort}/mcp`);
    // Scenarios in which the server asks the client hang now and then, for a minute, and they do so through an Envoy
    // with the router alone. The gate is at fault only if one never succeeds.
    const failed = ([, checks]) => checks.some(({ status }) => status === 'FAILURE');
    for (const [name] of Object.entries(gated).filter(failed)) {
      for (let attempt = 0; attempt < 3 && failed([name, gated[name]]); attempt += 1) {
        Object.assign(gated, await scenarios(processes, `http://${LOOPBACK}:${frontPort}/mcp`, ['--scenario', name]));
      }
    }
    assert.deepEqual(gated, direct);
    assert.deepEqual(server.authorized, []);
    // The others are warnings about what a server may do.
    assert.deepEqual(Object.entries(direct).filter(failed), []);
    assert.equal(Object.keys(direct).length, 32);
  } finally {
    await processes.stop();
    await server.stop();
    await authorization.stop();
    process.off('exit', kill);
  }
});
