// `node spend-inlining.mjs module.wasm`: changes the module so that Envoy's V8 inlines nothing in it.
//
// Envoy runs V8 with `--no-liftoff`: the optimising compiler compiles the whole module before Envoy is live. It
// does not know then which calls are frequent, and inlines into every function what it calls, until that is twice
// the size of the function, or 60 calls. So it would compile 2.4 times the module. What is worth inlining has been
// inlined by LLVM and wasm-opt.
//
// Here every function spends the 60 calls at its begin, on a function that does nothing. They are in a branch that
// is never taken, and of which nothing remains in machine code. See `should_inline` in V8's
// src/wasm/turboshaft-graph-interface.cc.

import { readFileSync, writeFileSync } from 'node:fs';

import binaryen from 'binaryen';

/** `kMaxInlinedCount` in V8's src/wasm/inlining-tree.h. */
const MOST_INLINED = 60;

const [file] = process.argv.slice(2);
const module = binaryen.readBinary(readFileSync(file));

const functions = Array.from({ length: module.getNumFunctions() }, (_, index) => (
  module.getFunctionByIndex(index)));
const { none } = binaryen;
const nothing = (calls, callee) => module.block(null, Array.from({ length: calls }, () => (
  module.call(callee, [], none))));
module.addFunction('nothing', none, none, [], module.nop());
module.addFunction('spend', none, none, [], nothing(MOST_INLINED - 1, 'nothing'));
for (const each of functions) {
  const { body, results, module: importedFrom } = binaryen.getFunctionInfo(each);
  if (!importedFrom) {
    const spend = module.if(module.i32.const(0), module.call('spend', [], none));
    binaryen.Function.setBody(each, module.block(null, [spend, body], results));
  }
}

// As wasm-opt writes a module with -O3.
binaryen.setOptimizeLevel(3);
binaryen.setGenerateStackIR(true);
binaryen.setOptimizeStackIR(true);
writeFileSync(file, module.emitBinary());
