// docs/bound-tokens.md: its commands print what it says, and its YAML is that of the example.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { parse } from 'yaml';

import { ROOT } from '../../tools/checkout.mjs';
import { startSetting } from './support/setting.mjs';

const PAGE = await readFile(join(ROOT, 'docs/bound-tokens.md'), 'utf8');
/** The section about certificates. */
const SECTION = PAGE.split('\n## ').find((section) => section.startsWith('Certificate-bound tokens\n'));
const EXAMPLE = parse(await readFile(join(ROOT, 'envoy/certificates.yaml'), 'utf8'));

let setting;
before(async () => { setting = await startSetting('documentation'); });
after(() => setting?.stop());

/** The text of the fenced blocks that begin with `opening`. */
function blocks(opening) {
  const found = SECTION.split(`${opening}\n`).slice(1).map((rest) => rest.split('```')[0]);
  assert.ok(found.length > 0, opening);
  return found;
}

test('the commands print what the page says', async () => {
  // One shell for all commands; a mark separates what they print.
  const steps = [];
  for (const line of blocks('```console').join('').trimEnd().split('\n')) {
    if (line.startsWith('$ ')) {
      steps.push({ command: line.slice(2), expected: '' });
    } else {
      steps.at(-1).expected += `${line}\n`;
    }
  }
  const variables = /^ {4}(API=.*)\n {4}(ISSUER=.*)\n {4}(export .*)\n/m.exec(SECTION).slice(1);
  const script = [...variables, ...steps.map(({ command }) => `${command}\necho '--- next'`)].join('\n')
    .replaceAll('API=https://api.example', `API=${setting.api}`)
    .replaceAll('https://issuer.example', setting.issuer);
  const { stdout, stderr } = await setting.processes.run('bash', ['-c', script], {
    cwd: setting.directory,
  });
  const outputs = stdout.split('--- next\n').slice(0, -1);
  assert.equal(outputs.length, steps.length, stderr);
  for (const [index, { command, expected }] of steps.entries()) {
    assert.equal(outputs[index], expected, command);
  }
});

/** Whether `part` is in `whole` or in a part of it: members may be left out, but none differ. */
function contains(whole, part) {
  if (whole === null || typeof whole !== 'object') {
    return false;
  }
  const matches = (value, wanted) => (wanted !== null && typeof wanted === 'object'
    ? Object.entries(wanted).every(([name, item]) => matches(value?.[name], item))
    : value === wanted);
  return matches(whole, part) || Object.values(whole).some((value) => contains(value, part));
}

test('the parts of the configuration are those of envoy/certificates.yaml', () => {
  for (const block of blocks('<!-- part of envoy/certificates.yaml -->\n```yaml')) {
    assert.ok(contains(EXAMPLE, parse(block)), block);
  }
});
