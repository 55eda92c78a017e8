// Builds the documentation site: `make docs`. mdBook reads one directory, and the pages link to files all over the
// checkout, so everything that is linked is copied to target/site/src first, under the same path.

import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { ROOT, requireFiles, shown } from '../tools/checkout.mjs';
import { linkTarget, parseDocument } from '../tools/documents.mjs';
import { Failure } from '../tools/failure.mjs';
import { runProgram } from '../tools/program.mjs';

const MDBOOK = join(ROOT, '.tools/bin/mdbook');
const SITE = join(ROOT, 'target/site');
const CONTENTS = 'docs/SUMMARY.md';

/** The links of a document that lead to files of the project: `{ path, fragment, url, from, to }`. */
const links = (document) => document.links
  .map((link) => ({ ...link, ...linkTarget(document.path, link.url) }))
  .filter(({ path }) => path !== undefined);

/** The table of contents with paths relative to the root of the checkout. */
function contents(document) {
  return links(document).reduceRight((text, { path, url, from, to }) => {
    const link = text.slice(from, to);
    return `${text.slice(0, from)}${link.replace(`(${url})`, `(${path})`)}${text.slice(to)}`;
  }, document.text);
}

async function copy(path) {
  const target = join(SITE, 'src', path);
  await mkdir(dirname(target), { recursive: true });
  await cp(join(ROOT, path), target);
}

await runProgram('site', async (processes) => {
  requireFiles([[MDBOOK, 'make docs']]);
  await rm(SITE, { recursive: true, force: true });
  const table = parseDocument(CONTENTS);
  const pages = [...new Set(links(table).map(({ path }) => path))];
  const linked = pages.flatMap((page) => links(parseDocument(page)).map(({ path }) => path));
  // A page that is no part of the site, and a directory, cannot be shown: their links are checked by `make lint`.
  const files = new Set([...pages, ...linked.filter((path) => statSync(join(ROOT, path)).isFile())]);
  await Promise.all([...files].map(copy));
  await writeFile(join(SITE, 'src/SUMMARY.md'), contents(table));
  await writeFile(join(SITE, 'book.toml'), await readFile(join(ROOT, 'docs/book.toml')));
  const { exitCode, stdout, stderr } = await processes.run(MDBOOK, ['build', SITE]);
  if (exitCode !== 0 || /\bWARN\b/.test(stderr)) {
    throw new Failure('mdBook found something wrong', { details: `${stdout}${stderr}`.trim().split('\n') });
  }
  process.stdout.write(`${pages.length} pages: ${shown(join(SITE, 'book/index.html'))}\n`);
});
