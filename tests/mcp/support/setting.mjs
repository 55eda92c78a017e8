// The whole setting of a test: authorization server, MCP server, and Envoy with the gate in between.

import { Processes } from '../../../tools/processes.mjs';
import { LOOPBACK, freePorts } from '../../../tools/listen.mjs';
import { startAuthorizationServer } from './authorization-server.mjs';
import { startGate } from './gate.mjs';
import { startNotesServer } from './notes-server.mjs';

/**
 * Starts everything. `name` is for files of this run, and pages of `pageOrigin` may use all of it. `forget` empties the
 * lists `tokenRequests` and `requests`.
 */
export async function startSetting({ name, pageOrigin = 'https://app.example' }) {
  const processes = new Processes();
  const kill = () => processes.kill();
  process.once('exit', kill);
  // The identifier of the resource contains the port, and the authorization server gives tokens for it.
  const [port] = await freePorts(1);
  const url = `http://${LOOPBACK}:${port}/mcp`;
  const authorization = await startAuthorizationServer({ resource: url, pageOrigin });
  const server = await startNotesServer();
  const stop = async () => {
    await processes.stop();
    await server.stop();
    await authorization.stop();
    process.off('exit', kill);
  };
  try {
    await startGate(processes, {
      name,
      port,
      issuer: authorization.issuer,
      issuerPort: authorization.port,
      upstreamPort: server.port,
      pageOrigin,
    });
  } catch (error) {
    // Servers that go on listening would keep the test runner waiting.
    await stop();
    throw error;
  }
  return {
    processes,
    /** The MCP endpoint, which is also the identifier of the resource. */
    url,
    issuer: authorization.issuer,
    tokenRequests: authorization.tokenRequests,
    requests: server.requests,
    forget() {
      authorization.tokenRequests.length = 0;
      server.requests.length = 0;
    },
    stop,
  };
}
