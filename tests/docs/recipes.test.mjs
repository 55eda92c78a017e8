// docs/recipes: Envoy starts with each configuration, admits the token of the page, and refuses the others as it says.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { bootstrap, wasmFilter } from '../../tools/bootstrap.mjs';
import { ENVOY, GATE_WASM, ROOT, requireFiles } from '../../tools/checkout.mjs';
import { serveDocument } from '../../tools/document-server.mjs';
import { documentPaths, parseDocument, parseYaml } from '../../tools/documents.mjs';
import { Envoy } from '../../tools/envoy.mjs';
import { newKey, publicJwk, signed } from '../../tools/jwt.mjs';
import { Processes } from '../../tools/processes.mjs';
import { nameOf } from './setting.mjs';

const DIRECTORY = join(ROOT, 'target/tmp/docs/recipes');
const PAGES = documentPaths('docs/recipes').filter((path) => !path.endsWith('README.md'));
/** How the keys of some providers differ from keys with `use: sig` and `alg`. */
const KEYS = {
  'entra-id': { alg: undefined },
  spiffe: { alg: undefined, use: 'jwt-svid' },
};
/** Where requests go if not to `/orders`. */
const TARGETS = { wso2: '/phoneverify/1.0.0/CheckPhoneNumber' };
/** The claims with times, which a page has for some day or other. */
const TIMES = ['iat', 'nbf', 'exp', 'auth_time'];

/** The block of a page with this comment. */
function block({ path, blocks }, comment) {
  const found = blocks.filter((one) => one.comment === comment);
  assert.equal(found.length, 1, `${path}: ${comment}`);
  return found[0].text;
}

/** The rows of the last table of a page: what a token is, how it differs, and the description of the refusal. */
function refusals({ text }) {
  const section = text.split('\n## What it refuses\n')[1];
  return [...section.matchAll(/^\| (.*?) \| `(\{.*\})` \| (.*) \|$/gm)]
    .map(([, what, change, description]) => ({ what, change: JSON.parse(change), description }));
}

/** `members` with those of `change`; `null` removes one. */
const changed = (members, change = {}) => Object.fromEntries(
  Object.entries({ ...members, ...change }).filter(([, value]) => value !== null),
);

/** The clusters that the providers of a configuration fetch their keys through. */
const clustersIn = ({ providers }) => Object.values(providers).map(({ remote_jwks: { http_uri: { cluster } } }) => cluster);

for (const path of PAGES) {
  const page = parseDocument(path);
  const name = nameOf(path);
  const { header, payload } = JSON.parse(block(page, 'token'));
  const config = parseYaml(block(page, 'recipe'));

  describe(name, () => {
    const processes = new Processes();
    const key = newKey(header.alg);
    let keySet;
    let url;

    before(async () => {
      requireFiles([[GATE_WASM, 'make build'], [ENVOY, 'make envoy']]);
      await mkdir(DIRECTORY, { recursive: true });
      const file = (extension) => join(DIRECTORY, `${name}.${extension}`);
      // A key for encryption, which some providers publish beside the others, does no harm.
      const keys = [{ ...publicJwk(header.alg, header.kid, key), ...KEYS[name] },
        { ...publicJwk('RS256', 'encryption', newKey('RS256')), alg: 'RSA-OAEP', use: 'enc' }];
      keySet = await serveDocument(JSON.stringify({ keys }));
      const clusters = Object.fromEntries(clustersIn(config).map((cluster) => [cluster, keySet.port]));
      const filters = [wasmFilter('bearer-gate', GATE_WASM, config)];
      await writeFile(file('json'), JSON.stringify(bootstrap({ filters, clusters })));
      const envoy = await Envoy.start(processes, {
        config: file('json'), logFile: file('log'), adminFile: file('admin'),
      });
      url = `http://127.0.0.1:${(await envoy.ports()).http}${TARGETS[name] ?? '/orders'}`;
    });
    after(async () => {
      await processes.stop();
      await keySet?.stop();
    });

    /** The answer to a request with the token of the page, moved to the present and changed like this. */
    async function send(change) {
      const shift = Math.floor(Date.now() / 1000) - payload.iat;
      const today = Object.fromEntries(TIMES.filter((claim) => claim in payload)
        .map((claim) => [claim, payload[claim] + shift]));
      const claims = changed({ ...payload, ...today }, change.payload);
      const token = change.opaque ?? await signed(header.alg, key, changed(header, change.header), claims);
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      return { status: response.status, body: await response.text() };
    }

    test('the token of the page is admitted', async () => {
      assert.deepEqual(await send({}), { status: 200, body: 'ok\n' });
    });

    const rows = refusals(page);
    test('the page says what is refused', () => assert.ok(rows.length >= 3));
    for (const { what, change, description } of rows) {
      test(`${what} is refused`, async () => {
        const { status, body } = await send(change);
        assert.ok(status === 401 || status === 403, `${status} ${body}`);
        assert.equal(JSON.parse(body).error_description, description);
      });
    }
  });
}
