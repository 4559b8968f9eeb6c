class NotPlain extends Error {}
/** Thrown at what a reader of plain YAML does not know; one for all, as nobody reads it. */
export const NOT_PLAIN = new NotPlain();

/** Keys and texts that YAML cannot take for anything else, wherever they stand. */
export const KEY = /([A-Za-z][\w-]{0,99}):(?= |\n|$) */y;
export const FLOW_KEY = /([A-Za-z][\w-]{0,99}): +/y;
export const FLOW_WORDS = /[A-Za-z_/][\w/.*+~()=@-]*(?: [A-Za-z_/][\w/.*+~()=@-]*)*/y;
/** Outside of `{ }` and `[ ]`, where those and a comma are text. */
export const BLOCK_WORDS =
  /[A-Za-z_/](?:[\w/.*+~()=@{},-]|:(?=\w))*(?: [A-Za-z_/](?:[\w/.*+~()=@{},-]|:(?=\w))*)*/y;
const DURATION_OR_SIZE = /(?:0|[1-9]\d{0,8})(?:ms|s|m|h|d|B|[KMG]iB)(?![\w.])/y;
const NUMBER = /(?:0|[1-9]\d{0,14})(?![\w./+-])/y;
const QUOTED = /'([^'\n$]*)'(?!')|"([^"\\\n$]*)"/y;
/** Words that are no text; the core schema knows no others. */
const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
  ...['null', 'Null', 'NULL'].map((word) => [word, null] as const),
]);
/** Tabs, Windows line ends and rare characters are for the library. */
const SIMPLE = /^[\n\x20-\x7e\u00a1-\u1fff\u3000-\ud7ff]*$/;

/** A place in plain YAML, and what can be taken there. */
export class PlainCursor {
  readonly text: string;
  at: number;
  /** The column of what stands at the place, where that is the first thing of its line; -1 at the end. */
  column: number;

  /** @param at where to begin, the column of which it also is. */
  constructor(text: string, at: number) {
    this.text = text;
    this.at = this.column = at;
    if (!SIMPLE.test(text)) throw NOT_PLAIN;
  }

  get next(): string | undefined {
    return this.text[this.at];
  }

  sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    return pattern.test(this.text);
  }

  /** Takes what a sticky pattern finds here. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at = pattern.lastIndex;
    return found;
  }

  takeKey(pattern: RegExp): string {
    const key = this.take(pattern)?.[1];
    if (key === undefined) throw NOT_PLAIN;
    return key;
  }

  /** Takes a value of one word or several. */
  takeScalar(words: RegExp): unknown {
    const quoted = this.take(QUOTED);
    if (quoted !== null) return quoted[1] ?? quoted[2];
    const text = this.take(words)?.[0];
    if (text !== undefined) return CONSTANTS.has(text) ? CONSTANTS.get(text) : text;
    const number = this.take(NUMBER)?.[0];
    if (number !== undefined) return Number(number);
    const measure = this.take(DURATION_OR_SIZE)?.[0];
    if (measure === undefined) throw NOT_PLAIN;
    return measure;
  }

  skipBlanks(): void {
    while (this.next === ' ') this.at += 1;
  }

  /** Whether nothing but blanks and a comment is left of the line; they are skipped. */
  endsLine(): boolean {
    this.skipBlanks();
    if (this.next === '#' && this.text[this.at - 1] === ' ') this.#skipLine();
    return this.at >= this.text.length || this.next === '\n';
  }

  /** Leads from the end of a line to the first thing of the next that is neither blank nor a comment. */
  nextLine(): void {
    while (this.at < this.text.length) {
      const line = (this.at += 1);
      this.skipBlanks();
      if (this.next === '#') this.#skipLine();
      else if (this.at < this.text.length && this.next !== '\n') return void (this.column = this.at - line);
    }
    this.column = -1;
  }

  #skipLine(): void {
    const end = this.text.indexOf('\n', this.at);
    this.at = end < 0 ? this.text.length : end;
  }
}
