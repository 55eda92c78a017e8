// `node compile-as-is.mjs module.wasm`: changes the module so that Envoy's V8 inlines next to nothing in it and repeats no loop's body.
//
// Envoy runs V8 with `--no-liftoff`: the optimising compiler compiles the whole module before Envoy is live. LLVM and
// wasm-opt have already inlined and unrolled what is worth it, and whatever V8 adds to that makes the start longer. What
// this script adds is in branches that are never taken, and nothing of it remains in the machine code.

import { readFileSync, writeFileSync } from 'node:fs';

import binaryen from 'binaryen';

/** The sizes of functions that do nothing, in bytes, the largest first. */
const PADS = [4096, 2048, 1024, 512, 256, 128, 64, 32, 16];

/** The bytes of what they consist of: a constant of type f64 that is dropped. */
const BYTES_OF_CONSTANT = 10;

/** A function or a loop in WebAssembly's text, where whatever is in it is indented further. */
const HEADER = /^( *)\((func|loop)\b.*$/gm;

/** About ten operations of V8 in six bytes. */
const DIVISION = '(drop (i32.div_s (i32.const 0) (i32.const 0)))';

/** Makes a loop longer than the 50 operations up to which V8 unrolls it, however often it runs. */
const DEAD_CODE = `(if (i32.const 0) (then ${DIVISION.repeat(6)}))`;

/**
 * V8 repeats the body of a short innermost loop up to four times. Here every innermost loop is long when V8 looks at it. V8
 * still unrolls loops of up to 150 operations that it knows to run at most three times. See `ShouldPartiallyUnrollLoop` and
 * `ShouldFullyUnrollLoop` in V8's src/compiler/turboshaft/loop-unrolling-reducer.h.
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
 * V8 inlines calls into every function until they have twice its size in bytes: nobody has counted calls yet, so it goes
 * by size only, and compiles 2.4 times the module. Here every function begins with calls of functions that do nothing,
 * the largest first. V8 inlines those that fit, and has too few bytes left for any but the smallest others. See `should_inline` in V8's
 * src/wasm/turboshaft-graph-interface.cc, and `NoLiftoffBudget` in inlining-tree.h.
 */
function spendInlining(module) {
  const functions = Array.from({ length: module.getNumFunctions() }, (_, index) => (
    module.getFunctionByIndex(index)));
  const { none } = binaryen;
  const constant = () => module.drop(module.f64.const(0));
  for (const size of PADS) {
    const constants = Array.from({ length: Math.floor(size / BYTES_OF_CONSTANT) }, constant);
    module.addFunction(`pad${size}`, none, none, [], module.block(null, constants));
  }
  for (const each of functions) {
    const { body, results, module: importedFrom } = binaryen.getFunctionInfo(each);
    const text = binaryen.emitText(body);
    // A function without calls can inline nothing.
    if (!importedFrom && text.includes('(call')) {
      const calls = padsFor(text).map((size) => module.call(`pad${size}`, [], none));
      const spend = module.if(module.i32.const(0), module.block(null, calls));
      binaryen.Function.setBody(each, module.block(null, [spend, body], results));
    }
  }
}

/**
 * The pads that spend the budget of a function with this text. An instruction takes two bytes or more, and some twenty
 * characters of the text, so a third of these are more than three times the bytes. The budget is 50 bytes at least.
 */
function padsFor(text) {
  const [largest] = PADS;
  const most = Math.max(50, text.length / 3);
  const repeated = Array.from({ length: Math.floor(most / largest) }, () => largest);
  return [...repeated, ...PADS.filter((size) => size <= most)];
}

const [file] = process.argv.slice(2);
const module = withoutUnrolling(binaryen.readBinary(readFileSync(file)));
spendInlining(module);

// As wasm-opt writes a module with -O3.
binaryen.setOptimizeLevel(3);
binaryen.setGenerateStackIR(true);
binaryen.setOptimizeStackIR(true);
writeFileSync(file, module.emitBinary());
