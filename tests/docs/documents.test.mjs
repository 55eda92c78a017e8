// tools/documents.mjs: how documents are read.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { consoleSteps, contains, linkTarget, outputPattern, parseDocument } from '../../tools/documents.mjs';

const parse = (...lines) => parseDocument('docs/page.md', lines.join('\n'));

test('anchors are those of GitHub', () => {
  const { anchors } = parse('# Why not `jwt_authn`?', '## Twice', '## Twice', '## A & B', '<a id="own"></a>');
  assert.deepEqual([...anchors], ['why-not-jwt_authn', 'twice', 'twice-1', 'a--b', 'own']);
});

test('links in text, tables and HTML are found, and those in code are not', () => {
  const { links } = parse(
    '[a](a.md) ![b](b.png) [c][c] <img src="d.svg">', '', '| x |', '|---|', '| [e](e.md) |', '', '`[f](f.md)`', '',
    '[c]: c.md',
  );
  assert.deepEqual(links.map(({ url }) => url).sort(), ['a.md', 'b.png', 'c.md', 'd.svg', 'e.md']);
});

test('links lead to files of the project, or elsewhere', () => {
  assert.deepEqual(linkTarget('docs/a.md', '../README.md#try-it'), { path: 'README.md', fragment: 'try-it' });
  assert.deepEqual(linkTarget('docs/a.md', '#here'), { path: 'docs/a.md', fragment: 'here' });
  assert.deepEqual(linkTarget('docs/a.md', 'tasks/'), { path: 'docs/tasks', fragment: undefined });
  assert.equal(linkTarget('docs/a.md', 'https://issuer.example/jwks'), null);
});

test('commands may have several lines, and are followed by what they print', () => {
  const steps = consoleSteps(parse(
    '```console', '$ cat <<END', '> text', '> END', 'text', '$ true', '```', '',
    '<!-- not run: it needs a cluster -->', '', '```console', '$ kubectl get pods', '```',
  ));
  assert.deepEqual(steps.map(({ command, expected }) => [command, expected]), [
    ['cat <<END\ntext\nEND', ['text']],
    ['true', []],
  ]);
});

test('expected output may leave out lines and parts of lines', () => {
  const pattern = outputPattern(['HTTP/1.1 200 OK', '...', 'date: …', '...', '{"a": 1}']);
  assert.match('HTTP/1.1 200 OK\na: b\ndate: today\n\n{"a": 1}\n', pattern);
  assert.doesNotMatch('HTTP/1.1 200 OK\na: b\n\n{"a": 1}\n', pattern);
  assert.doesNotMatch('HTTP/1.1 200 OK\ndate: today\n{"a": 1}\nmore\n', pattern);
});

test('a part of a configuration may leave out members, but not change them', () => {
  const whole = { filters: [{ name: 'a', config: { x: 1, y: [1, 2] } }, { name: 'b' }] };
  assert.ok(contains(whole, { x: 1, y: [2] }));
  assert.ok(contains(whole, { filters: [{ name: 'b' }] }));
  assert.ok(!contains(whole, { x: 2 }));
  assert.ok(!contains(whole, { y: [3] }));
});
