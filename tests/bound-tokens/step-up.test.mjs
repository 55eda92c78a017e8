// A real client follows the challenge for a stronger and more recent authentication (RFC 9470): it asks a real
// authorization server for another token with `acr_values` and `max_age` of the challenge, and gets through.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import * as openid from 'openid-client';

import { LOOPBACK, freePorts } from '../../tools/listen.mjs';
import { Processes } from '../../tools/processes.mjs';
import { startApi } from './support/api.mjs';
import { startGates } from './support/dpop-gate.mjs';
import { CLIENT, startStepUpServer } from './support/step-up-server.mjs';

const RESOURCE = 'https://api.example';

let server;
let api;
let origin;
let stop;

before(async () => {
  server = await startStepUpServer();
  api = await startApi();
  const [port] = await freePorts(1);
  origin = `http://${LOOPBACK}:${port}`;
  const cloud = {
    issuer: server.issuer,
    audiences: [RESOURCE],
    remote_jwks: { http_uri: { uri: `${server.issuer}/jwks`, cluster: 'issuer', timeout: '60s' } },
  };
  const demand = { acr_values: ['urn:example:mfa', 'urn:example:hardware'], max_authentication_age: '300s' };
  const configuration = {
    providers: { cloud },
    rules: [
      { match: { prefix: '/transfers' }, requires: { provider_name: 'cloud', ...demand } },
      { match: { prefix: '/' }, requires: { provider_name: 'cloud' } },
    ],
  };
  const processes = new Processes();
  const kill = () => processes.kill();
  process.once('exit', kill);
  await startGates(processes, {
    name: 'step-up', gates: [{ name: 'gate', port, configuration }], issuerPort: server.port, upstreamPort: api.port,
  });
  stop = async () => {
    await processes.stop();
    await api.stop();
    await server.stop();
    process.off('exit', kill);
  };
});
beforeEach(() => { api.requests.length = 0; });
after(() => stop?.());

test('openid-client signs in again as the challenge says', async () => {
  const config = await openid.discovery(
    new URL(server.issuer), CLIENT.id, undefined, openid.ClientSecretBasic(CLIENT.secret),
    { execute: [openid.allowInsecureRequests] },
  );
  const token = async (parameters) => {
    const response = await openid.clientCredentialsGrant(config, { resource: RESOURCE, ...parameters });
    return response.access_token;
  };
  const call = (accessToken, path) => (
    openid.fetchProtectedResource(config, accessToken, new URL(`${origin}${path}`), 'GET')
  );

  const first = await token({});
  assert.equal((await call(first, '/orders')).status, 200);
  const refused = await call(first, '/transfers').then(() => assert.fail('it passes'), (error) => error);
  const [{ scheme, parameters }, ...others] = refused.cause;
  assert.deepEqual([scheme, others], ['bearer', []]);
  const { error, acr_values: classes, max_age: maxAge } = parameters;
  assert.equal(error, 'insufficient_user_authentication');
  assert.deepEqual([classes, maxAge], ['urn:example:mfa urn:example:hardware', '300']);

  // With one of both it does not get through, and is told the same.
  for (const half of [{ acr_values: classes }, { max_age: maxAge }]) {
    const again = await call(await token(half), '/transfers').then(() => assert.fail('it passes'), (one) => one);
    assert.deepEqual(again.cause[0].parameters, parameters);
  }
  const second = await token({ acr_values: classes, max_age: maxAge });
  assert.equal((await call(second, '/transfers')).status, 200);
  assert.equal(api.requests.length, 2);
});
