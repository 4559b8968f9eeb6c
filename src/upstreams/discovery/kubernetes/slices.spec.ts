import { describe, expect, it } from '@jest/globals';
import { slice, type TestEndpoint, type TestSlice } from './kubernetes.fixture.ts';
import { targetsOf, type SliceOptions } from './slices.ts';

const OPTIONS: SliceOptions = { scheme: 'http', port: undefined, family: 'IPv4', zone: undefined };

function read(slices: readonly TestSlice[], options: Partial<SliceOptions> = {}) {
  const named = slices.map((one) => [one.metadata.name, one] as const);
  return targetsOf(new Map<string, object>(named), { ...OPTIONS, ...options });
}
const hosts = (slices: readonly TestSlice[], options: Partial<SliceOptions> = {}) =>
  read(slices, options)
    .targets.map(({ url }) => url.replace(/^http:\/\/|:8080$/g, ''))
    .join();
const at = (
  address: string,
  conditions?: TestEndpoint['conditions'],
  more: Partial<TestEndpoint> = {},
): TestEndpoint => ({
  addresses: [address],
  ...(conditions && { conditions }),
  ...more,
});
const hinted = (address: string, zone: string, of = zone) =>
  at(address, {}, { zone: of, hints: { forZones: [{ name: zone }] } });
const SIX = { addressType: 'IPv6' };

describe('targetsOf', () => {
  it('tells where a target stands', () => {
    const pod = at('10.0.0.1', {}, { zone: 'a', nodeName: 'n1', targetRef: { name: 'web-x', uid: '1' } });
    expect(read([slice('s', [pod])], { scheme: 'grpcs' })).toEqual({
      targets: [
        {
          url: 'grpcs://10.0.0.1:8080',
          zone: 'a',
          labels: { pod: 'web-x', node: 'n1' },
          weight: 1,
          priority: 0,
        },
      ],
      skipped: [],
    });
  });

  it.each<[string, readonly TestSlice[], Partial<SliceOptions>, string]>([
    ['all slices together', [slice('a', ['1.1.1.1']), slice('b', ['2.2.2.2'])], {}, '1.1.1.1,2.2.2.2'],
    ['one that is in two slices once', [slice('a', ['1.1.1.1']), slice('b', ['1.1.1.1'])], {}, '1.1.1.1'],
    [
      'one that is ready in one of two',
      [slice('a', [at('1.1.1.1', { ready: false })]), slice('b', ['1.1.1.1'])],
      {},
      '1.1.1.1',
    ],
    ['an empty slice as nothing', [slice('a', []), slice('b', ['2.2.2.2'])], {}, '2.2.2.2'],
    [
      'nulls as the defaults',
      [slice('a', [at('1.1.1.1', { ready: null, serving: null, terminating: null })])],
      {},
      '1.1.1.1',
    ],
    ['none that is not ready', [slice('a', [at('1.1.1.1', { ready: false }), '2.2.2.2'])], {}, '2.2.2.2'],
    [
      'those that leave and serve, if nobody is ready',
      [
        slice('a', [
          at('1.1.1.1', { ready: false, serving: true, terminating: true }),
          at('2.2.2.2', { ready: false, serving: false, terminating: true }),
        ]),
      ],
      {},
      '1.1.1.1',
    ],
    [
      'nobody else, if nobody is ready',
      [slice('a', [at('1.1.1.1', { ready: false, serving: true, terminating: false })])],
      {},
      '',
    ],
    [
      'those that are ready before those that leave',
      [slice('a', [at('1.1.1.1', { ready: false, serving: true, terminating: true }), '2.2.2.2'])],
      {},
      '2.2.2.2',
    ],
    ['the first of several addresses', [slice('a', [{ addresses: ['1.1.1.1', '2.2.2.2'] }])], {}, '1.1.1.1'],
    [
      'the named port of each slice',
      [
        slice('a', ['1.1.1.1'], {
          ports: [
            { name: 'x', port: 1 },
            { name: 'http', port: 8080 },
          ],
        }),
        slice('b', ['2.2.2.2'], { ports: [{ name: 'http', port: 9 }] }),
      ],
      { port: 'http' },
      '1.1.1.1,2.2.2.2:9',
    ],
    [
      'a port by number',
      [
        slice('a', ['1.1.1.1'], {
          ports: [
            { name: 'x', port: 1 },
            { name: 'y', port: 8080 },
          ],
        }),
      ],
      { port: 8080 },
      '1.1.1.1',
    ],
    [
      'one family of a pod',
      [
        slice('a', [at('1.1.1.1', {}, { targetRef: { uid: 'p' } })]),
        slice('b', [at('fd00::1', {}, { targetRef: { uid: 'p' } })], SIX),
      ],
      {},
      '1.1.1.1',
    ],
    [
      'the other family, if it is preferred',
      [
        slice('a', [at('1.1.1.1', {}, { targetRef: { uid: 'p' } })]),
        slice('b', [at('fd00::1', {}, { targetRef: { uid: 'p' } })], SIX),
      ],
      { family: 'IPv6' },
      '[fd00::1]',
    ],
    [
      'a pod that has only the other family',
      [
        slice('a', [at('1.1.1.1', {}, { targetRef: { uid: 'p' } })]),
        slice('b', [at('fd00::2', {}, { targetRef: { uid: 'q' } })], SIX),
      ],
      {},
      '1.1.1.1,[fd00::2]',
    ],
    [
      'hints for our zone',
      [slice('a', [hinted('1.1.1.1', 'a'), hinted('2.2.2.2', 'b'), hinted('3.3.3.3', 'a', 'b')])],
      { zone: 'a' },
      '1.1.1.1,3.3.3.3',
    ],
    [
      'no hints, if one has none',
      [slice('a', [hinted('1.1.1.1', 'a'), hinted('2.2.2.2', 'b'), '3.3.3.3'])],
      { zone: 'a' },
      '1.1.1.1,2.2.2.2,3.3.3.3',
    ],
    ['no hints, if none is for us', [slice('a', [hinted('1.1.1.1', 'a')])], { zone: 'c' }, '1.1.1.1'],
    [
      'no hints, if we have no zone',
      [slice('a', [hinted('1.1.1.1', 'a'), hinted('2.2.2.2', 'b')])],
      {},
      '1.1.1.1,2.2.2.2',
    ],
  ])('takes %s', (_what, slices, options, expected) => {
    expect(hosts(slices, options)).toBe(expected);
  });

  it.each<[string, TestSlice, string | undefined, string]>([
    [
      'names',
      slice('a', ['x.test'], { addressType: 'FQDN' }),
      undefined,
      'slice a: addresses of type FQDN are for discovery by dns',
    ],
    ['a port that is not there', slice('a', ['1.1.1.1']), 'grpc', 'slice a: it has no port grpc'],
    [
      'several ports',
      slice('a', ['1.1.1.1'], {
        ports: [
          { name: 'x', port: 1 },
          { name: 'y', port: 2 },
        ],
      }),
      undefined,
      'slice a: it has several ports, of which `port` has to name one: x, y',
    ],
    [
      'any port',
      slice('a', ['1.1.1.1'], { ports: [{ name: '', port: null }] }),
      undefined,
      'slice a: its port is any, and none can be chosen',
    ],
    ['no port', slice('a', ['1.1.1.1'], { ports: null }), undefined, 'slice a: it has no port'],
    [
      'no address',
      slice('a', [{ addresses: [] }]),
      undefined,
      'slice a: endpoint 0 has no address that can be used',
    ],
    [
      'no host',
      slice('a', ['1.1.1.1/evil']),
      undefined,
      'slice a: endpoint 0 has no address that can be used',
    ],
  ])('skips %s, and says why', (_what, one, port, reason) => {
    expect(read([one], { port })).toEqual({ targets: [], skipped: [reason] });
    expect(
      read([one, slice('b', ['2.2.2.2'], { ports: [{ name: port ?? 'http', port: 8080 }] })], { port })
        .targets,
    ).toHaveLength(1);
  });
});
