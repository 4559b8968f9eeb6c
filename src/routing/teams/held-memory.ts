import type { ConfigPath } from '../../config/config-path.ts';
import type { Rights } from './include.schema.ts';
import type { Stray } from './strays.ts';

/** Keys that say how many bytes are held in memory. */
const SIZES: ReadonlySet<string> = new Set([
  'maxBody', 'maxAnswer', 'maxBytes', 'maxMessage', 'maxFrame', 'maxLine', 'maxResponseHead',
]); // prettier-ignore
/** What stands below them is for services or clients. */
const OPAQUE: ReadonlySet<string> = new Set(['template', 'input', 'fallback', 'respond']);

/**
 * Sizes that are larger than what a team may have held for it: the memory is everybody's.
 *
 * @param value routes or upstreams, parsed.
 */
export function heldStrays(value: unknown, rights: Pick<Rights, 'maxHeld'>, path: ConfigPath = []): Stray[] {
  if (typeof value !== 'object' || value === null) return [];
  const keys: readonly (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) => {
    if (OPAQUE.has(String(key)) || (key === 'response' && path.at(-1) === 'aggregate')) return [];
    const said = (value as Readonly<Record<string | number, unknown>>)[key];
    const at = [...path, key];
    if (typeof said !== 'number' || !SIZES.has(String(key)) || said <= rights.maxHeld)
      return heldStrays(said, rights, at);
    return [{ path: at, message: `expected at most ${rights.maxHeld} bytes; see \`maxHeld\`` }];
  });
}
