import { afterEach, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LineBuffer, type LineBufferOptions } from './line-buffer.ts';

describe(LineBuffer.name, () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-lines-'));
  const file = join(folder, 'log');
  let fd = 0;

  afterEach(() => {
    closeSync(fd);
    rmSync(file);
  });

  function create(options: Partial<LineBufferOptions> = {}): LineBuffer {
    fd = openSync(file, 'w');
    return new LineBuffer({ fd, ...options });
  }

  const flushed = (lines: LineBuffer) => new Promise<void>((resolve) => lines.flush(resolve));
  const written = () => readFileSync(file, 'utf8');

  it('keeps every line and their order over many batches', async () => {
    const lines = create({ batchBytes: 100 });
    const expected = Array.from({ length: 1000 }, (_, index) => `${index} ${'x'.repeat(index % 50)}\n`);
    for (const line of expected) lines.write(line);
    await flushed(lines);
    expect(written()).toBe(expected.join(''));
  });

  it('takes lines that are longer than a batch, and characters of several bytes', async () => {
    const lines = create({ batchBytes: 64 });
    const long = `${'ü€😀'.repeat(500)}\n`;
    lines.write('a\n');
    lines.write(long);
    lines.write('b\n');
    await flushed(lines);
    expect(written()).toBe(`a\n${long}b\n`);
  });

  it('writes a few lines after a moment without being told', async () => {
    const lines = create({ batchMs: 5 });
    lines.write('soon\n');
    expect(written()).toBe('');
    while (written() === '') await new Promise((resolve) => setTimeout(resolve, 5));
    expect(written()).toBe('soon\n');
  });

  it('drops what nobody reads beyond its limit, and says how much', async () => {
    const lines = create({ batchBytes: 10, maxWaitingBytes: 30 });
    for (let i = 0; i < 10; i += 1) lines.write('123456789\n');
    await flushed(lines);
    await flushed(lines);
    expect(written()).toMatch(
      /^(123456789\n){3}\{"level":40,"time":\d+,"bytes":70,"lines":7,"msg":"log lines were dropped"\}\n$/,
    );
  });

  it('loses nothing when the process ends, also into a pipe', () => {
    create();
    const script = `
      const { LineBuffer } = await import(${JSON.stringify(join(import.meta.dirname, 'line-buffer.ts'))});
      const lines = new LineBuffer({ fd: 1 });
      for (let i = 0; i < 20000; i += 1) lines.write('line ' + i + '\\n');
      process.exit(0);`;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(out.split('\n')).toHaveLength(20_001);
  });

  it('has the process listen for its end once, and only while lines wait', async () => {
    create();
    const before = process.listenerCount('exit');
    const several = Array.from({ length: 12 }, () => new LineBuffer({ fd }));
    for (const one of several) one.write('a line\n');
    expect(process.listenerCount('exit')).toBe(before + 1);
    await Promise.all(several.map((one) => new Promise<void>((resolve) => one.flush(resolve))));
    expect(process.listenerCount('exit')).toBe(before);
  });

  it('goes on when its reader is gone', async () => {
    create();
    const script = `
      const { LineBuffer } = await import(${JSON.stringify(join(import.meta.dirname, 'line-buffer.ts'))});
      const lines = new LineBuffer({ fd: 1, batchBytes: 10 });
      process.stdin.once('data', () => {
        for (let i = 0; i < 100; i += 1) lines.write('nobody reads this\\n');
        lines.flush(() => process.exit(7));
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdout.destroy();
    child.stdin.write('go');
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(7);
  });
});
