// docs/mcp.md: its commands print what it says, and its YAML is that of the example.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { parse } from 'yaml';

import { ROOT } from '../../tools/checkout.mjs';
import { CLIENT } from './support/authorization-server.mjs';
import { startSetting } from './support/setting.mjs';

const PAGE = await readFile(join(ROOT, 'docs/mcp.md'), 'utf8');
const EXAMPLE = parse(await readFile(join(ROOT, 'envoy/mcp.yaml'), 'utf8'));

/** The text of the fenced blocks that begin with `opening`. */
function blocks(opening) {
  const found = PAGE.split(`${opening}\n`).slice(1).map((rest) => rest.split('```')[0]);
  assert.ok(found.length > 0, opening);
  return found;
}

describe('commands', () => {
  let setting;
  before(async () => { setting = await startSetting({ name: 'documentation' }); });
  after(() => setting?.stop());

  /** `text` with the names of this run for those of the example. */
  const here = (text) => text.replaceAll('https://api.example', new URL(setting.url).origin)
    .replaceAll('"api.example"', `"${new URL(setting.url).host}"`)
    .replaceAll('https://issuer.example', setting.issuer)
    .replaceAll('agent:secret', `${CLIENT.id}:${CLIENT.secret}`);

  const escaped = (line) => line.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  /** A pattern for expected output: a line `...` stands for any lines. */
  const pattern = (lines) => new RegExp(`^${lines.map(
    (line) => (line === '...' ? '(.*\\n)*' : `${escaped(line)}\\n`),
  ).join('')}$`);

  test('print what the page says', async () => {
    // One shell for all commands; a mark separates what they print.
    const steps = [];
    for (const line of blocks('```console').join('').trimEnd().split('\n')) {
      if (line.startsWith('$ ')) {
        steps.push({ command: line.slice(2), expected: [] });
      } else {
        steps.at(-1).expected.push(line);
      }
    }
    const variables = /^ {4}(MCP=.*)\n {4}(ISSUER=.*)\n/m.exec(PAGE).slice(1);
    const script = here([...variables, ...steps.map(({ command }) => `${command}\necho '--- next'`)].join('\n'));
    const { stdout, stderr } = await setting.processes.run('bash', ['-c', script]);
    const outputs = stdout.replaceAll('\r', '').split('--- next\n').slice(0, -1);
    assert.equal(outputs.length, steps.length, stderr);
    for (const [index, { command, expected }] of steps.entries()) {
      assert.match(outputs[index], pattern(expected.map(here)), command);
    }
  });
});

/** Whether `part` is in `whole` or in a part of it: members and items may be left out, but none differ. */
function contains(whole, part) {
  const matches = (value, wanted) => {
    if (Array.isArray(wanted)) {
      return Array.isArray(value) && wanted.every((item) => value.some((one) => matches(one, item)));
    }
    if (wanted !== null && typeof wanted === 'object') {
      return value !== null && typeof value === 'object'
        && Object.entries(wanted).every(([name, item]) => matches(value[name], item));
    }
    return value === wanted;
  };
  return matches(whole, part)
    || (whole !== null && typeof whole === 'object' && Object.values(whole).some((value) => contains(value, part)));
}

test('the parts of the configuration are those of envoy/mcp.yaml', () => {
  for (const block of blocks('<!-- part of envoy/mcp.yaml -->\n```yaml')) {
    assert.ok(contains(EXAMPLE, parse(block)), block);
  }
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
