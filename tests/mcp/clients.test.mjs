// Real MCP clients through the gate: discovery, a first token, a tool that needs another scope, step-up, success.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';

import { Client, ClientCredentialsProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
  ClientCredentialsProvider as OldCredentialsProvider,
} from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import {
  StreamableHTTPClientTransport as OldTransport,
} from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { ROOT, requireFiles } from '../../tools/checkout.mjs';
import { CLIENT } from './support/authorization-server.mjs';
import { startSetting } from './support/setting.mjs';

const PYTHON = join(ROOT, '.tools/mcp/bin/python');
const INFO = { name: 'test', version: '1.0.0' };

let setting;
before(async () => { setting = await startSetting({ name: 'clients' }); });
beforeEach(() => setting.forget());
after(() => setting?.stop());

/** The successful token requests that the discovery of the resource leads to. */
const tokens = (...scopes) => scopes.map((scope) => ({ resource: setting.url, scope, status: 200 }));

/** The tools that have been called at the MCP server. */
const called = () => setting.requests.filter(({ rpc }) => rpc === 'tools/call').map(({ tool }) => tool);

/** The MCP server never sees a token, and answers no request whose token lacks a scope. */
function nothingWasForwarded() {
  assert.ok(setting.requests.length > 0);
  for (const { headers } of setting.requests) {
    assert.equal(headers.authorization, undefined);
  }
}

const texts = ({ content }) => content.map(({ text }) => text);
const names = ({ tools }) => tools.map(({ name }) => name);

describe('@modelcontextprotocol/client 2', () => {
  for (const [title, options, revision] of [
    ['of revision 2025-11-25', {}, '2025-11-25'],
    ['of revision 2026-07-28', { versionNegotiation: { mode: 'auto' } }, '2026-07-28'],
  ]) {
    test(`a client ${title} finds its token, and gets another one for a tool that needs more`, async () => {
      const authProvider = new ClientCredentialsProvider({
        clientId: CLIENT.id, clientSecret: CLIENT.secret, expectedIssuer: setting.issuer,
      });
      const client = new Client(INFO, options);
      await client.connect(new StreamableHTTPClientTransport(new URL(setting.url), { authProvider }));
      assert.deepEqual(names(await client.listTools()), ['read_notes', 'write_note']);
      assert.deepEqual(texts(await client.callTool({ name: 'read_notes', arguments: {} })), ['milk']);
      assert.deepEqual(setting.tokenRequests, tokens('mcp:read'));

      assert.deepEqual(texts(await client.callTool({ name: 'write_note', arguments: {} })), ['written']);
      assert.deepEqual(setting.tokenRequests, tokens('mcp:read', 'mcp:read mcp:write'));
      assert.deepEqual(called(), ['read_notes', 'write_note']);
      const versions = setting.requests.filter(({ rpc }) => rpc === 'tools/call')
        .map(({ headers }) => headers['mcp-protocol-version']);
      assert.deepEqual(versions, [revision, revision]);
      nothingWasForwarded();
      await client.close();
    });
  }
});

describe('@modelcontextprotocol/sdk 1', () => {
  /** A connected client that asks for `scope`, and the challenges that it gets. */
  async function connected(scope) {
    const challenges = [];
    const client = new OldClient(INFO);
    const transport = new OldTransport(new URL(setting.url), {
      authProvider: new OldCredentialsProvider({
        clientId: CLIENT.id, clientSecret: CLIENT.secret, expectedIssuer: setting.issuer, scope,
      }),
      async fetch(url, options) {
        const response = await fetch(url, options);
        const challenge = response.headers.get('www-authenticate');
        if (challenge) {
          challenges.push({ status: response.status, scope: /scope="([^"]*)"/.exec(challenge)[1] });
        }
        return response;
      },
    });
    await client.connect(transport);
    return { client, challenges };
  }

  test('a client finds its token, and a challenge names the scopes for a tool that needs more', async () => {
    const reader = await connected('mcp:read');
    assert.deepEqual(reader.challenges, [{ status: 401, scope: 'mcp:read' }]);
    assert.deepEqual(names(await reader.client.listTools()), ['read_notes', 'write_note']);
    assert.deepEqual(texts(await reader.client.callTool({ name: 'read_notes', arguments: {} })), ['milk']);
    assert.deepEqual(setting.tokenRequests, tokens('mcp:read'));

    // With client credentials this client asks for the scope of its settings only.
    await assert.rejects(reader.client.callTool({ name: 'write_note', arguments: {} }), { code: 403 });
    const { status, scope } = reader.challenges.at(-1);
    assert.deepEqual({ status, scope }, { status: 403, scope: 'mcp:read mcp:write' });
    assert.deepEqual(called(), ['read_notes']);
    setting.forget();

    const writer = await connected(scope);
    assert.deepEqual(texts(await writer.client.callTool({ name: 'write_note', arguments: {} })), ['written']);
    assert.deepEqual(setting.tokenRequests, tokens(scope));
    nothingWasForwarded();
    await reader.client.close();
    await writer.client.close();
  });
});

describe('mcp of PyPI', () => {
  test('a client finds its token, and gets another one for a tool that needs more', async () => {
    requireFiles([[PYTHON, 'make test-mcp']]);
    const { stdout, stderr, exitCode } = await setting.processes.run(PYTHON, [
      join(import.meta.dirname, 'agent.py'),
      setting.url, setting.issuer, CLIENT.id, CLIENT.secret, 'read_notes', 'write_note',
    ]);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      tools: ['read_notes', 'write_note'], read_notes: 'milk', write_note: 'written',
    });
    assert.deepEqual(setting.tokenRequests, tokens('mcp:read', 'mcp:read mcp:write'));
    assert.deepEqual(called(), ['read_notes', 'write_note']);
    nothingWasForwarded();
  });
});
