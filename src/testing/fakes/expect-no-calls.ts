import { ExpectationError } from '../testing-error.ts';

/** What is looked at. */
interface Asked {
  readonly name: string;
  readonly titles: readonly string[];
}

const MOST_SHOWN = 20;

/** Fails when one of several services was asked for anything. @throws {ExpectationError} naming all requests. */
export function expectNoCalls(services: readonly Asked[]): void {
  const calls = services.flatMap(({ name, titles }) => titles.map((title) => `  ${name}  ${title}`));
  if (calls.length === 0) return;
  const shown = calls.slice(0, MOST_SHOWN);
  const more = calls.length > MOST_SHOWN ? [`  … and ${calls.length - MOST_SHOWN} more`] : [];
  const noun = calls.length === 1 ? 'request came' : 'requests came';
  throw new ExpectationError(
    [`expected no calls of upstreams, ${calls.length} ${noun}:`, ...shown, ...more].join('\n'),
  );
}
