// `oauth4webapi`, which follows the RFCs to the letter: it refuses metadata of another resource, and challenges that do
// not parse.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import * as oauth from 'oauth4webapi';

import { CLIENT } from './support/authorization-server.mjs';
import { startSetting } from './support/setting.mjs';

const INSECURE = { [oauth.allowInsecureRequests]: true };

let setting;
before(async () => { setting = await startSetting({ name: 'strict' }); });
beforeEach(() => setting.forget());
after(() => setting?.stop());

/** The resource's metadata and the authorization server's, discovered from the URL of the endpoint. */
async function discover() {
  const url = new URL(setting.url);
  const resource = await oauth.processResourceDiscoveryResponse(
    url, await oauth.resourceDiscoveryRequest(url, INSECURE),
  );
  const issuer = new URL(resource.authorization_servers[0]);
  const server = await oauth.processDiscoveryResponse(
    issuer, await oauth.discoveryRequest(issuer, { ...INSECURE, algorithm: 'oauth2' }),
  );
  return { resource, server };
}

/** A token for `resource` with `scope`. */
async function token({ resource, server }, scope) {
  const client = { client_id: CLIENT.id };
  const response = await oauth.clientCredentialsGrantRequest(
    server, client, oauth.ClientSecretBasic(CLIENT.secret), { resource: resource.resource, scope }, INSECURE,
  );
  return (await oauth.processClientCredentialsResponse(server, client, response)).access_token;
}

/** Sends a JSON-RPC request; `null` sends no token. */
function call(bearer, method, params = {}) {
  const withoutToken = {
    [oauth.customFetch](url, { headers, ...options }) {
      const { authorization, ...others } = headers;
      assert.ok(authorization);
      return fetch(url, { ...options, headers: others });
    },
  };
  const headers = new Headers({
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
  });
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  return oauth.protectedResourceRequest(bearer ?? 'none', 'POST', new URL(setting.url), headers, body, {
    ...INSECURE, ...(bearer === null && withoutToken),
  });
}

/** The challenges that a request is refused with. */
async function challenges(...request) {
  try {
    await call(...request);
  } catch (error) {
    assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, error);
    return { status: error.status, challenges: error.cause };
  }
  return assert.fail('the request was not refused');
}

const metadataUrl = () => setting.url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp');
const realm = () => new URL(setting.url).host;

test('the metadata of the resource names itself and its authorization server', async () => {
  const { resource } = await discover();
  assert.deepEqual(resource, {
    resource: setting.url,
    authorization_servers: [setting.issuer],
    scopes_supported: ['mcp:read', 'mcp:write'],
    bearer_methods_supported: ['header'],
  });
});

test('without a token the challenge has no error, and names the scopes and the metadata', async () => {
  assert.deepEqual(await challenges(null, 'tools/list'), {
    status: 401,
    challenges: [{
      scheme: 'bearer',
      parameters: { realm: realm(), scope: 'mcp:read', resource_metadata: metadataUrl() },
    }],
  });
  assert.deepEqual(setting.requests, []);
});

test('for a bad token the challenge says so', async () => {
  const { status, challenges: [{ parameters }, ...others] } = await challenges('bad.bad.bad', 'tools/list');
  assert.deepEqual([status, others], [401, []]);
  assert.equal(parameters.error, 'invalid_token');
  assert.equal(parameters.scope, 'mcp:read');
  assert.equal(parameters.resource_metadata, metadataUrl());
});

test('the scopes of the challenge are what a tool needs', async () => {
  const found = await discover();
  const first = await challenges(null, 'tools/list');
  const reader = await token(found, first.challenges[0].parameters.scope);
  assert.equal((await call(reader, 'tools/list')).status, 200);
  assert.equal((await call(reader, 'tools/call', { name: 'read_notes' })).status, 200);

  const { status, challenges: [{ scheme, parameters }, ...others] } = await challenges(
    reader, 'tools/call', { name: 'write_note' },
  );
  assert.deepEqual([status, scheme, others], [403, 'bearer', []]);
  assert.deepEqual(parameters, {
    realm: realm(),
    error: 'insufficient_scope',
    error_description: 'The access token lacks a scope that is needed here',
    scope: 'mcp:read mcp:write',
    resource_metadata: metadataUrl(),
  });
  const writer = await token(found, parameters.scope);
  assert.equal((await call(writer, 'tools/call', { name: 'write_note' })).status, 200);
  assert.deepEqual(setting.tokenRequests.map(({ scope }) => scope), ['mcp:read', 'mcp:read mcp:write']);
  assert.deepEqual(setting.requests.map(({ tool }) => tool), [null, 'read_notes', 'write_note']);
});

test('a token for another resource is refused', async () => {
  const { server } = await discover();
  const other = await token({ resource: { resource: 'https://default.example' }, server }, 'mcp:read');
  const { status, challenges: [{ parameters }] } = await challenges(other, 'tools/list');
  assert.deepEqual([status, parameters.error], [401, 'invalid_token']);
});
