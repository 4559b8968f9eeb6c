import { spawnSync } from 'node:child_process';

/** An older version of the repository, to compare with. */
export interface Base {
  /** How messages call it. */
  readonly name: string;
  readonly commit: string;
}

/** Why there is nothing to compare with. */
export interface NoBase {
  readonly reason: string;
}

/**
 * Chooses what clients may rely on: the last release tag (`v*`) before this version; without one, where the branch
 * left `main`; on `main` itself, the state before the last change of the file.
 *
 * @param ref what to compare with instead.
 */
export function chooseBase(root: string, file: string, ref?: string): Base | NoBase {
  const head = git(root, 'rev-parse', '--verify', '--quiet', 'HEAD^{commit}');
  if (head === undefined) return { reason: 'this is no git checkout with commits' };
  if (ref !== undefined) return baseAt(root, ref, ref) ?? { reason: `git knows no "${ref}"` };
  const edited = git(root, 'status', '--porcelain', '--', file) !== '';
  // A version that is a release itself is compared with the release before it.
  const tag = git(root, 'describe', '--tags', '--abbrev=0', '--match', 'v*', edited ? 'HEAD' : 'HEAD^');
  if (tag !== undefined) return baseAt(root, tag, `the release ${tag}`) ?? { reason: `${tag} is no commit` };
  return branchPoint(root, head) ?? lastChange(root, file, edited);
}

/** The text of a file at a base, by its path from the root; undefined when it has no such file. */
export function textAt(root: string, { commit }: Base, file: string): string | undefined {
  const shown = spawnSync('git', ['show', `${commit}:${file}`], { cwd: root, encoding: 'utf8' });
  return shown.status === 0 ? shown.stdout : undefined;
}

function branchPoint(root: string, head: string): Base | undefined {
  for (const main of ['origin/main', 'main']) {
    const commit = git(root, 'merge-base', 'HEAD', main);
    if (commit !== undefined && commit !== head) return { commit, name: `where the branch left ${main}` };
  }
  return undefined;
}

function lastChange(root: string, file: string, edited: boolean): Base | NoBase {
  if (edited) return baseAt(root, 'HEAD', 'the last commit') as Base;
  const changed = git(root, 'log', '-1', '--format=%H', '--', file);
  const before = baseAt(root, `${changed}^`, 'the version before its last change');
  return before ?? { reason: 'git has no older version of it; a shallow clone needs its history and tags' };
}

function baseAt(root: string, ref: string, name: string): Base | undefined {
  const commit = git(root, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`);
  return commit === undefined ? undefined : { commit, name };
}

/** The top folder of the checkout that a folder is in; undefined when it is in none. */
export function rootOf(folder: string): string | undefined {
  return git(folder, 'rev-parse', '--show-toplevel');
}

function git(root: string, ...args: string[]): string | undefined {
  const done = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return done.status === 0 ? done.stdout.trim() : undefined;
}
