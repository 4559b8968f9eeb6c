import type { Problem } from '../problems/problem.ts';
import type { Refusal } from './explanation.ts';

const MOST_ERRORS = 20;

/** A problem, as it is told to whoever asks why. @param by who refuses. */
export function refusalOf(by: string, { status, code, message, by: place, extensions }: Problem): Refusal {
  const errors = Array.isArray(extensions?.['errors']) ? (extensions['errors'] as unknown[]) : [];
  return {
    by: place === undefined ? by : `${by} ${place}`,
    status,
    code,
    detail: message,
    errors: errors.length === 0 ? undefined : errors.slice(0, MOST_ERRORS).map(errorText),
  };
}

function errorText(error: unknown): string {
  const { in: part, pointer, parameter, message } = error as Readonly<Record<string, string | undefined>>;
  return [part, parameter ?? pointer, message].filter((text) => text !== undefined && text !== '').join(' ');
}
