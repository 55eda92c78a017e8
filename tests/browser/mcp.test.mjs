// The MCP server in the console: the challenge, the document that it names, and stepping up.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  CLIPBOARD, assertFonts, assertNothingOverflows, axe, claims, execute, notice, openConsole, press, runCommands,
} from './page.mjs';
import { browser, demo } from './setting.mjs';
import { until } from './support.mjs';

const DOCUMENT = '/.well-known/oauth-protected-resource/mcp';

/** Opens the console with the MCP server chosen. */
async function open(context, options) {
  const page = await openConsole(context, browser, { path: demo.console, ...options });
  await page.getByLabel('API', { exact: true }).selectOption('PhoneBook');
  await page.getByText('/mcp', { exact: true }).waitFor();
  return page;
}

/** Chooses one of the requests that the document has as examples. */
const choose = (page, example) => (
  page.locator('.opblock-section-request-body .examples-select select').selectOption(example));

/** The metadata document in the panel Answer. */
async function metadata(page) {
  await page.locator('#metadata', { hasText: '{' }).waitFor();
  return JSON.parse(await page.locator('#metadata').textContent());
}

/** The text of the tool's result in an answer. */
const result = ({ body }) => body.result.content[0].text;

describe('the MCP server', () => {
  test('without a token, the page shows the challenge and the document that it names', async (t) => {
    const page = await open(t);
    const asked = page.waitForRequest(demo.http + DOCUMENT);
    const { status, challenge } = await execute(page);
    assert.equal(status, '401');
    // The parameters of both challenges, for bearer tokens and for DPoP.
    assert.deepEqual(challenge, {
      realm: new URL(demo.http).host,
      scope: 'mcp:read',
      resource_metadata: demo.http + DOCUMENT,
      algs: 'ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512 EdDSA Ed25519',
    });
    const links = await page.locator('#challenge a').all();
    assert.equal(links.length, 2);
    for (const link of links) {
      assert.equal(await link.getAttribute('href'), demo.http + DOCUMENT);
      assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
    }

    const { resource, authorization_servers: servers, scopes_supported: scopes } = await metadata(page);
    assert.equal(resource, `${demo.http}/mcp`);
    assert.deepEqual(servers, [demo.issuer]);
    assert.deepEqual(scopes, ['mcp:read', 'mcp:write']);
    const headers = await (await asked).allHeaders();
    assert.equal(headers.authorization, undefined);
  });

  test('a challenge gets a first token, and one with more scopes where a tool needs them', async (t) => {
    const page = await open(t);
    assert.equal((await execute(page)).status, '401');
    await press(page, 'Get a token with this scope');
    assert.equal((await claims(page)).scope, 'mcp:read');
    assert.equal((await claims(page)).aud, `${demo.http}/mcp`);
    const read = await execute(page);
    assert.equal(read.status, '200');
    assert.equal(result(read), 'Ada: +1 212-555-0142');

    await choose(page, 'write');
    const refused = await execute(page);
    assert.equal(refused.status, '403');
    assert.equal(refused.challenge.error, 'insufficient_scope');
    assert.equal(refused.challenge.scope, 'mcp:read mcp:write');
    assert.equal(refused.body.error, 'insufficient_scope');
    assert.match(refused.text, /OAuth calls that stepping up/);
    assert.equal((await metadata(page)).resource, `${demo.http}/mcp`);

    await press(page, 'Get a token with these scopes');
    assert.match(await notice(page), /It has the scopes of the challenge/);
    assert.equal((await claims(page)).scope, 'mcp:read mcp:write');
    assert.equal(await page.getByLabel('mcp:write').isChecked(), true);
    const written = await execute(page);
    assert.equal(written.status, '200');
    assert.equal(result(written), 'Alan: +1 609-555-0123 is written');
    assert.equal(await page.locator('#challenge').count(), 0);
  });

  test('a token has the chosen scopes, and the curl command does the same', async (t) => {
    const page = await open(t, { permissions: CLIPBOARD });
    assert.equal(await page.getByLabel('Subscribed').isVisible(), false);
    await press(page, 'Generate keys');
    const first = await claims(page);
    assert.equal(first.scope, 'mcp:read');
    await page.getByLabel('mcp:write').check();
    await until(async () => (await claims(page)).jti !== first.jti, 'a new token');
    assert.equal((await claims(page)).scope, 'mcp:read mcp:write');
    await choose(page, 'write');
    assert.equal((await execute(page)).status, '200');

    const stdout = await runCommands(page);
    assert.match(stdout, /^HTTP\/1\.1 200 /);
    assert.ok(stdout.includes('Alan: +1 609-555-0123 is written'), stdout);

    // Other APIs have a subscription and no scopes.
    await page.getByLabel('API', { exact: true }).selectOption('AreaCodes');
    await page.getByText('/AreaCode', { exact: true }).waitFor();
    assert.equal(await page.locator('#scopes').isVisible(), false);
    assert.equal(await page.getByLabel('Subscribed').isVisible(), true);
  });

  test('a token for another API is refused, although it has the scopes', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    await page.getByLabel('API', { exact: true }).selectOption('PhoneVerification');
    await page.getByText('/CheckPhoneNumber', { exact: true }).waitFor();
    await press(page, 'Generate token');
    const other = await page.locator('#jwt').textContent();
    const response = await fetch(`${demo.http}/mcp`, {
      method: 'POST',
      headers: { authorization: `Bearer ${other}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    assert.equal(response.status, 401);
    assert.equal((await response.json()).error_description, 'The access token is meant for another audience');
  });

  test('a document that cannot be loaded is reported', async (t) => {
    const page = await open(t);
    await page.route(demo.http + DOCUMENT, (route) => route.fulfill({
      status: 404, headers: { 'access-control-allow-origin': '*' }, body: '',
    }));
    assert.equal((await execute(page)).status, '401');
    await page.getByText('It cannot be loaded: the server answered 404.').waitFor();
    assert.equal(await page.locator('#metadata').isVisible(), false);
  });

  test('with HTTPS, the challenge names the same document', async (t) => {
    const page = await open(t, {
      path: demo.console.replace('http:', 'https:'), ignoreHTTPSErrors: true,
    });
    const { status, challenge } = await execute(page);
    assert.equal(status, '401');
    assert.equal(challenge.resource_metadata, demo.http + DOCUMENT);
    assert.equal((await metadata(page)).resource, `${demo.http}/mcp`);
  });
});

test('a page of any origin can read the document, but not call the MCP server', async (t) => {
  const page = await browser.page();
  t.after(() => page.context().close());
  await page.goto(`${demo.issuer.replace('127.0.0.1', 'localhost')}/jwks`);
  const seen = await page.evaluate(async ({ document, mcp }) => {
    const status = (...request) => fetch(...request).then((answer) => answer.status, () => 'none');
    return [
      // As MCP clients ask for it, which needs a preflight.
      await status(document, { headers: { 'mcp-protocol-version': '2025-11-25' } }),
      await status(mcp, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
    ];
  }, { document: demo.http + DOCUMENT, mcp: `${demo.http}/mcp` });
  assert.deepEqual(seen, [200, 'none']);
});

describe('accessibility', () => {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds no problem, and nothing overflows: ${colorScheme}`, async (t) => {
      const page = await open(t, { colorScheme, bypassCSP: true });
      const check = await axe(page);
      await check('at the start');
      await press(page, 'Generate keys');
      await choose(page, 'write');
      assert.equal((await execute(page)).status, '403');
      await metadata(page);
      await check('refused');
      await assertFonts(page);
      await assertNothingOverflows(page);
    });
  }

  test('stepping up can be done with the keyboard, and a choice keeps the focus', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    const first = await claims(page);
    await page.getByLabel('mcp:write').focus();
    await page.keyboard.press('Space');
    await until(async () => (await claims(page)).jti !== first.jti, 'a new token');
    assert.equal(await page.evaluate(() => document.activeElement.value), 'mcp:write');
    await page.keyboard.press('Space');
    await until(async () => (await claims(page)).scope === 'mcp:read', 'a token with one scope');

    await choose(page, 'write');
    assert.equal((await execute(page)).status, '403');
    await page.locator('#step-up').focus();
    await page.keyboard.press('Enter');
    await until(async () => (await claims(page)).scope === 'mcp:read mcp:write', 'a token with both');
    assert.equal((await execute(page)).status, '200');
  });
});
