// A module that counts which way its branches go.

import {
  OperatorCode, SectionCode, list, section, sized, unsigned,
} from './code.mjs';

const PAGE_BYTES = 65536;
/** How often a branch was not taken, and how often it was: two numbers of 32 bits. */
const ENTRY_BYTES = 8;
const I32 = 0x7f;
const FUNCTION_TYPE = 0x60;

/**
 * Answers with the module, which does what it did before, and where in its memory it counts. Each
 * condition passes through one more function, which counts behind the memory that the module knows
 * of.
 */
export function withCounters(bytes, code) {
  const branches = code.functions.reduce((sum, { branches: { length } }) => sum + length, 0);
  const base = code.pages * PAGE_BYTES;
  const pages = Math.ceil((branches * ENTRY_BYTES) / PAGE_BYTES);
  const types = listOf(bytes, code, SectionCode.Type);
  const functions = listOf(bytes, code, SectionCode.Function);
  const changed = {
    [SectionCode.Type]: types.with([FUNCTION_TYPE, 2, I32, I32, 1, I32]),
    [SectionCode.Function]: functions.with(unsigned(types.count)),
    [SectionCode.Memory]: Buffer.from([1, 0, ...unsigned(code.pages + pages)]),
    [SectionCode.Code]: codeWithCounters(bytes, code, base),
  };
  const parts = code.sections.map(({ id, start, end }) => (
    changed[id] ? section(id, changed[id]) : bytes.subarray(start, end)
  ));
  return { module: Buffer.concat([bytes.subarray(0, 8), ...parts]), counters: { base, branches } };
}

/** The list that a section is, and what it is with one item more. */
function listOf(bytes, { sections }, wanted) {
  const { content, end } = sections.find(({ id }) => id === wanted);
  let [count, at] = [0, content];
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at];
    at += 1;
    count += (byte % 128) * scale;
    if (byte < 128) {
      break;
    }
  }
  const items = bytes.subarray(at, end);
  return {
    count,
    with: (item) => Buffer.concat([Buffer.from(unsigned(count + 1)), items, Buffer.from(item)]),
  };
}

function codeWithCounters(bytes, { imported, functions }, base) {
  const counter = imported + functions.length;
  let branch = 0;
  const bodies = functions.map(({ start, end, branches }) => {
    const parts = [];
    let at = start;
    for (const place of branches) {
      parts.push(bytes.subarray(at, place));
      parts.push(Buffer.from([
        OperatorCode.i32_const, ...signed(branch), OperatorCode.call, ...unsigned(counter),
      ]));
      branch += 1;
      at = place;
    }
    return Buffer.concat([...parts, bytes.subarray(at, end)]);
  });
  return list([...bodies, counterBody(base)].map(sized));
}

/** `(condition, branch) -> condition`. */
function counterBody(base) {
  const [condition, branch] = [0, 1];
  const memory = [2, ...unsigned(base)];
  const op = OperatorCode;
  return Buffer.from([
    0,
    // Where it is counted: at 8 * branch, and 4 behind where the condition is met.
    op.local_get, branch, op.i32_const, 3, op.i32_shl,
    op.local_get, condition, op.i32_eqz, op.i32_eqz, op.i32_const, 2, op.i32_shl,
    op.i32_add, op.local_tee, branch,
    op.local_get, branch, op.i32_load, ...memory, op.i32_const, 1, op.i32_add,
    op.i32_store, ...memory,
    op.local_get, condition,
    op.end,
  ]);
}

/** A number that is not negative in signed LEB128, as constants are. */
function signed(number) {
  const bytes = unsigned(number);
  // The highest of seven bits is the sign.
  return bytes.at(-1) < 64 ? bytes : [...bytes.slice(0, -1), bytes.at(-1) + 128, 0];
}
