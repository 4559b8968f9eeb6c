import type { Outlet } from './commands.ts';

/** What a terminal may be told besides text: lines, tabs, and the colors that we give. */
const TOLD = /\p{Cc}(?:\[(?:[0-47]|2[0-9]|3[0-9]|9[0-7])m)?|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const ESCAPE = 0x1b;

/**
 * Text without what moves the cursor, writes elsewhere, or turns lines around: names, paths and reasons come from anybody, and
 * may not speak to the terminal of whoever looks at them. What is taken out is shown by its number.
 */
export function plainText(text: string): string {
  return text.replace(TOLD, (found) => {
    const code = found.codePointAt(0) as number;
    const isColor = code === ESCAPE && found.length > 1;
    return isColor || /^[\n\t]/.test(found) ? found : `\\u{${code.toString(16)}}${found.slice(1)}`;
  });
}

/** The same for all that is written where somebody looks at it; files and other programs get every byte. */
export function plainOutlet(out: Outlet): Outlet {
  if (out.isTTY !== true) return out;
  return { isTTY: true, columns: out.columns, write: (text) => out.write(plainText(text)) };
}
