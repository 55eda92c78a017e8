// `node --import` this to run `@modelcontextprotocol/conformance` on Node.js 20: the package imports `globSync` from
// `fs`, which newer versions have, and needs it in a command that is not used here.

import { register } from 'node:module';

const module = (source) => `data:text/javascript,${encodeURIComponent(source)}`;

const FS = module(`
  export * from 'node:fs';
  export { default } from 'node:fs';
  export const globSync = undefined;
`);

register(module(`
  export const resolve = (name, context, next) => (
    name === 'fs' && context.parentURL.includes('/@modelcontextprotocol/conformance/')
      ? { url: ${JSON.stringify(FS)}, shortCircuit: true }
      : next(name, context)
  );
`));
