import type { Attempt, DegradedPart } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { printableJson } from '../telemetry/printable.ts';
import { errorName } from '../telemetry/error-facts.ts';

const LONGEST_NAME = 200;
const MOST_ATTEMPTS = 20;
const MOST_DEGRADED = 20;

const NEEDS_ESCAPES = /["\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** A text as JSON, without a character that is not seen: nobody speaks to the terminal of whoever reads the log. */
export function quoted(text: string): string {
  return NEEDS_ESCAPES.test(text) ? printableJson(JSON.stringify(text)) : `"${text}"`;
}

/** A time, to the microsecond. */
export function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** A text of somebody else, 200 characters at most. */
export function bounded(text: string): string {
  return text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}…` : text;
}

/** The members of a list of JSON. */
export function attemptsOf(attempts: readonly Attempt[]): string {
  let list = '';
  // The last ones, because the very last is what was answered with.
  for (let i = Math.max(0, attempts.length - MOST_ATTEMPTS); i < attempts.length; i += 1) {
    const { target, outcome, durationMs, hedge } = attempts[i] as Attempt;
    if (list !== '') list += ',';
    list += `{"target":${quoted(target)},"outcome":${quoted(outcome)},"durationMs":${rounded(durationMs)}${hedge === true ? ',"hedge":true' : ''}}`;
  }
  const left = attempts.length - MOST_ATTEMPTS;
  return left > 0 ? `{"left":${left}},${list}` : list;
}

/** A list of JSON. */
export function degradedOf(degraded: readonly DegradedPart[]): string {
  const shown: object[] = degraded
    .slice(0, MOST_DEGRADED)
    .map(({ section, code, via }) => ({ section: bounded(section), code, via }));
  if (degraded.length > shown.length) shown.push({ left: degraded.length - shown.length });
  return printableJson(JSON.stringify(shown));
}

/** Why it was refused, as JSON. */
export function refusalOf(problem: Problem): string {
  const { entry, code, by } = problem;
  return printableJson(
    JSON.stringify({ stage: entry.stage, code, by: by && bounded(by), fault: faultOf(problem) }),
  );
}

/** The error behind a problem; what is behind a problem of a problem is the first one's. */
export function faultOf({ cause }: Problem): string | undefined {
  let root = cause;
  for (let depth = 0; root instanceof Problem && root.cause !== undefined && depth < 10; depth += 1)
    root = root.cause;
  if (root === undefined) return undefined;
  return root instanceof Problem ? root.code : bounded(errorName(root));
}
