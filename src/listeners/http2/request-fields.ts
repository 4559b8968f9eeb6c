/** The head of a request over HTTP/2, as HTTP/1.1 would have it. */
export interface RequestFields {
  readonly method: string;
  /** Path and query; `*` for none. */
  readonly target: string;
  readonly scheme: string;
  /** What an extended CONNECT wants to speak (RFC 8441 section 4); empty for any other request. */
  readonly protocol: string;
  /** The lines of fields, names and values; of a host and cookies there is one. */
  readonly lines: string[];
}

type Authority = string | undefined;

const COLON = 0x3a;

/**
 * Takes the head of a request apart (RFC 9113 section 8.3.1). `:authority` becomes the `Host`, as a request over HTTP/1.1
 * would have to say it; a `host` that says something else stays beside it, so that the message has two and is refused.
 * Cookies in several fields become one (section 8.2.3).
 *
 * @param raw names and values, pseudo-header fields among them.
 */
export function requestFields(raw: readonly string[]): RequestFields {
  const fields = { method: '', target: '*', scheme: '', protocol: '', authority: undefined as Authority };
  const lines: string[] = [];
  let cookieAt = -1;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name.charCodeAt(0) === COLON) setPseudo(fields, name, value);
    else if (name !== 'cookie' || cookieAt < 0) {
      if (name === 'cookie') cookieAt = lines.length + 1;
      lines.push(name, value);
    } else lines[cookieAt] += `; ${value}`;
  }
  const { method, target, scheme, protocol, authority } = fields;
  return {
    method,
    target,
    scheme,
    protocol,
    lines: authority === undefined ? lines : withHost(authority, lines),
  };
}

function setPseudo(
  fields: { method: string; target: string; scheme: string; protocol: string; authority: Authority },
  name: string,
  value: string,
): void {
  if (name === ':method') fields.method = value;
  else if (name === ':path') fields.target = value;
  else if (name === ':scheme') fields.scheme = value;
  else if (name === ':authority') fields.authority = value;
  else if (name === ':protocol') fields.protocol = value;
}

function withHost(authority: string, lines: string[]): string[] {
  const at = lines.findIndex((name, i) => i % 2 === 0 && name === 'host');
  if (at >= 0 && (lines[at + 1] as string).toLowerCase() === authority.toLowerCase()) lines.splice(at, 2);
  lines.unshift('host', authority);
  return lines;
}
