import { compileLinear, type LinearPattern } from '../../config/linear-pattern.ts';

/** An origin of the configuration: exact, with a wildcard for labels of its host, `*`, or a pattern. */
export type OriginRule = string | { readonly regex: string };

/** Tells whether a page of an origin is meant. */
export type OriginTest = (origin: string) => boolean;

const LABELS = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
const ORIGIN =
  /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::(\d{1,5}))?$/;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443' };
/** What a browser can send; a comma would make two origins of it. */
const SENDABLE = /^[!-+\--~]{1,2048}$/;
/** Origins that nobody has; a pattern that takes them takes everybody's. */
const STRANGERS = ['https://stranger.invalid', 'http://192.0.2.1:8081', 'null'];

/** Says what is wrong with an origin of the configuration; undefined for nothing. */
export function originFault(text: string): string | undefined {
  if (text === '*' || text === 'null') return undefined;
  const [, scheme = '', , host, port] = ORIGIN.exec(text) ?? [];
  if (host === undefined)
    return 'expected an origin as browsers write it, such as https://app.example.com or https://*.example.com: lower case, no path, no slash at its end';
  if (port !== undefined && (DEFAULT_PORTS[scheme] === port || Number(port) > 65_535 || Number(port) < 1))
    return `expected no port, or one that browsers would write: ${port} is ${DEFAULT_PORTS[scheme] === port ? `what ${scheme} means anyway` : 'none'}`;
  return undefined;
}

/** Whether rules let in pages of whichever origin, as `*` does. */
export function takesEveryone(rules: readonly OriginRule[]): boolean {
  return rules.some((rule) =>
    typeof rule === 'string' ? rule === '*' : STRANGERS.some(linearTest(compileLinear(rule.regex))),
  );
}

/** Compiles rules; the exact ones are looked up first. */
export function compileOrigins(rules: readonly OriginRule[]): OriginTest {
  const texts = rules.filter((rule) => typeof rule === 'string');
  const exact = new Set(texts.filter((text) => !text.includes('*')));
  const tests = [
    ...texts.filter((text) => text.includes('*')).map(wildcardTest),
    ...rules.filter((rule) => typeof rule !== 'string').map(({ regex }) => linearTest(compileLinear(regex))),
  ];
  if (texts.includes('*')) return isSendable;
  if (tests.length === 0) return (origin) => exact.has(origin);
  return (origin) => exact.has(origin) || (isSendable(origin) && tests.some((test) => test(origin)));
}

function isSendable(origin: string): boolean {
  return SENDABLE.test(origin);
}

// As a whole: a pattern without anchors would take `https://app.example.com.evil.test` for `https://app.example.com`.
function linearTest(pattern: LinearPattern): OriginTest {
  return (origin) => pattern.matches(origin);
}

/** `*` stands for one or more labels, and for nothing that could end the host. */
function wildcardTest(text: string): OriginTest {
  const at = text.indexOf('*');
  const [prefix, suffix] = [text.slice(0, at), text.slice(at + 1)];
  return (origin) =>
    origin.length > text.length - 1 &&
    origin.startsWith(prefix) &&
    origin.endsWith(suffix) &&
    LABELS.test(origin.slice(prefix.length, -suffix.length));
}
