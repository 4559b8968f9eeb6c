const VARIABLE = /\$\{([A-Z_]+)\}/g;

/**
 * Puts values where a text has `${NAME}`. Other uses of `$` are left as they are.
 *
 * @throws {Error} naming the first name that has no value.
 */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(VARIABLE, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`\${${name}}: there is no such value`);
    return value;
  });
}
