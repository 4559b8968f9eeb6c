const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/**
 * Parses `Cache-Control` (RFC 9111 section 5.2) into directives by lower-case name; what stands in quotes is an
 * argument and no directive. Of a directive that is there twice the first one counts (section 4.2.1). A member that
 * cannot be read stands for `no-store`: it fails closed.
 */
export function parseCacheControl(value: string | undefined): ReadonlyMap<string, string> {
  const directives = new Map<string, string>();
  for (const member of value === undefined ? [] : membersOf(value)) {
    const equals = member.indexOf('=');
    const name = (equals < 0 ? member : member.slice(0, equals)).trim().toLowerCase();
    if (name === '' && equals < 0) continue;
    if (!TOKEN.test(name)) directives.set('no-store', '');
    else if (!directives.has(name))
      directives.set(name, equals < 0 ? '' : unquoted(member.slice(equals + 1)));
  }
  return directives;
}

/** Splits a list at its commas, but for those in quotes; one that is not closed goes on to the end. */
function membersOf(list: string): string[] {
  if (!list.includes('"')) return list.split(',');
  const members: string[] = [];
  let isQuoted = false;
  let from = 0;
  for (let i = 0; i < list.length; i += 1) {
    const char = list[i];
    if (char === '"') isQuoted = !isQuoted;
    else if (char === '\\' && isQuoted) i += 1;
    else if (char === ',' && !isQuoted) {
      members.push(list.slice(from, i));
      from = i + 1;
    }
  }
  // A quote without an end may have swallowed anything.
  return [...members, isQuoted ? '"' : list.slice(from)];
}

function unquoted(argument: string): string {
  const text = argument.trim();
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).trim() : text;
}
