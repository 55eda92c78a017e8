// What the kernel knows about a process: the time that it ran, the memory that it holds.

import { readFile, readdir } from 'node:fs/promises';

/** The time that all threads of a process have run on a core so far, in microseconds. */
export async function cpuTime(pid) {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(threads.map(async (thread) => {
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
    return Number(text.split(' ')[0]) / 1000;
  }));
  return times.reduce((sum, time) => sum + time, 0);
}

/** The memory of a process that is in RAM, in bytes. */
export async function residentMemory(pid) {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)[1]) * 1024;
}
