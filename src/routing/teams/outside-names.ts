import type { ConfigPath } from '../../config/config-path.ts';
import type { Rights } from './include.schema.ts';
import { leadsOut } from './linked-files.ts';
import type { Stray } from './strays.ts';

const FILE_KEYS: ReadonlySet<string> = new Set([
  'ca',
  'cert',
  'descriptorSet',
  'proto',
  'kubeconfig',
  'lastKnown',
]);
/** Keys whose value is a file only below some others. */
const FILES_BELOW: Readonly<Record<string, string>> = { key: 'tls', path: 'file', file: 'openapi' };
/** What stands below them is for services or clients, and means nothing here. */
const OPAQUE: ReadonlySet<string> = new Set([
  'respond', 'response', 'setHeaders', 'fallback', 'input', 'headers', 'query', 'cookies', 'labels', 'body', 'answer', 'params',
]); // prettier-ignore

/** What a team may name, and patterns of variables of the others. */
export type OutsideRights = Pick<Rights, 'files' | 'variables'> & {
  readonly othersVariables?: readonly string[] | undefined;
  /** Where relative names of files start from; links are followed from there. Default: nobody looks for links. */
  readonly folders?: readonly string[] | undefined;
};

/**
 * Files and variables that a team names and may not. Nobody looks at what they lead to before.
 * Fails closed: whatever is called as a file or a variable is taken for one.
 */
export function outsideNames(value: unknown, rights: OutsideRights, path: ConfigPath = []): Stray[] {
  if (Array.isArray(value)) return value.flatMap((one, index) => outsideNames(one, rights, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, said]: [string, unknown]) => {
    const at = [...path, key];
    if (typeof said !== 'string') return OPAQUE.has(key) ? [] : outsideNames(said, rights, at);
    const isFile =
      key.endsWith('File') || FILE_KEYS.has(key) || (path.length > 0 && FILES_BELOW[key] === path.at(-1));
    if (isFile && !isBelow(said, rights.files))
      return [{ path: at, message: `the file ${said} is not one that it may name; see \`files\`` }];
    if (isFile && leadsOut(said, rights.files, rights.folders ?? []))
      return [{ path: at, message: `the file ${said} is a link out of what it may name; see \`files\`` }];
    if (key.endsWith('Env') && !mayRead(said, rights))
      return [{ path: at, message: `the variable ${said} is not one that it may name; see \`variables\`` }];
    return [];
  });
}

/**
 * Whether a team may refer to a variable. A longer beginning goes before a shorter one, as with paths: `PAY_EU_KEY` is for who may
 * have `PAY_EU_*`, and not for who may have `PAY_*`.
 */
export function mayRead(name: string, { variables, othersVariables = [] }: OutsideRights): boolean {
  const own = narrowest(name, variables);
  return own >= 0 && own >= narrowest(name, othersVariables);
}

function narrowest(name: string, patterns: readonly string[]): number {
  const fitting = patterns.filter((one) => isNamed(name, [one]));
  return Math.max(-1, ...fitting.map((one) => (one.endsWith('*') ? one.length - 1 : Infinity)));
}

/** Whether the name of a variable is one of those that patterns stand for. */
export function isNamed(name: string, patterns: readonly string[]): boolean {
  return patterns.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one));
}

function isBelow(file: string, folders: readonly string[]): boolean {
  const parts = file.split('/').filter((part) => part !== '.' && part !== '');
  if (file.startsWith('/') || parts.includes('..')) return false;
  return folders.some((folder) => {
    const own = folder.split('/').filter((part) => part !== '.' && part !== '');
    return own.every((part, index) => parts[index] === part);
  });
}
