// Certificate-bound tokens of a real authorization server, which clients get and use over mutual TLS.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { JWT_RESOURCE, OPAQUE_RESOURCE } from './support/authorization-server.mjs';
import { startSetting } from './support/setting.mjs';
import { send } from './support/tls-client.mjs';

let setting;
before(async () => { setting = await startSetting('certificates'); });
after(() => setting?.stop());

/** The answer to a token request of the client `name`, over a connection with this certificate. */
async function requestToken(name, certificate, resource) {
  const { ports, authority } = setting;
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
  const { ports, authority } = setting;
  return send({
    port: ports.api, path: '/', authority, certificate, headers: { authorization: `Bearer ${token}` },
  });
}

const thumbprint = ({ cert }) => Buffer.from(
  new X509Certificate(cert).fingerprint256.replaceAll(':', ''), 'hex',
).toString('base64url');

test('the authorization server gives no token to another client', async () => {
  for (const certificate of [setting.clients.bob, null]) {
    const answer = await requestToken('alice', certificate, JWT_RESOURCE);
    assert.equal(answer.status, 401);
    assert.equal(answer.error, 'invalid_client');
  }
});

for (const [kind, resource] of [['a JWT', JWT_RESOURCE], ['an opaque token', OPAQUE_RESOURCE]]) {
  describe(kind, () => {
    let token;
    before(async () => {
      const answer = await requestToken('alice', setting.clients.alice, resource);
      assert.equal(answer.status, 200, JSON.stringify(answer));
      assert.equal(answer.token_type, 'Bearer');
      token = answer.access_token;
      setting.forwarded.length = 0;
    });

    test('has the form that this test is about', () => {
      const parts = token.split('.');
      assert.equal(parts.length, resource === JWT_RESOURCE ? 3 : 1);
      if (resource === JWT_RESOURCE) {
        const { cnf } = JSON.parse(Buffer.from(parts[1], 'base64url'));
        assert.deepEqual(cnf, { 'x5t#S256': thumbprint(setting.clients.alice) });
      }
    });

    test('passes with the certificate of the client', async () => {
      for (let count = 0; count < 3; count += 1) {
        assert.equal((await use(token, setting.clients.alice)).status, 200);
      }
      assert.equal(setting.forwarded.length, 3);
      assert.ok(setting.forwarded.every(({ authorization }) => authorization === undefined));
      setting.forwarded.length = 0;
    });

    test('is of no use to a thief', async () => {
      for (const [certificate, description] of [
        [setting.clients.bob, 'The access token is bound to another client certificate'],
        [null, 'The client has shown no certificate'],
      ]) {
        const answer = await use(token, certificate);
        assert.equal(answer.status, 401);
        assert.deepEqual(JSON.parse(answer.body), {
          error: 'invalid_token', error_description: description,
        });
        assert.match(answer.headers['www-authenticate'], /^Bearer .*error="invalid_token"/);
      }
      assert.equal(setting.forwarded.length, 0);
    });
  });
}
