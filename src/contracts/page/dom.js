// Makes elements. What comes from the document goes through text nodes: no markup of it is ever parsed.

export const byId = (id) => document.getElementById(id);

export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== ''));
  return element;
}

/** Text with `code` in it. */
export function prose(text) {
  return text.split(/`([^`]*)`/).map((part, index) => (index % 2 === 1 ? el('code', {}, part) : part));
}

export function copyable(text, label) {
  const shown = el('pre', { tabindex: 0 }, el('code', {}, text));
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      byId('said').textContent = `${label} copied.`;
    } catch {
      // Clipboards are only for secure pages: the text is selected instead.
      getSelection()?.selectAllChildren(shown);
      byId('said').textContent = `${label} selected.`;
    }
  };
  return el(
    'div',
    { class: 'copyable' },
    shown,
    el('button', { type: 'button', onclick: copy, 'aria-label': `Copy ${label}` }, 'Copy'),
  );
}
