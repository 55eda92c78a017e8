// Paths in the checkout, and whether the files are there.

import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Failure, NOT_STARTED } from './failure.mjs';

/** The root of the checkout. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The Envoy that the environment variable `ENVOY` chooses by version, or the newest that is tested. */
export const ENVOY = join(ROOT, `.tools/envoy-${envoyVersion()}/bin/envoy`);
/** The module that `make build` builds. */
export const GATE_WASM = join(ROOT, 'target/wasm32-wasip1/release/bearer_gate.wasm');

function envoyVersion() {
  return process.env.ENVOY
    || readFileSync(join(ROOT, 'tests/envoy/versions'), 'utf8').trim().split(/\s+/).at(-1);
}

/** Throws a `Failure` for the first missing file; `needed` has pairs of a file and a command that makes it. */
export function requireFiles(needed) {
  for (const [file, command] of needed) {
    if (!existsSync(file)) {
      throw new Failure(`${relative(ROOT, file)} is missing; to make it, run: ${command}`, {
        exitCode: NOT_STARTED,
      });
    }
  }
}

/** A path as the user can type it: relative if it is below the current directory. */
export function shown(path) {
  const fromHere = relative('', path);
  return fromHere.startsWith('..') ? path : fromHere;
}
