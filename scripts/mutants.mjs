// Prints the results of `make mutants` as a table, one row for each file: docs/mutation.md.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from '../tools/checkout.mjs';
import { runProgram } from '../tools/program.mjs';

const COLUMNS = [
  ['caught', 'CaughtMutant'],
  ['timeout', 'Timeout'],
  ['unviable', 'Unviable'],
  ['missed', 'MissedMutant'],
];

await runProgram('mutants', async () => {
  const document = await readFile(join(ROOT, 'target/mutants.out/outcomes.json'), 'utf8');
  const { outcomes } = JSON.parse(document);
  process.stdout.write(table(outcomes.filter((outcome) => outcome.scenario.Mutant)));
  return 0;
});

function table(outcomes) {
  const files = [...new Set(outcomes.map((outcome) => outcome.scenario.Mutant.file))].sort();
  const rows = files.map((file) => {
    const name = file.replace('crates/gate/src/', '');
    return row(`\`${name}\``, outcomes.filter((outcome) => outcome.scenario.Mutant.file === file));
  });
  const names = COLUMNS.map(([name]) => name);
  return [
    `| file | mutants | ${names.join(' | ')} |`,
    `|---|${'---:|'.repeat(names.length + 1)}`,
    ...rows,
    row('all', outcomes),
    '',
  ].join('\n');
}

function row(name, outcomes) {
  const counts = COLUMNS.map(
    ([, summary]) => outcomes.filter((outcome) => outcome.summary === summary).length,
  );
  return `| ${[name, outcomes.length, ...counts].join(' | ')} |`;
}
