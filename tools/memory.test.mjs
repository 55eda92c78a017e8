// Which mappings of a process are the memory of a WebAssembly VM.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoriesIn } from './memory.mjs';

const mapping = (range, access, inode, resident) => (
  `${range} ${access} 00000000 00:00 ${inode}\nSize: 1 kB\nRss: ${resident} kB\nPss: 1 kB\n`);

test('the memory of a VM is writable, anonymous, and has gigabytes behind it that nobody can access', () => {
  const smaps = [
    mapping('7fdef0e30000-7fdef0f60000', 'rw-p', 0, 1000),
    mapping('7fdef0f60000-7fe0f0e30000', '---p', 0, 0),
    // The stack of a thread behind its guard page.
    mapping('7fe35164d000-7fe35164e000', '---p', 0, 0),
    mapping('7fe35164e000-7fe351e4e000', 'rw-p', 0, 64),
    mapping('7fe351e4e000-7fe351e4f000', '---p', 0, 0),
    // A part of a file, and one that cannot be written.
    mapping('7fe352e50000-7fe352f80000', 'rw-p', 17, 500),
    mapping('7fe352f80000-7fe552e50000', '---p', 0, 0),
    mapping('7fe582e50000-7fe582f70000', 'r--p', 0, 500),
    mapping('7fe582f70000-7fe782e50000', '---p', 0, 0),
  ].join('');
  assert.deepEqual(memoriesIn(smaps), [1000 * 1024]);
});
