import { randomBytes } from 'node:crypto';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const [ZERO, NINE] = [0x30, 0x39];
/** A number of JavaScript holds any integer with so many digits. */
const SAFE_DIGITS = 15;
const NUMBER = /-?[0-9][0-9.eE+-]*/y;
const GOES_ON = /[.eE+-]/;
/** RFC 8259 section 6. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Containers of JSON by the names or indexes of what is in them. */
export type JsonContainer = Record<string, unknown>;

/** What becomes of numbers that are not read as such. */
export interface NumberMarks {
  /** Whether a number is one of them; never asked for plain integers of at most 15 digits. */
  readonly isMarked: (source: string) => boolean;
  /** Puts something into the place of one. */
  readonly place: (holder: JsonContainer, key: string, source: string) => void;
  /** Hears of containers that have one somewhere within a container of theirs. */
  readonly around?: (holder: JsonContainer) => void;
}

/**
 * Parses JSON, and tells how some of its numbers were written. Does what a reviver of `JSON.parse` can do, which is called for
 * every value and takes ten times as long: half a second for a megabyte.
 *
 * @throws {SyntaxError} as `JSON.parse`; `RangeError` for what is nested too deep.
 */
export function parseMarked(text: string, marks: NumberMarks): unknown {
  // Nobody can guess it, so that nothing else is taken for a number.
  const mark = randomBytes(9).toString('base64url');
  const marked = markNumbers(text, mark, marks.isMarked);
  if (marked === text) return JSON.parse(text);
  const root: JsonContainer = { value: JSON.parse(marked) as unknown };
  unmark(root, mark, marks);
  return root['value'];
}

/**
 * Replaces numbers of a JSON text by objects `{"<mark>":"<number>"}`. What is no JSON stays none: an object may stand
 * wherever a number may, and nowhere else.
 *
 * @returns the same text when there are none.
 */
export function markNumbers(text: string, mark: string, isMarked: NumberMarks['isMarked']): string {
  let marked = '';
  let copied = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === MINUS || isDigit(code)) {
      const plainEnd = endOfPlain(text, at);
      const number = plainEnd > at ? undefined : numberAt(text, at);
      if (number !== undefined && JSON_NUMBER.test(number) && isMarked(number)) {
        marked += `${text.slice(copied, at)}{"${mark}":"${number}"}`;
        copied = at + number.length;
      }
      at = (number === undefined ? plainEnd : at + number.length) - 1;
    }
  }
  return copied === 0 ? text : marked + text.slice(copied);
}

/** @returns whether there was a number in it. */
function unmark(holder: JsonContainer, mark: string, marks: NumberMarks): boolean {
  let has = false;
  for (const key in holder) {
    const value = holder[key];
    if (typeof value !== 'object' || value === null) continue;
    const source = (value as JsonContainer)[mark];
    if (typeof source === 'string') marks.place(holder, key, source);
    else if (unmark(value as JsonContainer, mark, marks)) marks.around?.(holder);
    else continue;
    has = true;
  }
  return has;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** Where a string ends that begins at a quote; the end of the text when it does not. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

/** Where a short integer ends, which is most numbers; its start when it is another one. */
function endOfPlain(text: string, start: number): number {
  let at = start;
  while (isDigit(text.charCodeAt(at))) at += 1;
  return at - start <= SAFE_DIGITS && !GOES_ON.test(text.charAt(at)) ? at : start;
}

function numberAt(text: string, at: number): string {
  NUMBER.lastIndex = at;
  return NUMBER.exec(text)?.[0] ?? '-';
}
