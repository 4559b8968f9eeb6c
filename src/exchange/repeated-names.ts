import { pointerOf } from './json-pointer.ts';

/** An object or a list that is being read. */
interface Open {
  /** Names so far; undefined for a list. */
  readonly names: Set<string> | undefined;
  /** Name or index of what is being read. */
  at: string | number;
}

/**
 * Finds the first name that an object of a JSON text says twice, which the canonical mapping refuses: two readers
 * could each believe another one of the values. `JSON.parse` takes the last and says nothing.
 *
 * @param text one that `JSON.parse` has accepted.
 * @returns a JSON pointer, or undefined when all names are said once.
 */
export function repeatedName(text: string): string | undefined {
  const stack: Open[] = [];
  let isName = false;
  for (let i = 0; i < text.length; i += 1) {
    switch (text.charCodeAt(i)) {
      case 0x22: {
        const end = endOfText(text, i);
        if (isName && !take(stack, text.slice(i, end + 1)))
          return pointerOf(stack.map(({ at }) => String(at)));
        isName = false;
        i = end;
        break;
      }
      case 0x7b:
        stack.push({ names: new Set(), at: '' });
        isName = true;
        break;
      case 0x5b:
        stack.push({ names: undefined, at: 0 });
        break;
      case 0x7d:
      case 0x5d:
        stack.pop();
        isName = false;
        break;
      case 0x2c:
        isName = next(stack.at(-1));
    }
  }
  return undefined;
}

/** Goes on to the next member; returns whether a name follows. */
function next(open: Open | undefined): boolean {
  if (open === undefined || open.names !== undefined) return open !== undefined;
  open.at = Number(open.at) + 1;
  return false;
}

/** Takes a name in its quotes; returns false when it was there before. */
function take(stack: readonly Open[], quoted: string): boolean {
  const open = stack.at(-1);
  if (open?.names === undefined) return true;
  const name = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
  open.at = name;
  const before = open.names.size;
  return open.names.add(name).size > before;
}

/** Index of the quote that ends a text. */
function endOfText(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes += 1;
  return backslashes % 2 === 1;
}
