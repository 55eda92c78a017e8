// Takes the paths of this machine out of an SBOM, and what differs from run to run.
//
//   node scripts/release/sbom.mjs FROM TO

import { readFileSync, writeFileSync } from 'node:fs';

import { ROOT } from '../../tools/checkout.mjs';

const [from, to] = process.argv.slice(2);
// A package of this workspace is named by its path here, `path+file:///home/me/bearer-gate/crates/gate#0.1.0`, and has a
// `download_url` from which nobody else can download.
const root = ROOT.replace(/\/$/, '');
const text = readFileSync(from, 'utf8')
  .replaceAll(`file://${root}/`, '')
  .replaceAll(`file://${root}`, '.')
  .replace(/\?download_url=file:[^"#]*/g, '');
const sbom = JSON.parse(text);
delete sbom.serialNumber;
writeFileSync(to, `${JSON.stringify(sbom, null, 2)}\n`);
