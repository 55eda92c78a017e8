// What the kernel reports about a process: CPU time and memory.

import { readFile, readdir } from 'node:fs/promises';

/** The CPU time of all threads of a process so far, in microseconds. */
export async function cpuTime(pid) {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(threads.map(async (thread) => {
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
    return Number(text.split(' ')[0]) / 1000;
  }));
  return times.reduce((sum, time) => sum + time, 0);
}

/** The resident memory of a process, in bytes. */
export async function residentMemory(pid) {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)[1]) * 1024;
}
