import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PEERS_CASES } from './cases.ts';
import { fill } from './template.ts';

const CONFIGS = new Set(PEERS_CASES.flatMap(({ against }) => against.flatMap(({ config }) => config ?? [])));
const VALUES = {
  PORT: '1',
  BACKEND_PORT: '2',
  FOLDER: '/f',
  LOG: '/l',
  JWKS: '/j',
  PEM: '/p',
  ISSUER: 'http://i',
};

describe('a template', () => {
  it('gets its values, and keeps the variables of others', () => {
    expect(fill('listen ${PORT}; $host; %[uuid()] ${PORT}', { PORT: '80' })).toBe(
      'listen 80; $host; %[uuid()] 80',
    );
  });

  it('puts values in as they are', () => {
    expect(fill('<${LOG}>', { LOG: "$&$'" })).toBe("<$&$'>");
  });

  it('names what has no value', () => {
    expect(() => fill('${PORT} ${NONE}', { PORT: '80' })).toThrow('${NONE}: there is no such value');
  });

  it.each([...CONFIGS])('%s listens and forwards where it is told to', (config) => {
    const text = fill(readFileSync(join(import.meta.dirname, 'config', config), 'utf8'), VALUES);
    expect(text).not.toContain('${');
    expect(text).toMatch(/(127\.0\.0\.1|http:\/\/|port_value: ):?1\b/);
    expect(text).toMatch(/(127\.0\.0\.1:|port_value: )2\b/);
  });
});
