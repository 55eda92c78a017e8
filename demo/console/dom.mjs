// Small help with elements. Text goes in as text: nothing that a server says becomes markup.

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; children are nodes or texts, `null` is none. */
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

/** Makes a button copy a text, and say that it has. `text` is called when it is pressed. */
export function copies(button, text) {
  const { textContent: label } = button;
  button.addEventListener('click', async () => {
    let said = 'Copied';
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      said = 'Not allowed';
    }
    button.textContent = said;
    setTimeout(() => { button.textContent = label; }, 1500);
  });
  return button;
}

const JSON_TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Fills an element with a value as coloured JSON. */
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
