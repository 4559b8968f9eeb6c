import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useBrowser } from '../support/browser.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { useShop } from '../support/shop.ts';

const kinds = new KindsServer();
beforeAll(() => kinds.start());
afterAll(() => kinds.stop());
const browser = useBrowser();
const holder = useShop({
  upstreams: () => ({
    kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
  }),
  routes: [{ id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } }],
});

/** What a page hears: texts, problems, and how it ended. */
interface Heard {
  readonly protocol: string;
  readonly texts: readonly string[];
  readonly problems: readonly string[];
  readonly code: number;
  readonly reason: string;
}

/** Talks as a page does; runs in the browser. */
function talk([url, protocols, frames]: readonly [string, string[], string[]]): Promise<Heard> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, protocols);
    const [texts, problems] = [[] as string[], [] as string[]];
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => frames.forEach((frame) => socket.send(frame)));
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === 'string') texts.push(data);
      else problems.push(new TextDecoder().decode(data));
    });
    socket.addEventListener('close', ({ code, reason }) =>
      resolve({ protocol: socket.protocol, texts, problems, code, reason }),
    );
  });
}

/** From a page of another origin: the upstream that echoes is a server of its own. */
async function fromForeignPage(token: string, frames: string[]): Promise<Heard> {
  const { page, close } = await browser.open(holder.shop.echo.url);
  const url = `${holder.shop.gateway.url.replace('http', 'ws')}/test/chat/hi`;
  const protocols = token === '' ? ['grpc.json'] : ['grpc.json', `bearer.${token}`];
  const heard = await page.evaluate(talk, [url, protocols, frames] as const);
  await close();
  return heard;
}

describe('a page of a browser', () => {
  it('talks to a gRPC service in both directions', async () => {
    const token = await holder.shop.services.identity.token('user');
    expect(await fromForeignPage(token, ['{"number":1}', '{"number":"2"}', ''])).toEqual({
      protocol: 'grpc.json',
      texts: ['{"number":"2","note":"hi"}', '{"number":"4","note":"hi"}'],
      problems: [],
      code: 1000,
      reason: '',
    });
  });

  it('tells messages from problems by the kind of their frames', async () => {
    const token = await holder.shop.services.identity.token('user');
    const heard = await fromForeignPage(token, ['{"number":1}', '{"nope":1}']);
    expect(heard).toMatchObject({ code: 4400, reason: 'request-invalid' });
    expect(JSON.parse(heard.problems[0] ?? '')).toMatchObject({
      code: 'request-invalid',
      detail: 'Message 2 is not valid.',
    });
  });

  it('is not let in without a token', async () => {
    expect(await fromForeignPage('', [])).toMatchObject({ texts: [], code: 1006 });
  });
});
