import type { ConfigFault } from './config-fault.ts';
import { readSecretFile } from './secret-file.ts';

/** Variables that hold a secret, or may, and whose content a file may hold: the one that `<name>_FILE` names. */
export const FILED_VARIABLES = [
  'REDIS_URL',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
] as const;

type Variables = Readonly<Record<string, string | undefined>>;

/** An environment in which what files hold stands where the variable would. */
export interface FiledVariables {
  /** Without those that are blank, which count as unset. */
  readonly given: Variables;
  /** Which variable of the environment has said what another name holds now. */
  keyOf(name: string): string;
  readonly faults: readonly ConfigFault[];
}

/** Reads the files that variables name by `_FILE`. Nothing of what they hold is in the faults, nor in the environment itself. */
export function filedVariables(env: Variables): FiledVariables {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const filed = new Set<string>();
  const faults: ConfigFault[] = [];
  for (const name of FILED_VARIABLES) {
    const key = `${name}_FILE`;
    const file = given[key];
    if (file === undefined) continue;
    const fault = (message: string): void => void faults.push({ file: 'environment', key, message });
    if (given[name] !== undefined) {
      fault(`expected one of ${name} and ${key}`);
      continue;
    }
    try {
      const text = readSecretFile(file.trim());
      if (text.trim() === '') fault(`expected a secret in ${file}, which is empty`);
      else given[name] = text;
      filed.add(name);
    } catch (error) {
      fault((error as Error).message);
    }
  }
  return { given, keyOf: (name) => (filed.has(name) ? `${name}_FILE` : name), faults };
}
