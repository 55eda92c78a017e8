// The memory of a process, and of the WebAssembly modules in it, as far as they can be measured from outside.

import { readFile } from 'node:fs/promises';

/** V8 reserves this much address space or more behind the memory of a WebAssembly module, in bytes. */
const RESERVED = 2 ** 31;
const KILO = 1024;

/** The resident memory of a process in bytes. */
export async function residentMemory(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * KILO;
}

/**
 * The resident part of the memory of each WebAssembly VM in bytes, in the order of addresses. V8 reserves gigabytes for each
 * WebAssembly memory; the used part is writable, and the rest behind it is not accessible.
 */
export async function moduleMemories(pid) {
  return memoriesIn(await readFile(`/proc/${pid}/smaps`, 'utf8'));
}

/** The same from the text of a file `smaps`. */
export function memoriesIn(smaps) {
  const mappings = [];
  for (const line of smaps.split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+)/.exec(line);
    if (head) {
      const [, from, to, access, inode] = head;
      mappings.push({
        from: BigInt(`0x${from}`), to: BigInt(`0x${to}`), access, isAnonymous: inode === '0', resident: 0,
      });
      continue;
    }
    const resident = /^Rss:\s+(\d+) kB$/.exec(line);
    if (resident) {
      mappings.at(-1).resident = Number(resident[1]) * KILO;
    }
  }
  return mappings.filter((mapping, index) => {
    const next = mappings[index + 1];
    return mapping.access === 'rw-p' && mapping.isAnonymous
      && next?.access === '---p' && next.from === mapping.to && next.to - next.from >= RESERVED;
  }).map(({ resident }) => resident);
}
