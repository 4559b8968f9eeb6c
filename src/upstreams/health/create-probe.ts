import type { ActiveOptions } from './health.schema.ts';
import { GrpcProbe } from './grpc-probe.ts';
import { HttpProbe } from './http-probe.ts';
import type { Probe } from './probe.ts';
import { TcpProbe } from './tcp-probe.ts';
import type { WatchedTarget } from './watches.ts';

/** Makes what asks a target, over connections of its own that are made as those of its calls. */
export function createProbe(active: ActiveOptions, { options, socket }: WatchedTarget): Probe {
  const { path, grpc, timeout } = active;
  if (path !== undefined) {
    const host = options.host === 'keep' || options.host === 'target' ? undefined : options.host;
    return new HttpProbe(socket, { ...active, path, host });
  }
  if (grpc !== undefined) return new GrpcProbe(socket, grpc === true ? '' : grpc, timeout);
  return new TcpProbe({ ...socket, protocol: options.protocol === 'grpc' ? 'h2' : 'http/1.1' });
}
