/** The variables that a configuration file may refer to. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What became of one scalar: its text, and a message for each reference that could not be filled in. */
export interface Interpolated {
  readonly text: string;
  readonly problems: readonly string[];
}

const REFERENCE = /\$\$\{|\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}|\$\{/g;

/** Tells whether a scalar has anything to fill in. */
export function hasReference(text: string): boolean {
  return text.includes('${');
}

/**
 * Fills in `${NAME}` and `${NAME:-default}`; `$${` stands for a literal `${`. A variable that is set to nothing
 * counts as unset, so that a forgotten secret is a fault and never an empty one; `${NAME:-}` asks for empty.
 */
export function interpolate(text: string, variables: Variables): Interpolated {
  const problems: string[] = [];
  const filled = text.replace(REFERENCE, (reference: string, name?: string, fallback?: string) => {
    if (reference === '$${') return '${';
    if (name === undefined) {
      problems.push('expected ${NAME} or ${NAME:-default}; write $${ for a literal ${');
      return reference;
    }
    const value = (Object.hasOwn(variables, name) ? variables[name] : undefined) || fallback;
    if (value === undefined) problems.push(`environment variable ${name} is not set and has no default`);
    return value ?? '';
  });
  return { text: filled, problems };
}
