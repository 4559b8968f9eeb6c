/** A text of a cluster where values can be filled in: nothing of it is a place for a value. */
export function literalText(text: string): string {
  return text.replace(/[{}]/g, (brace) => brace + brace);
}
