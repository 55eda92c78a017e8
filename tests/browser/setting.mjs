// The demo and the browser of a file of tests: they start before its first test and stop after its last.

import { after, before } from 'node:test';

import { openConsole } from './page.mjs';
import { startBrowser, startDemo } from './support.mjs';

/** The running demo. */
export let demo;

/** The running browser. */
export let browser;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
});
after(async () => {
  await browser?.stop();
  await demo?.stop();
});

/** Opens the console in a new context. The test fails if the page logs an error. */
export const open = (context, options) => openConsole(context, browser, { path: demo.console, ...options });
