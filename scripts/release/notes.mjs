// The notes of a release: what the changelog says about its version, and how to check and use its files.

import { Failure } from '../../tools/failure.mjs';
import { sha256 } from './image.mjs';

/** The section of a version in CHANGELOG.md, without its heading; `null` if there is none. */
export function section(changelog, name) {
  const parts = changelog.split(/^## /m).slice(1);
  const found = parts.find((part) => part.startsWith(`[${name}]`));
  return found ? found.slice(found.indexOf('\n') + 1).replace(/^\[[^\]]+\]: .*$/gm, '').trim() : null;
}

/** The text of RELEASE_NOTES.md. A draft may have what is not released yet in place of a section of its own. */
export function notes({ changelog, facts, place, digest, files, draft }) {
  const changes = section(changelog, facts.version) ?? (draft ? section(changelog, 'Unreleased') : null);
  if (changes === null) {
    throw new Failure(`CHANGELOG.md has no section [${facts.version}]`);
  }
  const title = draft ? `bearer-gate ${facts.version} (draft)` : `bearer-gate ${facts.version}`;
  return `# ${title}

Commit ${facts.revision}.

| what | |
|---|---|
| module | \`bearer_gate.wasm\`, SHA-256 \`${sha256(files.get('bearer_gate.wasm'))}\` |
| image | \`${place}\`, digest \`${digest}\` |

\`scripts/verify-release DIRECTORY PUBLIC_KEY\`, from the sources, checks all files; RELEASING.md says what it looks at.

## Changes

${changes}
`;
}
