/** What an alternative name of a subject can be matched by. */
export const NAME_KINDS = ['uri', 'dns', 'email'] as const;
/** One of {@link NAME_KINDS}. */
export type NameKind = (typeof NAME_KINDS)[number];

const URI = /^[a-z][a-z0-9+.-]*:[!-~]+$/i;
const URIS_BELOW = /^[a-z][a-z0-9+.-]*:\/\/[^/*]+\/(?:[^*]+\/)?\*$/i;
const DNS = /^(?:\*\.)?(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/;
const EMAIL = /^[^@\s*]+@[^@\s*]+$|^\*@[^@\s*]+$/;

/** Whether a pattern makes sense, by kind. A `*` stands for what comes below a path, for one label, or for a mailbox. */
export const PATTERNS: Readonly<Record<NameKind, (pattern: string) => boolean>> = {
  uri: (pattern) => URIS_BELOW.test(pattern) || (URI.test(pattern) && !pattern.endsWith('*')),
  dns: (pattern) => DNS.test(pattern),
  email: (pattern) => EMAIL.test(pattern),
};

/** Segments that mean themselves to whoever reads them (SPIFFE ID section 2.2): none that is empty, a dot or escaped. */
const PLAIN_PATH = /^(?:(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+(?:\/|$))+$/;
const LABEL = /^[a-z0-9_-]+$/;

/** The one form of a name: what is the same name is the same text. */
export function normalName(kind: NameKind, name: string): string {
  if (kind === 'dns') return name.toLowerCase();
  if (kind === 'uri') return name;
  const at = name.lastIndexOf('@');
  return name.slice(0, at) + name.slice(at).toLowerCase();
}

/** Makes the test of a pattern for names in their one form. */
export function matcherOf(kind: NameKind, given: string): (name: string) => boolean {
  const pattern = normalName(kind, given);
  if (kind === 'uri' && pattern.endsWith('/*')) {
    const base = pattern.slice(0, -1);
    return (name) => name.startsWith(base) && !name.endsWith('/') && PLAIN_PATH.test(name.slice(base.length));
  }
  if (kind !== 'uri' && pattern.startsWith('*')) {
    const end = pattern.slice(1);
    const isPlain = kind === 'dns' ? LABEL : /^[^@"]+$/;
    return (name) => name.endsWith(end) && isPlain.test(name.slice(0, -end.length));
  }
  return (name) => name === pattern;
}
