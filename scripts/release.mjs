// `make release`: writes the files of a release into a directory.
//
//   OUT=<directory>         where; by default target/dist
//   IMAGE=<registry/name>   where the image will be pushed to, without a tag; manifests name it
//   MINISIGN_KEY=<file>     the secret key that signs SHA256SUMS
//   SOURCE=<url>            the URL of the sources, for the image
//   UNSIGNED=1              the signature is made later, on another machine
//   DRAFT=1                 for trying it out: also with changes that are not committed, without IMAGE, or without a
//                           section of the changelog
//   WASM, CHECK, SBOM       other files than those that the make targets build
//
// RELEASING.md lists the files, and `make verify-release` checks them.

import { execFileSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { GATE_WASM, ROOT, requireFiles, shown } from '../tools/checkout.mjs';
import { Failure, NOT_STARTED } from '../tools/failure.mjs';
import { runProgram } from '../tools/program.mjs';
import { about } from './release/about.mjs';
import { gzip, tar } from './release/archive.mjs';
import { image, sha256 } from './release/image.mjs';
import { notes } from './release/notes.mjs';

const KUBECTL = join(ROOT, '.tools/deploy/bin/kubectl');
const OVERLAYS = {
  'istio-gateway.yaml': 'istio/gateway',
  'istio-sidecar.yaml': 'istio/sidecar',
  'istio-waypoint.yaml': 'istio/waypoint',
  'istio-envoy-filter.yaml': 'istio/envoy-filter',
  'envoy-gateway.yaml': 'envoy-gateway',
};
/** What the manifests name until a release fills it in. */
const PLACE = /registry\.example\/bearer-gate:[0-9A-Za-z.-]+/g;
const NO_DIGEST = '0'.repeat(64);

await runProgram('make release', async () => {
  const draft = process.env.DRAFT === '1';
  const facts = about(process.env);
  const wasm = process.env.WASM || GATE_WASM;
  const check = process.env.CHECK || join(ROOT, 'target/x86_64-unknown-linux-gnu/release/bearer-gate-check');
  const sbom = process.env.SBOM || join(ROOT, 'target/bearer-gate.cdx.json');
  requireFiles([
    [wasm, 'make build'], [check, 'make check-static'], [sbom, 'make sbom'], [KUBECTL, 'make test-deploy'],
  ]);
  if (!draft) {
    await refuseDrafts(facts, [wasm, check]);
  }
  const place = `${process.env.IMAGE || 'registry.example/bearer-gate'}:${facts.version}`;

  const module = await readFile(wasm);
  const { digest, files: layout } = await image(module, facts);
  const files = new Map([
    ['bearer_gate.wasm', module],
    ['bearer-gate-check-x86_64-linux', await readFile(check)],
    ['bearer-gate.schema.json', await readFile(join(ROOT, 'docs/bearer-gate.schema.json'))],
    ['bearer-gate.cdx.json', await readFile(sbom)],
    ['bearer-gate-image.tar', await tar(layout)],
    ...await manifests(place, digest.replace('sha256:', '')),
  ]);
  const changelog = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8');
  files.set('RELEASE_NOTES.md', notes({ changelog, facts, place, digest, files, draft }));
  files.set('SHA256SUMS', sums(files));

  const directory = process.env.OUT || join(ROOT, 'target/dist');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  for (const [name, content] of files) {
    await writeFile(join(directory, name), content);
  }
  await chmod(join(directory, 'bearer-gate-check-x86_64-linux'), 0o755);
  sign(join(directory, 'SHA256SUMS'), facts.version);
  process.stdout.write(`${shown(directory)}: ${files.size} files of bearer-gate ${facts.version}, image ${digest}\n`);
  return 0;
});

/** A release has a commit, which its module and its tool contain, a signature, and an image that is somewhere. */
async function refuseDrafts({ revision }, built) {
  const commit = Buffer.from(revision.slice(0, 12));
  const files = await Promise.all(built.map((file) => readFile(file)));
  const others = built.filter((_, index) => !files[index].includes(commit)).map(shown);
  const lacking = [
    [revision === 'unknown' || revision.endsWith('-dirty'), 'commit first'],
    [!process.env.MINISIGN_KEY && process.env.UNSIGNED !== '1', 'name the secret key in MINISIGN_KEY'],
    [!process.env.IMAGE, 'name the repository of the image in IMAGE'],
    [others.length > 0, `build ${others.join(' and ')} from this commit`],
  ].filter(([lacks]) => lacks).map(([, what]) => what);
  if (lacking.length > 0) {
    throw new Failure(`${lacking.join(', and ')}; or try it out with DRAFT=1`, { exitCode: NOT_STARTED });
  }
}

/** The manifests and the chart with the image and its digest filled in, and the directory that they are from. */
async function manifests(place, digest) {
  const copy = await mkdtemp(join(tmpdir(), 'bearer-gate-'));
  try {
    await cp(join(ROOT, 'deploy'), copy, { recursive: true });
    const names = (await readdir(copy, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => relative(copy, join(entry.parentPath ?? entry.path, entry.name)))
      .sort();
    const filled = [];
    for (const name of names) {
      const text = (await readFile(join(copy, name), 'utf8'))
        .replace(PLACE, place)
        .replaceAll(NO_DIGEST, digest)
        .replace(/^ {2}sha256: ""$/m, `  sha256: "${digest}"`);
      await writeFile(join(copy, name), text);
      filled.push({ name, content: text });
    }
    const chart = filled
      .filter(({ name }) => name.startsWith('helm/'))
      .map(({ name, content }) => ({ name: name.replace('helm/', ''), content }));
    return [
      ...Object.entries(OVERLAYS).map(([file, overlay]) => [
        file,
        execFileSync(KUBECTL, ['kustomize', join(copy, 'kustomize', overlay)]),
      ]),
      ['bearer-gate-chart.tgz', gzip(await tar(chart))],
      ['deploy.tar.gz', gzip(await tar(filled.map((file) => ({ ...file, name: `deploy/${file.name}` }))))],
    ];
  } finally {
    await rm(copy, { recursive: true });
  }
}

/** Lines as `sha256sum` writes and checks them. */
function sums(files) {
  return [...files].map(([name, content]) => `${sha256(content)}  ${name}\n`).join('');
}

/** Signs a file with the key in MINISIGN_KEY, if there is one. */
function sign(file, version) {
  const key = process.env.MINISIGN_KEY;
  if (!key) {
    process.stderr.write('SHA256SUMS is not signed: MINISIGN_KEY is not set.\n');
    return;
  }
  try {
    execFileSync('minisign', ['-S', '-W', '-s', key, '-m', file, '-t', `bearer-gate ${version}`], {
      stdio: ['inherit', 'ignore', 'inherit'],
    });
  } catch (error) {
    const why = error.code === 'ENOENT' ? 'it is missing (Debian: apt-get install minisign)' : error.message;
    throw new Failure(`minisign could not sign: ${why}`);
  }
}
