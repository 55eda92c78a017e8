// `make image`: writes the module as an OCI image layout and prints its digest.
//
//   node scripts/image.mjs [DIRECTORY]    the layout is written there, by default into target/image
//
// WASM names another module than that of `make build`, and SOURCE the URL of the sources.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { GATE_WASM, ROOT, requireFiles, shown } from '../tools/checkout.mjs';
import { runProgram } from '../tools/program.mjs';
import { about } from './release/about.mjs';
import { image } from './release/image.mjs';

await runProgram('make image', async () => {
  const directory = process.argv[2] ?? join(ROOT, 'target/image');
  const module = process.env.WASM || GATE_WASM;
  requireFiles([[module, 'make build']]);
  const facts = about(process.env);
  const { digest, files } = await image(await readFile(module), facts);
  await rm(directory, { recursive: true, force: true });
  for (const { name, content } of files) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  process.stdout.write(`${digest}\n`);
  process.stderr.write(`The image layout is ${shown(directory)}, with the tag ${facts.version}.\n`);
  if (facts.source === null) {
    process.stderr.write('It does not say where the sources are: set SOURCE to their URL.\n');
  }
  return 0;
});
