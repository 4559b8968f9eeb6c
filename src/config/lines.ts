/** Tells line and column of places in a text; counts its lines once somebody asks. */
export class Lines {
  readonly #text: string;
  #starts: readonly number[] | undefined = undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** Line and column of an offset, both 1-based. */
  at(offset: number): { readonly line: number; readonly column: number } {
    const starts = (this.#starts ??= startsOf(this.#text));
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: Math.max(0, offset - (starts[low] as number)) + 1 };
  }
}

function startsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
