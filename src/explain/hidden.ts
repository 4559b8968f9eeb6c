/** Names, folded, of what may hold a secret. Fails closed: rather one too many is hidden. */
const MAY_BE_SECRET = /auth|cookie|credential|key|pass|secret|session|signature|token|jwt/;

/** A token that is signed, whatever its field is called. */
const SIGNED = /^(?:[Bb]earer )?eyJ[\w-]+\.[\w-]+\.[\w-]*$/;

/** What stands for a value that is not shown. */
export const HIDDEN = '(hidden)';

/** Shows the value of a header field, unless it may be a secret. */
export function shownValue(name: string, value: string): string {
  return isSecret(name) || SIGNED.test(value) ? HIDDEN : value;
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
      return end >= 0 && isSecret(pair.slice(0, end)) ? `${pair.slice(0, end)}=${HIDDEN}` : pair;
    });
  return `${target.slice(0, at)}?${pairs.join('&')}`;
}

const MOST_SHOWN = 2000;

/** Shows a body that is JSON, or the beginning of it, but for members that may be secrets; undefined for any other. */
export function shownJson(body: Buffer): string | undefined {
  try {
    const text = JSON.stringify(JSON.parse(body.toString()), (name, value: unknown) =>
      isSecret(name) ? HIDDEN : value,
    );
    return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
  } catch {
    return undefined;
  }
}

// The name of a parameter may be encoded.
function isSecret(name: string): boolean {
  return MAY_BE_SECRET.test(plain(name).toLowerCase());
}

function plain(name: string): string {
  try {
    return name.includes('%') ? decodeURIComponent(name) : name;
  } catch {
    return name;
  }
}
