import { posix } from 'node:path';
import { nextSteps, plannedPart } from './generate.ts';
import type { GenerateCommand } from './scaffold-command.ts';

/** What `nest generate` and the CLI of schematics say besides what only they know. */
export interface PartOptions {
  readonly name: string;
  /** Below the root of the sources. */
  readonly path?: string;
  /** Default `src`. */
  readonly sourceRoot?: string;
  /** Default true. */
  readonly spec?: boolean;
}

/** As much as is used of a tree of `@angular-devkit/schematics`, which holds files until all of them can be written. */
export interface PartTree {
  exists(path: string): boolean;
  create(path: string, content: string): void;
}

/** As much as is used of the context of a schematic. */
export interface PartContext {
  readonly logger: { info(message: string): void };
}

type Rule = (tree: PartTree, context: PartContext) => void;

/**
 * A schematic that writes what `gatehouse generate` does, of the same templates: `nest g -c gatehouse module NAME`.
 *
 * @throws UsageError for a name that would make no code.
 */
const schematic =
  (part: GenerateCommand['part']) =>
  ({ name, path = '', sourceRoot = 'src', spec = true }: PartOptions): Rule =>
  (tree, { logger }) => {
    const directory = posix.join(sourceRoot, path);
    const files = plannedPart({ part, as: name, directory }).filter(
      (file) => spec || !file.path.endsWith('.spec.ts'),
    );
    const taken = files.map((file) => file.path).filter((file) => tree.exists(file));
    if (taken.length > 0) throw new Error(`nothing was written: there is ${taken.join(', ')} already`);
    for (const file of files) tree.create(file.path, file.text);
    logger.info(nextSteps({ part, as: name, directory }, sourceRoot));
  };

export const module = schematic('module');
export const view = schematic('view');
export const policy = schematic('policy');
