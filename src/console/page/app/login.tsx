import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { AskFault } from '../data/ask.ts';
import { signIn } from '../data/session.ts';
import { Mark } from './nav.tsx';

/** Asks for a token; what is kept of it is a cookie that no script can read. */
export function Login(): JSX.Element {
  const [fault, setFault] = useState('');
  const enter = async (event: Event): Promise<void> => {
    event.preventDefault();
    const token = new FormData(event.currentTarget as HTMLFormElement).get('token');
    try {
      await signIn(String(token).trim());
    } catch (error) {
      if (!(error instanceof AskFault)) throw error;
      setFault(error.status === 401 ? 'This token is not known, or has expired.' : error.message);
    }
  };
  return (
    <main class="login">
      <form class="panel form" onSubmit={(event) => void enter(event)}>
        <div class="brand">
          <Mark />
          <h1>Gatehouse</h1>
        </div>
        <p class="quiet">This listener is for operators. Sign in with your token.</p>
        <label class="field">
          <span>Token</span>
          <input name="token" type="password" autocomplete="current-password" required autofocus />
        </label>
        {fault !== '' && (
          <p class="bad-text" role="alert">
            {fault}
          </p>
        )}
        <button type="submit" class="button primary">
          Sign in
        </button>
      </form>
    </main>
  );
}
