// `make lint` runs this: links and anchors of all documents lead somewhere, code blocks can be parsed, commands are run
// by a test or say why not, and the documentation site has every page.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseAllDocuments } from 'yaml';

import { ROOT } from './checkout.mjs';
import { consoleSteps, contains, documentPaths, linkTarget, parseDocument } from './documents.mjs';

/** Programs that commands in documents begin with. A block with such a line is a command to run, whatever its language. */
const PROGRAMS = /^(?:\$ |(?:sudo|curl|cargo|node|npm|npx|pip|python3?|docker|kubectl|helm|istioctl|envoy|openssl|git|cosign|target\/\S+|bearer-gate-check)\s)/m;
/** The languages of blocks that cannot be commands, and that are no JSON and no YAML. */
const OTHER_LANGUAGES = new Set(['text', 'console', 'js', 'rust', 'mermaid', 'toml', 'ini', 'promql', 'diff', 'python']);
const COMMANDS = 'commands: ';

const read = (path) => readFileSync(join(ROOT, path), 'utf8');

/** The first problem of the YAML in `text`, if any. */
function yamlProblem(text) {
  const [error] = parseAllDocuments(text).flatMap(({ errors }) => errors);
  return error?.message.split('\n')[0];
}

/** Whether the JSON in `text`, which may lack the braces around members, is well-formed. */
function isJson(text) {
  return [text, `{${text}}`].some((candidate) => {
    try {
      JSON.parse(candidate);
      return true;
    } catch {
      return false;
    }
  });
}

/** The problems of one block. */
function* blockProblems(document, { language, text, comment }) {
  const notRun = comment?.startsWith('not run: ');
  if (language === 'yaml') {
    const problem = yamlProblem(text);
    if (problem) {
      yield `the YAML is not well-formed: ${problem}`;
    }
    const [, example] = /^part of (\S+)$/.exec(comment ?? '') ?? [];
    if (!problem && example) {
      const wholes = parseAllDocuments(read(example)).map((one) => one.toJS());
      const part = parseAllDocuments(text)[0].toJS();
      if (!wholes.some((whole) => contains(whole, part))) {
        yield `the block is not a part of ${example}`;
      }
    }
  } else if (language === 'json') {
    if (!isJson(text)) {
      yield 'the JSON is not well-formed';
    }
  } else if (language !== null && !OTHER_LANGUAGES.has(language)) {
    yield `the language ${language} is not known to tools/check-documents.mjs; commands are of the language console`;
  }
  if (language !== 'console' && PROGRAMS.test(text) && !notRun) {
    yield 'a command is not run by a test: write it as a console block, or put <!-- not run: why --> before it';
  }
  for (const [, names] of text.matchAll(/^(?:\$ )?make ([a-z -]+)/gm)) {
    yield* targetProblems(names);
  }
}

const TARGETS = new Set([...read('Makefile').matchAll(/^([a-z-]+):/gm)].map(([, name]) => name));
function* targetProblems(names) {
  for (const name of names.split(' ').filter((word) => /^[a-z][a-z-]*$/.test(word))) {
    if (!TARGETS.has(name)) {
      yield `make ${name}: the Makefile has no such target`;
    }
  }
}

function* problems(documents) {
  for (const document of documents.values()) {
    const at = (line, problem) => `${document.path}:${line}: ${problem}`;
    for (const { url, line } of document.links) {
      const target = linkTarget(document.path, url);
      if (target === null) {
        if (!/^(https?:\/\/\S+|mailto:\S+@\S+)$/.test(url) || !URL.canParse(url)) {
          yield at(line, `${url} is not a URL`);
        }
      } else if (target.path.startsWith('..') || !existsSync(join(ROOT, target.path))) {
        yield at(line, `${url} leads to no file`);
      } else if (target.fragment !== undefined && documents.has(target.path)
          && !documents.get(target.path).anchors.has(target.fragment)) {
        yield at(line, `${target.path} has no heading for #${target.fragment}`);
      }
    }
    for (const block of document.blocks) {
      for (const problem of blockProblems(document, block)) {
        yield at(block.line, problem);
      }
    }
    let steps = [];
    try {
      steps = consoleSteps(document);
    } catch (error) {
      yield `${document.path}: ${error.message}`;
    }
    // Pages whose commands need a setting of their own name the test that runs them.
    const test = document.comments.find((comment) => comment.startsWith(COMMANDS))?.slice(COMMANDS.length);
    if (test && !existsSync(join(ROOT, test))) {
      yield `${document.path}: ${test}, which should run its commands, does not exist`;
    } else if (test && !read(test).includes(document.path)) {
      yield `${document.path}: ${test} does not name this page, so it does not run its commands`;
    } else if (test && steps.length === 0) {
      yield `${document.path}: has no commands for ${test}`;
    }
  }
}

/** Pages of the documentation that the table of contents of the site lacks. */
function* missingPages(documents) {
  const contents = documents.get('docs/SUMMARY.md');
  const listed = new Set(contents.links.map(({ url }) => linkTarget(contents.path, url)?.path));
  for (const path of documents.keys()) {
    if (path.startsWith('docs/') && path !== contents.path && !listed.has(path)) {
      yield `${path}: docs/SUMMARY.md does not list this page`;
    }
  }
}

const documents = new Map(documentPaths().map((path) => [path, parseDocument(path)]));
const found = [...problems(documents), ...missingPages(documents)];
for (const problem of found) {
  process.stderr.write(`${problem}\n`);
}
const links = [...documents.values()].reduce((sum, document) => sum + document.links.length, 0);
process.stdout.write(`${documents.size} documents with ${links} links: ${found.length} problems\n`);
process.exitCode = found.length > 0 ? 1 : 0;
