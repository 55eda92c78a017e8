// An MCP client on a page of another origin: it needs Envoy's CORS filter for the endpoint, and the gate's own CORS
// headers for the metadata.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';

import { LOOPBACK, close, listen } from '../../tools/listen.mjs';
import { CLIENT } from '../mcp/support/authorization-server.mjs';
import { browserClient } from '../mcp/support/browser-client.mjs';
import { startSetting } from '../mcp/support/setting.mjs';
import { startBrowser } from './support.mjs';

const PAGE = '<!doctype html><title>A page with an MCP client</title>';

/** Serves an empty page, and the client as `/client.js`. */
async function startPage() {
  const script = await browserClient();
  const server = createServer(({ url }, response) => {
    const [type, text] = url === '/client.js' ? ['text/javascript', script] : ['text/html', PAGE];
    response.setHeader('content-type', type);
    response.end(text);
  });
  const port = await listen(server, 0);
  const stop = () => close(server);
  // The gate allows the first origin only.
  return { origin: `http://${LOOPBACK}:${port}`, other: `http://localhost:${port}`, stop };
}

let site;
let setting;
let browser;
before(async () => {
  site = await startPage();
  setting = await startSetting({ name: 'browser', pageOrigin: site.origin });
  browser = await startBrowser();
});
beforeEach(() => setting.forget());
after(async () => {
  await browser?.stop();
  await setting?.stop();
  await site?.stop();
});

/** Runs `action` with the setting and the client's credentials on a page of `origin`. */
async function onPage(origin, action) {
  const page = await browser.page();
  try {
    await page.goto(origin);
    return await page.evaluate(action, { url: setting.url, issuer: setting.issuer, ...CLIENT });
  } finally {
    await page.context().close();
  }
}

test('on a page of another origin, a client finds its token, and steps up for a tool that needs more', async () => {
  const seen = await onPage(site.origin, async ({ url, issuer, id, secret }) => {
    const { Client, ClientCredentialsProvider, StreamableHTTPClientTransport } = await import('/client.js');
    const authProvider = new ClientCredentialsProvider({
      clientId: id, clientSecret: secret, expectedIssuer: issuer,
    });
    const client = new Client({ name: 'page', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider }));
    const { tools } = await client.listTools();
    const texts = [];
    for (const { name } of tools) {
      const { content } = await client.callTool({ name, arguments: {} });
      texts.push(`${name}: ${content[0].text}`);
    }
    return texts;
  });
  assert.deepEqual(seen, ['read_notes: milk', 'write_note: written']);
  assert.deepEqual(setting.tokenRequests, ['mcp:read', 'mcp:read mcp:write'].map(
    (scope) => ({ resource: setting.url, scope, status: 200 }),
  ));
  for (const { headers } of setting.requests) {
    assert.equal(headers.authorization, undefined);
    assert.equal(headers.origin, site.origin);
  }
});

test('a page of an origin that is not allowed can read the metadata and nothing else', async () => {
  const seen = await onPage(site.other, async ({ url }) => {
    const metadata = url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp');
    const status = (...request) => fetch(...request).then((answer) => answer.status, () => 'none');
    // Clients send this header, so the browser asks first.
    const headers = { 'mcp-protocol-version': '2025-11-25' };
    return [
      await status(metadata, { headers }),
      await status(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{}' }),
    ];
  });
  assert.deepEqual(seen, [200, 'none']);
  assert.deepEqual(setting.requests, []);
});
