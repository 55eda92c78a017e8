// Helpers for elements. Text is inserted as text, so that nothing from a server becomes markup.

export const byId = (id) => document.getElementById(id);

/** Creates an element. Children are nodes or texts; `null` children and attributes are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== null) {
      made.setAttribute(attribute, value);
    }
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A link that tells the other site nothing about this page. */
export function externalLink(url) {
  return element('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, url);
}

/** Makes a button copy what `text()` returns when it is pressed, and confirm that. */
export function copies(button, text) {
  const { textContent: label } = button;
  let timer;
  button.addEventListener('click', async () => {
    let said = 'Copied';
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      said = 'Not copied';
    }
    button.textContent = said;
    clearTimeout(timer);
    timer = setTimeout(() => { button.textContent = label; }, 1500);
  });
  return button;
}

const JSON_TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Fills an element with a value as highlighted JSON. */
export function showJson(target, value) {
  const text = JSON.stringify(value, null, 2);
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(JSON_TOKEN)) {
    const [whole, string, colon = ''] = match;
    const kind = string ? (colon ? 'name' : 'string') : 'other';
    parts.push(text.slice(end, match.index), element('span', { class: kind }, string ?? whole), colon);
    end = match.index + whole.length;
  }
  target.replaceChildren(...parts, text.slice(end));
}
