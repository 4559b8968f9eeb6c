import { StandIns } from '../simulate/stand-ins.ts';
import type { GatewaySource } from '../routing/table-builder.ts';

/** About as much as a small answer of JSON has: 227 bytes. */
const BODY = {
  id: '7',
  name: 'Ann Example',
  email: 'ann@example.com',
  tier: 'pro',
  tenant: 'acme',
  created: '2026-01-01T09:30:00Z',
  about: 'This is what a stand-in upstream answers: JSON of the size that small answers of services have. '.slice(0, 76),
}; // prettier-ignore

/** Servers of this machine in place of upstreams, which answer at once and remember nothing. */
export class StandInUpstreams extends StandIns {
  /** Starts them. @returns origins of targets, by upstream. */
  async start(
    upstreams: GatewaySource['value']['upstreams'],
  ): Promise<Readonly<Record<string, readonly string[]>>> {
    const stood = await this.standFor(upstreams);
    const http = Object.entries(upstreams).filter(([, { protocol }]) => protocol === 'http');
    const answer = { status: 200, headers: {}, body: BODY, delay: 0 };
    await this.script(Object.fromEntries(http.map(([name]) => [name, [answer]])));
    return Object.fromEntries(
      Object.entries(stood).map(([name, { targets }]) => [name, targets.map(({ url }) => url)]),
    );
  }

  // As many come as a machine can send.
  override received(): void {
    // Nobody asks for them.
  }
}
