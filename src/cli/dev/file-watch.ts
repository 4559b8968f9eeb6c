import { existsSync, watch, type FSWatcher } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { Kind, UsedFile } from './messages.ts';
import { stampNow } from './stamp.ts';

/** A folder, all of whose files of a kind are looked at. */
export interface WatchedFolder {
  readonly path: string;
  readonly kind: Kind;
  /** Which of its files count. Default all. */
  readonly isMeant?: (path: string) => boolean;
}

/** A file that has changed. */
export type Change = Pick<UsedFile, 'path' | 'kind'>;

const QUIET_MS = 60;
const LOOK_EVERY_MS = 1000;
/** Folders may have many files: without a notification they are looked at only so many looks apart. */
const FOLDERS_EVERY = 5;
const ASIDE = /(?:^|[\\/])(?:node_modules|\.[^\\/]+)(?:[\\/]|$)/;

/**
 * Tells when some of the files have changed that a gateway was made of, all at once when there is a moment of quiet. Folders are
 * watched, not files, so that editors which write another file and rename it are seen; and what `stat` tells decides, once a
 * second without any notification (of folders, every five), so that it works on file systems that give none.
 */
export class FileWatch {
  readonly #onChange: (changes: readonly Change[]) => void;
  #folders: readonly WatchedFolder[] = [];
  #files = new Map<string, UsedFile>();
  /** Of files in folders: what was seen of them. */
  readonly #inFolders = new Map<string, UsedFile>();
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #pending = new Map<string, Change>();
  #looks: NodeJS.Timeout | undefined = undefined;
  #soon: NodeJS.Timeout | undefined = undefined;
  #quiet: NodeJS.Timeout | undefined = undefined;
  #look: Promise<void> | undefined = undefined;
  #isSettling = false;

  constructor(onChange: (changes: readonly Change[]) => void) {
    this.#onChange = onChange;
  }

  /** Begins with the folders; files follow by {@link use}. */
  async start(folders: readonly WatchedFolder[]): Promise<void> {
    this.#folders = folders;
    await this.settle();
    let looks = 0;
    this.#looks = setInterval(() => void this.look((looks += 1) % FOLDERS_EVERY === 0), LOOK_EVERY_MS);
    this.#watchFolders();
  }

  /**
   * Goes by these files, each as it was when it was read: a change since then is told.
   *
   * @param also others, of which every change was told until now. Default none.
   */
  use(files: readonly UsedFile[], also: readonly UsedFile[] = []): void {
    const known = also.map((file) => this.#files.get(file.path) ?? file);
    this.#files = new Map([...known, ...files].map((file) => [file.path, file]));
    this.#watchFolders();
    this.#lookSoon();
  }

  /** Takes all files as they are: what has changed until now is known. */
  async settle(): Promise<void> {
    this.#isSettling = true;
    await this.look();
    this.#isSettling = false;
    this.#pending.clear();
  }

  /** Looks at all files, once a look that is under way has ended. Never rejects. @param folders whether at those of folders, too. */
  async look(folders = true): Promise<void> {
    while (this.#look !== undefined) await this.#look;
    this.#look = this.#compare(folders).finally(() => (this.#look = undefined));
    await this.#look;
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#looks);
    clearTimeout(this.#soon);
    clearTimeout(this.#quiet);
    for (const one of this.#watchers.values()) one.close();
    this.#watchers.clear();
  }

  async #compare(folders: boolean): Promise<void> {
    const files = [...this.#files.values()];
    const stamps = await Promise.all(files.map(({ path }) => stampNow(path)));
    for (const [at, file] of files.entries()) this.#seen(this.#files, file, stamps[at] ?? '');
    if (folders) for (const folder of this.#folders) await this.#compareFolder(folder);
  }

  async #compareFolder({ path: folder, kind, isMeant = () => true }: WatchedFolder): Promise<void> {
    const inside = await filesIn(folder);
    const known = [...this.#inFolders.values()].filter((one) => isWithin(one.path, folder));
    const paths = new Set([...inside.filter(isMeant), ...known.map(({ path }) => path)]);
    for (const path of paths) {
      const before = this.#inFolders.get(path) ?? { path, kind, stamp: 'gone' };
      this.#seen(this.#inFolders, before, await stampNow(path));
    }
  }

  // A file that another child was made of meanwhile is none of this look.
  #seen(list: Map<string, UsedFile>, file: UsedFile, stamp: string): void {
    if (stamp === file.stamp || (list === this.#files && list.get(file.path) !== file)) return;
    list.set(file.path, { ...file, stamp });
    this.#pending.set(file.path, file);
    clearTimeout(this.#quiet);
    if (!this.#isSettling) this.#quiet = setTimeout(() => this.#tell(), QUIET_MS);
  }

  #tell(): void {
    if (this.#isSettling) return;
    const changes = [...this.#pending.values()].map(({ path, kind }) => ({ path, kind }));
    this.#pending.clear();
    if (changes.length > 0) this.#onChange(changes);
  }

  #lookSoon(): void {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => {
      this.#watchFolders();
      void this.look();
    }, QUIET_MS / 2);
  }

  // Of a folder that is not there yet the nearest one above it tells when it comes.
  #watchFolders(): void {
    if (this.#looks === undefined) return;
    const wanted = new Set([...this.#files.keys()].map((path) => nearest(dirname(path))));
    for (const { path } of this.#folders) wanted.add(nearest(path));
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#watchFolder(folder);
  }

  #watchFolder(folder: string): void {
    try {
      const recursive = this.#folders.some(({ path }) => path === folder);
      const watcher = watch(folder, { recursive }, () => this.#lookSoon());
      const forget = (): void => {
        watcher.close();
        if (this.#watchers.get(folder) === watcher) this.#watchers.delete(folder);
      };
      this.#watchers.set(folder, watcher.on('error', forget));
    } catch {
      // Without notifications it is looked at once a second all the same.
    }
  }
}

// A file that is named in place of a folder is looked at itself.
async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
    return files.filter((path) => !ASIDE.test(path.slice(folder.length)));
  } catch {
    return [folder];
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}

function nearest(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : nearest(dirname(folder));
}
