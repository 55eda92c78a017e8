// `node spend-inlining.mjs module.wasm`: changes the module so that Envoy's V8 inlines nothing in it.
//
// Envoy runs V8 with `--no-liftoff`: the optimising compiler compiles the whole module before Envoy is live.
// Nobody has counted calls then, so V8 goes by size only. Into every function it inlines up to 60 calls and up to
// twice the size of the function, and compiles 2.4 times the module. LLVM and wasm-opt have already inlined what is
// worth it.
//
// Here every function spends the 60 calls at its start, on a function that does nothing. They are in a branch that
// is never taken, and nothing of it remains in the machine code. See `should_inline` in V8's
// src/wasm/turboshaft-graph-interface.cc.

import { readFileSync, writeFileSync } from 'node:fs';

import binaryen from 'binaryen';

/** `kMaxInlinedCount` in V8's src/wasm/inlining-tree.h. */
const MAX_INLINED = 60;

const [file] = process.argv.slice(2);
const module = binaryen.readBinary(readFileSync(file));

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

// As wasm-opt writes a module with -O3.
binaryen.setOptimizeLevel(3);
binaryen.setGenerateStackIR(true);
binaryen.setOptimizeStackIR(true);
writeFileSync(file, module.emitBinary());
