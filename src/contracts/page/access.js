// Who the page asks as. What somebody types in is kept in this page only, and is gone with it.
import { byId, el } from './dom.js';

const given = { token: '', key: '' };
let keyField = 'x-api-key';

/** The header fields that say who asks; a session travels in a cookie that no script can read. */
export function credentialFields() {
  return {
    ...(given.token === '' ? {} : { authorization: `Bearer ${given.token}` }),
    ...(given.key === '' ? {} : { [keyField]: given.key }),
  };
}

/** Shows how to sign in, as far as the routes have a use for it. */
export async function showAccess(api) {
  const { session, apiKey } = api.components.securitySchemes;
  const asked = new Set(
    Object.values(api.paths)
      .flatMap((item) => Object.values(item))
      .flatMap(({ security }) => security.flatMap((one) => Object.keys(one))),
  );
  keyField = apiKey?.name ?? keyField;
  const login = asked.has('session') ? session?.['x-gatehouse-login'] : undefined;
  const fields = [
    ...(asked.has('jwt') || asked.has('introspection') ? [secretField('token', 'Token')] : []),
    ...(asked.has('apiKey') ? [secretField('key', 'API key')] : []),
  ];
  const typed = fields.length === 0 ? '' : el('details', {}, el('summary', {}, 'Credentials'), ...fields);
  byId('access').replaceChildren(
    ...[login === undefined ? '' : await sessionView(session), typed].filter((one) => one !== ''),
  );
}

function secretField(name, label) {
  const oninput = ({ target }) => (given[name] = target.value.trim());
  const input = el('input', { type: 'password', autocomplete: 'off', spellcheck: 'false', oninput });
  return el('label', {}, label, input);
}

async function sessionView({ 'x-gatehouse-login': login, 'x-gatehouse-session': place }) {
  const session = await fetch(place, { headers: { accept: 'application/json' } }).catch(() => undefined);
  if (session?.ok !== true)
    return el('a', { href: `${login}?return=${encodeURIComponent(location.pathname)}` }, 'Log in');
  const { id, email, logout } = await session.json();
  const out = logout === undefined ? '' : el('a', { href: logout }, 'Log out');
  return el('span', {}, `Logged in as ${email ?? id} `, out);
}
