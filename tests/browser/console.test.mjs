// The API console in a browser: what a developer does, and what the page then shows.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { CLIPBOARD, claims, execute, notice, press, runCommands } from './page.mjs';
import { browser, demo, open } from './setting.mjs';
import { post, until } from './support.mjs';

/** Presses Execute until the gate refuses the token as revoked. Returns like `execute`. */
async function executeUntilRefused(page) {
  let refused;
  await until(async () => {
    refused = await execute(page);
    return refused.status !== '200';
  }, 'a refusal');
  assert.equal(refused.status, '401');
  assert.equal(refused.challenge.error, 'invalid_token');
  assert.match(refused.challenge.error_description, /revoked/);
  return refused;
}

describe('keys', () => {
  test('production and sandbox keys are two clients, and their tokens have different key types', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    const production = await claims(page);
    assert.equal(production.keytype, 'PRODUCTION');
    assert.equal(production.exp - production.iat, 3600);
    assert.deepEqual(production.subscribedAPIs, [{ name: 'PhoneVerification', version: '1.0.0' }]);
    assert.match(await page.locator('#life-text').textContent(), /^(1 h 00 min|59 min \d\d s) left$/);
    assert.match(await page.locator('#token-header').textContent(), /"alg": "RS256"/);

    await page.getByRole('radio', { name: 'Sandbox' }).check();
    await press(page, 'Generate keys');
    const sandbox = await claims(page);
    assert.equal(sandbox.keytype, 'SANDBOX');
    assert.notEqual(sandbox.client_id, production.client_id);
    assert.equal((await execute(page)).status, '200');

    await page.getByRole('radio', { name: 'Production' }).check();
    assert.equal((await claims(page)).jti, production.jti);
  });

  test('a token has the chosen validity period, or never expires', async (t) => {
    const page = await open(t);
    await page.getByLabel('Validity period').fill('120');
    await press(page, 'Generate keys');
    const short = await claims(page);
    assert.equal(short.exp - short.iat, 120);

    await page.getByLabel('Validity period').fill('-1');
    await press(page, 'Generate token');
    assert.equal((await claims(page)).exp, Number.MAX_SAFE_INTEGER);
    assert.equal(await page.locator('#life-text').textContent(), 'Never expires');
    assert.equal((await execute(page)).status, '200');
  });

  test('an invalid validity period is reported, and no key is generated', async (t) => {
    const page = await open(t);
    for (const text of ['', '0', '-2', '1.5', 'an hour', '9999999999']) {
      await page.getByLabel('Validity period').fill(text);
      await press(page, 'Generate keys');
      assert.match(await page.locator('#validity-problem').textContent(), /whole number of seconds/);
      assert.equal(await page.locator('#token').isVisible(), false, text);
    }
    await page.getByLabel('Validity period').fill('60');
    await press(page, 'Generate keys');
    assert.equal(await page.locator('#validity-problem').isVisible(), false);
    assert.equal(await page.locator('#token').isVisible(), true);
  });

  test('the client secret is hidden until it is asked for', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    assert.match(await page.locator('#client-secret').textContent(), /^•+$/);
    await press(page, 'Show the client secret');
    assert.match(await page.locator('#client-secret').textContent(), /^[\w-]{32}$/);
  });
});

describe('try it out', () => {
  test('without a token, the page shows 401 and what to do', async (t) => {
    const page = await open(t);
    const before = await demo.reached();
    const { status, text, challenge } = await execute(page);
    assert.equal(status, '401');
    assert.match(text, /The request carries no access token\.\s+Generate a token/);
    // One challenge for bearer tokens, one for DPoP, which names its algorithms.
    assert.deepEqual(Object.keys(challenge), ['realm', 'algs']);
    assert.equal(await demo.reached(), before);
  });

  test('with a token and the sample values, the page shows 200 and a curl command that does the same', async (t) => {
    const page = await open(t, { permissions: CLIPBOARD });
    await press(page, 'Generate keys');
    const before = await demo.reached();
    const { status, text, body } = await execute(page);
    assert.equal(status, '200');
    assert.match(text, /200 OK/);
    assert.equal(body.formatted, '+1 800-678-5432');

    const stdout = await runCommands(page);
    assert.match(stdout, /^HTTP\/1\.1 200 /);
    assert.ok(stdout.includes('+1 800-678-5432'), stdout);
    assert.equal(await demo.reached(), before + 2);
  });

  test('a refusal by the API itself is not attributed to the gate', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    await page.locator('[data-param-name=PhoneNumber] input').fill('12a');
    // Swagger UI checks the value against the document's pattern and sends nothing.
    await page.getByRole('button', { name: 'Execute' }).click();
    await page.locator('[data-param-name=PhoneNumber] input.invalid').waitFor();
    await page.locator('[data-param-name=PhoneNumber] input').fill('123');
    const { status, body } = await execute(page);
    assert.equal(status, '200');
    assert.equal(body.valid, false);

    await page.getByLabel('API', { exact: true }).selectOption('AreaCodes');
    await page.getByText('/AreaCode', { exact: true }).waitFor();
    await page.getByLabel('Subscribed').click();
    await press(page, 'Generate token');
    await page.locator('[data-param-name=Code] input').fill('999');
    const missing = await execute(page);
    assert.equal(missing.status, '404');
    assert.match(missing.text, /this is the API’s own answer/);
  });

  test('page and API work with HTTPS', async (t) => {
    const page = await open(t, {
      path: demo.console.replace('http:', 'https:'), ignoreHTTPSErrors: true, permissions: CLIPBOARD,
    });
    await press(page, 'Generate keys');
    assert.equal((await execute(page)).status, '200');
    const line = await page.locator('#curl').textContent();
    assert.ok(line.includes(demo.https), line);
    assert.match(await runCommands(page), /^HTTP\/\S+ 200 /);
  });

  test('a certificate that the browser does not trust is explained', async (t) => {
    const page = await browser.page();
    t.after(() => page.context().close());
    await page.goto(demo.console);
    await page.getByRole('radio', { name: 'HTTPS' }).check();
    await press(page, 'Generate keys');
    await page.getByRole('button', { name: 'Execute' }).click();
    await page.locator('#answer .verdict').waitFor();
    const text = await page.locator('#answer').innerText();
    assert.match(text, /No answer\s+The browser got no answer/);
    assert.match(text, /may not trust the demo’s certificate/);
    assert.equal(await page.locator('#answer a').getAttribute('href'), demo.https);
  });
});

describe('bad tokens', () => {
  test('a token that was tampered with is refused, and the page explains why', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    await press(page, 'Tamper with it');
    assert.equal(await page.locator('#token-state').textContent(), 'Tampered');
    const before = await demo.reached();
    const { status, text, challenge } = await execute(page);
    assert.equal(status, '401');
    assert.equal(challenge.error, 'invalid_token');
    assert.equal(challenge.error_description, 'The signature of the access token is not valid');
    assert.match(text, /were changed/);
    assert.match(text, /You have tampered with this token/);
    assert.equal(await demo.reached(), before);

    await press(page, 'Generate token');
    assert.equal((await execute(page)).status, '200');
  });

  test('an expired token is refused, and the page explains why', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    // The token lives for three seconds, within which a slow machine may not get to the request.
    await until(async () => {
      await press(page, 'Let it expire');
      return (await execute(page)).status === '200';
    }, 'a token that is used before it expires');
    await page.locator('#token-state', { hasText: 'Expired' }).waitFor();
    await until(async () => /The token has expired/.test(await notice(page)), 'the notice');
    const { status, text, challenge } = await execute(page);
    assert.equal(status, '401');
    assert.equal(challenge.error_description, 'The access token expired');
    assert.match(text, /The time in the claim exp is over/);
  });

  test('a revoked token is refused once the gate has read the list, and the page explains why', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    const { jti } = await claims(page);
    await press(page, 'Revoke this token');
    assert.equal(await page.locator('#token-state').textContent(), 'Revoked');
    assert.ok((await demo.revoked()).tokens.includes(jti));

    const { text } = await executeUntilRefused(page);
    assert.match(text, /This token is revoked\./);
    const before = await demo.reached();
    assert.equal((await execute(page)).status, '401');
    assert.equal(await demo.reached(), before);
    await press(page, 'Generate token');
    assert.equal((await execute(page)).status, '200');
  });

  test('a new secret invalidates the old one and its tokens, and gets new tokens', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    await press(page, 'Show the client secret');
    const id = await page.locator('#client-id').textContent();
    const old = await page.locator('#client-secret').textContent();
    const { iat } = await claims(page);
    await press(page, 'Change the secret');
    assert.equal(await page.locator('#token-state').textContent(), 'Outdated');
    assert.notEqual(await page.locator('#client-secret').textContent(), old);

    const grant = new URLSearchParams({ grant_type: 'client_credentials' });
    const refused = await post(`${demo.issuer}/token`, grant, { id, secret: old });
    assert.deepEqual([refused.status, refused.body.error], [401, 'invalid_client']);
    const { clients } = await demo.revoked();
    assert.ok(clients[id] > iat, `revoked before ${clients[id]}, issued ${iat}`);
    const { text } = await executeUntilRefused(page);
    assert.match(text, /issued before the client secret was changed, so it is revoked/);

    await press(page, 'Generate token');
    assert.equal(await page.locator('#token-state').textContent(), 'In use');
    assert.ok(clients[id] <= (await claims(page)).iat);
    assert.equal((await execute(page)).status, '200');
  });

  test('a token without a subscription gets 403, and the page explains what to do', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    const first = await claims(page);
    await page.getByLabel('Subscribed').click();
    await until(async () => (await claims(page)).jti !== first.jti, 'a new token');
    assert.deepEqual((await claims(page)).subscribedAPIs, []);

    const before = await demo.reached();
    const { status, text, body } = await execute(page);
    assert.equal(status, '403');
    assert.equal(body.error, 'access_denied');
    assert.match(text, /Forbidden\s/);
    assert.match(text, /The token is valid, but/);
    assert.match(text, /does not include a subscription to Phone Verification 1\.0\.0: switch Subscribed on/);
    assert.equal(await demo.reached(), before);

    await page.getByLabel('Subscribed').click();
    await until(async () => (await claims(page)).subscribedAPIs.length === 1, 'a new token');
    assert.equal((await execute(page)).status, '200');

    // A subscription is for one API.
    await page.getByLabel('API', { exact: true }).selectOption('AreaCodes');
    await page.getByText('/AreaCode', { exact: true }).waitFor();
    assert.equal(await page.getByLabel('Subscribed').isChecked(), false);
    await press(page, 'Generate token');
    assert.equal((await execute(page)).status, '403');
    await page.getByLabel('Subscribed').click();
    await until(async () => (await claims(page)).subscribedAPIs.length === 2, 'a new token');
    assert.equal((await execute(page)).status, '200');
  });
});
