// Every command in the documents prints what its page says. Each page runs in one shell, in a directory of its own.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { ROOT } from '../../tools/checkout.mjs';
import { consoleSteps, documentPaths, outputPattern, parseDocument } from '../../tools/documents.mjs';
import { Processes } from '../../tools/processes.mjs';
import { makeDirectory, nameOf } from './setting.mjs';
import { Shell } from './shell.mjs';

/** How long a command after `sleep` may print something else. */
const EVENTUALLY_MS = 30_000;

/** Pages with commands, except those that name another test. */
const PAGES = documentPaths().map((path) => parseDocument(path))
  .filter((document) => consoleSteps(document).length > 0
    && !document.comments.some((comment) => comment.startsWith('commands: ')));

/**
 * The command as it runs here. A reader starts servers in the background and goes on when they are up; here their
 * output goes to a file, and the next command waits.
 */
function forShell(command, port) {
  const background = /^([^]*?)\s*&$/.exec(command)?.[1];
  if (background === undefined) {
    return command;
  }
  const url = /^(\w+=\S+ )*envoy /.test(background)
    ? `http://127.0.0.1:${port('9901')}/ready` : `http://127.0.0.1:${port('9000')}/jwks`;
  return `${background} >>background.log 2>&1 &
for wait in $(seq 600); do curl -fs -o /dev/null ${url} && break; kill -0 $! || break; sleep 0.1; done`;
}

async function check(document) {
  const { directory, here, port, path } = await makeDirectory(nameOf(document.path));
  const processes = new Processes();
  const kill = () => processes.kill();
  process.once('exit', kill);
  try {
    const shell = new Shell(processes, { directory, path });
    let hasSlept = false;
    for (const { command, expected, line } of consoleSteps(document)) {
      const pattern = outputPattern(expected.map(here));
      const end = Date.now() + EVENTUALLY_MS;
      for (;;) {
        const output = (await shell.run(forShell(here(command), port))).map((text) => `${text}\n`).join('');
        // The page waits as long as it usually takes. This machine may be slower.
        if (hasSlept && !pattern.test(output) && Date.now() < end) {
          await sleep(200);
          continue;
        }
        assert.match(output, pattern, `${document.path}:${line}: ${command}\n${output}\n${shell.stderr}`);
        break;
      }
      hasSlept = command.startsWith('sleep ');
    }
  } finally {
    await processes.stop();
    process.off('exit', kill);
  }
}

describe('the commands print what the page says', () => {
  for (const document of PAGES) {
    test(document.path, () => check(document));
  }
});

test('the pages that newcomers read have commands', () => {
  const paths = PAGES.map(({ path }) => path);
  assert.ok(paths.includes('docs/tutorial.md'), String(paths));
  assert.ok(paths.filter((path) => path.startsWith('docs/tasks/')).length >= 11, String(paths));
});

test('the page about refusals quotes descriptions that the gate sends', async () => {
  const { text } = parseDocument('docs/tasks/debug-a-401.md');
  const quoted = [...text.split('## Frequent causes')[1].matchAll(/^\| ([A-Z][^|]*[a-z]) \| /gm)].map(([, one]) => one);
  const table = await readFile(join(ROOT, 'crates/gate/src/reason.rs'), 'utf8');
  assert.ok(quoted.length >= 5, String(quoted));
  for (const description of quoted) {
    assert.ok(table.includes(`"${description}"`), description);
  }
});
