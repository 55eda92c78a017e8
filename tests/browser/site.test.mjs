// The documentation site that `make docs` has built: pages load, links and anchors lead somewhere, search finds pages.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT, requireFiles } from '../../tools/checkout.mjs';
import { close, listen } from '../../tools/listen.mjs';
import { startBrowser } from './support.mjs';

const BOOK = join(ROOT, 'target/site/book');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

let browser;
let server;
let origin;
/** The paths that were asked for and are not there. */
const missing = [];

before(async () => {
  requireFiles([[join(BOOK, 'index.html'), 'make docs']]);
  server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const path = normalize(decodeURIComponent(pathname)).replace(/\/$/, '/index.html');
    try {
      const body = await readFile(join(BOOK, path));
      response.setHeader('content-type', TYPES[extname(path)] ?? 'text/plain').end(body);
    } catch {
      missing.push(path);
      response.writeHead(404).end();
    }
  });
  origin = `http://127.0.0.1:${await listen(server, 0)}`;
  browser = await startBrowser();
});
after(async () => {
  await browser?.stop();
  await close(server);
});

/** The parts of a page that the tests are about, as seen by the browser after its scripts have run. */
const inspect = () => ({
  title: document.title,
  heading: document.querySelector('main h1')?.textContent,
  ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
  links: [...document.querySelectorAll('main a[href]')].map(({ href }) => href),
  chapters: [...document.querySelectorAll('#mdbook-sidebar a[href]')].map(({ href }) => href),
});

test('all pages load, and their links and anchors lead somewhere', async () => {
  const page = await browser.page();
  const errors = [];
  page.on('pageerror', (error) => errors.push(`${page.url()}: ${error.message}`));
  const visit = async (url) => {
    await page.goto(url, { waitUntil: 'load' });
    return page.evaluate(inspect);
  };
  const start = await visit(`${origin}/index.html`);
  const chapters = [...new Set(start.chapters)].filter((url) => url.startsWith(origin));
  assert.ok(chapters.length > 40, String(chapters.length));
  const pages = new Map();
  for (const url of chapters) {
    pages.set(url, await visit(url));
    assert.ok(pages.get(url).heading, `${url} has no heading`);
  }
  assert.deepEqual(errors, []);
  assert.deepEqual(missing, []);

  const broken = [];
  const files = new Map();
  for (const [from, { links }] of pages) {
    for (const link of links.filter((url) => url.startsWith(origin))) {
      const [url, fragment] = link.split('#');
      if (!pages.has(url) && !files.has(url)) {
        files.set(url, (await fetch(url)).status);
      }
      const known = pages.get(url);
      if (files.get(url) === 404 || (known && fragment && !known.ids.includes(decodeURIComponent(fragment)))) {
        broken.push(`${from}: ${link}`);
      }
    }
  }
  assert.deepEqual(broken, []);
});

test('search finds a word and leads to its page', async () => {
  const page = await browser.page();
  await page.goto(`${origin}/index.html`);
  await page.locator('#mdbook-search-toggle').click();
  await page.locator('#mdbook-searchbar').pressSequentially('subscriptions');
  const first = page.locator('#mdbook-searchresults a').first();
  await first.waitFor();
  assert.match(await first.textContent(), /WSO2/);
  await first.click();
  await page.waitForURL(/wso2\.html/);
});
