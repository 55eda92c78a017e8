// How the gate authenticates itself at the introspection endpoint of a real authorization server.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { LOOPBACK, SERVER, freePorts, listen } from '../../tools/listen.mjs';
import { Processes } from '../../tools/processes.mjs';
import { issue, makeAuthority } from './support/certificates.mjs';
import { startGates } from './support/introspection-gate.mjs';
import { API_CLIENT, RESOURCE, startIntrospectionServer } from './support/introspection-server.mjs';

const privateKey = (type, options, kid) => {
  const { privateKey: key } = generateKeyPairSync(type, options);
  return { ...key.export({ format: 'jwk' }), kid };
};

const publicPart = ({ d, ...jwk }) => jwk;

const KEY = privateKey('ec', { namedCurve: 'P-256' }, 'ec');
const STRAY_KEY = privateKey('ec', { namedCurve: 'P-256' }, 'ec');
const SECRET = 'the secret: of the gate+';

/** The clients as which the gate asks. */
const CLIENTS = [
  { client_id: 'basic', client_secret: SECRET, token_endpoint_auth_method: 'client_secret_basic' },
  { client_id: 'post', client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'key', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicPart(KEY)] } },
  { client_id: 'tls', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=tls' },
];

const bySecret = (authentication) => ({
  authentication, client_secret_environment_variable: 'SECRET',
});
const byKey = { authentication: 'private_key_jwt', client_key_environment_variable: 'KEY' };
const byCertificate = { authentication: 'tls_client_auth' };

/** The gates: how each authenticates itself, its environment, and the status of a good token. */
const GATES = [
  ['basic', bySecret('client_secret_basic'), { SECRET }, 200],
  ['post', bySecret('client_secret_post'), { SECRET }, 200],
  ['key', byKey, { KEY: JSON.stringify(KEY) }, 200],
  ['key', byKey, { KEY: JSON.stringify({ ...KEY, use: 'sig', alg: 'ES256' }, null, 2) }, 200],
  ['tls', byCertificate, {}, 200],
  // Those whom the server does not believe.
  ['basic', bySecret('client_secret_basic'), { SECRET: 'another' }, 503],
  ['post', bySecret('client_secret_post'), { SECRET: 'another' }, 503],
  ['key', byKey, { KEY: JSON.stringify(STRAY_KEY) }, 503],
  ['key', { ...byKey, audience: 'https://other.example' }, { KEY: JSON.stringify(KEY) }, 503],
  ['tls', byCertificate, {}, 503, 'mallory'],
].map(([client, authentication, environment, status, certificate = 'tls'], index) => ({
  name: `gate${index}`, client, authentication, environment, status, certificate,
}));

describe('introspection by', () => {
  let server; let upstream; let envoy; let issuer;
  const processes = new Processes();
  const kill = () => processes.kill();

  before(async () => {
    process.once('exit', kill);
    const authority = await makeAuthority();
    const [localhost, tls, mallory] = await Promise.all(
      ['localhost', 'tls', 'mallory'].map((name) => issue(authority, name)),
    );
    const [authorization, ...ports] = await freePorts(1 + GATES.length);
    issuer = `https://localhost:${authorization}`;
    server = await startIntrospectionServer({ issuer, clients: CLIENTS });
    upstream = createServer(SERVER, (_, response) => response.end('{}'));
    GATES.forEach((gate, index) => { gate.port = ports[index]; });
    envoy = await startGates(processes, {
      gates: GATES,
      issuer,
      ports: { authorization, issuer: server.port, upstream: await listen(upstream, 0) },
      certificates: { authority, localhost, tls, mallory },
    });
  });

  after(async () => {
    await processes.stop();
    await server?.stop();
    await new Promise((resolve) => { upstream.close(resolve); upstream.closeAllConnections(); });
    process.off('exit', kill);
  });

  /** An opaque token. */
  async function token() {
    const { id, secret } = API_CLIENT;
    const answer = await fetch(`http://${LOOPBACK}:${server.port}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
        'x-forwarded-proto': 'https',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'read', resource: RESOURCE }),
    });
    const body = await answer.json();
    assert.equal(answer.status, 200, JSON.stringify(body));
    return body.access_token;
  }

  const use = async ({ port }, bearer) => {
    const headers = { authorization: `Bearer ${bearer}` };
    return (await fetch(`http://${LOOPBACK}:${port}/`, { headers })).status;
  };

  for (const gate of GATES) {
    const believed = gate.status === 200 ? 'succeeds' : 'fails for another';
    test(`${gate.authentication.authentication} ${believed} (${gate.name}, ${gate.client})`, async () => {
      // Two calls: an assertion is accepted once.
      for (let count = 0; count < 2; count += 1) {
        assert.equal(await use(gate, await token()), gate.status, await envoy.log());
      }
      if (gate.status === 200) {
        assert.equal(await use(gate, 'invented'), 401);
      }
    });
  }

  test('no secret and no key is in the log', async () => {
    const log = await envoy.log();
    for (const secret of [SECRET, 'another', KEY.d, STRAY_KEY.d]) {
      assert.ok(!log.includes(secret));
    }
  });
});
