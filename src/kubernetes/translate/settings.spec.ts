import { describe, expect, it } from '@jest/globals';
import { settingsOf } from './scene.fixture.ts';
import { localPort } from './settings.ts';

describe('localPort', () => {
  it('is what is said of it, else the same where the file listens there', () => {
    const settings = settingsOf({ ports: { 443: 8443 } });
    expect([localPort(settings, 443), localPort(settings, 80), localPort(settings, 81)]).toEqual([
      8443,
      80,
      undefined,
    ]);
  });

  it('is that of the environment where the file has no listeners', () => {
    const settings = settingsOf({ filePorts: undefined });
    expect([localPort(settings, 8080), localPort(settings, 80)]).toEqual([8080, undefined]);
  });
});
