// Hints, by which an engine lays out code: which way a branch goes almost always. They are a part of
// WebAssembly (core specification, appendix on custom sections), and do not change what a module does.

import {
  SectionCode, list, section, sized, unsigned,
} from './code.mjs';

const NAME = 'metadata.code.branch_hint';
/** What goes the other way so seldom is put aside. */
const SELDOM = 0.02;
/** Of what has been come upon less often nothing is said. */
const ENOUGH = 50;

/** The module with hints for its branches, whose `counts` are pairs: not taken, taken. */
export function withHints(bytes, { imported, sections, functions }, counts) {
  let branch = 0;
  const hinted = functions.flatMap(({ start, branches }, index) => {
    const hints = branches.flatMap((place) => {
      const likely = isLikely(counts[2 * branch], counts[2 * branch + 1]);
      branch += 1;
      return likely === null ? [] : [[...unsigned(place - start), 1, likely ? 1 : 0]];
    });
    return hints.length === 0
      ? []
      : [Buffer.concat([Buffer.from(unsigned(imported + index)), list(hints)])];
  });
  const content = Buffer.concat([sized(Buffer.from(NAME)), list(hinted)]);
  const { start } = sections.find(({ id }) => id === SectionCode.Code);
  return Buffer.concat([
    bytes.subarray(0, start), section(SectionCode.Custom, content), bytes.subarray(start),
  ]);
}

/** Whether a branch is taken, if that is almost always so or almost never; else `null`. */
function isLikely(notTaken, taken) {
  const seldom = SELDOM * (notTaken + taken);
  if (notTaken + taken < ENOUGH) {
    return null;
  }
  if (taken <= seldom) {
    return false;
  }
  return notTaken <= seldom ? true : null;
}
