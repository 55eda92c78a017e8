// docs/bound-tokens.md, the part about certificates: its commands print what it says.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { consoleSteps, outputPattern, parseDocument } from '../../tools/documents.mjs';
import { startSetting } from './support/setting.mjs';

const PAGE = parseDocument('docs/bound-tokens.md').text;
/** The section about certificates. */
const SECTION = PAGE.split('\n## ').find((section) => section.startsWith('Certificate-bound tokens\n'));

let setting;
before(async () => { setting = await startSetting('documentation'); });
after(() => setting?.stop());

test('the commands print what the page says', async () => {
  // One shell for all commands; a mark separates what they print.
  const steps = consoleSteps(parseDocument('docs/bound-tokens.md', SECTION));
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
    assert.match(outputs[index], outputPattern(expected), command);
  }
});
