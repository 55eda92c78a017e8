// A directory like a fresh checkout in which `make build envoy check` has run, with free ports for those in the files.

import { copyFile, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { ENVOY, GATE_WASM, ROOT, requireFiles } from '../../tools/checkout.mjs';
import { freePorts } from '../../tools/listen.mjs';

const CHECK = join(ROOT, 'target/release/bearer-gate-check');
/** The ports in the configurations of the tasks, in their commands and in `servers.mjs`. */
const PORTS = ['8080', '9000', '9001', '9002', '9443', '9901'];
/** What pages may use. Their text files get other ports. */
const FILES = ['docs/ci', 'docs/tasks', 'envoy', 'tests/examples/node'];

/**
 * Makes the directory with this name. Returns `{ directory, here, port }`: `here` replaces the ports in a text by those
 * of this run, `port` returns one.
 */
export async function makeDirectory(name) {
  requireFiles([[GATE_WASM, 'make build'], [ENVOY, 'make envoy'], [CHECK, 'make check']]);
  const directory = join(ROOT, 'target/tmp/docs', name);
  await rm(directory, { recursive: true, force: true });
  const free = await freePorts(PORTS.length);
  const ports = new Map(PORTS.map((port, index) => [port, String(free[index])]));
  const here = (text) => text.replace(/(?<![\w.])\d{4}(?!\w)/g, (number) => ports.get(number) ?? number);
  for (const path of FILES) {
    await mkdir(join(directory, path), { recursive: true });
    for (const entry of await readdir(join(ROOT, path), { withFileTypes: true })) {
      const file = join(path, entry.name);
      if (/\.(yaml|mjs)$/.test(file)) {
        await writeFile(join(directory, file), here(await readFile(join(ROOT, file), 'utf8')));
      } else if (entry.isFile()) {
        await copyFile(join(ROOT, file), join(directory, file));
      }
    }
  }
  for (const file of [GATE_WASM, CHECK, ENVOY]) {
    const link = join(directory, file.slice(ROOT.length));
    await mkdir(dirname(link), { recursive: true });
    await symlink(file, link);
  }
  return { directory, here, port: (number) => ports.get(number), path: `${dirname(ENVOY)}:${process.env.PATH}` };
}

/** The name of a document for files. */
export const nameOf = (path) => basename(path, '.md');
