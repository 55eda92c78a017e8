// The console never gets stuck: while it loads, and when servers do not answer.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';

import { execute, notice, press } from './page.mjs';
import { browser, demo, open } from './setting.mjs';
import { ROOT } from './support.mjs';

test('pressing a button before the scripts are loaded does nothing, and the page loads', async (t) => {
  const page = await browser.page();
  t.after(() => page.context().close());
  const problems = [];
  page.on('console', (message) => problems.push(message.text()));
  let load;
  const held = new Promise((resolve) => { load = resolve; });
  await page.route('**/app.mjs', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(demo.console, { waitUntil: 'commit' });
  const { x, y, width, height } = await page.locator('#generate-button').boundingBox();
  await page.mouse.click(x + width / 2, y + height / 2);
  load();
  await page.getByRole('button', { name: 'Execute' }).waitFor();
  await page.getByRole('button', { name: 'Generate keys' }).click();
  await page.locator('#token').waitFor();
  assert.equal((await execute(page)).status, '200');
  assert.equal(page.url(), demo.console);
  assert.deepEqual(problems, []);
});

test('if the page cannot start, it says why, and its controls stay disabled', async (t) => {
  const page = await browser.page();
  t.after(() => page.context().close());
  await page.route('**/settings.json', (route) => route.abort());
  await page.goto(demo.console);
  await page.locator('#fatal').waitFor();
  assert.match(await page.locator('#fatal').textContent(), /The portal .* cannot be reached.* Load the page again/);
  const focused = await page.locator('#generate-button').evaluate((button) => {
    button.focus();
    return document.activeElement === button;
  });
  assert.equal(focused, false);
});

describe('servers that do not answer', () => {
  test('a call shows that it is running, and after some seconds which server has not answered', async (t) => {
    const page = await open(t);
    await page.route(`${demo.issuer}/token`, () => {});
    await page.getByRole('button', { name: 'Generate keys' }).click();
    await page.locator('.keys[aria-busy=true] #generate-button[aria-busy=true]').waitFor();
    await page.locator('#notice', { hasText: 'Waiting for the server' }).waitFor();
    await page.locator('#notice.problem').waitFor();
    assert.match(await notice(page), /^The authorization server \(127\.0\.0\.1:\d+\) has not answered within 8 s\.$/);
    assert.equal(await page.locator('[aria-busy=true]').count(), 0);
    await page.unroute(`${demo.issuer}/token`);
    await press(page, 'Generate token');
    assert.equal((await execute(page)).status, '200');
  });

  test('an error of a server is shown with its name and what it says', async (t) => {
    const page = await open(t);
    await page.route('**/applications/keys', (route) => route.fulfill({
      status: 503, json: { error: 'temporarily_unavailable', error_description: 'Try later' },
    }));
    await press(page, 'Generate keys');
    assert.match(await notice(page), /^The portal \(127\.0\.0\.1:\d+\) answered 503: Try later\.$/);
  });

  test('a call to the API shows that it is running', async (t) => {
    const page = await open(t);
    await page.route(`${demo.http}/phoneverify/**`, () => {});
    await page.getByRole('button', { name: 'Execute' }).click();
    await page.locator('#answer .verdict.pending', { hasText: 'Waiting for the answer' }).waitFor();
    assert.equal(await page.locator('.answer').getAttribute('aria-busy'), 'true');
  });
});

describe('the terminal', () => {
  test('the fetches of the revocation list are not logged', async () => {
    // The walk has waited for the gate to read the list, so it was fetched several times.
    assert.match(demo.output(), /The access token has been revoked/);
    assert.match(demo.output(), /POST \/token 200/);
    assert.doesNotMatch(demo.output(), /GET \/revoked/);
  });

  test('a second demo on ports that are taken names them, and suggests others', async () => {
    const taken = { HTTP_PORT: new URL(demo.http).port, AUTH_PORT: new URL(demo.issuer).port };
    const second = spawn(process.execPath, ['demo/run.mjs'], {
      cwd: ROOT, env: { ...process.env, ...taken }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [second.stdout, second.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { output += text; });
    }
    const [code] = await once(second, 'close');
    assert.equal(code, 2);
    for (const [name, port] of Object.entries(taken)) {
      assert.match(output, new RegExp(`port ${port} \\(${name}\\) is taken`));
      assert.match(output, new RegExp(`make run .*${name}=\\d+`));
    }
    assert.doesNotMatch(output, /EADDRINUSE/);
  });
});
