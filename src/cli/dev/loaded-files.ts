import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Kind, UsedFile } from './messages.ts';
import { stampOf } from './stamp.ts';

/** The gateway's own code. */
const OWN = join(import.meta.dirname, '../..');
/** The sample of a checkout is a team's code, wherever it was built. */
const SAMPLE = join(OWN, 'routes');

/** The files that a gateway is made of, each as it was when it was read. */
export class LoadedFiles {
  readonly #files = new Map<string, UsedFile>();

  /** Notes from now on which files of the team are loaded, and which are looked for in vain. */
  listen(): void {
    registerHooks({
      resolve: (specifier, context, next) => {
        try {
          const found = next(specifier, context);
          // Before it is read, and whoever reads it: who compiles is asked before others are.
          this.#noteUrl(found.url);
          return found;
        } catch (error) {
          // Once it is there, it is worth another try.
          if (context.parentURL !== undefined && /^\.{1,2}\//.test(specifier))
            this.#noteUrl(new URL(specifier, context.parentURL).href);
          throw error;
        }
      },
    });
  }

  /** Notes a file that is about to be read. */
  note(path: string, kind: Kind): void {
    if (!this.#files.has(path)) this.again(path, kind);
  }

  /** Notes a file that is about to be read again. */
  again(path: string, kind: Kind): void {
    this.#files.set(path, { path, kind, stamp: stampOf(path) });
  }

  /** All of them. */
  get all(): readonly UsedFile[] {
    return [...this.#files.values()];
  }

  #noteUrl(url: string): void {
    if (!url.startsWith('file:')) return;
    const path = fileURLToPath(url.split('?')[0] ?? url);
    if (!path.includes('/node_modules/') && isOfTeam(path)) this.note(path, 'code');
  }
}

function isOfTeam(path: string): boolean {
  return !path.startsWith(`${OWN}/`) || path.startsWith(`${SAMPLE}/`);
}
