// `node compile-as-is.mjs module.wasm`: changes the module so that Envoy's V8 inlines nothing in it and unrolls no loop.
//
// Envoy runs V8 with `--no-liftoff`: the optimising compiler compiles the whole module before Envoy is live. LLVM and
// wasm-opt have already inlined and unrolled what is worth it, and whatever V8 adds to that makes the start longer. What
// this script adds is in branches that are never taken, and nothing of it remains in the machine code.

import { readFileSync, writeFileSync } from 'node:fs';

import binaryen from 'binaryen';

/** `kMaxInlinedCount` in V8's src/wasm/inlining-tree.h. */
const MAX_INLINED = 60;

/** A function or a loop in WebAssembly's text, where whatever is in it is indented further. */
const HEADER = /^( *)\((func|loop)\b.*$/gm;

/** About ten operations of V8 in six bytes. */
const DIVISION = '(drop (i32.div_s (i32.const 0) (i32.const 0)))';

/** Makes a loop longer than the 50 operations up to which V8 unrolls it. */
const DEAD_CODE = `(if (i32.const 0) (then ${DIVISION.repeat(6)}))`;

/**
 * V8 repeats the body of an innermost loop up to four times if it is short. Here every innermost loop is long when V8 looks at
 * it. See `ShouldPartiallyUnrollLoop` in V8's src/compiler/turboshaft/loop-unrolling-reducer.h.
 */
function withoutUnrolling(module) {
  const text = module.emitText();
  const headers = [...text.matchAll(HEADER)];
  const endOf = ({ index, 1: indentation }) => text.indexOf(`\n${indentation})`, index);
  const innermost = headers.filter((header, index) => (
    header[2] === 'loop' && !(headers[index + 1]?.index < endOf(header))));
  const ends = [0, ...innermost.map((header) => header.index + header[0].length)];
  const pieces = ends.map((end, index) => text.slice(end, ends[index + 1]));
  const changed = binaryen.parseText(pieces.join(`\n${DEAD_CODE}`));
  changed.setFeatures(module.getFeatures());
  return changed;
}

/**
 * V8 inlines into every function up to 60 calls and up to twice the size of the function: nobody has counted calls yet,
 * so it goes by size only, and compiles 2.4 times the module. Here every function spends the 60 calls at its start, on a
 * function that does nothing. See `should_inline` in V8's src/wasm/turboshaft-graph-interface.cc.
 */
function spendInlining(module) {
  const functions = Array.from({ length: module.getNumFunctions() }, (_, index) => (
    module.getFunctionByIndex(index)));
  const { none } = binaryen;
  const calls = Array.from({ length: MAX_INLINED - 1 }, () => module.call('nothing', [], none));
  module.addFunction('nothing', none, none, [], module.nop());
  module.addFunction('spend', none, none, [], module.block(null, calls));
  for (const each of functions) {
    const { body, results, module: importedFrom } = binaryen.getFunctionInfo(each);
    // A function without calls can inline nothing.
    if (!importedFrom && binaryen.emitText(body).includes('(call')) {
      const spend = module.if(module.i32.const(0), module.call('spend', [], none));
      binaryen.Function.setBody(each, module.block(null, [spend, body], results));
    }
  }
}

const [file] = process.argv.slice(2);
const module = withoutUnrolling(binaryen.readBinary(readFileSync(file)));
spendInlining(module);

// As wasm-opt writes a module with -O3.
binaryen.setOptimizeLevel(3);
binaryen.setGenerateStackIR(true);
binaryen.setOptimizeStackIR(true);
writeFileSync(file, module.emitBinary());
