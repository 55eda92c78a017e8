// The CPU time of a process.

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
