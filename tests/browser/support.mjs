// The demo on free ports, and a headless Chromium that opens its console.

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { chromium } from 'playwright-core';

import { ROOT } from '../../tools/checkout.mjs';

export { ROOT };

const PORTS = [
  'HTTP_PORT', 'HTTPS_PORT', 'CONSOLE_PORT', 'ADMIN_PORT', 'AUTH_PORT', 'API_PORT', 'PORTAL_PORT',
  'MCP_PORT',
];
const READY_WITHIN_MS = 120_000;
const HOLDS_WITHIN_MS = 60_000;
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** Starts the demo and waits for the end of its walk. `stop` ends it. */
export async function startDemo() {
  const free = Object.fromEntries(PORTS.map((name) => [name, '0']));
  const child = spawn(process.execPath, ['demo/run.mjs'], {
    cwd: ROOT,
    env: { ...process.env, ...free, ONCE: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => { output += text; });
  }
  const ended = new Promise((resolve) => { child.once('close', resolve); });
  const up = (async () => {
    const end = Date.now() + READY_WITHIN_MS;
    while (!/^ {2}Envoy's log /m.test(output)) {
      if (Date.now() > end || child.exitCode !== null) {
        child.kill('SIGTERM');
        throw new Error(`the demo did not start:\n${output}`);
      }
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  })();
  await up;

  const row = (name) => new RegExp(`^  ${name} +(\\S+)$`, 'm').exec(output)[1];
  const console = row('the API console');
  const api = new URL(row('the API directly')).origin;
  let marks = 0;
  const settings = await (await fetch(`${console}settings.json`)).json();
  return {
    console,
    origin: new URL(console).origin,
    http: settings.servers[0].url,
    https: settings.servers[1].url,
    issuer: settings.authorizationServer,
    /** The number of requests that have reached the sample API, without those of this function. */
    async reached() {
      // Once this request is in the log, all earlier ones are.
      const mark = `/mark-${marks += 1}`;
      await fetch(api + mark);
      await until(() => output.includes(mark), `${mark} in the sample API's log`);
      const log = output.slice(0, output.indexOf(mark)).match(/^ +sample API +\|.*$/gm) ?? [];
      return log.filter((line) => !line.includes('/mark-')).length;
    },
    /** What the demo has written to the terminal. */
    output: () => output,
    revoked: async () => (await fetch(`${settings.authorizationServer}/revoked`)).json(),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The Chromium that `CHROMIUM` names, or the one in the PATH. */
function executable() {
  if (process.env.CHROMIUM) {
    return process.env.CHROMIUM;
  }
  const candidates = ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((path) => join(path, name)));
  const found = candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) {
    throw new Error('Chromium is missing: install it, or set CHROMIUM to its path');
  }
  return found;
}

/** Starts Chromium with an empty profile. `page` opens a page in a new context. */
export async function startBrowser() {
  const profile = await mkdtemp(join(tmpdir(), 'bearer-gate-chromium-'));
  const browser = await chromium.launch({
    executablePath: executable(),
    args: FLAGS,
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
  });
  return {
    async page(options = {}) {
      const context = await browser.newContext({
        viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', ...options,
      });
      context.setDefaultTimeout(HOLDS_WITHIN_MS);
      return context.newPage();
    },
    async stop() {
      await browser.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** Sends an HTTP request with any headers; `fetch` does not allow some. */
export function send(url, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => { text += part; });
      response.once('end', () => resolve({
        status: response.statusCode, headers: response.headers, text,
      }));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Sends a POST request to the portal or the authorization server, with JSON or a form. */
export async function post(url, body, { id, secret } = {}) {
  const json = !(body instanceof URLSearchParams);
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      ...(json && { 'content-type': 'application/json' }),
      ...(id && { authorization: `Basic ${btoa(`${id}:${secret}`)}` }),
    },
    body: json ? JSON.stringify(body) : body,
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : null };
}

/** Waits until a condition holds, but no longer than `HOLDS_WITHIN_MS`. */
export async function until(holds, what) {
  const end = Date.now() + HOLDS_WITHIN_MS;
  while (!await holds()) {
    if (Date.now() > end) {
      throw new Error(`timed out waiting for ${what}`);
    }
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}
