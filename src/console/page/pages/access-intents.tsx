import { AskFault, order } from '../data/ask.ts';
import { ago } from '../data/format.ts';
import type { Intent } from '../parts/confirm.tsx';
import type { ShownKey } from './access.tsx';

const PREFIX = 6;

/** Revokes an API key; its beginning has to be typed, since nobody can take it back. */
export function revokingKey({ id, clientId, lastUsedAt }: ShownKey, again: () => void): Intent {
  const prefix = id.slice(0, PREFIX);
  return {
    title: `Revoke the key ${id}?`,
    effect: `Requests of ${clientId} with this key are refused from now on, at all replicas, for good. It was last used ${ago(lastUsedAt)}.`,
    act: 'Revoke',
    danger: true,
    fields: (
      <label class="field">
        <span>Type {prefix} to go on</span>
        <input name="prefix" class="mono" required autocomplete="off" />
      </label>
    ),
    run: async (form) => {
      if (form.get('prefix') !== prefix) throw new AskFault(`expected ${prefix}`, 400);
      await order('POST', `keys/${encodeURIComponent(id)}/revoke`);
      again();
      return `The key ${id} is revoked.`;
    },
  };
}

/** Revokes a token, a session or a subject. */
export function revokingToken(again: () => void): Intent {
  return {
    title: 'Revoke a credential?',
    effect: 'It is refused from now on, at all replicas.',
    act: 'Revoke',
    danger: true,
    fields: (
      <>
        <label class="field">
          <span>What</span>
          <select name="kind">
            <option value="jti">one token, by its jti</option>
            <option value="sid">a session, by its sid</option>
            <option value="sub">everything of a subject, by its sub</option>
          </select>
        </label>
        <label class="field">
          <span>Its value</span>
          <input name="value" class="mono" required autocomplete="off" />
        </label>
        <label class="field">
          <span>Issuer, if there are several</span>
          <input name="issuer" class="mono" />
        </label>
      </>
    ),
    run: async (form) => {
      const issuer = String(form.get('issuer') ?? '');
      const named = { [String(form.get('kind'))]: form.get('value'), ...(issuer !== '' && { issuer }) };
      await order('POST', 'revocations', named);
      again();
      return 'It is revoked.';
    },
  };
}
