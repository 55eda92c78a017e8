// Real clients get tokens that are bound to a key from a real authorization server, and use them through the gate with
// each setting of `dpop.nonce`.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';

import {
  Client, ClientCredentialsProvider, DpopSession, StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';

import { ROOT, requireFiles } from '../../tools/checkout.mjs';
import { LOOPBACK, freePorts } from '../../tools/listen.mjs';
import { Processes } from '../../tools/processes.mjs';
import { startApi } from './support/api.mjs';
import { dpopProvider, startGates } from './support/dpop-gate.mjs';
import { CLIENT, startDpopServer } from './support/dpop-server.mjs';

const PYTHON = join(ROOT, '.tools/bound-tokens/bin/python');
const SCOPE = 'api:read';
/** How wrong the clock of a client is that needs nonces with `fallback`: more than any proof may be off. */
const WRONG_CLOCK_SECONDS = -3600;

const NONCES = ['off', 'fallback', 'required'];

/** The statuses that a client sees which makes several calls: with `required` the first one is repeated. */
const statuses = (nonce, calls) => [...(nonce === 'required' ? [401] : []), ...Array(calls).fill(200)];

let server;
let api;
let origins;
let stop;

before(async () => {
  server = await startDpopServer({ isOpaque: (resource) => resource.endsWith('/opaque') });
  api = await startApi();
  const ports = await freePorts(NONCES.length);
  origins = Object.fromEntries(NONCES.map((nonce, index) => [nonce, `http://${LOOPBACK}:${ports[index]}`]));
  const gate = (nonce, index) => {
    const resources = ['/mcp', '/opaque'].map((path) => `${origins[nonce]}${path}`);
    return {
      name: nonce,
      port: ports[index],
      configuration: {
        providers: { cloud: { ...dpopProvider(server.issuer), audiences: resources } },
        rules: [{ match: { prefix: '/' }, requires: { provider_name: 'cloud', scopes: [SCOPE] } }],
        resource_metadata: resources.map((resource) => ({ resource, scopes_supported: [SCOPE] })),
        dpop: { nonce },
      },
    };
  };
  const processes = new Processes();
  const kill = () => processes.kill();
  process.once('exit', kill);
  await startGates(processes, {
    name: 'dpop-clients', gates: NONCES.map(gate), issuerPort: server.port, upstreamPort: api.port,
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

/** `fetch` that keeps the statuses of answers of `origin` in `seen`. */
const recording = (origin, seen) => async (url, options) => {
  const response = await fetch(url, options);
  if (String(url).startsWith(origin) && !String(url).includes('/.well-known/')) {
    seen.push(response.status);
  }
  return response;
};

/** The upstream has answered this many requests, and has seen no token and no proof. */
function reachedUpstream(count) {
  assert.equal(api.requests.length, count);
  for (const { headers } of api.requests) {
    assert.deepEqual([headers.authorization, headers.dpop], [undefined, undefined]);
  }
}

const isJwt = (token) => token.split('.').length === 3;

for (const nonce of NONCES) {
  describe(`nonces are ${nonce}:`, () => {
    test('@modelcontextprotocol/client', async () => {
      const url = `${origins[nonce]}/mcp`;
      const seen = [];
      const session = await DpopSession.create();
      const authProvider = new ClientCredentialsProvider({
        clientId: CLIENT.id, clientSecret: CLIENT.secret, expectedIssuer: server.issuer,
      });
      authProvider.dpop = () => session;
      const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
      await client.connect(new StreamableHTTPClientTransport(new URL(url), {
        authProvider, fetch: recording(origins[nonce], seen),
      }));
      const { tools } = await client.listTools();
      assert.deepEqual(tools.map(({ name }) => name), ['read_notes']);
      const { content } = await client.callTool({ name: 'read_notes', arguments: {} });
      assert.deepEqual(content.map(({ text }) => text), ['milk']);
      await client.close();
      // One 401 says that a token is needed; its `DPoP-Nonce` already has the nonce.
      assert.deepEqual(seen.filter((status) => status === 401), [401]);
      assert.ok(api.requests.length >= 3);
      reachedUpstream(api.requests.length);
    });

    for (const path of ['/mcp', '/opaque']) {
      test(`oauth4webapi with a token for ${path}`, async () => {
        const [url, seen] = [new URL(`${origins[nonce]}${path}`), []];
        const got = await withOauth4webapi(url, { [oauth.customFetch]: recording(origins[nonce], seen) });
        assert.equal(isJwt(got.token), path === '/mcp');
        for (let call = 0; call < 3; call += 1) {
          assert.equal((await got.use(new URL(`${origins[nonce]}/orders`))).status, 200);
        }
        assert.deepEqual(seen, statuses(nonce, 3));
        reachedUpstream(3);
      });

      test(`openid-client with a token for ${path}`, async () => {
        const [url, seen] = [new URL(`${origins[nonce]}${path}`), []];
        const config = await openid.discovery(
          new URL(server.issuer), CLIENT.id, undefined, openid.ClientSecretBasic(CLIENT.secret),
          { execute: [openid.allowInsecureRequests] },
        );
        config[openid.customFetch] = recording(origins[nonce], seen);
        const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'));
        const { access_token: token, token_type: type } = await openid.clientCredentialsGrant(
          config, { resource: url.href, scope: SCOPE }, { DPoP },
        );
        assert.equal(type.toLowerCase(), 'dpop');
        assert.equal(isJwt(token), path === '/mcp');
        for (let call = 0; call < 3; call += 1) {
          const response = await openid.fetchProtectedResource(
            config, token, new URL(`${origins[nonce]}/orders?page=${call}`), 'GET', undefined, undefined, { DPoP },
          );
          assert.equal(response.status, 200);
        }
        assert.deepEqual(seen, statuses(nonce, 3));
        reachedUpstream(3);
      });

      test(`requests-oauth2client with a token for ${path}`, async () => {
        requireFiles([[PYTHON, 'make test-bound-tokens']]);
        const processes = new Processes();
        const { stdout, stderr, exitCode } = await processes.run(PYTHON, [
          join(import.meta.dirname, 'client.py'),
          `${origins[nonce]}/orders?page=2`, `${origins[nonce]}${path}`, server.issuer, CLIENT.id, CLIENT.secret,
        ]);
        assert.equal(exitCode, 0, stderr);
        const first = statuses(nonce, 1);
        assert.deepEqual(JSON.parse(stdout), [first, [200], [200]]);
        reachedUpstream(3);
      });
    }
  });
}

/**
 * A token of the authorization server for the resource `url`, found by its metadata, and `use(url)`, which calls with
 * it and repeats the call once if a nonce is needed. `options` are further ones of the client.
 */
async function withOauth4webapi(url, options = {}, client = { client_id: CLIENT.id }) {
  const insecure = { [oauth.allowInsecureRequests]: true };
  const metadata = await oauth.processResourceDiscoveryResponse(
    url, await oauth.resourceDiscoveryRequest(url, insecure),
  );
  assert.deepEqual(metadata.authorization_servers, [server.issuer]);
  assert.equal(metadata.dpop_bound_access_tokens_required, true);
  const issuer = new URL(metadata.authorization_servers[0]);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  const grant = async () => oauth.processClientCredentialsResponse(
    as, client, await oauth.clientCredentialsGrantRequest(
      as, client, oauth.ClientSecretBasic(CLIENT.secret),
      new URLSearchParams({ resource: url.href, scope: SCOPE }), { DPoP, ...insecure },
    ),
  );
  const once = (action) => action().catch((error) => {
    if (oauth.isDPoPNonceError(error)) {
      return action();
    }
    throw error;
  });
  const { access_token: token, token_type: type } = await once(grant);
  assert.equal(type, 'dpop');
  const call = (target, how) => oauth.protectedResourceRequest(
    token, 'GET', target, new Headers(), null, { ...insecure, ...options, ...how },
  );
  return { token, use: (target, how = { DPoP }) => once(() => call(target, how)) };
}

test('with the fallback, a client with a wrong clock gets through by a nonce', async () => {
  const url = new URL(`${origins.fallback}/mcp`);
  const client = { client_id: CLIENT.id, [oauth.clockSkew]: WRONG_CLOCK_SECONDS };
  const seen = [];
  const got = await withOauth4webapi(url, { [oauth.customFetch]: recording(origins.fallback, seen) }, client);
  for (let call = 0; call < 2; call += 1) {
    assert.equal((await got.use(new URL(`${origins.fallback}/orders`))).status, 200);
  }
  assert.deepEqual(seen, [401, 200, 200]);
  // Without nonces, it cannot get through.
  const off = await withOauth4webapi(new URL(`${origins.off}/mcp`), {}, client);
  await assert.rejects(off.use(new URL(`${origins.off}/orders`)), (error) => {
    const [{ scheme, parameters }] = error.cause;
    assert.deepEqual([scheme, parameters.error], ['dpop', 'invalid_dpop_proof']);
    assert.equal(parameters.error_description, 'The DPoP proof is too old or from the future');
    return true;
  });
  reachedUpstream(2);
});

for (const path of ['/mcp', '/opaque']) {
  test(`a stolen token for ${path} is refused, and the challenge says why`, async () => {
    const url = new URL(`${origins.off}${path}`);
    const { token, use } = await withOauth4webapi(url);
    const orders = new URL(`${origins.off}/orders`);
    const thief = { client_id: 'thief' };
    const key = await oauth.generateKeyPair('ES256');
    for (const [how, error, description] of [
      [{}, 'invalid_token', 'The access token is bound to a key and needs the DPoP scheme'],
      [
        { DPoP: oauth.DPoP(thief, key) },
        'invalid_token', 'The access token is bound to another key than that of the DPoP proof',
      ],
      [
        { DPoP: oauth.DPoP(thief, key, { [oauth.modifyAssertion]: (header, claims) => { claims.htm = 'POST'; } }) },
        'invalid_dpop_proof', 'The DPoP proof is for another method',
      ],
    ]) {
      await assert.rejects(use(orders, how), (refusal) => {
        assert.ok(refusal instanceof oauth.WWWAuthenticateChallengeError);
        assert.equal(refusal.status, 401);
        const [{ scheme, parameters }, ...others] = refusal.cause;
        assert.deepEqual(others, []);
        assert.deepEqual(
          [scheme, parameters.error, parameters.error_description], ['dpop', error, description],
        );
        assert.equal(parameters.scope, SCOPE);
        assert.ok(parameters.algs.split(' ').includes('ES256'));
        return true;
      });
    }
    const none = await fetch(orders);
    assert.equal(none.status, 401);
    assert.match(none.headers.get('www-authenticate'), /^DPoP realm="[^"]*", scope="api:read", algs="[^"]*"/);
    assert.ok(token.length > 0);
    reachedUpstream(0);
    assert.equal((await use(orders)).status, 200);
  });
}
