import { parseMarked, type NumberMarks } from '../../exchange/marked-numbers.ts';
import { Problem } from '../../problems/problem.ts';

/** Media types whose bodies are no JSON, whatever is in them; a name with `json` in it never counts. */
const NEVER_JSON =
  /^(?:(?:image|audio|video|font)\/[\w.+-]+|text\/(?:html|css|csv|xml)|application\/(?:xml|pdf|zip|gzip|wasm|[\w.-]+\+xml))[ \t]*(?:;[^,"]*)?$/i;

/** Characters that no text has: their presence means another character set, or no text at all. */
const BINARY = /[^\P{Cc}\t\n\f\r]/u;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** The same, past a byte order mark. */
const unmarked = new TextDecoder('utf-8', { fatal: true });

const JSON_TYPE = /^(?:application\/(?:[\w!#$&^.+-]+\+)?json|text\/json)[ \t]*(?:;[^,]*)?$/i;

/** Whether a body says of itself that it is JSON: `application/json`, `application/problem+json` and their like, said once. */
export function isJsonType(types: readonly string[]): boolean {
  return types.length === 1 && JSON_TYPE.test((types[0] ?? '').trim());
}

/**
 * Whether a body can be sent unread where fields are masked. Fails closed: only one media type that is known and is
 * no JSON will do. None, two, a list, one in quotes and one that nobody knows may turn out to be JSON for a reader.
 *
 * @param types the values of `Content-Type`, one for each line.
 */
export function isNeverJson(types: readonly string[]): boolean {
  const [type = ''] = types;
  return types.length === 1 && NEVER_JSON.test(type.trim()) && !/json/i.test(type);
}

/** Whether a body says that it is text, which some servers say of everything. */
export function isText([type = '']: readonly string[]): boolean {
  return /^\s*text\//i.test(type);
}

/** How a JSON text with fields begins, and nothing else of those types: a selector of CSS has a name after its bracket. */
const LIKE_JSON = /^(?:\{|\[(?:$|[[{"\d]))/;
const BLANK = /[\s\ufeff]+/g;
/** Mostly enough to see it. */
const BEGINNING_BYTES = 1024;

/**
 * What a body turns out to be that is said to be no JSON: some servers say `text/html` when nobody says anything.
 *
 * @returns undefined while there is nothing to be seen.
 */
export function beginsLikeJson(bytes: Uint8Array): boolean | undefined {
  // Fails closed: however many blanks come first, what comes after them counts.
  const start = unblanked(bytes.subarray(0, BEGINNING_BYTES)) || unblanked(bytes);
  return start === '' ? undefined : LIKE_JSON.test(start);
}

function unblanked(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8').replace(BLANK, '');
}

/**
 * Edits a body that may be JSON. One that is, is edited; a text without a brace has no field that could be masked,
 * and stays as it is.
 *
 * @throws {Problem} `upstream-response-invalid` for everything else: it fails closed.
 */
export function editMaybeJson(body: Buffer, edit: (value: unknown) => unknown): Buffer {
  return isPlainText(body) ? body : editJson(body, edit);
}

function isPlainText(body: Buffer): boolean {
  if (body.includes('{')) return false;
  try {
    return !BINARY.test(utf8.decode(body));
  } catch {
    return false;
  }
}

/**
 * Edits a JSON text: parses it, lets `edit` change the value, and writes it again with every number as it was; the text
 * itself when nothing is changed. A byte order mark before it goes.
 *
 * @throws {Problem} that `edit` throws, or `upstream-response-invalid` when it is not JSON in UTF-8.
 */
export function editJson(body: Buffer, edit: (value: unknown) => unknown): Buffer {
  try {
    const value = parseWithNumbers(unmarked.decode(body));
    const edited = edit(value);
    return edited === value ? body : Buffer.from(JSON.stringify(edited));
  } catch (error) {
    if (error instanceof Problem) throw error;
    // Fail closed: what cannot be read, or is nested too deeply to be walked through, cannot be masked.
    throw new Problem('upstream-response-invalid', { cause: error });
  }
}

/** Parses JSON; a number that does not survive the round trip (a 64-bit id, trailing zeros) is carried as its own text. */
export function parseWithNumbers(text: string): unknown {
  return parseMarked(text, CHANGED_NUMBERS);
}

const CHANGED_NUMBERS: NumberMarks = {
  isMarked: (source) => String(Number(source)) !== source,
  place: (holder, key, source) => {
    holder[key] = JSON.rawJSON(source);
  },
};
