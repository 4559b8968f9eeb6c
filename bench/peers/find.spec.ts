import { afterEach, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { find, versionOf } from './find.ts';

const path = process.env['PATH'];
const folder = join(tmpdir(), `gatehouse-find-${process.pid}`);

/** Puts a program on the PATH, as its only one. */
function onlyProgram(name: string, script: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  process.env['PATH'] = folder;
  return file;
}

describe('looking for a server', () => {
  afterEach(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true, force: true });
  });

  it('takes the one on the PATH with the version that it tells, on whichever stream', () => {
    const command = onlyProgram('nginx', 'echo "nginx version: nginx/1.29.3" >&2');
    expect(find('nginx', false)).toEqual({ command, version: '1.29.3', env: {} });
  });

  it('says why there is none, and what to do', () => {
    process.env['PATH'] = folder;
    expect(find('haproxy', false)).toEqual({
      skipped:
        'haproxy is not on the PATH. What to do: put haproxy on the PATH, or on Debian run `apt-get update`',
    });
  });

  it('names what a program that does not run says', () => {
    const command = onlyProgram('caddy', 'echo "libnone.so: cannot open" >&2; exit 127');
    expect(find('caddy', false)).toMatchObject({
      skipped: expect.stringContaining(`${command} does not run: libnone.so: cannot open`),
    });
  });

  it('finds a package of this repository with its version', () => {
    expect(find('apollo', false)).toMatchObject({
      command: process.execPath,
      version: expect.stringMatching(/^5\./),
    });
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
