import { ask, AskFault, order } from './ask.ts';
import { storeOf } from './store.ts';

/** Who the listener takes the reader for. */
export interface Who {
  readonly name: string | null;
  readonly role: Role;
  readonly needsToken: boolean;
  readonly by: 'loopback' | 'token' | 'certificate' | 'session';
}

/** What somebody may do; each may what the one before may. */
export type Role = 'read' | 'operate' | 'admin';

/** What is known of the reader. */
export interface Session {
  readonly state: 'asking' | 'known' | 'needs-token' | 'unreachable';
  readonly who?: Who;
  readonly fault?: string;
}

const RANK: Readonly<Record<Role, number>> = { read: 0, operate: 1, admin: 2 };

/** Who reads. */
export const session = storeOf<Session>({ state: 'asking' });

/** Asks who the reader is. */
export async function askWho(): Promise<void> {
  try {
    session.set({ state: 'known', who: await ask<Who>('whoami') });
  } catch (error) {
    session.set(stateAfter(error));
  }
}

function stateAfter(error: unknown): Session {
  if (!(error instanceof AskFault)) throw error;
  if (error.status === 401) return { state: 'needs-token' };
  return { state: 'unreachable', fault: error.message };
}

/** What was asked for needs a token by now. */
export function signedOut(): void {
  session.set({ state: 'needs-token' });
}

/** Exchanges a token for a session cookie, which no script can read. @throws {AskFault} */
export async function signIn(token: string): Promise<void> {
  await order('POST', 'session', { token });
  await askWho();
}

/** Ends the session. */
export async function signOut(): Promise<void> {
  await order('DELETE', 'session');
  await askWho();
}

/** Whether the reader may do what needs a role. The listener decides; the page only does not offer. */
export function may(role: Role): boolean {
  const { who } = session.value;
  return who !== undefined && RANK[who.role] >= RANK[role];
}
