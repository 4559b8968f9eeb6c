import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { find, versionOf } from './find.ts';
import { SERVERS, type Program } from './servers.ts';

const path = process.env['PATH'];
let folder = '';

/** Writes a program of the shell. */
function program(name: string, script: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

function server(more: Partial<Program> = {}): Program {
  return {
    title: 'Some server',
    command: 'some-server',
    installed: join(folder, 'installed'),
    install: () => void program('installed', 'echo v2.0.1'),
    todo: 'get it',
    versionArgs: ['--version'],
    args: () => [],
    env: { THREADS: '1' },
    ...more,
  };
}

describe('looking for a server', () => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-find-'));
    process.env['PATH'] = folder;
  });
  afterEach(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true, force: true });
  });

  it('takes the one on the PATH with the version that it tells, on whichever stream', () => {
    const command = program('some-server', 'echo "$1 of nginx/1.29.3" >&2');
    expect(find(server(), true)).toEqual({ command, version: '1.29.3', env: { THREADS: '1' } });
  });

  it('installs it where it is not on the PATH, and takes it from there the next time', () => {
    const installed = { command: join(folder, 'installed'), version: '2.0.1' };
    expect(find(server(), true)).toMatchObject(installed);
    expect(find(server(), false)).toMatchObject(installed);
  });

  it('says why there is none, and what to do', () => {
    const skipped = 'some-server is neither on the PATH nor installed. What to do: get it';
    expect(find(server(), false)).toEqual({ skipped });
  });

  it('says why it cannot be installed', () => {
    const install = (): void => {
      throw new Error('pip ended with 1');
    };
    expect(find(server({ install }), true)).toEqual({ skipped: 'pip ended with 1. What to do: get it' });
  });

  it('names what a program that does not run says', () => {
    const command = program('some-server', 'echo "libnone.so: cannot open" >&2; exit 127');
    const skipped = `${command} does not run: libnone.so: cannot open. What to do: get it`;
    expect(find(server(), true)).toEqual({ skipped });
  });

  it('finds a package of this repository with its version', () => {
    const version = expect.stringMatching(/^\d+\.\d+\.\d+$/);
    expect(find(SERVERS.apollo, false)).toEqual({ command: process.execPath, version, env: {} });
  });

  it.each([
    ['envoy  version: 9e5580933739775e8bce/1.40.0/Clean/RELEASE/BoringSSL', '1.40.0'],
    ['HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/', '2.6.12'],
    ['v2.11.0 h1:abc', '2.11.0'],
    ['none', undefined],
  ])('reads the version in %p', (text, version) => {
    expect(versionOf(text)).toBe(version);
  });
});
