// Certificate-bound tokens of a real authorization server, which clients get and use over mutual TLS.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { SERVER, freePorts, listen } from '../../tools/listen.mjs';
import { Processes } from '../../tools/processes.mjs';
import {
  INTROSPECTION_CLIENT, JWT_RESOURCE, OPAQUE_RESOURCE, startAuthorizationServer,
} from './support/authorization-server.mjs';
import { issue, makeAuthority } from './support/certificates.mjs';
import { startGate } from './support/gate.mjs';
import { send } from './support/tls-client.mjs';

let authority;
let clients;
let ports;
let forwarded;
let stop;

before(async () => {
  authority = await makeAuthority();
  const [server, alice, bob] = await Promise.all(
    ['localhost', 'alice', 'bob'].map((name) => issue(authority, name)),
  );
  clients = { alice, bob };
  const [authorization, api] = await freePorts(2);
  const issuer = `https://localhost:${authorization}`;
  const issuerServer = await startAuthorizationServer({ issuer, clients: Object.keys(clients) });
  forwarded = [];
  const upstream = createServer(SERVER, ({ headers }, response) => {
    forwarded.push(headers);
    response.end('{}');
  });
  ports = { authorization, api, issuer: issuerServer.port, upstream: await listen(upstream, 0) };
  const uri = (path) => ({ uri: `${issuer}${path}`, cluster: 'issuer', timeout: '60s' });
  const processes = new Processes();
  const kill = () => processes.kill();
  process.once('exit', kill);
  await startGate(processes, {
    name: 'certificates', ports, server, authority,
    secret: INTROSPECTION_CLIENT.secret,
    configuration: {
      providers: {
        cloud: {
          issuer,
          audiences: [JWT_RESOURCE, OPAQUE_RESOURCE],
          sender_constraint: 'certificate',
          remote_jwks: { http_uri: uri('/jwks') },
          introspection: {
            http_uri: uri('/token/introspection'),
            client_id: INTROSPECTION_CLIENT.id,
            client_secret_environment_variable: 'GATE_SECRET',
          },
        },
      },
    },
  });
  stop = async () => {
    await processes.stop();
    await issuerServer.stop();
    await new Promise((resolve) => { upstream.close(resolve); upstream.closeAllConnections(); });
    process.off('exit', kill);
  };
});
after(() => stop?.());

/** The answer to a token request of the client `name`, over a connection with this certificate. */
async function requestToken(name, certificate, resource) {
  const answer = await send({
    port: ports.authorization, path: '/token', authority, certificate, method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials', client_id: name, scope: 'read', resource,
    }).toString(),
  });
  return { status: answer.status, ...JSON.parse(answer.body) };
}

/** Uses a token over a connection with this certificate. */
function use(token, certificate) {
  return send({
    port: ports.api, path: '/', authority, certificate, headers: { authorization: `Bearer ${token}` },
  });
}

const thumbprint = ({ cert }) => Buffer.from(
  new X509Certificate(cert).fingerprint256.replaceAll(':', ''), 'hex',
).toString('base64url');

test('the authorization server gives no token to another client', async () => {
  for (const certificate of [clients.bob, null]) {
    const answer = await requestToken('alice', certificate, JWT_RESOURCE);
    assert.equal(answer.status, 401);
    assert.equal(answer.error, 'invalid_client');
  }
});

for (const [kind, resource] of [['a JWT', JWT_RESOURCE], ['an opaque token', OPAQUE_RESOURCE]]) {
  describe(kind, () => {
    let token;
    before(async () => {
      const answer = await requestToken('alice', clients.alice, resource);
      assert.equal(answer.status, 200, JSON.stringify(answer));
      assert.equal(answer.token_type, 'Bearer');
      token = answer.access_token;
      forwarded.length = 0;
    });

    test('has the form that this test is about', () => {
      const parts = token.split('.');
      assert.equal(parts.length, resource === JWT_RESOURCE ? 3 : 1);
      if (resource === JWT_RESOURCE) {
        const { cnf } = JSON.parse(Buffer.from(parts[1], 'base64url'));
        assert.deepEqual(cnf, { 'x5t#S256': thumbprint(clients.alice) });
      }
    });

    test('passes with the certificate of the client', async () => {
      for (let count = 0; count < 3; count += 1) {
        assert.equal((await use(token, clients.alice)).status, 200);
      }
      assert.equal(forwarded.length, 3);
      assert.ok(forwarded.every(({ authorization }) => authorization === undefined));
      forwarded.length = 0;
    });

    test('is of no use to a thief', async () => {
      for (const [certificate, description] of [
        [clients.bob, 'The access token is bound to another client certificate'],
        [null, 'The client has shown no certificate'],
      ]) {
        const answer = await use(token, certificate);
        assert.equal(answer.status, 401);
        assert.deepEqual(JSON.parse(answer.body), {
          error: 'invalid_token', error_description: description,
        });
        assert.match(answer.headers['www-authenticate'], /^Bearer .*error="invalid_token"/);
      }
      assert.equal(forwarded.length, 0);
    });
  });
}
