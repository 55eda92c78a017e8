// What the console says is true: about tokens, about who has answered, and about the choices.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { claims, execute, notice, press } from './page.mjs';
import { demo, open } from './setting.mjs';
import { until } from './support.mjs';

const state = (page) => page.locator('#token-state').textContent();
const chooseApi = async (page, name, path) => {
  await page.getByLabel('API', { exact: true }).selectOption(name);
  await page.getByText(path, { exact: true }).waitFor();
};

/** Answers the next calls of the API as Envoy would. */
async function answerAsEnvoy(page, status, body, headers = {}) {
  await page.route(`${demo.http}/phoneverify/**`, (route) => route.fulfill({
    status,
    body,
    headers: {
      'access-control-allow-origin': demo.origin,
      'access-control-expose-headers': 'www-authenticate, retry-after, x-envoy-upstream-service-time',
      ...headers,
    },
  }));
}

describe('tokens', () => {
  test('revoking a token that was tampered with revokes its original', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    const { jti } = await claims(page);
    const original = await page.locator('#jwt').textContent();
    await press(page, 'Tamper with it');
    await press(page, 'Revoke this token');
    assert.match(await notice(page), /its original is revoked\. The console sends the original again/);
    assert.equal(await page.locator('#jwt').textContent(), original);
    assert.equal(await state(page), 'Revoked');
    assert.ok((await demo.revoked()).tokens.includes(jti));
  });

  test('tampering twice adds one day, and the bar does not say that the token is valid', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    const { exp } = await claims(page);
    for (const said of [/a day later now/, /already tampered/]) {
      await press(page, 'Tamper with it');
      assert.match(await notice(page), said);
      assert.equal((await claims(page)).exp, exp + 86_400);
    }
    assert.equal(await page.locator('#life').evaluate(({ value }) => value), 0);
    assert.match(await page.locator('#life-text').textContent(), /signature does not match the claims/);
  });

  test('after "Let it expire", the next token has the chosen validity period again', async (t) => {
    const page = await open(t);
    await page.getByLabel('Validity period').fill('600');
    await press(page, 'Generate keys');
    await press(page, 'Let it expire');
    const short = await claims(page);
    assert.equal(short.exp - short.iat, 3);
    await page.getByLabel('Subscribed').click();
    await until(async () => (await claims(page)).jti !== short.jti, 'a new token');
    const { exp, iat } = await claims(page);
    assert.equal(exp - iat, 600);
  });

  test('a validity period that the authorization server shortens is named', async (t) => {
    const page = await open(t);
    await page.getByLabel('Validity period').fill('86400');
    await press(page, 'Generate keys');
    const { exp, iat } = await claims(page);
    assert.equal(exp - iat, 3600);
    assert.match(await notice(page), /authorization server has shortened its validity to 1 h 00 min/);
    await page.getByLabel('Validity period').fill('3600');
    await press(page, 'Generate token');
    assert.doesNotMatch(await notice(page), /shortened/);
  });

  test('a token that was issued before a change of the subscription is said to be', async (t) => {
    const page = await open(t);
    await page.getByRole('radio', { name: 'Sandbox' }).check();
    await press(page, 'Generate keys');
    await page.getByRole('radio', { name: 'Production' }).check();
    await press(page, 'Generate keys');
    const { jti } = await claims(page);
    await page.getByLabel('Subscribed').click();
    await until(async () => (await claims(page)).jti !== jti, 'a new token');
    assert.equal(await page.locator('#disagreement').isVisible(), false);

    await page.getByRole('radio', { name: 'Sandbox' }).check();
    await page.locator('#disagreement', { hasText: 'still includes a subscription to Phone Verification' })
      .waitFor();
    assert.equal(await page.getByLabel('Subscribed').isChecked(), false);
    assert.equal((await execute(page)).status, '200');
    await press(page, 'Generate token');
    assert.equal(await page.locator('#disagreement').isVisible(), false);
    assert.equal((await execute(page)).status, '403');
  });

  test('if no new token can be had after a change, the page says what the old one includes', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    await page.route(`${demo.issuer}/token`, (route) => route.abort());
    await page.getByLabel('Subscribed').click();
    await page.locator('#notice.problem').waitFor();
    assert.match(await notice(page), /The authorization server \(127\.0\.0\.1:\d+\) cannot be reached/);
    assert.match(await page.locator('#disagreement').textContent(), /still includes a subscription/);
    await page.unroute(`${demo.issuer}/token`);
    await press(page, 'Generate token');
    assert.deepEqual((await claims(page)).subscribedAPIs, []);
    assert.equal(await page.locator('#disagreement').isVisible(), false);
  });

  test('a choice that is made while a call is running is applied afterwards', async (t) => {
    const page = await open(t);
    let answerNow;
    const held = new Promise((resolve) => { answerNow = resolve; });
    await page.route(`${demo.issuer}/token`, async (route) => {
      await held;
      await route.continue();
    });
    await page.getByRole('button', { name: 'Generate keys' }).click();
    await page.getByRole('radio', { name: 'Sandbox' }).check();
    answerNow();
    await page.locator('.keys:not([aria-busy])').waitFor();
    assert.equal(await page.getByRole('radio', { name: 'Sandbox' }).isChecked(), true);
    assert.equal(await page.locator('#token').isVisible(), false);
    await page.getByRole('radio', { name: 'Production' }).check();
    assert.equal((await claims(page)).keytype, 'PRODUCTION');
  });
});

describe('who has answered', () => {
  test('the gate, the API and Envoy are told apart', async (t) => {
    const page = await open(t);
    assert.equal((await execute(page)).by, 'the gate');
    await press(page, 'Generate keys');
    assert.equal((await execute(page)).by, 'the API');

    await answerAsEnvoy(page, 504, 'upstream request timeout');
    const late = await execute(page);
    assert.deepEqual([late.status, late.by, late.reason], ['504', 'Envoy', null]);
    assert.match(late.text, /let the request through, but the API did not answer in time/);
    assert.equal(late.checks.signature, 'passed');

    await page.unroute(`${demo.http}/phoneverify/**`);
    await answerAsEnvoy(page, 503, '');
    const failed = await execute(page);
    assert.deepEqual([failed.status, failed.by], ['503', 'Envoy']);
    assert.match(failed.text, /neither the gate nor the API.*filter itself has failed/s);
    assert.deepEqual(failed.checks, {});

    await page.unroute(`${demo.http}/phoneverify/**`);
    await answerAsEnvoy(page, 503, 'upstream connect error or disconnect/reset before headers.');
    assert.match((await execute(page)).text, /but Envoy could not reach the API/);

    // An API may use the words of the gate.
    await page.unroute(`${demo.http}/phoneverify/**`);
    await answerAsEnvoy(page, 401, JSON.stringify({
      error: 'invalid_token', error_description: 'The access token expired',
    }), { 'x-envoy-upstream-service-time': '1' });
    assert.equal((await execute(page)).by, 'the API');
  });

  test('an answer says which request it belongs to, and is dimmed when that is not the current one', async (t) => {
    const page = await open(t);
    const request = page.locator('.answer .request');
    await execute(page);
    assert.match(await request.textContent(), /^GET http:.*CheckPhoneNumber.*without a token/);
    await press(page, 'Generate keys');
    await page.locator('.answer.stale').waitFor();
    assert.match(await page.locator('#stale').textContent(), /you have changed the token/);
    await execute(page);
    assert.equal(await page.locator('#stale').isVisible(), false);
    assert.match(await request.textContent(), /with the token eyJ/);

    await chooseApi(page, 'AreaCodes', '/AreaCode');
    assert.match(await page.locator('#stale').textContent(), /you have changed the API/);
    await chooseApi(page, 'PhoneVerification', '/CheckPhoneNumber');
    assert.equal(await page.locator('.answer.stale').count(), 0);
    await page.getByRole('radio', { name: 'HTTPS' }).check();
    await page.locator('.answer.stale').waitFor();
    assert.match(await page.locator('#stale').textContent(), /you have changed the server/);
  });

  test('if an API cannot be shown, the page keeps the old one', async (t) => {
    const page = await open(t);
    await page.route('**/openapi/AreaCodes.json', (route) => route.abort());
    await page.getByLabel('API', { exact: true }).selectOption('AreaCodes');
    await page.locator('#notice.problem').waitFor();
    assert.match(await notice(page), /The portal \(127\.0\.0\.1:\d+\) cannot be reached/);
    assert.equal(await page.getByLabel('API', { exact: true }).inputValue(), 'PhoneVerification');
    assert.equal(await page.locator('#api-title').textContent(), 'Phone Verification 1.0.0');
    assert.match(await page.locator('#subscription-hint').textContent(), /Phone Verification/);
    await press(page, 'Generate keys');
    assert.equal((await execute(page)).status, '200');
  });
});
