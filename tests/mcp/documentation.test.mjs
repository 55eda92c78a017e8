// docs/mcp.md: its commands print what it says, and its versions are those of the tests.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { consoleSteps, outputPattern, parseDocument } from '../../tools/documents.mjs';
import { CLIENT } from './support/authorization-server.mjs';
import { startSetting } from './support/setting.mjs';

const DOCUMENT = parseDocument('docs/mcp.md');
const PAGE = DOCUMENT.text;

describe('commands', () => {
  let setting;
  before(async () => { setting = await startSetting({ name: 'documentation' }); });
  after(() => setting?.stop());

  /** `text` with the names of this run for those of the example. */
  const here = (text) => text.replaceAll('https://api.example', new URL(setting.url).origin)
    .replaceAll('"api.example"', `"${new URL(setting.url).host}"`)
    .replaceAll('https://issuer.example', setting.issuer)
    .replaceAll('agent:secret', `${CLIENT.id}:${CLIENT.secret}`);

  test('print what the page says', async () => {
    // One shell for all commands; a mark separates what they print.
    const steps = consoleSteps(DOCUMENT);
    const variables = /^ {4}(MCP=.*)\n {4}(ISSUER=.*)\n/m.exec(PAGE).slice(1);
    const script = here([...variables, ...steps.map(({ command }) => `${command}\necho '--- next'`)].join('\n'));
    const { stdout, stderr } = await setting.processes.run('bash', ['-c', script]);
    const outputs = stdout.replaceAll('\r', '').split('--- next\n').slice(0, -1);
    assert.equal(outputs.length, steps.length, stderr);
    for (const [index, { command, expected }] of steps.entries()) {
      assert.match(outputs[index], outputPattern(expected.map(here)), command);
    }
  });
});

test('the versions on the page are those that the tests use', async () => {
  const { devDependencies } = JSON.parse(await readFile(join(import.meta.dirname, 'package.json'), 'utf8'));
  const requirements = await readFile(join(import.meta.dirname, 'requirements.txt'), 'utf8');
  const versions = { ...devDependencies, mcp: /^mcp==(.*)$/m.exec(requirements)[1] };
  const named = [...PAGE.matchAll(/`([@\w/-]+)`\s(\d+\.\d+\.\d+)/g)];
  assert.ok(named.length >= 7, String(named.length));
  for (const [, name, version] of named) {
    assert.equal(version, versions[name], name);
  }
});
