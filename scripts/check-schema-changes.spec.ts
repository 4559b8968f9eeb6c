import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkSchemaChanges } from './check-schema-changes.ts';

const BOTH = 'type Query { name: String age: Int }\n';
const NAME = 'type Query { name: String }\n';
const LIST = '# Breaks\n';
const ENTRY = '- FIELD_REMOVED: Query.age was removed. Because: never filled; clients drop it.\n';
const BROKEN = '  breaks clients: FIELD_REMOVED: Query.age was removed.';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gatehouse-schema-'));
  mkdirSync(join(root, 'config'));
  mkdirSync(join(root, 'docs'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function git(...args: string[]): void {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...identity, ...args], { cwd: root, stdio: 'pipe' });
}

function write(schema: string, list = LIST): void {
  writeFileSync(join(root, 'config/schema.graphql'), schema);
  writeFileSync(join(root, 'docs/schema-changes.md'), list);
}

function commit(schema: string, list = LIST): void {
  write(schema, list);
  git('add', '-A');
  git('commit', '--allow-empty', '-qm', 'change');
}

function check(ref?: string): { text: string; failed: boolean } {
  const { lines, failed } = checkSchemaChanges(root, ref);
  return { text: lines.join('\n'), failed };
}

describe('without a version to compare with', () => {
  it('skips and says so when there is no git history', () => {
    write(BOTH);
    expect(check()).toEqual({
      text: 'schema changes: skipped, this is no git checkout with commits',
      failed: false,
    });
    git('init', '-qb', 'main');
    expect(check().failed).toBe(false);
  });

  it('skips the first version of the file, and a history that was cut off', () => {
    git('init', '-qb', 'main');
    commit(BOTH);
    expect(check().text).toContain('skipped, git has no older version of it');
  });

  it('fails when the version that was asked for is unknown', () => {
    git('init', '-qb', 'main');
    commit(BOTH);
    expect(check('v9')).toEqual({ text: 'schema changes: skipped, git knows no "v9"', failed: true });
  });
});

describe('the version that clients rely on', () => {
  beforeEach(() => {
    git('init', '-qb', 'main');
    commit(BOTH);
  });

  it('is the last commit for changes that are not committed', () => {
    write(NAME);
    expect(check()).toMatchObject({ failed: true, text: expect.stringContaining('the last commit') });
  });

  it('is the one before the last change on main, however many commits came after it', () => {
    commit(NAME);
    writeFileSync(join(root, 'other'), '');
    commit(NAME);
    expect(check()).toMatchObject({ failed: true, text: expect.stringContaining(BROKEN) });
  });

  it('is where the branch left main', () => {
    git('checkout', '-qb', 'topic');
    commit(NAME);
    commit('type Query { name: String more: Int }\n');
    const { text, failed } = check();
    expect([failed, text.split('\n')[0]]).toEqual([
      true,
      expect.stringContaining('where the branch left main'),
    ]);
    expect(text).toContain(BROKEN);
  });

  it('is the last release, and for a release the one before it', () => {
    git('tag', 'v1.0.0');
    commit(NAME);
    commit('type Query { name: String more: Int }\n');
    expect(check()).toMatchObject({ failed: true, text: expect.stringContaining('the release v1.0.0') });
    git('tag', 'v2.0.0');
    expect(check().text).toContain('the release v1.0.0');
    commit('type Query { name: String more: Int }\n');
    expect(check()).toMatchObject({ failed: false, text: expect.stringContaining('the release v2.0.0') });
  });

  it('is another one when asked for', () => {
    commit(NAME);
    commit(BOTH);
    expect(check('HEAD~2').failed).toBe(false);
    expect(check('HEAD~1').failed).toBe(false);
    commit(NAME);
    expect(check('HEAD~2').failed).toBe(false);
    expect(check('HEAD~1').failed).toBe(true);
  });
});

describe('a break', () => {
  beforeEach(() => {
    git('init', '-qb', 'main');
    commit(BOTH);
  });

  it('is refused with the line that would accept it', () => {
    write(NAME);
    const { text, failed } = check();
    expect(failed).toBe(true);
    expect(text).toContain(BROKEN);
    expect(text).toContain('    - FIELD_REMOVED: Query.age was removed. Because: <why, and what clients do>');
  });

  it('passes with a line of its own', () => {
    write(NAME, LIST + ENTRY);
    const { text, failed } = check();
    expect([failed, text.includes('  accepted: FIELD_REMOVED: Query.age was removed.')]).toEqual([
      false,
      true,
    ]);
    write('type Query { more: Int }\n', LIST + ENTRY);
    expect(check()).toMatchObject({
      failed: true,
      text: expect.stringContaining('breaks clients: FIELD_REMOVED: Query.name'),
    });
  });

  it.each([
    '- FIELD_REMOVED: Query.age was removed.\n',
    '- FIELD_REMOVED: Query.age was removed. Because: \n',
  ])('does not pass without a reason: %j', (entry) => {
    write(NAME, LIST + entry);
    expect(check().failed).toBe(true);
  });

  it('does not pass with a line that accepted an earlier one', () => {
    commit(NAME, LIST + ENTRY);
    commit(BOTH, LIST + ENTRY);
    write(NAME, LIST + ENTRY);
    expect(check().failed).toBe(true);
    write(NAME, `${LIST}${ENTRY}${ENTRY.replace('never filled', 'gone again')}`);
    expect(check().failed).toBe(false);
  });

  it('is not what is only new', () => {
    write('enum E { A B }\ntype Query { name: String age: Int more: E }\n');
    expect(check()).toMatchObject({ failed: false });
    commit('enum E { A }\ntype Query { name: String age: Int more: E }\n');
    write('enum E { A B }\ntype Query { name: String age: Int more: E }\n');
    const { text, failed } = check();
    expect([failed, text.includes('  may surprise clients: VALUE_ADDED_TO_ENUM')]).toEqual([false, true]);
  });
});
