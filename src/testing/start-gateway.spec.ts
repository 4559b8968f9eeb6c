import { describe, expect, it } from '@jest/globals';
import { startGateway } from './start-gateway.ts';

const TEXT = `version: 1
routes:
  - { id: hello, match: { path: /hello }, respond: { status: 200, body: hello }, policies: { authentication: public } }
`;

describe('startGateway', () => {
  it('serves on free ports, and nobody any more once it is stopped', async () => {
    const [one, other] = [await startGateway({ text: TEXT }), await startGateway({ text: TEXT })];
    expect(one.url).not.toBe(other.url);
    expect(await (await fetch(`${one.url}/hello`)).text()).toBe('hello');
    expect((await fetch(`${one.adminUrl}/routes`)).status).toBe(200);
    await one.stop();
    await expect(fetch(`${one.url}/hello`)).rejects.toThrow();
    await other.stop();
  });

  it('throws all that is wrong, with the name that the text was given', async () => {
    const text = 'version: 1\nmodules: [none]\nroute: []\n';
    await expect(startGateway({ text, config: 'team.yaml' })).rejects.toThrow(
      /team\.yaml:3:\d+ {2}route {2}unknown key; did you mean "routes"\?/,
    );
  });
});
