// What is where in a module (WebAssembly core specification, section 5.5): its sections, its
// functions, and the conditional branches in them.

import { BinaryReader, BinaryReaderState, OperatorCode, SectionCode } from 'wasmparser';

/**
 * Reads a module. Answers with
 *
 * - `imported`: how many functions are imported, whose indices come before those of its own;
 * - `pages`: the pages of memory, of 64 KiB each, that it begins with;
 * - `sections`: the sections as `{ id, start, content, end }`, all in bytes from the beginning;
 * - `functions`: its own functions as `{ start, end, branches }`, where `start` is where the locals are
 *   declared and `branches` are the places of all `if` and `br_if`.
 *
 * Throws an `Error` where the reader does not understand the module.
 */
export function readCode(bytes) {
  const reader = new BinaryReader();
  reader.setData(new Uint8Array(bytes).buffer, 0, bytes.length);
  const code = { imported: 0, pages: 0, sections: [], functions: [] };
  let at = reader.position;
  while (reader.read()) {
    const { result } = reader;
    switch (reader.state) {
      case BinaryReaderState.BEGIN_SECTION:
        code.sections.push({ id: result.id, start: at, content: afterNumber(bytes, at + 1) });
        break;
      case BinaryReaderState.END_SECTION:
        code.sections.at(-1).end = reader.position;
        break;
      case BinaryReaderState.IMPORT_SECTION_ENTRY:
        code.imported += result.funcTypeIndex === undefined ? 0 : 1;
        break;
      case BinaryReaderState.MEMORY_SECTION_ENTRY:
        code.pages = result.limits.initial;
        break;
      case BinaryReaderState.BEGIN_FUNCTION_BODY: {
        // Before the first one stands how many there are.
        const entry = code.functions.length === 0 ? afterNumber(bytes, at) : at;
        code.functions.push({ start: afterNumber(bytes, entry), branches: [] });
        break;
      }
      case BinaryReaderState.CODE_OPERATOR:
        if (result.code === OperatorCode.if || result.code === OperatorCode.br_if) {
          code.functions.at(-1).branches.push(at);
        }
        break;
      case BinaryReaderState.END_FUNCTION_BODY:
        code.functions.at(-1).end = reader.position;
        break;
      case BinaryReaderState.ERROR:
        throw reader.error;
      default:
    }
    at = reader.position;
  }
  return code;
}

export { OperatorCode, SectionCode };

/** An unsigned number in LEB128, as all sizes, counts and indices are. */
export function unsigned(number) {
  const bytes = [];
  let rest = number;
  do {
    bytes.push((rest % 128) + (rest < 128 ? 0 : 128));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return bytes;
}

/** A list: how many items there are, and the items. */
export function list(items) {
  return Buffer.concat([Buffer.from(unsigned(items.length)), ...items.map((item) => Buffer.from(item))]);
}

/** What a text, a function or a section is: how many bytes there are, and the bytes. */
export function sized(bytes) {
  return Buffer.concat([Buffer.from(unsigned(bytes.length)), Buffer.from(bytes)]);
}

/** A section. */
export function section(id, content) {
  return Buffer.concat([Buffer.from([id]), sized(content)]);
}

/** The place after a number in LEB128. */
function afterNumber(bytes, start) {
  let at = start;
  while (bytes[at] >= 128) {
    at += 1;
  }
  return at + 1;
}
