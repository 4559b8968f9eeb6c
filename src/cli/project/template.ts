import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What stands for what in names and texts of files: `__key__`. */
export type Replacements = Readonly<Record<string, string>>;

/** A file that is to be written. */
export interface PlannedFile {
  readonly path: string;
  readonly text: string;
}

/** Names that npm leaves out of packages, or reads itself. */
const DOTTED: readonly (readonly [RegExp, string])[] = [
  [/^gitignore$/, '.gitignore'],
  [/^dockerignore$/, '.dockerignore'],
  [/^github\//, '.github/'],
];

const TEMPLATES = fileURLToPath(new URL('../../../templates/', import.meta.url));

/**
 * Fills in a template of the package.
 *
 * @param into the folder that its files go to.
 * @throws {Error} for a word that nothing stands for: a defect of the template.
 */
export function plan(template: string, into: string, replacements: Replacements): readonly PlannedFile[] {
  const folder = join(TEMPLATES, template);
  const files = globSync('**/*.*', { cwd: folder }).concat(
    globSync('{Dockerfile,gitignore,dockerignore}', { cwd: folder }),
  );
  return files.toSorted().map((file) => {
    const dotted = DOTTED.reduce((name, [from, to]) => name.replace(from, to), file.replaceAll('\\', '/'));
    const text = readFileSync(join(folder, file), 'utf8');
    return { path: join(into, filled(dotted, replacements)), text: filled(text, replacements) };
  });
}

function filled(text: string, replacements: Replacements): string {
  return text.replaceAll(/__([A-Za-z]+)__/g, (_, key: string) => {
    const value = replacements[key];
    if (value === undefined) throw new Error(`nothing stands for __${key}__ of a template`);
    return value;
  });
}

/**
 * Writes files, all or none of them.
 *
 * @throws {Error} that lists those that are there already; nothing is written then.
 */
export function writeAll(files: readonly PlannedFile[]): void {
  const taken = files.filter(({ path }) => existsSync(path)).map(({ path }) => path);
  if (taken.length > 0) throw new Error(`nothing was written: there is ${taken.join(', ')} already`);
  for (const { path, text } of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: 'wx' });
  }
}
