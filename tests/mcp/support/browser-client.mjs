// The MCP client as a script that a browser can load.

import { build } from 'esbuild';

/** Returns a JavaScript module that exports what `@modelcontextprotocol/client` does. */
export async function browserClient() {
  const { outputFiles: [script] } = await build({
    stdin: { contents: "export * from '@modelcontextprotocol/client';", resolveDir: import.meta.dirname },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'error',
  });
  return script.text;
}
