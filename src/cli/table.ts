const GAP = '  ';

/** Renders rows as text columns, with the names of their fields on top. */
export function renderTable<Row extends object>(rows: readonly Row[]): string {
  const first = rows[0];
  if (first === undefined) return 'no routes\n';
  const names = Object.keys(first) as (keyof Row & string)[];
  const lines = [
    names.map((name) => name.toUpperCase()),
    ...rows.map((row) => names.map((name) => String(row[name]))),
  ];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n')
    .concat('\n');
}
