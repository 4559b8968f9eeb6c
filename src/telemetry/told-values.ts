import { redacted } from './redaction.ts';
import { maySayASecret } from './secret-names.ts';

/** What stands for a value of somebody's request that may be a secret. */
export const HIDDEN = '(hidden)';
const DEEPEST = 12;

/**
 * A name and a value within a text, as documents of GraphQL, forms and logs have them: `password: "x"`, `$pin: Int = 1`, `token=x`.
 * A value ends with the text at the latest, and a name begins where no other one does: each character is looked at once.
 */
const PAIR =
  /(?<![\w-])([A-Za-z_][\w-]*)(["']?\s{0,8}(?::\s{0,8}\[?\w{1,64}!?\]?!?\s{0,8}=|[:=])\s{0,8})("""[^]*?(?:"""|$)|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|-?\d[\w.+-]*|(?<==\s{0,8})[^\s"'&;,(){}<>[\]$]+)/g;

/** What tells the name of a value that stands beside it: `{ "name": "password", "value": "x" }`. */
const NAMING = ['name', 'key', 'field', 'header', 'id'];
const NAMED: ReadonlySet<string> = new Set(['value', 'values', 'val', 'content', 'data']);

/** Names of protocols over WebSockets that many speak. Whatever else stands in that field may be a token: pages have no other. */
const PROTOCOL =
  /^(?:graphql-(?:transport-)?ws|mqtt(?:v[\d.]+)?|wamp(?:\.2\.[a-z]+)*|soap|xmpp|v1[0-2]\.stomp|amqp|ocpp[\d.]+|sip|echo|chat|binary|base64|json|protobuf)$/;

/** Shows the value of a header field whose name says nothing of a secret, without what may be one all the same. */
export function toldField(name: string, value: string): string {
  switch (name.toLowerCase()) {
    case 'sec-websocket-protocol':
      return value
        .split(',')
        .map((one) => (PROTOCOL.test(one.trim()) ? one.trim() : HIDDEN))
        .join(', ');
    case 'host':
      // A host alone has no scheme, which user information is found by.
      return redacted(value.slice(value.lastIndexOf('@') + 1));
    default:
      return toldText(value);
  }
}

/** Shows a text of somebody else's, which may be JSON, a document of GraphQL, a form or a sentence, without what may be secrets. */
export function toldText(text: string): string {
  const json = /^\s{0,8}[[{]/.test(text) ? parsed(text) : undefined;
  if (json !== undefined) return JSON.stringify(toldJson(json, 1));
  return redacted(
    text.replace(PAIR, (pair, name: string, sign: string, value: string) => {
      if (!maySayASecret(name)) return pair;
      const quote = /^["']/.exec(value)?.[0] ?? '';
      return `${name}${sign}${quote}${HIDDEN}${quote}`;
    }),
  );
}

/** A value of JSON without what members say whose names may be those of secrets, and what looks like a secret. */
export function toldJson(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return toldText(value);
  if (typeof value !== 'object' || value === null) return value;
  // Fails closed: nobody looks deeper.
  if (depth > DEEPEST) return HIDDEN;
  if (Array.isArray(value)) return value.map((one: unknown) => toldJson(one, depth + 1));
  const members = value as Readonly<Record<string, unknown>>;
  const isNamed = NAMING.some((name) => isSecretName(members[name]));
  return Object.fromEntries(
    Object.entries(members).map(([name, one]) => [
      name,
      maySayASecret(name) || (isNamed && NAMED.has(name.toLowerCase())) ? HIDDEN : toldJson(one, depth + 1),
    ]),
  );
}

function isSecretName(value: unknown): boolean {
  return typeof value === 'string' && maySayASecret(value);
}

function parsed(text: string): object | undefined {
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}
