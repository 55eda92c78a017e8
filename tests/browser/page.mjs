// The console's page in a browser: opening it, and what its panels show.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';

import { ROOT, until } from './support.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** What a page needs to use the clipboard. */
export const CLIPBOARD = ['clipboard-read', 'clipboard-write'];
/** The browser's messages about refusals and failures that the tests provoke. */
const EXPECTED = /^Failed to load resource: (the server responded with a status of (40[0134]|50[34]) |net::ERR_FAILED)/;

/** Opens the console in a new context of `browser`. The test fails if the page logs an error. */
export async function openConsole(context, browser, { path, ...options }) {
  const page = await browser.page(options);
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !EXPECTED.test(message.text())) {
      errors.push(message.text());
    }
  });
  context.after(async () => {
    await page.context().close();
    assert.deepEqual(errors, []);
  });
  await page.goto(path);
  await page.locator('.layout:not([inert])').waitFor();
  await page.getByRole('button', { name: 'Execute' }).waitFor();
  return page;
}

/** Presses a button of the panel Keys and waits until its action is done. */
export async function press(page, name) {
  await page.getByRole('button', { name }).click();
  await page.locator('.keys:not([aria-busy])').waitFor();
}

export const claims = async (page) => (
  JSON.parse(await page.locator('#token-claims').textContent()));
export const notice = (page) => page.locator('#notice').textContent();

/** Presses Execute and waits for the answer. Returns the content of the panel Answer. */
export async function execute(page) {
  await page.locator('#answer').evaluate((panel) => panel.replaceChildren());
  await page.getByRole('button', { name: 'Execute' }).click();
  return answer(page);
}

/** The content of the panel Answer. */
export async function answer(page) {
  await page.locator('#answer .verdict:not(.pending)').waitFor();
  const rows = await page.locator('#challenge tr').evaluateAll((all) => (
    all.map((row) => [...row.cells].map((cell) => cell.textContent))));
  const body = await page.locator('#body').textContent();
  const checks = await page.locator('#checks li').evaluateAll((all) => (
    all.map(({ dataset: { step, outcome } }) => [step, outcome])));
  return {
    status: await page.locator('#answer .status').textContent(),
    by: await page.locator('#decided-by').textContent(),
    rule: (await page.locator('#rule').allTextContents()).at(0) ?? null,
    reason: (await page.locator('#reason').allTextContents()).at(0) ?? null,
    checks: Object.fromEntries(checks),
    text: await page.locator('#answer').innerText(),
    challenge: Object.fromEntries(rows),
    body: body.startsWith('{') ? JSON.parse(body) : body,
  };
}

/**
 * Runs the two commands of the panel Answer, as they are copied. The page must have been opened with
 * `permissions: CLIPBOARD`. Returns what curl writes.
 */
export async function runCommands(page) {
  const commands = [];
  for (const name of ['Copy: The token request', 'Copy: The call as a curl command']) {
    await page.evaluate(() => navigator.clipboard.writeText(''));
    await page.getByRole('button', { name }).click();
    await until(async () => await page.evaluate(() => navigator.clipboard.readText()) !== '', 'the copy');
    commands.push(await page.evaluate(() => navigator.clipboard.readText()));
  }
  const { stdout } = await promisify(execFile)('sh', ['-c', commands.join('\n')], {
    cwd: ROOT, env: { ...process.env, no_proxy: '127.0.0.1', NO_PROXY: '127.0.0.1' },
  });
  return stdout;
}

/** Returns a function that fails if axe finds a problem. The page must have been opened with `bypassCSP`. */
export async function axe(page) {
  await page.addScriptTag({ path: AXE });
  return async (when) => {
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }));
    const found = violations.map(({ id, nodes }) => (
      `${when}: ${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join('\n')}`));
    assert.deepEqual(found, []);
  };
}

/** Fails if a text of the page has another font than the page's two. */
export async function assertFonts(page) {
  const foreign = await page.evaluate(() => (
    [...document.querySelectorAll('h1, h2, h3, h4, h5, p, label, button, small, summary, th, td, select, textarea')]
      .filter((element) => element.getBoundingClientRect().width > 0)
      .filter((element) => !/^(Inter|ui-monospace)/.test(getComputedStyle(element).fontFamily))
      .map((element) => `${element.localName}.${element.className} ${element.innerText}`)));
  assert.deepEqual(foreign, []);
}

/** Fails if the page is wider than a screen of any common width. */
export async function assertNothingOverflows(page) {
  for (const width of [360, 768, 1100, 1440, 2560]) {
    await page.setViewportSize({ width, height: 900 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} px on a screen of ${width}`);
  }
}
