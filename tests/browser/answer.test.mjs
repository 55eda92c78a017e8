// The console is easy: the way to Execute, the panel Answer, and more kinds of refusals.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { CLIPBOARD, claims, execute, notice, press, runCommands } from './page.mjs';
import { demo, open } from './setting.mjs';
import { until } from './support.mjs';

/** Chooses how calls are sent. */
const send = (page, how) => page.getByLabel('Send the call').selectOption({ label: how });

/** Where the top of Execute is on the screen, and whether all of it can be seen. */
const executeButton = (page) => page.getByRole('button', { name: 'Execute' }).evaluate((button) => {
  const { top, bottom } = button.getBoundingClientRect();
  return { top, isVisible: top >= 0 && bottom <= innerHeight, hasFocus: document.activeElement === button };
});

describe('the page', () => {
  test('Execute stays where it is, and keeps the focus, while answers come', async (t) => {
    const page = await open(t, { viewport: { width: 1280, height: 720 } });
    await press(page, 'Generate keys');
    const before = await executeButton(page);
    assert.equal(before.isVisible, true);
    // What moves is noticed also between the events that a test can wait for.
    await page.getByRole('button', { name: 'Execute' }).evaluate((button) => {
      globalThis.places = new Set();
      globalThis.button = button;
      const look = () => {
        globalThis.places.add(button.getBoundingClientRect().top);
        requestAnimationFrame(look);
      };
      look();
    });
    await page.getByRole('button', { name: 'Execute' }).focus();
    for (const status of ['200', '401']) {
      await page.keyboard.press('Enter');
      await page.locator('#answer .status', { hasText: status }).waitFor();
      assert.deepEqual(await executeButton(page), { ...before, hasFocus: true });
      if (status === '200') {
        await page.locator('#tamper').evaluate((button) => button.click());
        await page.locator('#token-state', { hasText: 'Tampered' }).waitFor();
      }
    }
    const places = await page.evaluate(() => [...globalThis.places]);
    assert.deepEqual(places, [before.top]);
    assert.equal(await page.evaluate(() => globalThis.button.isConnected), true);
  });

  test('on a phone, Execute is not far down', async (t) => {
    const page = await open(t, { viewport: { width: 390, height: 844 } });
    await press(page, 'Generate keys');
    const { top } = await page.getByRole('button', { name: 'Execute' }).evaluate((button) => {
      scrollTo(0, 0);
      return { top: button.getBoundingClientRect().top };
    });
    assert.ok(top < 1400, `${top} px`);
  });

  test('one line says what the page is for, and its links lead to the documentation', async (t) => {
    const page = await open(t);
    const intro = page.locator('.intro');
    assert.match(await intro.innerText(), /Generate a token, execute a call, then\s+break the token/);
    const { height } = await intro.boundingBox();
    assert.ok(height < 50, `${height} px are more than one line`);
    for (const link of await intro.locator('a').all()) {
      const response = await fetch(new URL(await link.getAttribute('href'), demo.console));
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
      assert.match(await response.text(), /^# /);
    }
  });
});

describe('the answer', () => {
  test('a checklist shows which checks were passed, and which one failed', async (t) => {
    const page = await open(t);
    assert.deepEqual((await execute(page)).checks, {
      token: 'failed', issuer: 'skipped', audience: 'skipped', time: 'skipped', signature: 'skipped',
      revocation: 'skipped', permission: 'skipped',
    });
    await press(page, 'Generate keys');
    const passed = {
      token: 'passed', issuer: 'passed', audience: 'passed', time: 'passed', signature: 'passed',
      revocation: 'passed', permission: 'passed',
    };
    assert.deepEqual((await execute(page)).checks, passed);
    await press(page, 'Tamper with it');
    const { reason, checks } = await execute(page);
    assert.equal(reason, 'signature');
    assert.deepEqual(checks, {
      ...passed, signature: 'failed', revocation: 'skipped', permission: 'skipped',
    });
  });

  test('the last ten answers can be looked at again', async (t) => {
    const page = await open(t);
    await execute(page);
    await press(page, 'Generate keys');
    await execute(page);
    await page.locator('#history summary').click();
    const entries = page.locator('#history-list button');
    assert.equal(await entries.count(), 2);
    assert.match(await entries.nth(1).innerText(), /^401\s+GET \/phoneverify\S*CheckPhoneNumber: gate, missing/);
    await entries.nth(1).click();
    await page.locator('#answer .status', { hasText: '401' }).waitFor();
    assert.match(await page.locator('#stale').textContent(), /An earlier answer/);
    assert.equal(await entries.nth(1).getAttribute('aria-pressed'), 'true');
    await entries.nth(0).click();
    await page.locator('#answer .status', { hasText: '200' }).waitFor();
    assert.equal(await page.locator('#stale').isVisible(), false);

    // What is done to the token later does not change what an earlier answer meant.
    await press(page, 'Revoke this token');
    await entries.nth(1).click();
    await page.locator('#answer .status', { hasText: '401' }).waitFor();
    await entries.nth(0).click();
    await page.locator('#answer .status', { hasText: '200' }).waitFor();
    assert.doesNotMatch(await page.locator('#answer').innerText(), /revoked/);

    for (let calls = 0; calls < 9; calls += 1) {
      await execute(page);
    }
    assert.equal(await entries.count(), 10);
  });

  test('the commands have the token in a variable and hide the client secret', async (t) => {
    const page = await open(t, { permissions: CLIPBOARD });
    await press(page, 'Generate keys');
    await execute(page);
    const token = await page.locator('#jwt').textContent();
    const [request, call] = [page.locator('#token-command'), page.locator('#curl')];
    assert.match(await call.textContent(), /-H "Authorization: Bearer \$TOKEN"/);
    assert.ok(!(await call.textContent()).includes(token));
    assert.match(await request.textContent(), /^TOKEN=\$\(curl -s -u 'console-production-\w+:•+'/);
    assert.match(await runCommands(page), /^HTTP\/1\.1 200 /);

    // There is no token request for a token that was tampered with.
    await press(page, 'Tamper with it');
    await execute(page);
    assert.match(await request.textContent(), /^TOKEN='eyJ/);
    assert.match(await runCommands(page), /^HTTP\/1\.1 401 /);
  });
});

describe('the rule', () => {
  test('a refusal names the rule that decided, and shows what it matches', async (t) => {
    const page = await open(t);
    const matched = async () => JSON.parse(await page.locator('#rule-match').textContent());
    const missing = await execute(page);
    assert.match(missing.text, /401 Unauthorized/);
    assert.equal(missing.rule, 'rules[1]');
    assert.deepEqual(await matched(), { prefix: '/phoneverify/' });

    await press(page, 'Generate keys');
    const admitted = await execute(page);
    assert.match(admitted.text, /200 OK/);
    assert.equal(admitted.rule, null);
    assert.equal(await page.locator('#rule-match').count(), 0);

    await send(page, 'to the production host');
    await page.getByRole('radio', { name: 'Sandbox' }).check();
    await press(page, 'Generate keys');
    const forbidden = await execute(page);
    assert.match(forbidden.text, /403 Forbidden/);
    assert.equal(forbidden.rule, 'rules[0]');
    assert.equal((await matched()).headers[0].name, ':authority');

    // The rules for the MCP server depend on what its filter reads in the body.
    await send(page, 'correctly');
    await page.getByLabel('API', { exact: true }).selectOption('PhoneBook');
    await page.getByText('/mcp', { exact: true }).first().waitFor();
    const mcp = await execute(page);
    assert.match(mcp.rule, /^rules\[[3-6]\]$/);
    assert.equal((await matched()).path, '/mcp');
  });
});

describe('more kinds of refusals', () => {
  test('a malformed header and two tokens are bad requests', async (t) => {
    const page = await open(t, { permissions: CLIPBOARD });
    await press(page, 'Generate keys');
    const before = await demo.reached();
    for (const [how, reason, text] of [
      ['with quotes around the token', 'malformed_credential', /without quotes/],
      ['with two tokens', 'several_tokens', /Send the token once/],
    ]) {
      await send(page, how);
      const answer = await execute(page);
      assert.deepEqual([answer.status, answer.by, answer.reason], ['400', 'the gate', reason]);
      assert.match(answer.text, text);
      assert.equal(answer.checks.token, 'failed');
      assert.match(await runCommands(page), /^HTTP\/1\.1 400 /);
    }
    assert.equal(await demo.reached(), before);
    await send(page, 'correctly');
    assert.equal((await execute(page)).status, '200');
  });

  test('a sandbox key is refused on the production host, and a production key is not', async (t) => {
    const page = await open(t);
    await send(page, 'to the production host');
    await press(page, 'Generate keys');
    const admitted = await execute(page);
    assert.deepEqual([admitted.status, admitted.by], ['200', 'the API']);
    assert.match(admitted.text, /production\.localhost/);

    await page.getByRole('radio', { name: 'Sandbox' }).check();
    await press(page, 'Generate keys');
    const refused = await execute(page);
    assert.deepEqual([refused.status, refused.reason], ['403', 'claims']);
    assert.match(refused.text, /claim keytype to be PRODUCTION/);
    assert.equal(refused.checks.permission, 'failed');

    // Only this API has such a host.
    await page.getByLabel('API', { exact: true }).selectOption('AreaCodes');
    await page.getByText('/AreaCode', { exact: true }).waitFor();
    assert.equal(await page.getByLabel('Send the call').inputValue(), 'normal');
  });

  test('a token for another API is refused', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    await press(page, 'Wrong audience');
    const { aud } = await claims(page);
    assert.match(await notice(page), new RegExp(`for another API, ${aud}`));
    const { status, reason, checks } = await execute(page);
    assert.deepEqual([status, reason], ['401', 'audience']);
    assert.deepEqual([checks.issuer, checks.audience, checks.time], ['passed', 'failed', 'skipped']);
  });

  test('an opaque token is admitted, and refused after it is revoked', async (t) => {
    const page = await open(t, { permissions: CLIPBOARD });
    await press(page, 'Generate keys');
    await press(page, 'Opaque token');
    assert.doesNotMatch(await page.locator('#jwt').textContent(), /\./);
    assert.equal(await page.locator('#decoded').isVisible(), false);
    assert.equal(await page.getByRole('button', { name: 'Tamper with it' }).isEnabled(), false);
    assert.match(await page.locator('#life-text').textContent(), /^(1 h 00 min|59 min \d\d s) left$/);
    const admitted = await execute(page);
    assert.equal(admitted.status, '200');
    assert.match(admitted.text, /asked the authorization server about the token/);
    assert.equal(admitted.checks.signature, undefined);
    assert.match(await runCommands(page), /^HTTP\/1\.1 200 /);

    await press(page, 'Revoke this token');
    let refused;
    await until(async () => {
      refused = await execute(page);
      return refused.status === '401';
    }, 'a refusal');
    assert.equal(refused.reason, 'inactive');
    assert.match(refused.text, /This token is revoked/);
    assert.equal(refused.checks.revocation, 'failed');
  });
});
