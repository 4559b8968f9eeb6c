// Shows openapi.json.
import { byId, el, prose } from './dom.js';
import { showAccess } from './access.js';
import { operationView } from './operation.js';
import { schemasView } from './schema.js';

const SHOWN_METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];

function entriesOf(api) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    SHOWN_METHODS.filter((method) => item[method] !== undefined).map((method) => ({
      path,
      method,
      operation: item[method],
    })),
  );
}

function indexView(tag, entries) {
  const items = entries.map(({ path, method, operation }) =>
    el(
      'li',
      {
        'data-search': `${method} ${path} ${operation.operationId} ${operation.summary ?? ''}`.toLowerCase(),
      },
      el(
        'a',
        { href: `#${operation.operationId}` },
        el('span', { class: 'method', 'data-method': method }, method),
        operation.summary ?? path,
      ),
    ),
  );
  return el('section', {}, el('h2', {}, tag), el('ul', {}, items));
}

function filterIndex(text) {
  const wanted = text.trim().toLowerCase();
  for (const section of byId('index').children) {
    const items = [...section.querySelectorAll('li')];
    for (const item of items) item.hidden = !item.dataset.search.includes(wanted);
    section.hidden = items.every((item) => item.hidden);
  }
}

function show(api) {
  document.title = `${api.info.title} · API reference`;
  void showAccess(api);
  byId('title').textContent = api.info.title;
  byId('version').textContent = `version ${api.info.version}`;
  const entries = entriesOf(api);
  const parts = [el('p', {}, ...prose(api.info.description ?? ''))];
  for (const { name } of api.tags) {
    const its = entries.filter(({ operation }) => operation.tags.includes(name));
    if (its.length === 0) continue;
    byId('index').append(indexView(name, its));
    parts.push(el('h2', {}, name), ...its.map((entry) => operationView(api, entry)));
  }
  parts.push(el('h2', { id: 'schemas' }, 'Schemas'), ...schemasView(api));
  byId('main').replaceChildren(...parts);
  // The target of the address was not there when the browser looked for it.
  if (location.hash !== '') byId(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

function rememberedTheme() {
  try {
    return localStorage.getItem('theme');
  } catch {
    return null;
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem('theme', theme);
  } catch {
    // Nothing is remembered where storage is not allowed.
  }
}

function listen() {
  const theme = rememberedTheme();
  if (theme === 'light' || theme === 'dark') setTheme(theme);
  byId('theme').addEventListener('click', () => {
    const now = document.documentElement.dataset.theme;
    const isDark = now === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : now === 'dark';
    setTheme(isDark ? 'light' : 'dark');
  });
  byId('filter').addEventListener('input', ({ target }) => filterIndex(target.value));
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    byId('filter').focus();
  });
}

async function start() {
  listen();
  const answer = await fetch('openapi.json', { headers: { accept: 'application/json' } });
  if (!answer.ok) throw new Error(`openapi.json answers ${answer.status}`);
  show(await answer.json());
}

start().catch((error) => {
  byId('main').replaceChildren(el('p', { role: 'alert' }, `The document cannot be shown: ${error.message}.`));
});
