const LONGEST_PATH = 1024;
const MOST_PARAMETERS = 16;

/** Parameters of a path segment (RFC 3986 section 3.3), such as a session of `;jsessionid=…`. */
const PATH_PARAMETER = /(?:;|%3B)[^/]*/g;

/** What developers call a parameter. */
const PARAMETER_NAME = /^[A-Za-z_][\w.[\]-]{0,31}$/;

/** Stands for what is left out. */
const HIDDEN = '*';

/** A path as log lines show it: without the parameters of its segments, and 1024 characters at most. */
export function shownPath(path: string): string {
  const shown =
    path.includes(';') || path.includes('%3B') ? path.replace(PATH_PARAMETER, `;${HIDDEN}`) : path;
  return shown.length > LONGEST_PATH ? `${shown.slice(0, LONGEST_PATH)}…` : shown;
}

/**
 * A query as log lines show it: the names of its parameters, 16 at most. Values are left out, and so is a name that
 * nobody would give one, or that no value follows: `?dG9rZW4=` is a token and not a name.
 *
 * @param query with its `?`.
 */
export function shownQuery(query: string): string {
  let shown = '?';
  let start = 1;
  for (let count = 0; start <= query.length; count += 1) {
    if (count > 0) shown += '&';
    if (count === MOST_PARAMETERS) return `${shown}…`;
    const end = query.indexOf('&', start);
    const parameter = query.slice(start, end < 0 ? query.length : end);
    shown += shownParameter(parameter);
    start += parameter.length + 1;
  }
  return shown;
}

function shownParameter(parameter: string): string {
  const sign = parameter.indexOf('=');
  const name = parameter.slice(0, Math.max(0, sign));
  return PARAMETER_NAME.test(name) && hasValue(parameter, sign + 1) ? `${name}=` : HIDDEN;
}

// The padding of base64 is no value.
function hasValue(parameter: string, start: number): boolean {
  for (let i = start; i < parameter.length; i += 1) if (parameter[i] !== '=') return true;
  return false;
}
