// The boundaries of the console: CORS, leaks of tokens and secrets, and requests that the demo's servers
// refuse.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { browser, demo } from './setting.mjs';
import { ROOT, post, send } from './support.mjs';

const TARGET = '/phoneverify/1.0.0/CheckPhoneNumber?PhoneNumber=18006785432&LicenseKey=0';

const preflight = (origin) => send(demo.http + TARGET, {
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'authorization',
  },
});

const cors = (headers) => Object.fromEntries(
  Object.entries(headers).filter(([name]) => name.startsWith('access-control-')),
);

/** Creates a client and gets a token for an API. */
async function keys(wanted = {}, resource = 'https://api.example.com/phoneverify') {
  const { body: client } = await post(`${demo.console}applications/keys`, {
    keytype: 'SANDBOX', subscribedAPIs: [{ name: 'PhoneVerification', version: '1.0.0' }], ...wanted,
  });
  const credentials = { id: client.client_id, secret: client.client_secret };
  const { body } = await post(
    `${demo.issuer}/token`,
    new URLSearchParams({ grant_type: 'client_credentials', resource }),
    credentials,
  );
  return { credentials, token: body.access_token };
}

const jti = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).jti;

describe('CORS', () => {
  test("a preflight from the console's origin is answered without a token and without the API", async () => {
    const before = await demo.reached();
    for (const origin of [demo.origin, demo.origin.replace('http:', 'https:')]) {
      const { status, headers } = await preflight(origin);
      assert.equal(status, 200);
      assert.deepEqual(cors(headers), {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': 'authorization, dpop, content-type',
        'access-control-max-age': '600',
        'access-control-expose-headers': 'www-authenticate, retry-after, x-envoy-upstream-service-time, x-gate-rule',
      });
    }
    assert.equal(await demo.reached(), before);
  });

  test('a preflight from another origin passes the gate to the API, which does not allow it', async () => {
    const origins = ['https://evil.example', 'null', `${demo.origin}.evil.example`, demo.http];
    for (const origin of origins) {
      const before = await demo.reached();
      const { status, headers } = await preflight(origin);
      // The API's own answer: of all requests without a token, only preflights get that far.
      assert.equal(status, 405, origin);
      assert.equal(headers.allow, 'GET');
      assert.deepEqual(cors(headers), {}, origin);
      assert.equal(await demo.reached(), before + 1);
    }
  });

  test('an OPTIONS request that is not a preflight needs a token', async () => {
    const before = await demo.reached();
    const requests = [{}, { origin: demo.origin }, { 'access-control-request-method': 'GET' }];
    for (const headers of requests) {
      assert.equal((await send(demo.http + TARGET, { method: 'OPTIONS', headers })).status, 401);
    }
    assert.equal(await demo.reached(), before);
  });

  test('only the console may read why a request is refused', async () => {
    for (const [origin, expected] of [[demo.origin, demo.origin], ['https://evil.example', undefined]]) {
      const { status, headers } = await send(demo.http + TARGET, {
        headers: { origin, authorization: 'Bearer a.b.c' },
      });
      assert.equal(status, 401);
      assert.match(headers['www-authenticate'], /error="invalid_token"/);
      assert.equal(headers['access-control-allow-origin'], expected);
      assert.equal(headers['access-control-allow-credentials'], undefined);
      assert.equal(
        headers['access-control-expose-headers'],
        expected && 'www-authenticate, retry-after, x-envoy-upstream-service-time, x-gate-rule',
      );
    }
  });

  test("in a browser, a page of another origin can read answers of neither the API nor the token endpoint", async () => {
    const { credentials, token } = await keys();
    const page = await browser.page();
    const sources = [demo.console, `${demo.issuer.replace('127.0.0.1', 'localhost')}/jwks`];
    const seen = [];
    for (const source of sources) {
      await page.goto(source);
      seen.push(await page.evaluate(async ({ api, issuer, basic, bearer }) => {
        const status = (...request) => fetch(...request).then((answer) => answer.status, () => 'none');
        return [
          await status(api, { headers: { authorization: `Bearer ${bearer}` } }),
          await status(`${issuer}/token`, {
            method: 'POST',
            headers: { authorization: `Basic ${basic}` },
            body: new URLSearchParams({ grant_type: 'client_credentials' }),
          }),
        ];
      }, {
        api: demo.http + TARGET,
        issuer: demo.issuer,
        basic: btoa(`${credentials.id}:${credentials.secret}`),
        bearer: token,
      }));
    }
    await page.context().close();
    assert.deepEqual(seen, [[200, 200], ['none', 'none']]);
  });
});

describe('nothing leaks', () => {
  test('tokens and secrets are sent only to their servers and kept only in memory', async () => {
    const page = await browser.page();
    const requests = [];
    page.on('request', (request) => requests.push(request));
    await page.goto(demo.console);
    await page.getByRole('button', { name: 'Generate keys' }).click();
    await page.locator('#token').waitFor();
    await page.getByRole('button', { name: 'Show the client secret' }).click();
    await page.locator('#client-secret', { hasText: /^[\w-]{32}$/ }).waitFor();
    const secret = await page.locator('#client-secret').textContent();
    const token = await page.locator('#jwt').textContent();
    await page.getByRole('button', { name: 'Execute' }).click();
    await page.locator('#answer .status', { hasText: '200' }).waitFor();
    await page.getByRole('button', { name: 'Revoke this token' }).click();
    await page.locator('#token-state', { hasText: 'Revoked' }).waitFor();

    const authorized = new Map();
    for (const request of requests) {
      const { authorization, cookie, referer } = await request.allHeaders();
      const { origin } = new URL(request.url());
      assert.ok([demo.origin, demo.http, demo.issuer].includes(origin), request.url());
      assert.equal(cookie, undefined);
      assert.equal(referer, undefined);
      assert.ok(!request.url().includes(secret) && !request.url().includes(token), request.url());
      if (authorization) {
        const schemes = authorized.get(origin) ?? new Set();
        authorized.set(origin, schemes.add(authorization.split(' ')[0]));
      }
    }
    assert.deepEqual([...authorized.keys()].sort(), [demo.http, demo.issuer].sort());
    assert.deepEqual([...authorized.get(demo.http)], ['Bearer']);
    assert.deepEqual([...authorized.get(demo.issuer)], ['Basic']);
    assert.deepEqual(await page.evaluate(async () => [
      { ...localStorage }, { ...sessionStorage }, document.cookie, location.href,
      (await indexedDB.databases()).length, (await caches.keys()).length,
    ]), [{}, {}, '', demo.console, 0, 0]);
    assert.deepEqual(await page.context().cookies(), []);
    await page.context().close();
  });

  test('the page may run only its own files', async () => {
    const { headers } = await send(demo.console);
    const policy = headers['content-security-policy'];
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self'(;|$)/);
    assert.ok(!policy.includes('unsafe'), policy);
    assert.equal(headers['access-control-allow-origin'], undefined);
  });
});

describe("the demo's servers", () => {
  test('the examples in the documents are the answers of the APIs', async () => {
    const names = ['PhoneVerification', 'AreaCodes'];
    const subscribedAPIs = names.map((name) => ({ name, version: '1.0.0' }));
    for (const name of names) {
      const document = JSON.parse(await readFile(join(ROOT, `demo/openapi/${name}.json`), 'utf8'));
      const [[path, { get }]] = Object.entries(document.paths);
      const base = new URL(document.servers[0].url).pathname;
      const query = new URLSearchParams(get.parameters.map(({ name: key, example }) => [key, example]));
      const resource = `https://api.example.com${base.replace('/1.0.0', '')}`;
      const { token } = await keys({ subscribedAPIs }, resource);
      const ask = async (text, bearer = token) => {
        const answer = await send(`${demo.http}${base}${path}?${text}`, {
          headers: { authorization: `Bearer ${bearer}` },
        });
        return [answer.status, JSON.parse(answer.text)];
      };
      const { example } = get.responses[200].content['application/json'];
      assert.deepEqual(await ask(query), [200, example]);
      const bad = document.components.responses.BadRequest.content['application/json'].example;
      assert.deepEqual(await ask(''), [400, bad]);
      assert.equal((await ask(query, `${token}x`))[0], 401);
      const forbidden = document.components.responses.Forbidden.content['application/json'].example;
      const { token: unsubscribed } = await keys({ subscribedAPIs: [] }, resource);
      assert.deepEqual(await ask(query, unsubscribed), [403, forbidden]);
      // A subscription is not enough: the token must be for this API.
      const { token: other } = await keys({ subscribedAPIs }, 'https://api.example.com/other');
      assert.equal((await ask(query, other))[0], 401);
      if (get.responses[404]) {
        const none = document.components.responses.NotFound.content['application/json'].example;
        assert.deepEqual(await ask('Code=999'), [404, none]);
      }
    }
  });

  test('the portal refuses invalid requests', async () => {
    const url = `${demo.console}applications/keys`;
    const good = { keytype: 'SANDBOX', subscribedAPIs: [] };
    const { body: client } = await post(url, good);
    for (const [path, body, status] of [
      ['keys', good, 200],
      ['keys', {}, 400],
      ['keys', null, 400],
      ['keys', [], 400],
      ['keys', { ...good, keytype: 'OTHER' }, 400],
      ['keys', { ...good, subscribedAPIs: {} }, 400],
      ['keys', { ...good, subscribedAPIs: [null] }, 400],
      ['keys', { ...good, subscribedAPIs: [{ name: 'AreaCodes', version: '2' }] }, 400],
      ['keys', { ...good, more: 'x'.repeat(5000) }, 413],
      ['secret', { client_id: client.client_id }, 400],
      ['secret', { client_id: client.client_id, client_secret: 'another' }, 401],
      ['secret', { client_id: 'phone-app', client_secret: 'another' }, 401],
      ['subscriptions', { ...client, client_secret: 'another' }, 401],
      ['nothing', good, 405],
    ]) {
      const answer = await post(`${demo.console}applications/${path}`, body);
      assert.equal(answer.status, status, `${path} ${JSON.stringify(body)}`);
      assert.equal(typeof answer.body.error, status === 200 ? 'undefined' : 'string');
    }
    const form = await send(url, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' });
    assert.equal(form.status, 415);
    assert.equal((await send(`${demo.console}applications/keys`)).status, 405);
    for (const path of ['run.mjs', '../run.mjs', '%2e%2e/run.mjs', 'swagger-ui/../../package.json']) {
      assert.equal((await send(demo.console + path)).status, 404, path);
    }
  });

  test('the console has one address: localhost redirects there, other names are refused', async () => {
    const { host } = new URL(demo.console);
    const local = await send(demo.console, { headers: { host: host.replace('127.0.0.1', 'localhost') } });
    assert.deepEqual([local.status, local.headers.location], [307, `//${host}/`]);
    const foreign = await send(demo.console, { headers: { host: 'evil.example' } });
    assert.equal(foreign.status, 421);
  });

  test('a client can revoke only its own tokens', async () => {
    const [mine, theirs] = [await keys(), await keys()];
    const revoke = (token, credentials) => post(
      `${demo.issuer}/revoke`,
      new URLSearchParams({ token }),
      credentials,
    );
    const other = await revoke(theirs.token, mine.credentials);
    assert.deepEqual([other.status, other.body.error], [400, 'unauthorized_client']);
    const stranger = await revoke(mine.token, { ...mine.credentials, secret: 'another' });
    assert.deepEqual([stranger.status, stranger.body.error], [401, 'invalid_client']);
    const [head, body, signature] = mine.token.split('.');
    const forged = [head, body, [...signature].reverse().join('')].join('.');
    for (const token of [forged, 'no token']) {
      assert.equal((await revoke(token, mine.credentials)).status, 200);
    }
    const before = (await demo.revoked()).tokens;
    assert.ok(!before.includes(jti(mine.token)) && !before.includes(jti(theirs.token)));

    assert.equal((await revoke(mine.token, mine.credentials)).status, 200);
    const { tokens } = await demo.revoked();
    assert.ok(tokens.includes(jti(mine.token)) && !tokens.includes(jti(theirs.token)));
  });
});
