import { shownPath, withoutValues } from '../../exchange/shown-target.ts';
import { redacted } from '../../telemetry/redaction.ts';
import { maySayASecret } from '../../telemetry/secret-names.ts';

/** What the conventions want in place of a value (semantic conventions for HTTP, `url.full`). */
const REDACTED = 'REDACTED';
const MOST_PARAMETERS = 16;
const PARAMETER_NAME = /^[A-Za-z_][\w.[\]-]{0,31}$/;
const LONGEST_VALUE = 256;

/**
 * A query as spans show it: the names of its parameters, 16 at most, each with `REDACTED`; values only of those in the list, and
 * even of those not where the name may be one of a secret.
 *
 * @param query with its `?`, or empty.
 * @returns without the `?`; empty for none.
 */
export function shownQuery(query: string, shown: ReadonlySet<string>): string {
  if (query.length < 2) return '';
  const parameters = query.slice(1).split('&', MOST_PARAMETERS);
  return parameters.map((parameter) => shownParameter(parameter, shown)).join('&');
}

function shownParameter(parameter: string, shown: ReadonlySet<string>): string {
  const sign = parameter.indexOf('=');
  const name = sign < 0 ? '' : parameter.slice(0, sign);
  // A name that nobody would give one is a value.
  if (!PARAMETER_NAME.test(name)) return REDACTED;
  const isShown = shown.has(name) && !maySayASecret(name);
  // Redacted first: half a secret is one that is not found any more.
  return `${name}=${isShown ? redacted(parameter.slice(sign + 1)).slice(0, LONGEST_VALUE) : REDACTED}`;
}

/**
 * Path and query of what a target was asked for.
 *
 * @param secrets texts that are not shown, wherever they stand in the path. Default none.
 */
export function shownTarget(
  target: string,
  shown: ReadonlySet<string>,
  secrets: readonly string[] = [],
): string {
  const mark = target.indexOf('?');
  const path = redacted(shownPath(withoutValues(mark < 0 ? target : target.slice(0, mark), secrets)));
  const query = mark < 0 ? '' : shownQuery(target.slice(mark), shown);
  return query === '' ? path : `${path}?${query}`;
}
