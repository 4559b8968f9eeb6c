import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readDescriptorSet } from '../../upstreams/grpc/descriptors/descriptor-files.ts';
import { runProto } from './generate.ts';
import { protoCommand, type ProtoCommand } from './proto-command.ts';

const ROOT = join(import.meta.dirname, '../../..');
const ORDERS = 'syntax = "proto3";\npackage orders.v1;\nmessage Order { string id = 1; }\n';
const before = process.cwd();
let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'gatehouse-proto-spec-'));
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  write('package.json', '{ "type": "module" }');
  process.chdir(project);
});
afterEach(() => {
  process.chdir(before);
  rmSync(project, { recursive: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

function run(...args: string[]): { isWell: boolean; out: string; err: string } {
  const said = { out: '', err: '' };
  const outlet = (name: 'out' | 'err') => ({ write: (text: string) => (said[name] += text) });
  const command = protoCommand(['generate', ...args]) as ProtoCommand;
  const isWell = runProto(command, { out: outlet('out'), err: outlet('err') });
  return { isWell, ...said };
}

describe('gatehouse proto generate', () => {
  it('writes code and descriptor sets of whatever folder, and says so; lint is a warning', () => {
    write('src/orders/proto/orders/v1/orders.proto', ORDERS);
    const { isWell, out, err } = run('src/orders/proto', '--out', 'src/orders/gen');
    expect(isWell).toBe(true);
    expect(out).toBe('wrote src/orders/gen/orders/v1/orders_pb.ts\nwrote descriptors/orders.binpb\n');
    expect(err).toBe('');
    expect(readFileSync('src/orders/gen/orders/v1/orders_pb.ts', 'utf8')).toContain('OrderSchema');
    expect(readDescriptorSet('descriptors/orders.binpb').getMessage('orders.v1.Order')).toBeDefined();
    write('src/orders/proto/orders/v1/orders.proto', ORDERS.replace('id', 'orderId'));
    expect(run('src/orders/proto', '--no-code').err).toMatch(/^warning: .*orders\.proto:3:\d+:.*orderId/m);
  });

  it('puts descriptor sets beside a configuration in its folder', () => {
    write('config/gateway.yaml', 'version: 1\n');
    write('proto/orders.proto', ORDERS.replace('package orders.v1;\n', ''));
    expect(run('--no-code').out).toBe('wrote config/descriptors/orders.binpb\n');
  });

  it('checks, and writes nothing then; code of schemas that are gone is removed, and nothing else', () => {
    write('proto/orders/v1/orders.proto', ORDERS);
    const fresh = run('--check');
    expect([fresh.isWell, fresh.err]).toEqual([
      false,
      'stale: src/gen/orders/v1/orders_pb.ts\nstale: descriptors/orders.binpb\nrun `gatehouse proto generate` again\n',
    ]);
    expect(existsSync('src/gen')).toBe(false);
    run();
    expect(run('--check').isWell).toBe(true);
    expect(run().out).toBe('nothing has changed\n');
    write('src/gen/mine_pb.ts', '// Written by hand.\n');
    rmSync('proto/orders', { recursive: true });
    write('proto/carts/v1/carts.proto', ORDERS.replace('orders.v1', 'carts.v1'));
    expect(run().out.split('\n')).toContain('removed src/gen/orders/v1/orders_pb.ts');
    expect(existsSync('src/gen/mine_pb.ts')).toBe(true);
  });

  it('takes what Google has, and the configuration of a project that has one', () => {
    write(
      'proto/orders/v1/orders.proto',
      ORDERS.replace('message', 'import "google/api/annotations.proto";\nmessage'),
    );
    expect(run('--no-code').isWell).toBe(true);
    write('buf.yaml', 'version: v2\nmodules: [{ path: proto }]\n');
    expect(() => run('--no-code')).toThrow(
      /orders\.proto:3:1:.*does not exist.*\nnpm install --save-dev google-proto-files/s,
    );
  });

  it.each<[string, string, RegExp]>([
    ['no folder', '', /there is no folder proto with schemas/],
    ['no schema', 'proto/readme.md', /there is no \.proto file in proto/],
    ['one that cannot be compiled', 'proto/a.proto', /proto\/a\.proto:1:1/],
  ])('says what is wrong with %s', (_what, path, message) => {
    if (path !== '') write(path, 'nonsense');
    expect(() => run()).toThrow(message);
  });
});

describe('its arguments', () => {
  it.each([
    [[], /expected `generate`/],
    [['genrate'], /expected `generate`, found genrate/],
    [['generate', 'a', 'b'], /expected one folder/],
    [['generate', '--no-code', '--out', 'x'], /not both/],
    [['generate', '--chek'], /did you mean --check/],
  ])('are refused where they make no sense: %j', (args, message) => {
    expect(() => protoCommand(args)).toThrow(message);
  });
});
