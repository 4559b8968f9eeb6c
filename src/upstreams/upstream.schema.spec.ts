import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../config/config-reader.ts';
import { ConfigError } from '../config/config-fault.ts';
import { upstreamSchema } from './upstream.schema.ts';

function faultOf(text: string): string {
  try {
    readConfig(upstreamSchema, text, 'u.yaml', {});
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.faults.map((one) => `${one.line}:${one.column} ${one.key}: ${one.message}`).join('\n');
    }
    throw error;
  }
  return 'none';
}

describe('passHeaders', () => {
  const withName = (name: string): string => faultOf(`targets: ['http://a']\npassHeaders: ['${name}']`);

  it.each(['X-HTTP-Method-Override', 'remote_user', 'SSL_CLIENT_S_DN'])('takes %s', (name) => {
    expect(withName(name)).toBe('none');
  });

  it.each([
    ['X-User-Id', '2:15 passHeaders[0]: expected no x-user-id: what it says is the gateway\'s to say, and never passes'],
    ['x_request_id', '2:15 passHeaders[0]: expected no x_request_id: what it says is the gateway\'s to say, and never passes'],
    ['Accept', '2:15 passHeaders[0]: expected a field that is held back by default; accept passes anyway'],
    ['a b', '2:15 passHeaders[0]: expected a header field name'],
  ])('does not take %s', (name, fault) => {
    expect(withName(name)).toContain(fault);
  }); // prettier-ignore

  it('is nothing for gRPC', () => {
    expect(faultOf('protocol: grpc\ntargets: [grpc://a]\npassHeaders: [remote-user]')).toBe(
      '3:1 passHeaders: expected no `passHeaders`, because the protocol is grpc; see `metadata` of its routes',
    );
  });
});

describe('what upstreams are told', () => {
  it.each([
    ['host', 'keep'],
    ['forwarded', 'both'],
    ['via', 'edge'],
  ])('is nothing for gRPC: %s', (key, value) => {
    expect(faultOf(`targets: [http://a]\n${key}: ${value}`)).toBe('none');
    expect(faultOf(`protocol: grpc\ntargets: [grpc://a]\n${key}: ${value}`)).toBe(
      `3:1 ${key}: expected no \`${key}\`, because the protocol is grpc`,
    );
  });
});
