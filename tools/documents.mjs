// The project's documents, parsed: headings, links, code blocks, and what comments say about these.

import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';

import GithubSlugger from 'github-slugger';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { visit } from 'unist-util-visit';
import { parse } from 'yaml';

import { ROOT } from './checkout.mjs';

/** Directories without documents of the project: what is built or installed. */
const SKIPPED = new Set(['node_modules', 'target', 'corpus']);

/** The paths of all Markdown files below `directory`, relative to the root of the checkout. */
export function documentPaths(directory = '') {
  return readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(directory, entry.name);
    if (entry.isDirectory()) {
      return SKIPPED.has(entry.name) || entry.name.startsWith('.') ? [] : documentPaths(path);
    }
    return entry.name.endsWith('.md') ? [path] : [];
  }).sort();
}

/** The text of a heading as it is shown. */
function headingText(node) {
  if ('value' in node) {
    return node.type === 'html' ? '' : node.value;
  }
  return node.alt ?? (node.children ?? []).map(headingText).join('');
}

/** The text of a comment such as `<!-- part of envoy/mcp.yaml -->`. */
const commentText = (node) => /^<!--\s*([^]*?)\s*-->$/.exec(node?.type === 'html' ? node.value : '')?.[1];

/**
 * Parses a document. Returns
 * - `path`, `text`;
 * - `anchors`: the fragments that links may have, as on GitHub;
 * - `links`: `{ url, line, from, to }`, the last two the place of the whole link in the text;
 * - `blocks`: `{ language, text, line, comment }`, the last what the comment before the block says;
 * - `comments`: the texts of all comments.
 */
export function parseDocument(path, text = readFileSync(join(ROOT, path), 'utf8')) {
  const tree = fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  const slugger = new GithubSlugger();
  const document = { path, text, anchors: new Set(), links: [], blocks: [], comments: [] };
  visit(tree, (node, index, parent) => {
    const line = node.position?.start.line;
    const place = { line, from: node.position?.start.offset, to: node.position?.end.offset };
    if (node.type === 'heading') {
      document.anchors.add(slugger.slug(headingText(node)));
    } else if (['link', 'image', 'definition'].includes(node.type)) {
      document.links.push({ url: node.url, ...place });
    } else if (node.type === 'html') {
      for (const [, id] of node.value.matchAll(/\s(?:id|name)="([^"]+)"/g)) {
        document.anchors.add(id);
      }
      for (const [, url] of node.value.matchAll(/\s(?:href|src)="([^"]+)"/g)) {
        document.links.push({ url, ...place });
      }
      const comment = commentText(node);
      if (comment !== undefined) {
        document.comments.push(comment);
      }
    } else if (node.type === 'code') {
      const comment = commentText(parent.children[index - 1]);
      document.blocks.push({ language: node.lang, text: node.value, line, comment });
    }
  });
  return document;
}

/**
 * Where a link of the document `path` leads: `{ path, fragment }` for a file of the project, relative to the root, or
 * `null` for another site.
 */
export function linkTarget(path, url) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(url)) {
    return null;
  }
  const [file, fragment] = url.split('#');
  const target = file === '' ? path : posix.normalize(posix.join(posix.dirname(path), decodeURIComponent(file)));
  return { path: target.replace(/\/$/, ''), fragment };
}

/**
 * The commands of a document and what they print: those of its `console` blocks. `$ ` begins a command, `> ` continues
 * it, and the other lines are the expected output. A block with the comment `not run: <why>` is left out.
 */
export function consoleSteps({ blocks }) {
  const steps = [];
  for (const { language, text, line, comment } of blocks) {
    if (language !== 'console' || comment?.startsWith('not run: ')) {
      continue;
    }
    for (const [index, content] of text.split('\n').entries()) {
      if (content.startsWith('$ ')) {
        steps.push({ command: content.slice(2), expected: [], line: line + 1 + index });
      } else if (content.startsWith('> ') && steps.length > 0 && steps.at(-1).expected.length === 0) {
        steps.at(-1).command += `\n${content.slice(2)}`;
      } else if (index > 0) {
        steps.at(-1).expected.push(content);
      } else {
        throw new Error(`a console block in line ${line} does not begin with a command`);
      }
    }
  }
  return steps;
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** A pattern for expected output: a line `...` stands for any lines, and `…` for any text in a line. */
export function outputPattern(lines) {
  return new RegExp(`^${lines.map(
    (line) => (line === '...' ? '(.*\\n)*?' : `${line.split('…').map(escaped).join('.*')}\\n`),
  ).join('')}$`);
}

/** Whether `part` is in `whole` or in a part of it: members and items may be left out, but none differ. */
export function contains(whole, part) {
  const matches = (value, wanted) => {
    if (Array.isArray(wanted)) {
      return Array.isArray(value) && wanted.every((item) => value.some((one) => matches(one, item)));
    }
    if (wanted !== null && typeof wanted === 'object') {
      return value !== null && typeof value === 'object'
        && Object.entries(wanted).every(([name, item]) => matches(value[name], item));
    }
    return value === wanted;
  };
  return matches(whole, part)
    || (whole !== null && typeof whole === 'object' && Object.values(whole).some((value) => contains(value, part)));
}

/** The value of the YAML in `text`. */
export const parseYaml = (text) => parse(text);
