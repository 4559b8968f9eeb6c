import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../config/config-reader.ts';
import { gatewaySchema } from '../pipeline/actions.ts';
import { operatorsTargets } from './operators-targets.ts';

const PLACE = { host: '127.0.0.1', port: 9080 };

function warned(targets: readonly string[], place = PLACE): (number | undefined)[] {
  const lines = targets.map((url) => `      - ${url}`);
  const text = ['version: 1', 'upstreams:', '  a:', '    targets:', ...lines].join('\n');
  const [first, ...others] = operatorsTargets(readConfig(gatewaySchema, text, 'gateway.yaml', {}), place);
  return [first, ...others].map((fault) => fault && (fault.line ?? 0) - 5);
}

describe('a target that is the operators’ listener', () => {
  it('is warned of at its place, however it is written, with what to do', () => {
    const text = "version: 1\nupstreams: { a: { targets: ['http://localhost:9080/'] } }";
    const source = readConfig(gatewaySchema, text, 'gateway.yaml', {});
    expect(operatorsTargets(source, PLACE)).toEqual([
      {
        file: 'gateway.yaml',
        line: 2,
        column: 29,
        routeId: undefined,
        suggestion: undefined,
        key: 'upstreams[a].targets[0]',
        message:
          "it is the operators' listener of this gateway, to which no route leads: name another target, or set ADMIN_PORT",
      },
    ]);
    const four = [
      'http://127.0.0.1:9080',
      'https://127.0.0.1:9080',
      'http://localhost:9080',
      'http://LOCALHOST:9080',
    ];
    expect(warned(four)).toEqual([0, 1, 2, 3]);
  });

  it('is not one with another port or address, or with a name that says nothing', () => {
    const others = [
      'http://127.0.0.1:9081',
      'http://127.0.0.2:9080',
      'http://10.0.0.7:9080',
      'http://admin.test:9080',
    ];
    expect(warned(others)).toEqual([undefined]);
    expect(warned(['http://127.0.0.1:9080'], { ...PLACE, port: 0 })).toEqual([undefined]);
  });

  it.each(['0.0.0.0', '::'])('is every address of this machine where it listens at %s', (host) => {
    const own = ['http://127.0.0.1:80', "'http://[::1]:80'", 'http://localhost'];
    expect(warned(own, { host, port: 80 })).toEqual([0, 1, 2]);
    expect(warned(['http://192.0.2.7'], { host, port: 80 })).toEqual([undefined]);
  });
});
