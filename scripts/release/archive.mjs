// Archives whose bytes depend on their content only: no times, no owners, and no zlib of the machine.

import { gzipSync } from 'fflate';
import { pack } from 'tar-stream';

/** The date of every file in an archive. */
const EPOCH = new Date(0);

/**
 * A tar archive of `files`, a list of `{ name, content, executable }` that is written in its order. Returns its
 * bytes.
 */
export async function tar(files) {
  const archive = pack();
  for (const { name, content, executable = false } of files) {
    archive.entry({
      name, mode: executable ? 0o755 : 0o644, mtime: EPOCH, uid: 0, gid: 0, uname: '', gname: '',
    }, Buffer.from(content));
  }
  archive.finalize();
  const chunks = [];
  for await (const chunk of archive) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `content`, compressed with gzip. */
export function gzip(content) {
  return Buffer.from(gzipSync(content, { level: 9, mtime: 0 }));
}
