import { isDeepStrictEqual } from 'node:util';
import type { ConfigFault } from '../config/config-fault.ts';
import { USUAL_TOKEN_BYTES } from '../policies/authentication/tokens/token-places.schema.ts';
import type { GatewaySource } from '../routing/table-builder.ts';

/** What is built once, when the process starts; a key that there is not has never changed. */
const FIXED: readonly (readonly string[])[] = [
  ['modules'],
  ['kubernetes'],
  ['contracts', 'enabled'],
  ['contracts', 'policies'],
];
const TOKEN_SIZE = ['identity', 'tokens', 'maxSize'];
/** What a reload may change of the GraphQL door. */
const GRAPHQL_RELOADS: ReadonlySet<string> = new Set(['policies']);

/** What differs between two configurations and needs a restart; one fault for each key. */
export function restartFaults(before: GatewaySource, after: GatewaySource): readonly ConfigFault[] {
  const options = new Set([...Object.keys(before.value.graphql), ...Object.keys(after.value.graphql)]);
  const ofGraphql = [...options].filter((key) => !GRAPHQL_RELOADS.has(key)).map((key) => ['graphql', key]);
  // One listens as the environment says, or as the file does; its listeners come and go.
  const ofListeners =
    (before.value.listeners === undefined) === (after.value.listeners === undefined) ? [] : [['listeners']];
  const ofTokens = tokenBytes(before) === tokenBytes(after) ? [] : [TOKEN_SIZE];
  return [...FIXED, ...ofListeners, ...ofGraphql, ...ofTokens].flatMap((path) => {
    if (isDeepStrictEqual(at(before.value, path), at(after.value, path))) return [];
    const { document } = after;
    const message = 'has changed, and needs a restart: it is built when the gateway starts';
    return [{ file: document.file, ...document.locate(path), key: path.join('.'), message }];
  });
}

/** How long a token may be decides how large heads may be, from the usual size on. */
function tokenBytes({ value }: GatewaySource): number {
  return Math.max(USUAL_TOKEN_BYTES, value.identity?.tokens.maxSize ?? 0);
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (part, key) =>
      typeof part === 'object' && part !== null ? (part as Record<string, unknown>)[key] : part,
    value,
  );
}
