/** A curve in a sentence, for whoever does not see it. */
export function describeLine(
  name: string,
  values: readonly (number | null)[],
  format: (value: number | null) => string,
): string {
  const known = values.filter((value) => value !== null);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return `${name}: nothing was measured`;
  const most = Math.max(...known);
  const way = last > first * 1.2 ? 'rose' : last < first * 0.8 ? 'fell' : 'stayed about the same';
  return `${name} ${way}, from ${format(first)} to ${format(last)}, at most ${format(most)}`;
}
