import { maybeSecret, redacted } from '../telemetry/redaction.ts';

/** What stands for a value that is not shown. */
export const HIDDEN = '(hidden)';

/** Shows the value of a header field, unless it may be a secret. */
export function shownValue(name: string, value: string): string {
  return maybeSecret(name) ? HIDDEN : redacted(value);
}

/** Shows a path with its query, but for values that may be secrets. */
export function shownTarget(target: string): string {
  const at = target.indexOf('?');
  if (at < 0) return target;
  const pairs = target
    .slice(at + 1)
    .split('&')
    .map((pair) => {
      const end = pair.indexOf('=');
      return end >= 0 && maybeSecret(pair.slice(0, end)) ? `${pair.slice(0, end)}=${HIDDEN}` : pair;
    });
  return `${target.slice(0, at)}?${pairs.join('&')}`;
}

const MOST_SHOWN = 2000;

/** Shows a body that is JSON, or the beginning of it, but for members that may be secrets; undefined for any other. */
export function shownJson(body: Buffer): string | undefined {
  try {
    const text = JSON.stringify(JSON.parse(body.toString()), (name, value: unknown) =>
      maybeSecret(name) ? HIDDEN : value,
    );
    return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
  } catch {
    return undefined;
  }
}
