// What an image or a release says about itself.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../../tools/checkout.mjs';
import { Failure } from '../../tools/failure.mjs';

/**
 * Version and licence of Cargo.toml; the commit, with `-dirty` after it if files differ from it; and the URL of the
 * sources, which only the variable SOURCE knows.
 */
export function about(environment) {
  const manifest = readFileSync(join(ROOT, 'Cargo.toml'), 'utf8');
  const field = (name) => {
    const found = new RegExp(`^\\[workspace\\.package\\]\\n(?:[^\\[].*\\n|\\n)*?${name} = "([^"]+)"`, 'm').exec(manifest);
    if (!found) {
      throw new Failure(`Cargo.toml has no workspace.package.${name}`);
    }
    return found[1];
  };
  return {
    version: field('version'),
    licenses: field('license'),
    revision: environment.BEARER_GATE_COMMIT || revision(),
    source: environment.SOURCE || null,
  };
}

function revision() {
  const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  try {
    const mark = git('status', '--porcelain') === '' ? '' : '-dirty';
    return git('rev-parse', '--verify', 'HEAD') + mark;
  } catch {
    return 'unknown';
  }
}
