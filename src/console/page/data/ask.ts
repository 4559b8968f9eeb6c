import { pathAsked, ROOT } from '../app/address.ts';

/** What the listener has answered instead of what was asked for. */
export class AskFault extends Error {
  /** 0: nobody answered. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

const LONGEST_MS = 15_000;
const LATE = `The operators’ listener has not answered within ${LONGEST_MS / 1000} s.`;
const UNREACHABLE = 'The operators’ listener does not answer.';

/** Asks the operators' listener. @throws {AskFault} */
export function ask<Answer>(path: string): Promise<Answer> {
  return sent<Answer>(pathAsked(path), {});
}

/** Gives an order. @throws {AskFault} */
export function order<Answer>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body: object = {},
): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'x-gatehouse-admin': 'console' };
  return sent<Answer>(path, { method, headers, body: JSON.stringify(body) });
}

async function sent<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const headers = { accept: 'application/json', ...init.headers };
  const late = AbortSignal.timeout(LONGEST_MS);
  const answer = await fetch(ROOT + path, { ...init, headers, cache: 'no-cache', signal: late }).catch(
    unheard,
  );
  const text = await answer.text().catch(unheard);
  const value = readJson(text);
  if (!answer.ok) throw new AskFault(faultText(value, answer.status), answer.status);
  // An address that the listener does not know is answered with its index.
  if (value === undefined && text !== '') throw new AskFault('This gateway does not answer that.', 404);
  return value as Answer;
}

// Who waits is told at last; otherwise the page would say "Asking…" for ever.
function unheard(error: unknown): never {
  const isLate = error instanceof DOMException && error.name === 'TimeoutError';
  throw new AskFault(isLate ? LATE : UNREACHABLE, 0);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The sentence of a refusal: `{ error }`, or a problem. */
export function faultText(value: unknown, status: number): string {
  const { error, detail, title } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const said = [error, detail, title].find((one) => typeof one === 'string');
  if (typeof said === 'string') return said;
  return status === 404 ? 'This gateway does not answer that.' : `The listener has answered ${status}.`;
}
