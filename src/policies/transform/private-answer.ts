const CACHE_CONTROL = 'cache-control';
/** Directives that let a cache show an answer to others than its caller; with names of fields they say something else. */
const SHARED = /^(?:public|s-maxage(?:=.*)?|private)$/i;

/**
 * Says of an answer that it is for its caller alone (RFC 9111 section 5.2.2.7), in place: what a service says about it is
 * said of an answer that was the same for all.
 */
export function keepPrivate(headers: string[]): void {
  const directives = ['private'];
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (name.toLowerCase() === CACHE_CONTROL) {
      directives.push(...restOf(value));
      continue;
    }
    headers[kept] = name;
    headers[kept + 1] = value;
    kept += 2;
  }
  headers.length = kept;
  headers.push(CACHE_CONTROL, directives.join(', '));
}

function restOf(value: string): string[] {
  // A quoted list of names has commas of its own; rather an answer that nobody keeps.
  if (value.includes('"')) return ['no-store'];
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && !SHARED.test(part));
}
